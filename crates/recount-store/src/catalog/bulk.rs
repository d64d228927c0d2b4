//! Text of statements over many rows at once.
//!
//! Only a few row counts are used, so that each connection prepares each text once. The longest
//! statement has 256 rows of 10 values, well below SQLite's 32,766 and PostgreSQL's 65,535.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Row counts that statements are made for, largest first.
const ROWS: [usize; 4] = [256, 64, 8, 1];

/// Splits `rows` into parts whose lengths are among [`ROWS`].
pub(crate) fn chunks<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut parts = Vec::new();
    for size in ROWS {
        while rows.len() >= size {
            let (part, rest) = rows.split_at(size);
            parts.push(part);
            rows = rest;
        }
    }
    parts
}

/// `{head}($1,$2),($3,$4)…{tail}`
pub(crate) fn insert(head: &'static str, columns: usize, rows: usize, tail: &'static str) -> &'static str {
    statement(head, columns, rows, tail, || {
        let tuples: Vec<String> =
            (0..rows).map(|row| format!("({})", placeholders(row * columns + 1, columns))).collect();
        format!("{head}{}{tail}", tuples.join(","))
    })
}

/// `{head}($1,$2,…){tail}`
pub(crate) fn select_in(head: &'static str, values: usize, tail: &'static str) -> &'static str {
    statement(head, 0, values, tail, || format!("{head}({}){tail}", placeholders(1, values)))
}

fn placeholders(first: usize, count: usize) -> String {
    let numbered: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    numbered.join(",")
}

type Shape = (&'static str, usize, usize, &'static str);

/// Makes each text once and keeps it: there are as many as call sites times row counts.
fn statement(
    head: &'static str,
    columns: usize,
    rows: usize,
    tail: &'static str,
    make: impl FnOnce() -> String,
) -> &'static str {
    static TEXTS: OnceLock<Mutex<HashMap<Shape, &'static str>>> = OnceLock::new();
    let texts = TEXTS.get_or_init(Mutex::default);
    let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
    texts.entry((head, columns, rows, tail)).or_insert_with(|| Box::leak(make().into_boxed_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_all_rows_in_order() {
        let rows: Vec<u32> = (0..1_000).collect();
        let parts = chunks(&rows);
        assert_eq!(parts.concat(), rows);
        assert!(parts.iter().all(|part| ROWS.contains(&part.len())));
        assert!(chunks::<u32>(&[]).is_empty());
    }

    #[test]
    fn texts_number_their_placeholders() {
        assert_eq!(insert("I ", 2, 2, " T"), "I ($1,$2),($3,$4) T");
        assert_eq!(select_in("S ", 3, ""), "S ($1,$2,$3)");
    }
}
