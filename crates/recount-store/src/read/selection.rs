//! The rows of a unit that a question selects, and taking them in order.

use std::ops::Range;

use arrow_buffer::BooleanBuffer;
use recount_segment::{BLOCK_ROWS, BlockSet, Bounds, Predicate, RowGroupColumns};

use crate::Order;

/// The rows of a unit that a question selects, as far as columns tell.
#[derive(Clone)]
pub(crate) struct Selection {
    /// [`ColumnSet::ORDER`] and what else was asked for.
    pub(crate) columns: RowGroupColumns,
    /// Rows within the bounds of time and place.
    pub(crate) rows: Range<usize>,
    /// Of those, the rows that match; all if `None`.
    pub(crate) mask: Option<BooleanBuffer>,
}

/// Applies bounds, filter columns and surviving blocks to a unit's rows.
pub(crate) fn narrow(
    columns: RowGroupColumns,
    predicate: Option<&Predicate>,
    bounds: &Bounds,
    seq_matters: bool,
    blocks: Option<BlockSet>,
) -> Option<Selection> {
    let rows = bounds.row_range(&columns);
    if rows.is_empty() {
        return None;
    }
    let mut mask = predicate.map(|predicate| predicate.evaluate(&columns));
    let mut also = |other: BooleanBuffer| {
        mask = Some(match mask.take() {
            Some(mask) => &mask & &other,
            None => other,
        });
    };
    if seq_matters {
        also(bounds.within_seq(&columns));
    }
    if let Some(blocks) = blocks {
        also(BooleanBuffer::collect_bool(columns.len(), |row| blocks.contains(row / BLOCK_ROWS)));
    }
    let selection = Selection { columns, rows, mask };
    (!selection.is_empty()).then_some(selection)
}

impl Selection {
    /// Takes the next `count` selected rows in the given order out of the selection.
    pub(crate) fn take(&mut self, order: Order, count: usize) -> Vec<u32> {
        match order {
            Order::NewestFirst => self.take_first(count),
            Order::OldestFirst => self.take_last(count),
        }
    }

    fn take_first(&mut self, count: usize) -> Vec<u32> {
        let start = self.rows.start;
        let taken: Vec<u32> = match &self.mask {
            None => row_numbers(start..self.rows.end.min(start.saturating_add(count))).collect(),
            Some(mask) => mask
                .slice(start, self.rows.len())
                .set_indices()
                .take(count)
                .map(|row| row_number(start + row))
                .collect(),
        };
        self.rows.start = match taken.last() {
            Some(last) if taken.len() == count => *last as usize + 1,
            _ => self.rows.end,
        };
        taken
    }

    fn take_last(&mut self, count: usize) -> Vec<u32> {
        let end = self.rows.end;
        let taken: Vec<u32> = match &self.mask {
            None => row_numbers(self.rows.start.max(end.saturating_sub(count))..end).rev().collect(),
            Some(mask) => {
                self.rows.clone().rev().filter(|row| mask.value(*row)).take(count).map(row_number).collect()
            }
        };
        self.rows.end = match taken.last() {
            Some(last) if taken.len() == count => *last as usize,
            _ => self.rows.start,
        };
        taken
    }

    /// Whether no selected row is left.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.mask {
            _ if self.rows.is_empty() => true,
            Some(mask) => mask.slice(self.rows.start, self.rows.len()).count_set_bits() == 0,
            None => false,
        }
    }

    /// The selected rows as a bitmap over all rows of the unit.
    pub(crate) fn bitmap(&self) -> BooleanBuffer {
        let rows = &self.rows;
        let within = BooleanBuffer::collect_bool(self.columns.len(), |row| rows.contains(&row));
        match &self.mask {
            Some(mask) => mask & &within,
            None => within,
        }
    }
}

fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a unit has fewer than 2^32 rows")
}

fn row_numbers(rows: Range<usize>) -> impl DoubleEndedIterator<Item = u32> {
    rows.map(row_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(mask: Option<&[bool]>, rows: Range<usize>) -> Selection {
        Selection {
            columns: RowGroupColumns::new(0..8),
            rows,
            mask: mask.map(|bits| bits.iter().copied().collect()),
        }
    }

    fn drain(mut selection: Selection, order: Order, count: usize) -> Vec<u32> {
        let mut all = Vec::new();
        while !selection.is_empty() {
            all.extend(selection.take(order, count));
        }
        all
    }

    #[test]
    fn rows_are_taken_once_each_from_either_end() {
        let bits = [true, false, true, true, false, false, true, true];
        for count in 1..9 {
            let some = || selection(Some(&bits), 1..8);
            assert_eq!(drain(some(), Order::NewestFirst, count), [2, 3, 6, 7]);
            assert_eq!(drain(some(), Order::OldestFirst, count), [7, 6, 3, 2]);
            assert_eq!(drain(selection(None, 2..5), Order::NewestFirst, count), [2, 3, 4]);
            assert_eq!(drain(selection(None, 2..5), Order::OldestFirst, count), [4, 3, 2]);
        }
    }
}
