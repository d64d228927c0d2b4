//! The ranges of seqs and times that rows cover.

use recount_event::Timestamp;

use super::SegmentStats;
use crate::batch::EventBatch;
use crate::column::ColumnId;

/// Ranges of seqs and times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
    pub(crate) min_occurred: i64,
    pub(crate) max_occurred: i64,
    pub(crate) min_received: i64,
    pub(crate) max_received: i64,
}

impl Extent {
    /// The extent of a batch, which isn't empty.
    pub(super) fn of(batch: &EventBatch) -> Self {
        Self::of_rows(batch, 0..batch.len())
    }

    /// The extent of some rows of a batch, at least one.
    pub(crate) fn of_rows(batch: &EventBatch, rows: std::ops::Range<usize>) -> Self {
        let ints = |id: ColumnId| &batch.columns().ints(id)[rows.clone()];
        let range = |values: &[i64]| {
            values.iter().fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(*value), high.max(*value)))
        };
        let (first_seq, last_seq) = range(ints(ColumnId::Seq));
        let (min_occurred, max_occurred) = range(ints(ColumnId::OccurredAt));
        let (min_received, max_received) = range(ints(ColumnId::ReceivedAt));
        Self {
            first_seq: first_seq.cast_unsigned(),
            last_seq: last_seq.cast_unsigned(),
            min_occurred,
            max_occurred,
            min_received,
            max_received,
        }
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self {
            first_seq: self.first_seq.min(other.first_seq),
            last_seq: self.last_seq.max(other.last_seq),
            min_occurred: self.min_occurred.min(other.min_occurred),
            max_occurred: self.max_occurred.max(other.max_occurred),
            min_received: self.min_received.min(other.min_received),
            max_received: self.max_received.max(other.max_received),
        }
    }

    pub(super) fn stats(self, rows: u64, bytes: u64) -> SegmentStats {
        SegmentStats {
            first_seq: self.first_seq,
            last_seq: self.last_seq,
            rows,
            min_occurred: Timestamp::from_micros(self.min_occurred),
            max_occurred: Timestamp::from_micros(self.max_occurred),
            min_received: Timestamp::from_micros(self.min_received),
            max_received: Timestamp::from_micros(self.max_received),
            bytes,
        }
    }
}
