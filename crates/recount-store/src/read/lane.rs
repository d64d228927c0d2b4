//! A lane of the merge: one part of the plan on its way from "somewhere in that object" over
//! opened and selected to rows in order. Each step does only what the next rows need.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use recount_event::Timestamp;
use recount_segment::{Line, Segment};
use tokio_util::task::AbortOnDropHandle;

use super::error::ReadError;
use super::fault::Fault;
use super::order::Place;
use super::plan::TailRun;
use super::question::Question;
use super::selection::Selection;
use super::unit::{Stamp, Unit};
use crate::catalog::segments::SegmentMeta;
use crate::{Order, StoredEvent};

/// How many candidates' lines are first looked at when only lines tell; grows fourfold each time.
const RESIDUAL_ROWS_FIRST: usize = 256;
/// Most lines that one turn works on.
const TURN_ROWS_MAX: usize = 8_192;
/// Most bytes of lines that one turn works on, by their average length.
const TURN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A row that matches.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) place: Place,
    pub(crate) row: u32,
    pub(crate) seq: u64,
    pub(crate) received_at: Timestamp,
    /// Present if it was needed to decide, or wanted.
    pub(crate) line: Option<Arc<str>>,
}

impl Hit {
    /// The event, if its line is present.
    pub(crate) fn into_event(self) -> Option<StoredEvent> {
        let (seq, received_at) = (self.seq, self.received_at);
        self.line.map(|line| StoredEvent { seq, received_at, line })
    }
}

/// Where a lane goes on.
pub(crate) enum Cursor {
    /// A segment that isn't opened yet.
    Segment(SegmentMeta),
    /// A run of the tail that isn't decoded yet.
    Tail(TailRun),
    /// A row group in which nothing was selected yet.
    Group(Segment, usize),
    /// Selected rows that weren't returned yet.
    Rows(Box<RowCursor>),
}

/// Selected rows of a unit.
pub(crate) struct RowCursor {
    unit: Unit,
    selection: Selection,
    chunk: usize,
}

/// What a lane is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Want {
    /// How many rows.
    pub(crate) rows: usize,
    /// Whether with their lines.
    pub(crate) lines: bool,
}

/// What one step of a lane gave.
#[derive(Default)]
pub(crate) struct Step {
    /// The rows' unit, once it is known.
    pub(crate) unit: Option<Unit>,
    /// Rows in order.
    pub(crate) hits: Vec<Hit>,
    /// What is left of the lane.
    pub(crate) rest: Option<Cursor>,
    /// Lanes that take this one's place.
    pub(crate) opened: Vec<(Place, Cursor)>,
    /// Rows that were looked at.
    pub(crate) examined_rows: usize,
}

/// One lane.
pub(crate) struct Lane {
    pub(crate) unit: Option<Unit>,
    pub(crate) ready: VecDeque<Hit>,
    pub(crate) next: Next,
}

/// How a lane goes on.
pub(crate) enum Next {
    Idle(Cursor),
    /// A step is under way; dropping the handle ends it.
    Running(AbortOnDropHandle<Result<Step, Fault>>),
    /// A step has ended; what it gave waits until the lane is the next in order.
    Ended(Box<Result<Step, Fault>>),
    Done,
}

impl Cursor {
    /// Goes on until `want` is met or the lane ends; opening a segment is a step of its own.
    pub(crate) async fn advance(self, question: &Question, want: Want) -> Result<Step, Fault> {
        let (unit, examined_rows) = match self {
            Cursor::Segment(meta) => return open(question, &meta).await,
            Cursor::Rows(cursor) => return cursor.advance(question, want, 0).await,
            Cursor::Group(segment, group) => {
                let unit = Unit::Group(segment, group);
                let rows = unit.rows() as usize;
                (unit, rows)
            }
            Cursor::Tail(run) => {
                let batch = question.state.tail_run(&question.tenant, &run).await?;
                let rows = batch.len();
                (Unit::Tail(batch), rows)
            }
        };
        match unit.select(question).await? {
            None => Ok(Step { examined_rows, ..Step::default() }),
            Some(selection) => {
                let cursor = RowCursor { unit, selection, chunk: RESIDUAL_ROWS_FIRST };
                cursor.advance(question, want, examined_rows).await
            }
        }
    }
}

/// Opens a segment: one lane per row group that can hold an answer.
async fn open(question: &Question, meta: &SegmentMeta) -> Result<Step, Fault> {
    if question.excludes(meta).await? {
        return Ok(Step::default());
    }
    let segment = question.state.segment(meta).await?;
    let groups = segment.row_groups().iter().enumerate();
    let opened = groups
        .filter(|(_, group)| question.bounds.overlap_row_group(group))
        .map(|(index, group)| {
            let times = (group.min_occurred.as_micros(), group.max_occurred.as_micros());
            let place = Place::first_of(question.order, times, (group.min_seq, group.max_seq));
            (place, Cursor::Group(segment.clone(), index))
        })
        .collect();
    Ok(Step { opened, ..Step::default() })
}

impl RowCursor {
    async fn advance(mut self, question: &Question, want: Want, examined_rows: usize) -> Result<Step, Fault> {
        let mut step = Step { unit: Some(self.unit.clone()), examined_rows, ..Step::default() };
        let residual = question.has_residual();
        let turn_rows = (TURN_BYTES_MAX / self.unit.line_bytes_mean()).clamp(64, TURN_ROWS_MAX);
        while step.hits.len() < want.rows && !self.selection.is_empty() {
            let missing = want.rows - step.hits.len();
            let count = match (residual, want.lines) {
                (false, false) => missing,
                (false, true) => missing.min(turn_rows),
                (true, _) => {
                    let chunk = self.chunk.min(turn_rows);
                    self.chunk = chunk * 4;
                    chunk
                }
            };
            let rows = self.selection.take(question.order, count);
            if residual || want.lines {
                step.examined_rows += rows.len();
                self.read_lines(question, rows, &mut step.hits).await?;
            } else {
                let stamps = self.unit.stamps(question, &rows).await?;
                let hits = rows.into_iter().zip(stamps);
                step.hits.extend(hits.map(|(row, stamp)| hit(question.order, row, stamp, None)));
            }
        }
        if !self.selection.is_empty() {
            step.rest = Some(Cursor::Rows(Box::new(self)));
        }
        Ok(step)
    }

    /// Reads the lines of `rows` and keeps those that match.
    async fn read_lines(
        &self,
        question: &Question,
        mut rows: Vec<u32>,
        hits: &mut Vec<Hit>,
    ) -> Result<(), Fault> {
        let order = question.order;
        if order == Order::OldestFirst {
            rows.reverse();
        }
        let keep = |row, line: &Line| (row, Arc::<str>::from(line.as_str()));
        let mut found = self.unit.matching_lines(question, rows, keep).await?;
        if order == Order::OldestFirst {
            found.reverse();
        }
        let rows: Vec<u32> = found.iter().map(|(row, _)| *row).collect();
        let stamps = self.unit.stamps(question, &rows).await?;
        hits.extend(
            found.into_iter().zip(stamps).map(|((row, line), stamp)| hit(order, row, stamp, Some(line))),
        );
        Ok(())
    }
}

fn hit(order: Order, row: u32, stamp: Stamp, line: Option<Arc<str>>) -> Hit {
    Hit {
        place: Place::of(order, stamp.occurred_micros, stamp.seq),
        row,
        seq: stamp.seq,
        received_at: stamp.received_at,
        line,
    }
}

impl Lane {
    pub(crate) fn new(cursor: Cursor) -> Self {
        Lane { unit: None, ready: VecDeque::new(), next: Next::Idle(cursor) }
    }

    /// Begins the next step in the background, unless there is none to begin; says whether it did.
    pub(crate) fn start(&mut self, question: &Arc<Question>, want: Want) -> bool {
        match std::mem::replace(&mut self.next, Next::Done) {
            Next::Idle(cursor) => {
                let question = question.clone();
                let step = tokio::spawn(async move { cursor.advance(&question, want).await });
                self.next = Next::Running(AbortOnDropHandle::new(step));
                true
            }
            other => {
                self.next = other;
                false
            }
        }
    }

    /// Whether no step is under way any more.
    pub(crate) fn poll_ended(&mut self, context: &mut Context<'_>) -> bool {
        let Next::Running(step) = &mut self.next else { return true };
        let Poll::Ready(ended) = Pin::new(step).poll(context) else { return false };
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(ReadError::Cancelled.into()),
        };
        self.next = Next::Ended(Box::new(ended));
        true
    }

    /// What the step that has ended gave; if none was begun, does it here and now.
    ///
    /// # Panics
    /// If a step is under way.
    pub(crate) async fn step(&mut self, question: &Question, want: Want) -> Result<Step, Fault> {
        match std::mem::replace(&mut self.next, Next::Done) {
            Next::Idle(cursor) => Box::pin(cursor.advance(question, want)).await,
            Next::Running(_) => panic!("a step under way is waited for before its result is asked for"),
            Next::Ended(step) => *step,
            Next::Done => Ok(Step::default()),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.next, Next::Running(_))
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.next, Next::Done)
    }
}
