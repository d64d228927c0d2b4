//! Tables for people: columns as wide as they need, rules only where they help.

use comfy_table::{ContentArrangement, Table, presets};

/// A terminal that says it is narrower, or has no width at all, gets lines as long as they are.
const WIDTH_MIN: u16 = 40;

/// A table with a header, fitted to the terminal.
#[must_use]
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if table.width().is_some_and(|width| width >= WIDTH_MIN) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| super::safe(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // Without trailing white space, so that snapshots and pipes are clean.
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
