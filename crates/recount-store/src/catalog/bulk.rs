//! Text of statements over many rows at once.
//!
//! Only some row counts are used, so that each connection prepares each text once, and few rows are one
//! statement: each is a turn of the database. The longest has 256 rows of 10 values, well below SQLite's
//! 32,766 and PostgreSQL's 65,535.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Row counts that statements are made for, largest first; and any that is less than the last.
const ROWS: [usize; 5] = [256, 128, 64, 32, 16];

/// Splits `rows` into parts for which there are statements.
pub(crate) fn chunks<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut parts = Vec::new();
    for size in ROWS {
        while rows.len() >= size {
            let (part, rest) = rows.split_at(size);
            parts.push(part);
            rows = rest;
        }
    }
    if !rows.is_empty() {
        parts.push(rows);
    }
    parts
}

/// How a statement names the values that are bound to it, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Placeholders {
    /// `?`, for SQLite: it looks names up one after the other, which is slow in long statements.
    Plain,
    /// `$1`, `$2` and so on, for PostgreSQL.
    Numbered,
}

impl Placeholders {
    fn list(self, first: usize, count: usize) -> String {
        let names = (first..first + count).map(|number| match self {
            Self::Plain => "?".to_owned(),
            Self::Numbered => format!("${number}"),
        });
        names.collect::<Vec<String>>().join(",")
    }
}

/// `{head}($1,$2),($3,$4)…{tail}`
pub(crate) fn insert(
    placeholders: Placeholders,
    head: &'static str,
    columns: usize,
    rows: usize,
    tail: &'static str,
) -> &'static str {
    statement((placeholders, head, columns, rows, tail), || {
        let tuples: Vec<String> =
            (0..rows).map(|row| format!("({})", placeholders.list(row * columns + 1, columns))).collect();
        format!("{head}{}{tail}", tuples.join(","))
    })
}

/// `{head}($1,$2,…){tail}`
pub(crate) fn select_in(
    placeholders: Placeholders,
    head: &'static str,
    values: usize,
    tail: &'static str,
) -> &'static str {
    statement((placeholders, head, 0, values, tail), || {
        format!("{head}({}){tail}", placeholders.list(1, values))
    })
}

type Shape = (Placeholders, &'static str, usize, usize, &'static str);

/// Makes each text once and keeps it: there are as many as call sites times row counts.
fn statement(shape: Shape, make: impl FnOnce() -> String) -> &'static str {
    static TEXTS: OnceLock<Mutex<HashMap<Shape, &'static str>>> = OnceLock::new();
    let texts = TEXTS.get_or_init(Mutex::default);
    let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
    texts.entry(shape).or_insert_with(|| Box::leak(make().into_boxed_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_rows_in_order() {
        let rows: Vec<u32> = (0..1_000).collect();
        let parts = chunks(&rows);
        assert_eq!(parts.concat(), rows);
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [256, 256, 256, 128, 64, 32, 8]);
        assert_eq!(chunks(&rows[..15]).len(), 1, "few rows are one statement");
        assert!(chunks::<u32>(&[]).is_empty());
    }

    #[test]
    fn texts_have_the_placeholders_of_their_database() {
        assert_eq!(insert(Placeholders::Numbered, "I ", 2, 2, " T"), "I ($1,$2),($3,$4) T");
        assert_eq!(insert(Placeholders::Plain, "I ", 2, 2, " T"), "I (?,?),(?,?) T");
        assert_eq!(select_in(Placeholders::Numbered, "S ", 3, ""), "S ($1,$2,$3)");
        assert_eq!(select_in(Placeholders::Plain, "S ", 3, ""), "S (?,?,?)");
    }
}
