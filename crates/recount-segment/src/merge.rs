//! Streaming k-way merge of segments, for compaction.

use std::collections::BinaryHeap;
use std::sync::Arc;

use futures::stream::{self, Stream};

use crate::batch::{EventBatch, Gather};
use crate::column::{ColumnId, ColumnSet};
use crate::columns::RowGroupColumns;
use crate::error::SegmentError;
use crate::line::Line;
use crate::read::Segment;
use crate::schema::BLOCK_ROWS;

/// Merges segments of one tenant into batches of at most [`BLOCK_ROWS`] rows, newest first over all of them.
///
/// Columns are carried across, lines aren't parsed. Holds, per segment, the columns of one row group (about 3 MB)
/// and the lines of one block (about 5 MB). Feed the batches to one [`SegmentWriter`](crate::SegmentWriter). Work between two
/// batches is a few milliseconds of CPU: poll it where that is fine.
///
/// Segments of another tenant than the first end the stream with [`SegmentError::Corrupt`].
pub fn merge(segments: Vec<Segment>) -> impl Stream<Item = Result<EventBatch, SegmentError>> + Send {
    merge_from(segments, 0)
}

/// [`merge`] of the rows from seq `first_seq` on; earlier ones are left out.
pub fn merge_from(
    segments: Vec<Segment>,
    first_seq: u64,
) -> impl Stream<Item = Result<EventBatch, SegmentError>> + Send {
    stream::try_unfold(State::Start(segments, first_seq.cast_signed()), async |state| {
        let mut merger = match state {
            State::Start(segments, first_seq) => match Merger::start(segments, first_seq).await? {
                Some(merger) => merger,
                None => return Ok(None),
            },
            State::Merging(merger) => merger,
        };
        Ok(merger.next().await?.map(|batch| (batch, State::Merging(merger))))
    })
}

enum State {
    Start(Vec<Segment>, i64),
    Merging(Box<Merger>),
}

struct Merger {
    sources: Vec<Source>,
    /// The place of the next row of each source that has one, the newest on top.
    heads: BinaryHeap<((i64, i64), usize)>,
    gather: Gather,
    /// Rows before it are left out.
    first_seq: i64,
}

impl Merger {
    async fn start(segments: Vec<Segment>, first_seq: i64) -> Result<Option<Box<Self>>, SegmentError> {
        let Some(first) = segments.first() else {
            return Ok(None);
        };
        let tenant = Arc::clone(first.shared_tenant());
        let mut merger = Self {
            sources: Vec::new(),
            heads: BinaryHeap::new(),
            gather: Gather::new(Arc::clone(&tenant)),
            first_seq,
        };
        for segment in segments {
            if segment.tenant() != &*tenant {
                let found = segment.tenant().to_owned();
                return Err(segment.corrupt(format!("it is tenant {found:?}'s, not {tenant:?}'s")));
            }
            let mut source = Source::new(segment);
            source.advance(&mut Registered::No, &mut merger.gather).await?;
            merger.sources.push(source);
        }
        for (index, source) in merger.sources.iter().enumerate() {
            merger.heads.extend(source.place().map(|place| (place, index)));
        }
        Ok(Some(Box::new(merger)))
    }

    async fn next(&mut self) -> Result<Option<EventBatch>, SegmentError> {
        while self.gather.len() < BLOCK_ROWS {
            let Some(((_, seq), index)) = self.heads.pop() else {
                break;
            };
            let source = &mut self.sources[index];
            if seq >= self.first_seq {
                let line = std::mem::take(&mut source.lines[source.row - source.lines_start]);
                self.gather.push(index, &source.columns, source.row, line);
            }
            source.row += 1;
            source.advance(&mut Registered::As(index), &mut self.gather).await?;
            self.heads.extend(source.place().map(|place| (place, index)));
        }
        Ok((self.gather.len() > 0).then(|| self.gather.take()))
    }
}

/// Whether a source has a number in the gathering.
enum Registered {
    No,
    As(usize),
}

/// One segment, read from its newest row on.
struct Source {
    segment: Segment,
    next_row_group: usize,
    columns: RowGroupColumns,
    row: usize,
    lines: Vec<Line>,
    lines_start: usize,
}

impl Source {
    fn new(segment: Segment) -> Self {
        Self {
            segment,
            next_row_group: 0,
            columns: RowGroupColumns::new(0..0),
            row: 0,
            lines: Vec::new(),
            lines_start: 0,
        }
    }

    /// The current row's place in the order, if there is one.
    fn place(&self) -> Option<(i64, i64)> {
        (self.row < self.columns.len()).then(|| {
            let at = |id: ColumnId| self.columns.ints(id)[self.row];
            (at(ColumnId::OccurredAt), at(ColumnId::Seq))
        })
    }

    /// Loads what the current row needs: the next row group, or the next block of lines.
    async fn advance(
        &mut self,
        registered: &mut Registered,
        gather: &mut Gather,
    ) -> Result<(), SegmentError> {
        if self.row == self.columns.len() {
            if self.next_row_group == self.segment.row_groups().len() {
                return Ok(());
            }
            self.columns = self.segment.columns(self.next_row_group, ColumnSet::ALL, None).await?;
            self.next_row_group += 1;
            self.row = 0;
            (self.lines, self.lines_start) = (Vec::new(), 0);
            match registered {
                Registered::No => drop(gather.add_source(&self.columns)),
                Registered::As(index) => gather.replace_source(*index, &self.columns),
            }
        }
        if self.row == self.lines_start + self.lines.len() {
            let end = self.columns.len().min(self.row + BLOCK_ROWS);
            let index = |row: usize| u32::try_from(row).expect("row groups are bounded");
            let rows: Vec<u32> = (index(self.row)..index(end)).collect();
            self.lines = self.segment.lines(self.next_row_group - 1, &rows).await?;
            self.lines_start = self.row;
        }
        Ok(())
    }
}
