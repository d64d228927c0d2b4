//! The rows of a unit that a question selects, and taking them in order.

use std::ops::Range;

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use recount_segment::{BLOCK_ROWS, BlockSet};

use crate::Order;

/// Rows looked at a time when they are taken from the end.
const BACKWARD_ROWS: usize = 1_024;

/// The rows of a unit that a question selects, as far as columns tell.
#[derive(Clone)]
pub(crate) struct Selection {
    /// Rows within the bounds, without those taken.
    rows: Range<usize>,
    /// Which of them match; all if `None`.
    mask: Option<BooleanBuffer>,
    /// The row that the mask's first bit stands for.
    mask_start: usize,
}

impl Selection {
    /// All of `rows`.
    pub(crate) fn of(rows: Range<u32>) -> Self {
        let rows = rows.start as usize..rows.end as usize;
        Selection { mask_start: rows.start, rows, mask: None }
    }

    /// Keeps only rows that are set in `mask`, which covers them all and whose first bit is row `first`.
    pub(crate) fn keep(&mut self, mask: &BooleanBuffer, first: u32) {
        let other = mask.slice(self.rows.start - first as usize, self.rows.len());
        self.mask = Some(match self.remaining() {
            Some(mask) => &mask & &other,
            None => other,
        });
        self.mask_start = self.rows.start;
    }

    /// Keeps only rows of these blocks.
    pub(crate) fn keep_blocks(&mut self, blocks: BlockSet) {
        let mut mask = BooleanBufferBuilder::new(self.rows.len());
        let mut row = self.rows.start;
        while row < self.rows.end {
            let end = ((row / BLOCK_ROWS + 1) * BLOCK_ROWS).min(self.rows.end);
            mask.append_n(end - row, blocks.contains(row / BLOCK_ROWS));
            row = end;
        }
        let first = row_number(self.rows.start);
        self.keep(&mask.finish(), first);
    }

    /// The mask over the rows that are left.
    fn remaining(&self) -> Option<BooleanBuffer> {
        self.mask.as_ref().map(|mask| mask.slice(self.rows.start - self.mask_start, self.rows.len()))
    }

    /// The range that the rows that are left lie in.
    pub(crate) fn range(&self) -> Range<u32> {
        row_number(self.rows.start)..row_number(self.rows.end)
    }

    /// Takes the next `count` selected rows in the given order out of the selection.
    pub(crate) fn take(&mut self, order: Order, count: usize) -> Vec<u32> {
        match order {
            Order::NewestFirst => self.take_first(count),
            Order::OldestFirst => self.take_last(count),
        }
    }

    fn take_first(&mut self, count: usize) -> Vec<u32> {
        let start = self.rows.start;
        let taken: Vec<u32> = match self.remaining() {
            None => row_numbers(start..self.rows.end.min(start.saturating_add(count))).collect(),
            Some(mask) => mask.set_indices().take(count).map(|row| row_number(start + row)).collect(),
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
                let mut taken = Vec::new();
                let mut end = end;
                while taken.len() < count && end > self.rows.start {
                    let start = self.rows.start.max(end.saturating_sub(BACKWARD_ROWS));
                    let found: Vec<usize> =
                        mask.slice(start - self.mask_start, end - start).set_indices().collect();
                    taken.extend(found.into_iter().rev().map(|row| row_number(start + row)));
                    end = start;
                }
                taken.truncate(count);
                taken
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
        self.rows.is_empty() || self.remaining().is_some_and(|mask| mask.count_set_bits() == 0)
    }

    /// The rows that are left as a bitmap over `rows`, which covers them.
    pub(crate) fn bitmap(&self, rows: Range<u32>) -> BooleanBuffer {
        let mut bitmap = BooleanBufferBuilder::new(rows.len());
        bitmap.append_n(self.rows.start - rows.start as usize, false);
        match self.remaining() {
            Some(mask) => bitmap.append_buffer(&mask),
            None => bitmap.append_n(self.rows.len(), true),
        }
        bitmap.append_n(rows.end as usize - self.rows.end, false);
        bitmap.finish()
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

    fn selection(mask: Option<&[bool]>, rows: Range<u32>) -> Selection {
        let mut selection = Selection::of(rows);
        if let Some(mask) = mask {
            selection.keep(&mask.iter().copied().collect(), 0);
        }
        selection
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
    #[test]
    fn rows_far_apart_are_taken_from_the_end() {
        let all = 3 * BACKWARD_ROWS;
        let mask: BooleanBuffer = (0..all).map(|row| row.is_multiple_of(700)).collect();
        let mut selection = Selection::of(5..row_number(all - 5));
        selection.keep(&mask, 0);
        assert_eq!(selection.take(Order::OldestFirst, 2), [2_800, 2_100]);
        assert_eq!(drain(selection, Order::OldestFirst, 5), [1_400, 700]);
    }

    #[test]
    fn what_is_kept_is_within_all_masks_and_blocks() {
        let rows = 3 * row_number(BLOCK_ROWS);
        let mut selection = Selection::of(10..rows - 10);
        selection.keep_blocks(BlockSet::first(3).without(1));
        let even: BooleanBuffer = (0..rows).map(|row| row % 2 == 0).collect();
        selection.keep(&even.slice(8, rows as usize - 8), 8);
        let bitmap = selection.bitmap(8..rows);
        let block = BLOCK_ROWS as u32;
        let expected = (8..rows)
            .map(|row| (10..rows - 10).contains(&row) && !(block..2 * block).contains(&row) && row % 2 == 0);
        assert_eq!(bitmap, expected.collect::<BooleanBuffer>());
    }
}
