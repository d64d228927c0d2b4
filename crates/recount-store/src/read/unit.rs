//! A unit of a read: the rows of one decoded tail run or of one row group of a segment, sorted
//! newest first.

use std::sync::Arc;

use recount_event::Timestamp;
use recount_segment::{BlockSet, Bounds, ColumnSet, EventBatch, Line, Predicate, Segment};

use super::fault::Fault;
use super::question::Question;
use super::selection::{Selection, narrow};

/// Evaluating a filter over more rows than this is done off the async threads.
const INLINE_ROWS_MAX: usize = 4_096;

/// Rows that are read together.
#[derive(Clone)]
pub(crate) enum Unit {
    /// A decoded run of the tail.
    Tail(Arc<EventBatch>),
    /// A row group of a segment.
    Group(Segment, usize),
}

impl Unit {
    pub(crate) fn len(&self) -> usize {
        match self {
            Unit::Tail(batch) => batch.len(),
            Unit::Group(segment, group) => segment.row_groups()[*group].rows as usize,
        }
    }

    /// The rows' latest time.
    pub(crate) fn max_occurred(&self) -> Timestamp {
        match self {
            Unit::Tail(batch) => batch.columns().occurred_at(0),
            Unit::Group(segment, group) => segment.row_groups()[*group].max_occurred,
        }
    }

    /// Average length of a line.
    pub(crate) fn line_bytes_mean(&self) -> usize {
        match self {
            // All of it is in memory already, so a rough figure does.
            Unit::Tail(batch) => batch.heap_bytes() / batch.len().max(1),
            Unit::Group(segment, group) => {
                let group = &segment.row_groups()[*group];
                usize::try_from(group.line_bytes / u64::from(group.rows.max(1))).unwrap_or(usize::MAX)
            }
        }
        .max(1)
    }

    /// Selects rows by bounds and by what columns tell of the filter. `also` names columns that
    /// the caller needs besides. `None` if no row is selected.
    pub(crate) async fn select(
        &self,
        question: &Question,
        also: ColumnSet,
    ) -> Result<Option<Selection>, Fault> {
        let blocks = match self.surviving_blocks(question).await? {
            Some(blocks) if blocks.is_empty() => return Ok(None),
            blocks => blocks,
        };
        let predicate = question.predicate.clone();
        let filter_columns = predicate.as_ref().map_or(ColumnSet::EMPTY, Predicate::columns_needed);
        let wanted = ColumnSet::ORDER.union(filter_columns).union(also);
        let columns = match self {
            Unit::Tail(batch) => batch.columns().clone(),
            Unit::Group(segment, group) => {
                let state = &question.state;
                state.columns(&question.tenant, segment, *group, wanted).await?
            }
        };
        let examined = wanted.iter().filter_map(|id| columns.column(id)).map(|data| data.heap_bytes());
        question.meter.add(examined.sum(), self.max_occurred())?;

        let bounds = question.bounds;
        let seq_matters = bounds.bounds_seq() && !self.seqs_within(&bounds);
        if predicate.is_none() && !seq_matters || columns.len() <= INLINE_ROWS_MAX {
            return Ok(narrow(columns, predicate.as_ref(), &bounds, seq_matters, blocks));
        }
        let work = move || narrow(columns, predicate.as_ref(), &bounds, seq_matters, blocks);
        Ok(question.compute(work).await?)
    }

    /// Blocks that can hold the words searched for; `None` if that excludes nothing.
    async fn surviving_blocks(&self, question: &Question) -> Result<Option<BlockSet>, Fault> {
        let Unit::Group(segment, group) = self else { return Ok(None) };
        let Some(predicate) = question.predicate.as_ref().filter(|p| p.prunes_by_tokens()) else {
            return Ok(None);
        };
        let filters = question.state.token_filters(segment, *group).await?;
        Ok(Some(predicate.surviving_blocks(&filters)))
    }

    /// Whether every row lies within the bounds on seq.
    fn seqs_within(&self, bounds: &Bounds) -> bool {
        let (min, max) = match self {
            Unit::Tail(batch) => batch.seq_range().into_inner(),
            Unit::Group(segment, group) => {
                let group = &segment.row_groups()[*group];
                (group.min_seq, group.max_seq)
            }
        };
        bounds.seq_from.is_none_or(|from| min >= from) && bounds.seq_below.is_none_or(|below| max < below)
    }

    /// The lines of `rows`, which ascend, as `keep` wants them; `None` leaves a row out.
    /// `keep` runs off the async threads unless there is little to do.
    pub(crate) async fn lines<T: Send + 'static>(
        &self,
        question: &Question,
        rows: Vec<u32>,
        keep: impl Fn(u32, &Line) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, Fault> {
        match self {
            Unit::Tail(batch) => {
                let bytes = rows.iter().map(|row| batch.line(*row as usize).len()).sum();
                question.meter.add(bytes, self.max_occurred())?;
                let batch = batch.clone();
                let inline = bytes < 256 * 1024;
                let work =
                    move || rows.iter().filter_map(|row| keep(*row, batch.line(*row as usize))).collect();
                Ok(if inline { work() } else { question.compute(work).await? })
            }
            Unit::Group(segment, group) => {
                question.meter.add(rows.len() * self.line_bytes_mean(), self.max_occurred())?;
                let fetched = segment.fetch_lines(*group, &rows).await?;
                let work = move || -> Result<Vec<T>, Fault> {
                    let lines = fetched.decode()?;
                    Ok(rows.iter().zip(&lines).filter_map(|(row, line)| keep(*row, line)).collect())
                };
                question.compute(work).await?
            }
        }
    }
}
