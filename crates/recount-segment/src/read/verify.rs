//! Checking a whole segment.

use recount_event::token::for_each_token;

use super::Segment;
use crate::column::{ColumnId, ColumnSet};
use crate::columns::RowGroupColumns;
use crate::error::SegmentError;
use crate::id_filter::{id_hash, id_hash_column, line_id};
use crate::line::Line;
use crate::schema::BLOCK_ROWS;
use crate::token_filter::TokenKey;

/// How Parquet files start.
const MAGIC: &[u8] = b"PAR1";

pub(super) async fn verify(segment: &Segment) -> Result<(), SegmentError> {
    let start = segment.read(std::iter::once(0..MAGIC.len() as u64).collect()).await?;
    if start[0] != MAGIC {
        return Err(segment.corrupt("doesn't start like a Parquet file"));
    }
    let id_filter = segment.id_filter().await?;
    let mut above: Option<(i64, i64)> = None;
    for (index, group) in segment.row_groups().iter().enumerate() {
        let columns = segment.columns(index, ColumnSet::ALL, None).await?;
        let filters = segment.token_filters(index).await?;
        let wrong = |what: &str| segment.corrupt(format!("row group {index}: {what}"));
        check_order(&columns, &mut above).ok_or_else(|| wrong("rows are out of order"))?;
        let in_range = |row: usize| {
            (group.min_occurred..=group.max_occurred).contains(&columns.occurred_at(row))
                && (group.min_seq..=group.max_seq).contains(&columns.seq(row))
        };
        if !(0..columns.len()).all(in_range) {
            return Err(wrong("a row lies outside the stated ranges"));
        }
        for (block, start) in (0..group.rows).step_by(BLOCK_ROWS).enumerate() {
            let end = group.rows.min(start + u32::try_from(BLOCK_ROWS).expect("a small constant"));
            let rows: Vec<u32> = (start..end).collect();
            for (row, line) in rows.iter().zip(segment.lines(index, &rows).await?) {
                let id = line_id(&line).ok_or_else(|| wrong("a line has no id"))?;
                let hash = id_hash(&id);
                if id_hash_column(hash) != columns.ints(ColumnId::IdHash)[*row as usize]
                    || !id_filter.may_contain(hash)
                {
                    return Err(wrong("an id isn't indexed"));
                }
                if !tokens_present(&line, |token| filters.may_contain(block, token)) {
                    return Err(wrong("a word isn't indexed"));
                }
            }
        }
    }
    Ok(())
}

fn check_order(columns: &RowGroupColumns, above: &mut Option<(i64, i64)>) -> Option<()> {
    let (times, seqs) = (columns.ints(ColumnId::OccurredAt), columns.ints(ColumnId::Seq));
    for place in times.iter().copied().zip(seqs.iter().copied()) {
        if above.is_some_and(|above| above <= place) {
            return None;
        }
        *above = Some(place);
    }
    Some(())
}

fn tokens_present(line: &Line, present: impl Fn(TokenKey) -> bool) -> bool {
    let mut all = true;
    for_each_token(line.as_str(), |token| all &= present(TokenKey::new(token)));
    all
}
