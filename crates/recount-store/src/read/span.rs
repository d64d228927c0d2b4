//! The rows of a unit within a question's bounds on time and place. Rows are sorted by both, so
//! they are a range; of a row group, page statistics tell all of it but for the blocks at its ends.

use std::ops::Range;

use recount_event::Timestamp;
use recount_segment::{ColumnId, ColumnSet, Position};

use super::fault::Fault;
use super::question::Question;
use super::unit::Unit;

impl Unit {
    /// The rows within the bounds on time and place; bounds on seq are not applied.
    pub(crate) async fn rows_within(&self, question: &Question) -> Result<Range<u32>, Fault> {
        let bounds = &question.bounds;
        let mut rows = 0..self.rows();
        if let Some(to) = bounds.to {
            rows.start = rows.start.max(self.first_before(question, to).await?);
        }
        if let Some(from) = bounds.from {
            rows.end = rows.end.min(self.first_before(question, from).await?);
        }
        if let Some(place) = bounds.older_than {
            let first = self.first_past(question, place, |seq| seq < place.seq).await?;
            rows.start = rows.start.max(first);
        }
        if let Some(place) = bounds.newer_than {
            let first = self.first_past(question, place, |seq| seq <= place.seq).await?;
            rows.end = rows.end.min(first);
        }
        rows.end = rows.end.max(rows.start);
        Ok(rows)
    }

    /// The first row that happened before `time`.
    async fn first_before(&self, question: &Question, time: Timestamp) -> Result<u32, Fault> {
        let around = match self {
            Unit::Tail(batch) => batch.columns().rows(),
            Unit::Group(segment, group) => segment.rows_around(*group, time),
        };
        self.first_within(question, around, ColumnId::OccurredAt, |at| at < time.as_micros()).await
    }

    /// The first row that happened before the time of `place`, or at that time with a seq that `is_past`.
    async fn first_past(
        &self,
        question: &Question,
        place: Position,
        is_past: impl Fn(u64) -> bool,
    ) -> Result<u32, Fault> {
        let next = Timestamp::from_micros(place.occurred_at.as_micros().saturating_add(1));
        let same_time =
            self.first_before(question, next).await?..self.first_before(question, place.occurred_at).await?;
        self.first_within(question, same_time, ColumnId::Seq, |seq| is_past(seq.cast_unsigned())).await
    }

    /// The first of `rows` whose integer `holds`, as it then does for all that follow; the row behind
    /// them if there is none.
    async fn first_within(
        &self,
        question: &Question,
        rows: Range<u32>,
        column: ColumnId,
        holds: impl Fn(i64) -> bool,
    ) -> Result<u32, Fault> {
        if rows.is_empty() {
            return Ok(rows.start);
        }
        let columns = self.columns(question, ColumnSet::EMPTY.with(column), &rows).await?;
        let skip = (rows.start - columns.rows().start) as usize;
        let values = &columns.ints(column)[skip..skip + rows.len()];
        let before = values.partition_point(|value| !holds(*value));
        Ok(rows.start + u32::try_from(before).expect("a unit has fewer than 2^32 rows"))
    }
}
