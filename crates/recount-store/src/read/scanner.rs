//! The in-order scanner: merges the rows of tail and segments by time, opening only what can
//! still contribute to the next row.
//!
//! Every part of the plan is a lane with a lower bound on the place of what it still holds: a
//! segment's or row group's statistics before it is opened, its next matching row afterwards.
//! The lane with the lowest bound is worked on until that bound is a row; then that row is the
//! next of the answer, and nothing else needed to be looked at. Where lanes find little, more of
//! them are worked on at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;

use recount_segment::BLOCK_ROWS;

use super::fault::Fault;
use super::lane::{Cursor, Hit, Lane, Next, Step, Want};
use super::order::Place;
use super::plan::Plan;
use super::question::Question;
use super::unit::Unit;

/// Rows that a streaming scan holds ready, over all lanes.
const AHEAD_ROWS_MAX: usize = 16_384;
/// Fewest rows that a lane of a streaming scan reads at a time.
const AHEAD_ROWS_MIN: usize = 64;

/// What a scan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The first so many rows; lines are fetched afterwards, if they weren't needed to decide.
    First(usize),
    /// All rows with their lines, as fast as they come.
    Stream,
}

/// A scan under way.
pub(crate) struct Scanner {
    question: Arc<Question>,
    purpose: Purpose,
    lanes: Vec<Lane>,
    /// Lanes that still hold something, by the lower bound of it.
    pending: BTreeSet<(Place, usize)>,
    /// Lanes that a step is under way of.
    running: Vec<usize>,
    /// How many lanes are worked on at a time.
    parallel: usize,
    /// Rows returned so far.
    returned: usize,
    /// Lanes whose rows are being returned.
    active: usize,
    line_bytes_mean: usize,
}

impl Scanner {
    pub(crate) fn new(question: Arc<Question>, plan: &Plan, purpose: Purpose) -> Self {
        let order = question.order;
        let mut scanner = Scanner {
            purpose,
            lanes: Vec::new(),
            pending: BTreeSet::new(),
            running: Vec::new(),
            parallel: if purpose == Purpose::Stream { question.state.parallel_max() } else { 1 },
            returned: 0,
            active: 0,
            line_bytes_mean: 512,
            question,
        };
        let bounds = scanner.question.bounds;
        for run in plan.runs_within(&bounds) {
            let place = Place::first_of(order, run.times(), (run.first_seq(), run.end_seq() - 1));
            scanner.add(place, Cursor::Tail(run));
        }
        for segment in plan.segments_within(&bounds) {
            let times = (segment.min_occurred.as_micros(), segment.max_occurred.as_micros());
            let place = Place::first_of(order, times, (segment.first_seq, segment.last_seq));
            scanner.add(place, Cursor::Segment(segment.clone()));
        }
        scanner
    }

    fn add(&mut self, place: Place, cursor: Cursor) {
        self.pending.insert((place, self.lanes.len()));
        self.lanes.push(Lane::new(cursor));
    }

    /// The unit that a hit of `lane` is in.
    pub(crate) fn unit(&self, lane: usize) -> &Unit {
        self.lanes[lane].unit.as_ref().expect("a lane that gave a hit knows its unit")
    }

    /// Whether there may be more rows.
    pub(crate) fn may_have_more(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The next row and its lane.
    pub(crate) async fn next(&mut self) -> Result<Option<(usize, Hit)>, Fault> {
        loop {
            let Some(&(place, id)) = self.pending.first() else { return Ok(None) };
            if let Some(hit) = self.lanes[id].ready.pop_front() {
                self.pending.pop_first();
                self.returned += 1;
                self.requeue(id, hit.place);
                return Ok(Some((id, hit)));
            }
            let want = self.want();
            self.start_ahead(want);
            if self.lanes[id].is_running() {
                self.one_ended().await;
                continue;
            }
            let step = self.lanes[id].step(&self.question, want).await?;
            self.pending.remove(&(place, id));
            self.take_in(id, place, step, want);
        }
    }

    /// Puts a lane back in the order after its row at `last` was returned.
    fn requeue(&mut self, id: usize, last: Place) {
        let want = self.want();
        if self.purpose == Purpose::Stream && self.lanes[id].ready.len() <= want.rows / 2 {
            self.start(id, want);
        }
        let lane = &self.lanes[id];
        match lane.ready.front() {
            Some(hit) => {
                self.pending.insert((hit.place, id));
            }
            // What is left comes after the row that was returned.
            None if !lane.is_done() => {
                self.pending.insert((last, id));
            }
            None => self.retire(id),
        }
    }

    /// Takes in what a lane found.
    fn take_in(&mut self, id: usize, bound: Place, step: Step, want: Want) {
        if step.examined_rows >= BLOCK_ROWS && step.hits.len() < want.rows {
            self.parallel = (self.parallel * 2).min(self.question.state.parallel_max());
        }
        let lane = &mut self.lanes[id];
        if lane.unit.is_none() && step.unit.is_some() {
            self.active += 1;
        }
        if let Some(unit) = step.unit {
            self.line_bytes_mean = unit.line_bytes_mean();
            lane.unit = Some(unit);
        }
        lane.ready.extend(step.hits);
        if let Some(rest) = step.rest {
            lane.next = Next::Idle(rest);
        }
        match lane.ready.front() {
            Some(hit) => {
                self.pending.insert((hit.place, id));
            }
            None if !lane.is_done() => {
                self.pending.insert((bound, id));
            }
            None => self.retire(id),
        }
        for (place, cursor) in step.opened {
            self.add(place, cursor);
        }
    }

    fn retire(&mut self, id: usize) {
        let lane = &mut self.lanes[id];
        if lane.unit.is_some() {
            self.active = self.active.saturating_sub(1);
            if self.purpose == Purpose::Stream {
                // Frees what the lane held decoded; rows of a stream carry their lines.
                lane.unit = None;
            }
        }
    }

    /// What a lane is asked for in its next step.
    fn want(&self) -> Want {
        match self.purpose {
            Purpose::First(limit) => Want { rows: limit.saturating_sub(self.returned).max(1), lines: false },
            Purpose::Stream => {
                let rows = AHEAD_ROWS_MAX.min(self.question.state.ahead_bytes / self.line_bytes_mean.max(1));
                Want { rows: (rows / self.active.max(1)).max(AHEAD_ROWS_MIN), lines: true }
            }
        }
    }

    /// Begins steps of the lanes that come next, so that up to `parallel` are under way.
    fn start_ahead(&mut self, want: Want) {
        if self.parallel <= 1 {
            return;
        }
        // Lanes with rows ready need nothing yet; look past a bounded number of them.
        let next: Vec<usize> = self.pending.iter().take(self.parallel * 4).map(|(_, id)| *id).collect();
        for id in next {
            if self.running.len() >= self.parallel {
                break;
            }
            if self.lanes[id].ready.is_empty() {
                self.start(id, want);
            }
        }
    }

    fn start(&mut self, id: usize, want: Want) {
        if self.lanes[id].start(&self.question, want) {
            self.running.push(id);
        }
    }

    /// Waits until a step that is under way ends, whichever it is: then another lane can be begun, although the first
    /// in order may take longer.
    async fn one_ended(&mut self) {
        let (lanes, running) = (&mut self.lanes, &mut self.running);
        std::future::poll_fn(|context| {
            let before = running.len();
            running.retain(|id| !lanes[*id].poll_ended(context));
            if running.len() < before { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
