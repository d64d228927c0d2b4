//! Decoded columns of a run of rows: what predicates, counts and merges work on.

use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

use recount_event::Timestamp;

use crate::column::{ColumnId, ColumnSet};
use crate::dictionary::DictColumn;

/// One decoded column; cloning costs a reference count, so it can sit in a cache.
#[derive(Debug, Clone)]
pub enum ColumnData {
    /// `seq`, `occurred_at`, `received_at`, `id_hash`.
    Ints(Arc<Vec<i64>>),
    /// Every other column.
    Dict(Arc<DictColumn>),
}

impl ColumnData {
    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Dict(column) => column.ids().len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory held, in bytes: what a cache should charge.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Ints(values) => values.capacity() * size_of::<i64>(),
            Self::Dict(column) => column.heap_bytes(),
        }
    }

    /// Bytes that must be looked at for `rows` of the rows: theirs, and the dictionary. The same however much of the
    /// column is decoded.
    pub fn bytes_of_rows(&self, rows: usize) -> usize {
        match self {
            Self::Ints(_) => rows * size_of::<i64>(),
            Self::Dict(column) => rows * column.ids().width() + column.values().text_bytes(),
        }
    }
}

/// Some columns of consecutive rows of a row group (or of an [`EventBatch`](crate::EventBatch)).
///
/// Rows are sorted by (`occurred_at`, `seq`), both descending. All columns present have
/// [`len`](Self::len) values. Asking for a column that isn't present panics: load what
/// [`Predicate::columns_needed`](crate::Predicate::columns_needed) names.
#[derive(Debug, Clone)]
pub struct RowGroupColumns {
    first_row: u32,
    len: u32,
    columns: [Option<ColumnData>; ColumnId::COUNT],
}

impl RowGroupColumns {
    /// No columns yet of the rows `rows` of a row group.
    pub fn new(rows: Range<u32>) -> Self {
        Self { first_row: rows.start, len: rows.end - rows.start, columns: [const { None }; ColumnId::COUNT] }
    }

    /// The rows of the row group that these columns cover. Everything else here counts from the first of them.
    pub fn rows(&self) -> Range<u32> {
        self.first_row..self.first_row + self.len
    }

    /// Rows covered.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether no row is covered.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Columns present.
    pub fn present(&self) -> ColumnSet {
        ColumnId::ALL.into_iter().filter(|id| self.columns[id.index()].is_some()).collect()
    }

    /// A column, if present: for caches that keep columns one by one.
    pub fn column(&self, id: ColumnId) -> Option<&ColumnData> {
        self.columns[id.index()].as_ref()
    }

    /// Adds or replaces a column, for example one out of a cache.
    ///
    /// # Panics
    /// If it hasn't exactly [`len`](Self::len) rows, or isn't of the column's kind.
    pub fn insert(&mut self, id: ColumnId, data: ColumnData) {
        use crate::column::ColumnKind;
        assert_eq!(data.len(), self.len(), "column {} has the wrong number of rows", id.name());
        let fits = matches!(
            (id.kind(), &data),
            (ColumnKind::Int, ColumnData::Ints(_)) | (ColumnKind::Dict, ColumnData::Dict(_))
        );
        assert!(fits, "column {} is of another kind", id.name());
        self.columns[id.index()] = Some(data);
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.columns.iter().flatten().map(ColumnData::heap_bytes).sum()
    }

    /// An integer column.
    pub fn ints(&self, id: ColumnId) -> &[i64] {
        match self.column(id) {
            Some(ColumnData::Ints(values)) => values,
            _ => panic!("column {} was not loaded", id.name()),
        }
    }

    /// A dictionary column.
    pub fn dict(&self, id: ColumnId) -> &DictColumn {
        match self.column(id) {
            Some(ColumnData::Dict(column)) => column,
            _ => panic!("column {} was not loaded", id.name()),
        }
    }

    /// `seq` of a row.
    pub fn seq(&self, row: usize) -> u64 {
        self.ints(ColumnId::Seq)[row].cast_unsigned()
    }

    /// `occurred_at` of a row.
    pub fn occurred_at(&self, row: usize) -> Timestamp {
        Timestamp::from_micros(self.ints(ColumnId::OccurredAt)[row])
    }

    /// `received_at` of a row.
    pub fn received_at(&self, row: usize) -> Timestamp {
        Timestamp::from_micros(self.ints(ColumnId::ReceivedAt)[row])
    }
}
