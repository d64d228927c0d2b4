//! A unit of a read: the rows of one decoded tail run or of one row group of a segment, sorted
//! newest first.

use std::ops::Range;
use std::sync::Arc;

use recount_event::Timestamp;
use recount_segment::{
    BLOCK_ROWS, BlockSet, Bounds, ColumnId, ColumnSet, EventBatch, Line, Predicate, RowGroupColumns, Segment,
};

use super::fault::Fault;
use super::question::Question;
use super::selection::Selection;
use crate::StoredEvent;

/// Evaluating a filter over more rows than this is done off the async threads.
const INLINE_ROWS_MAX: usize = 4_096;
/// As is looking at more bytes of lines than this.
const INLINE_BYTES_MAX: usize = 256 * 1024;

/// What an event has from the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) occurred_micros: i64,
    pub(crate) seq: u64,
    pub(crate) received_at: Timestamp,
}

impl Stamp {
    /// The event with this line.
    pub(crate) fn event(self, line: Arc<str>) -> StoredEvent {
        StoredEvent { seq: self.seq, received_at: self.received_at, line }
    }

    /// That of `row` of the unit, which `columns` covers.
    fn of(columns: &RowGroupColumns, row: u32) -> Self {
        let at = (row - columns.rows().start) as usize;
        Stamp {
            occurred_micros: columns.ints(ColumnId::OccurredAt)[at],
            seq: columns.seq(at),
            received_at: columns.received_at(at),
        }
    }
}

/// Rows that are read together.
#[derive(Clone)]
pub(crate) enum Unit {
    /// A decoded run of the tail.
    Tail(Arc<EventBatch>),
    /// A row group of a segment.
    Group(Segment, usize),
}

impl Unit {
    pub(crate) fn rows(&self) -> u32 {
        match self {
            Unit::Tail(batch) => batch.columns().rows().end,
            Unit::Group(segment, group) => segment.row_groups()[*group].rows,
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

    /// Columns that cover at least `rows`.
    pub(crate) async fn columns(
        &self,
        question: &Question,
        wanted: ColumnSet,
        rows: &Range<u32>,
    ) -> Result<RowGroupColumns, Fault> {
        let columns = match self {
            Unit::Tail(batch) => batch.columns().clone(),
            Unit::Group(segment, group) => {
                let state = &question.state;
                state.columns(&question.tenant, segment, *group, wanted, rows.clone()).await?
            }
        };
        let examined = wanted.iter().filter_map(|id| columns.column(id));
        let examined = examined.map(|data| data.bytes_of_rows(rows.len())).sum();
        question.meter.add(examined, self.max_occurred())?;
        Ok(columns)
    }

    /// Selects rows by what costs least first: word filters, bounds, then the columns of the filter.
    /// `None` if no row is selected.
    pub(crate) async fn select(&self, question: &Question) -> Result<Option<Selection>, Fault> {
        let blocks = self.surviving_blocks(question).await?;
        if blocks.is_some_and(BlockSet::is_empty) {
            return Ok(None);
        }
        let rows = self.rows_within(question).await?;
        let mut selection = Selection::of(rows.clone());
        if let Some(blocks) = blocks {
            selection.keep_blocks(blocks);
        }
        if selection.is_empty() {
            return Ok(None);
        }
        let bounds = question.bounds;
        if bounds.bounds_seq() && !self.seqs_within(&bounds) {
            let columns = self.columns(question, ColumnSet::EMPTY.with(ColumnId::Seq), &rows).await?;
            selection.keep(&bounds.within_seq(&columns), columns.rows().start);
        }
        let predicate = question.predicate.clone().filter(|p| !p.columns_needed().is_empty());
        if let Some(predicate) = predicate.filter(|_| !selection.is_empty()) {
            let columns = self.columns(question, predicate.columns_needed(), &rows).await?;
            let first = columns.rows().start;
            let work = move || predicate.evaluate(&columns);
            let inline = rows.len() <= INLINE_ROWS_MAX;
            selection.keep(&if inline { work() } else { question.compute(work).await? }, first);
        }
        Ok((!selection.is_empty()).then_some(selection))
    }

    /// Blocks that can hold a match, by their words; `None` if that excludes nothing.
    async fn surviving_blocks(&self, question: &Question) -> Result<Option<BlockSet>, Fault> {
        let Unit::Group(segment, group) = self else { return Ok(None) };
        let Some(predicate) = question.predicate.as_ref() else { return Ok(None) };
        if !predicate.prunes_by_tokens() {
            // A dictionary tells more than words do: they are asked where that costs less.
            let state = &question.state;
            let columns = predicate.columns_pruned_by_tokens().iter();
            let absent: ColumnSet = columns.filter(|id| !state.has_column(segment, *group, *id)).collect();
            let larger = segment.columns_bytes(*group, absent) > segment.token_filters_bytes(*group);
            if absent.is_empty() || !larger && !state.has_token_filters(segment, *group) {
                return Ok(None);
            }
        }
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

    /// What places `rows`, which ascend or descend, in the log.
    pub(crate) async fn stamps(&self, question: &Question, rows: &[u32]) -> Result<Vec<Stamp>, Fault> {
        if let Unit::Tail(batch) = self {
            return Ok(rows.iter().map(|row| Stamp::of(batch.columns(), *row)).collect());
        }
        let block = u32::try_from(BLOCK_ROWS).expect("a small constant");
        let mut spans: Vec<Range<u32>> = Vec::new();
        for start in rows.iter().map(|row| row / block * block) {
            if spans.last().is_none_or(|span| span.start != start) {
                spans.push(start..(start + block).min(self.rows()));
            }
        }
        // One by one, so that whoever reads a block next finds it in the cache.
        let columns = spans.iter().map(|span| self.columns(question, ColumnSet::ORDER, span));
        let mut columns = futures::future::try_join_all(columns).await?.into_iter().peekable();
        let mut spans = spans.into_iter().peekable();
        let stamp = |row: &u32| {
            while spans.next_if(|span| !span.contains(row)).is_some() {
                columns.next();
            }
            Stamp::of(columns.peek().expect("every row's block was loaded"), *row)
        };
        Ok(rows.iter().map(stamp).collect())
    }

    /// The lines of those of `rows`, which ascend, that match what columns don't tell.
    pub(crate) async fn matching_lines<T: Send + 'static>(
        &self,
        question: &Question,
        rows: Vec<u32>,
        keep: impl Fn(u32, &Line) -> T + Send + 'static,
    ) -> Result<Vec<T>, Fault> {
        let Some(predicate) = question.predicate.clone().filter(Predicate::has_residual) else {
            return self.lines(question, rows, keep).await;
        };
        let pages = predicate.clone();
        let keep =
            move |row: u32, line: &Line| predicate.matches_line(line.as_str()).then(|| keep(row, line));
        self.read_lines(question, rows, move |page| pages.may_match_line_in(page), keep).await
    }

    /// The lines of `rows`, which ascend.
    pub(crate) async fn lines<T: Send + 'static>(
        &self,
        question: &Question,
        rows: Vec<u32>,
        keep: impl Fn(u32, &Line) -> T + Send + 'static,
    ) -> Result<Vec<T>, Fault> {
        self.read_lines(question, rows, |_| true, move |row, line| Some(keep(row, line))).await
    }

    /// The lines of `rows` as `keep` wants them, of the pages that `may_hold` something; `None` leaves a row
    /// out. Both run off the async threads unless there is little to do.
    async fn read_lines<T: Send + 'static>(
        &self,
        question: &Question,
        rows: Vec<u32>,
        may_hold: impl Fn(&[u8]) -> bool + Send + 'static,
        keep: impl Fn(u32, &Line) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, Fault> {
        match self {
            Unit::Tail(batch) => {
                let bytes = rows.iter().map(|row| batch.line(*row as usize).len()).sum();
                question.meter.add(bytes, self.max_occurred())?;
                let batch = batch.clone();
                let inline = bytes < INLINE_BYTES_MAX;
                let work =
                    move || rows.iter().filter_map(|row| keep(*row, batch.line(*row as usize))).collect();
                Ok(if inline { work() } else { question.compute(work).await? })
            }
            Unit::Group(segment, group) => {
                question.meter.add(rows.len() * self.line_bytes_mean(), self.max_occurred())?;
                let fetched = segment.fetch_lines(*group, &rows).await?;
                let work = move || -> Result<Vec<T>, Fault> {
                    let lines = fetched.decode_where(may_hold)?;
                    let found = rows.iter().zip(&lines).filter_map(|(row, line)| keep(*row, line.as_ref()?));
                    Ok(found.collect())
                };
                question.compute(work).await?
            }
        }
    }
}
