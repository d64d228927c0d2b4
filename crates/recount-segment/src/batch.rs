//! Events in memory, column by column: the tail as readers see it, and what segments are written from.

use std::mem::size_of;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use recount_event::{Timestamp, read_fields};

use crate::column::ColumnId;
use crate::columns::RowGroupColumns;
use crate::dictionary::{DictColumn, DictIds};
use crate::error::EncodeError;
use crate::id_filter::{id_hash, id_hash_column, line_id};
use crate::line::Line;

mod gather;
mod parse;

pub(crate) use gather::Gather;
use parse::ColumnsBuilder;

/// Most rows of one batch.
pub(crate) const BATCH_ROWS_MAX: usize = 1 << 24;
/// Most bytes of lines of one batch.
const BATCH_LINE_BYTES_MAX: u64 = 1 << 30;

/// One stored event before it is split into columns.
#[derive(Debug, Clone)]
pub struct Row {
    /// Place in the tenant's log.
    pub seq: u64,
    /// When Recount stored it.
    pub received_at: Timestamp,
    /// The event in normal form.
    pub line: Line,
}

/// Events of one tenant with all columns decoded, sorted newest first: by (`occurred_at`, `seq`) descending.
///
/// Cloning costs reference counts.
#[derive(Debug, Clone)]
pub struct EventBatch {
    tenant: Arc<str>,
    columns: RowGroupColumns,
    lines: Arc<[Line]>,
    line_bytes: usize,
    first_seq: u64,
    last_seq: u64,
}

impl EventBatch {
    /// Splits stored lines into columns and sorts them. CPU: about 1.5 µs a row.
    ///
    /// # Errors
    /// [`EncodeError::CorruptLine`], [`EncodeError::MixedTenants`], [`EncodeError::TooLarge`], [`EncodeError::Empty`].
    pub fn from_rows(rows: &[Row]) -> Result<Self, EncodeError> {
        check_size(rows.len(), rows.iter().map(|row| row.line.len() as u64).sum())?;
        let mut builder = ColumnsBuilder::default();
        let mut tenant: Option<Arc<str>> = None;
        for row in rows {
            let fields = read_fields(row.line.as_str())
                .map_err(|error| EncodeError::CorruptLine { seq: row.seq, detail: error.to_string() })?;
            match &tenant {
                None => tenant = Some(fields.tenant.as_ref().into()),
                Some(tenant) if **tenant == *fields.tenant => {}
                Some(tenant) => {
                    return Err(EncodeError::MixedTenants {
                        seq: row.seq,
                        expected: Arc::clone(tenant),
                        found: fields.tenant.into_owned(),
                    });
                }
            }
            builder.push(row, &fields);
        }
        let tenant = tenant.ok_or(EncodeError::Empty)?;
        let columns = builder.finish();
        let lines: Vec<Line> = rows.iter().map(|row| row.line.clone()).collect();
        let batch = Self::from_parts(tenant, columns, lines);
        if batch.is_sorted() {
            return Ok(batch);
        }
        let mut order: Vec<u32> = (0..u32::try_from(rows.len()).expect("checked above")).collect();
        order.sort_unstable_by_key(|row| std::cmp::Reverse(batch.place(*row as usize)));
        let mut gather = Gather::new(Arc::clone(&batch.tenant));
        let source = gather.add_source(&batch.columns);
        for row in order {
            gather.push(source, &batch.columns, row as usize, batch.lines[row as usize].clone());
        }
        Ok(gather.finish())
    }

    /// Merges sorted batches of one tenant into one. Lines are not parsed again.
    ///
    /// # Errors
    /// [`EncodeError::MixedTenants`], [`EncodeError::TooLarge`], [`EncodeError::Empty`].
    pub fn merge(batches: &[EventBatch]) -> Result<Self, EncodeError> {
        let Some(first) = batches.first() else {
            return Err(EncodeError::Empty);
        };
        if let Some(other) = batches.iter().find(|batch| batch.tenant != first.tenant) {
            return Err(EncodeError::MixedTenants {
                seq: other.columns.seq(0),
                expected: Arc::clone(&first.tenant),
                found: other.tenant.to_string(),
            });
        }
        let lines = || batches.iter().flat_map(|batch| batch.lines.iter());
        check_size(lines().count(), lines().map(|line| line.len() as u64).sum())?;
        let mut gather = Gather::new(Arc::clone(&first.tenant));
        let sources: Vec<usize> = batches.iter().map(|batch| gather.add_source(&batch.columns)).collect();
        // The next place of each batch, the highest on top.
        let mut heads: std::collections::BinaryHeap<_> = batches
            .iter()
            .enumerate()
            .filter(|(_, batch)| !batch.is_empty())
            .map(|(index, batch)| (batch.place(0), index, 0_usize))
            .collect();
        while let Some((_, index, row)) = heads.pop() {
            let batch = &batches[index];
            gather.push(sources[index], &batch.columns, row, batch.lines[row].clone());
            if row + 1 < batch.len() {
                heads.push((batch.place(row + 1), index, row + 1));
            }
        }
        Ok(gather.finish())
    }

    /// Rows `rows` of the batch.
    ///
    /// # Panics
    /// If they aren't all within the batch.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let mut gather = Gather::new(Arc::clone(&self.tenant));
        let source = gather.add_source(&self.columns);
        for row in rows {
            gather.push(source, &self.columns, row, self.lines[row].clone());
        }
        gather.finish()
    }

    pub(crate) fn from_parts(tenant: Arc<str>, columns: RowGroupColumns, lines: Vec<Line>) -> Self {
        debug_assert_eq!(columns.len(), lines.len());
        let seqs = columns.ints(ColumnId::Seq);
        let lowest = seqs.iter().copied().min().unwrap_or_default();
        let highest = seqs.iter().copied().max().unwrap_or_default();
        Self {
            tenant,
            line_bytes: lines.iter().map(Line::len).sum(),
            first_seq: lowest.cast_unsigned(),
            last_seq: highest.cast_unsigned(),
            columns,
            lines: lines.into(),
        }
    }

    /// The tenant whose events these are.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(crate) fn shared_tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All columns, for [`Predicate::evaluate`](crate::Predicate::evaluate), [`Bounds`](crate::Bounds) and [`count`](crate::count).
    pub fn columns(&self) -> &RowGroupColumns {
        &self.columns
    }

    /// The line of a row.
    pub fn line(&self, row: usize) -> &Line {
        &self.lines[row]
    }

    /// All lines, in row order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lowest and the highest seq.
    pub fn seq_range(&self) -> RangeInclusive<u64> {
        self.first_seq..=self.last_seq
    }

    /// Bytes of all lines.
    pub fn line_bytes(&self) -> usize {
        self.line_bytes
    }

    /// Rows with a seq in `seqs`, as row numbers in ascending seq order: for the feed.
    pub fn rows_in_seq_order(&self, seqs: Range<u64>) -> Vec<u32> {
        let all = self.columns.ints(ColumnId::Seq);
        let mut rows: Vec<u32> = (0..u32::try_from(all.len()).expect("batches are bounded"))
            .filter(|row| seqs.contains(&all[*row as usize].cast_unsigned()))
            .collect();
        rows.sort_unstable_by_key(|row| all[*row as usize]);
        rows
    }

    /// Finds an event by id, exactly: its row.
    pub fn find_id(&self, id: &str) -> Option<u32> {
        let wanted = id_hash_column(id_hash(id));
        let hashes = self.columns.ints(ColumnId::IdHash);
        let row = (0..hashes.len()).find(|row| {
            hashes[*row] == wanted && line_id(&self.lines[*row]).is_some_and(|found| found == id)
        })?;
        u32::try_from(row).ok()
    }

    /// Memory held, in bytes, lines included: what a cache should charge.
    pub fn heap_bytes(&self) -> usize {
        self.line_bytes + self.lines.len() * size_of::<Line>() + self.columns.heap_bytes()
    }

    /// A row's place in the order.
    fn place(&self, row: usize) -> (i64, i64) {
        (self.columns.ints(ColumnId::OccurredAt)[row], self.columns.ints(ColumnId::Seq)[row])
    }

    fn is_sorted(&self) -> bool {
        (1..self.len()).all(|row| self.place(row - 1) > self.place(row))
    }
}

fn check_size(rows: usize, line_bytes: u64) -> Result<(), EncodeError> {
    if rows > BATCH_ROWS_MAX {
        return Err(EncodeError::TooLarge { what: "rows of a batch", limit: BATCH_ROWS_MAX as u64 });
    }
    if line_bytes > BATCH_LINE_BYTES_MAX {
        return Err(EncodeError::TooLarge { what: "bytes of a batch", limit: BATCH_LINE_BYTES_MAX });
    }
    Ok(())
}

/// The dictionary index of each row of `column` in `rows`, for building another column.
pub(crate) fn dict_ids(column: &DictColumn, rows: Range<usize>) -> Vec<u32> {
    match column.ids() {
        DictIds::U8(ids) => ids[rows].iter().map(|id| u32::from(*id)).collect(),
        DictIds::U16(ids) => ids[rows].iter().map(|id| u32::from(*id)).collect(),
        DictIds::U32(ids) => ids[rows].to_vec(),
    }
}
