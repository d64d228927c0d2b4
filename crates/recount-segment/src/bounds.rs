//! Bounds on time, seq and place in the order, and how they prune.

use std::ops::Range;

use arrow_buffer::BooleanBuffer;
use recount_event::Timestamp;

use crate::column::ColumnId;
use crate::columns::RowGroupColumns;
use crate::read::RowGroup;
use crate::write::SegmentStats;

/// A place in the order by (`occurred_at`, `seq`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The event's time.
    pub occurred_at: Timestamp,
    /// Its sequence number, which tells events of the same time apart.
    pub seq: u64,
}

/// Which rows a read is about, apart from its filter. The default is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Only events at or after this time.
    pub from: Option<Timestamp>,
    /// Only events before this time.
    pub to: Option<Timestamp>,
    /// Only events with a seq of at least this.
    pub seq_from: Option<u64>,
    /// Only events with a seq below this (a pinned size of the log).
    pub seq_below: Option<u64>,
    /// Only events strictly before this place: what follows it when newest come first.
    pub older_than: Option<Position>,
    /// Only events strictly after this place: what follows it when oldest come first.
    pub newer_than: Option<Position>,
}

impl Bounds {
    /// Whether a segment can hold a row within the bounds.
    pub fn overlap(&self, stats: &SegmentStats) -> bool {
        self.overlap_ranges(stats.min_occurred, stats.max_occurred, stats.first_seq, stats.last_seq)
    }

    /// Whether a row group can hold a row within the bounds.
    pub fn overlap_row_group(&self, group: &RowGroup) -> bool {
        self.overlap_ranges(group.min_occurred, group.max_occurred, group.min_seq, group.max_seq)
    }

    /// Whether rows within these inclusive ranges can lie within the bounds.
    pub fn overlap_ranges(
        &self,
        min_occurred: Timestamp,
        max_occurred: Timestamp,
        min_seq: u64,
        max_seq: u64,
    ) -> bool {
        let lowest = Position { occurred_at: min_occurred, seq: min_seq };
        let highest = Position { occurred_at: max_occurred, seq: max_seq };
        self.from.is_none_or(|from| max_occurred >= from)
            && self.to.is_none_or(|to| min_occurred < to)
            && self.seq_from.is_none_or(|from| max_seq >= from)
            && self.seq_below.is_none_or(|below| min_seq < below)
            && self.older_than.is_none_or(|place| lowest < place)
            && self.newer_than.is_none_or(|place| highest > place)
    }

    /// The rows of `columns` within the bounds on time and place, by binary search.
    ///
    /// Needs [`ColumnSet::ORDER`](crate::ColumnSet::ORDER). Bounds on seq aren't applied: see [`Self::within_seq`].
    pub fn row_range(&self, columns: &RowGroupColumns) -> Range<usize> {
        let times = columns.ints(ColumnId::OccurredAt);
        let seqs = columns.ints(ColumnId::Seq);
        let mut start = 0;
        let mut end = times.len();
        if let Some(to) = self.to {
            start = start.max(times.partition_point(|time| *time >= to.as_micros()));
        }
        if let Some(from) = self.from {
            end = end.min(times.partition_point(|time| *time >= from.as_micros()));
        }
        if let Some(place) = self.older_than {
            start = start.max(first_row(times, seqs, |row| row < place));
        }
        if let Some(place) = self.newer_than {
            end = end.min(first_row(times, seqs, |row| row <= place));
        }
        start..end.max(start)
    }

    /// Whether a bound on seq is set, so that [`Self::within_seq`] can exclude rows.
    pub fn bounds_seq(&self) -> bool {
        self.seq_from.is_some() || self.seq_below.is_some()
    }

    /// The rows of `columns` within the bounds on seq.
    pub fn within_seq(&self, columns: &RowGroupColumns) -> BooleanBuffer {
        let seqs = columns.ints(ColumnId::Seq);
        let from = self.seq_from.unwrap_or(0);
        let below = self.seq_below.unwrap_or(u64::MAX);
        BooleanBuffer::collect_bool(seqs.len(), |row| {
            let seq = seqs[row].cast_unsigned();
            (from..below).contains(&seq)
        })
    }

    /// All bounds as a bitmap over `columns`.
    pub fn evaluate(&self, columns: &RowGroupColumns) -> BooleanBuffer {
        let range = self.row_range(columns);
        let within = BooleanBuffer::collect_bool(columns.len(), |row| range.contains(&row));
        if self.bounds_seq() { &within & &self.within_seq(columns) } else { within }
    }
}

/// The first row whose place satisfies `reached`, which holds for all rows after the first one for which it holds.
fn first_row(times: &[i64], seqs: &[i64], reached: impl Fn(Position) -> bool) -> usize {
    let place = |row: usize| Position {
        occurred_at: Timestamp::from_micros(times[row]),
        seq: seqs[row].cast_unsigned(),
    };
    let (mut low, mut high) = (0, times.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if reached(place(middle)) { high = middle } else { low = middle + 1 }
    }
    low
}
