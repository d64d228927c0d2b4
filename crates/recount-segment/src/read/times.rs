//! Where a time falls among the rows of a row group, by page statistics.

use std::ops::Range;

use super::pages::ColumnLayout;

/// The rows among which is the first one before `micros`: of one page, or none of them if statistics tell where it is.
///
/// `occurred_at` is the layout of that column, of `rows` rows sorted newest first.
pub(super) fn rows_around(occurred_at: &ColumnLayout, rows: u32, micros: i64) -> Range<u32> {
    if occurred_at.bounds.is_empty() {
        return 0..rows;
    }
    let page = occurred_at.bounds.partition_point(|(min, _)| *min >= micros);
    match occurred_at.bounds.get(page) {
        None => rows..rows,
        Some((_, max)) => {
            let within = occurred_at.rows_of(page, rows);
            if *max < micros { within.start..within.start } else { within }
        }
    }
}
