//! Going over all events of a range in any order, to count them.

use std::sync::Arc;
use std::sync::Mutex;

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use recount_event::{TenantId, Timestamp};
use recount_segment::{ColumnSet, Line, RowGroupColumns};
use tokio_util::task::AbortOnDropHandle;

use super::error::ReadError;
use super::fault::Fault;
use super::meter::Meter;
use super::plan::Plan;
use super::question::{Question, Subject};
use super::state::ReadState;
use super::unit::Unit;
use crate::catalog::segments::SegmentMeta;

/// Most lines that one turn works on.
const TURN_ROWS_MAX: usize = 8_192;
/// Segments opened at a time.
const OPEN_AT_A_TIME: usize = 8;

/// Something that is counted. Each worker has its own and they are added up in the end.
pub(crate) trait Tally: Send + Sized + 'static {
    /// Columns that counting needs.
    fn columns(&self) -> ColumnSet;

    /// Counts the selected rows of a unit. `lines` holds, in row order, the lines of those rows
    /// if [`needs_lines`](Self::needs_lines).
    ///
    /// # Errors
    /// If there is more to count than is allowed.
    fn count(
        &mut self,
        columns: &RowGroupColumns,
        selected: &BooleanBuffer,
        lines: &[Line],
    ) -> Result<(), ReadError>;

    /// Whether counting needs the events' lines.
    fn needs_lines(&self) -> bool;

    /// Adds what another worker counted.
    ///
    /// # Errors
    /// If there is more to count than is allowed.
    fn add(&mut self, other: Self) -> Result<(), ReadError>;
}

/// What was counted, and from which time on if that isn't all of it.
pub(crate) struct Counted<T> {
    pub(crate) tally: T,
    pub(crate) covered_from: Option<Timestamp>,
}

/// The events matching `subject`, counted within `bytes_max`.
///
/// If that is not enough, the newest part of the range that can be counted within it is counted
/// exactly instead: parts are taken newest first, so when the bound is met in a part, everything
/// later than that part's last event was within the bound. That range is then counted anew.
pub(crate) async fn count<T: Tally>(
    state: &Arc<ReadState>,
    subject: &Subject<'_>,
    plan: &Plan,
    bytes_max: u64,
    tally: impl Fn() -> T + Send + Sync,
) -> Result<Counted<T>, Fault> {
    let question = Arc::new(Question::new(state, subject, Meter::new(bytes_max)));
    let units = units(&question, plan).await?;
    let (refusal, reached) = match over(&question, units, &tally).await {
        Ok(tally) => return Ok(Counted { tally, covered_from: None }),
        Err(Stopped { fault: Fault::Fatal(error @ ReadError::TooExpensive { .. }), at }) => (error, at),
        Err(stopped) => return Err(stopped.fault),
    };
    let from = Timestamp::from_micros(reached.as_micros() + 1);
    if subject.from.is_some_and(|first| first >= from) {
        return Err(refusal.into());
    }
    let newest = Subject { from: Some(from), ..*subject };
    let question = Arc::new(Question::new(state, &newest, Meter::new(u64::MAX)));
    let units = self::units(&question, plan).await?;
    if units.is_empty() {
        // The newest part alone is too much: nothing can be told.
        return Err(refusal.into());
    }
    match over(&question, units, &tally).await {
        Ok(tally) => Ok(Counted { tally, covered_from: Some(from) }),
        Err(stopped) => Err(stopped.fault),
    }
}

/// What is left of the plan's parts within the bounds, newest first.
async fn units(question: &Arc<Question>, plan: &Plan) -> Result<Vec<Work>, Fault> {
    use futures::{StreamExt as _, TryStreamExt as _};
    let bounds = question.bounds;
    let mut work = Vec::new();
    for run in plan.runs_within(&bounds) {
        work.push(Work { latest: run.times().1, part: WorkPart::Tail(run) });
    }
    let segments: Vec<SegmentMeta> = plan.segments_within(&bounds).cloned().collect();
    let mut opened = futures::stream::iter(segments)
        .map(|meta| {
            let question = question.clone();
            async move {
                if question.excludes(&meta).await? {
                    return Ok::<_, Fault>(None);
                }
                Ok(Some(question.state.segment(&meta).await?))
            }
        })
        .buffered(OPEN_AT_A_TIME);
    while let Some(segment) = opened.try_next().await? {
        let Some(segment) = segment else { continue };
        for (index, group) in segment.row_groups().iter().enumerate() {
            if bounds.overlap_row_group(group) {
                let part = WorkPart::Group(segment.clone(), index);
                work.push(Work { latest: group.max_occurred.as_micros(), part });
            }
        }
    }
    work.sort_by_key(|work| std::cmp::Reverse(work.latest));
    Ok(work)
}

struct Work {
    /// Latest `occurred_at`, microseconds.
    latest: i64,
    part: WorkPart,
}

#[derive(Clone)]
enum WorkPart {
    Tail(super::plan::TailRun),
    Group(recount_segment::Segment, usize),
}

/// Why counting stopped, and the latest time of the first part that was not counted.
struct Stopped {
    fault: Fault,
    at: Timestamp,
}

/// Counts all of `work`, several parts at a time.
async fn over<T: Tally>(
    question: &Arc<Question>,
    work: Vec<Work>,
    tally: &(impl Fn() -> T + Send + Sync),
) -> Result<T, Stopped> {
    let workers = question.state.parallel_max().min(work.len()).max(1);
    let queue = Arc::new(Mutex::new(work.into_iter()));
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let (question, queue, tally) = (question.clone(), queue.clone(), tally());
            AbortOnDropHandle::new(tokio::spawn(worker(question, queue, tally)))
        })
        .collect();
    let mut total: Option<T> = None;
    let mut stopped: Option<Stopped> = None;
    for task in tasks {
        let counted = match task.await {
            Ok(counted) => counted,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Stopped { fault: ReadError::Cancelled.into(), at: Timestamp::from_micros(0) }),
        };
        match counted {
            Ok(counted) => match &mut total {
                None => total = Some(counted),
                Some(total) => {
                    total.add(counted).map_err(|error| Stopped {
                        fault: error.into(),
                        at: Timestamp::from_micros(i64::MAX - 1),
                    })?;
                }
            },
            // Of several, the one that was met first in the order of time.
            Err(met) if stopped.as_ref().is_none_or(|other| met.outranks(other)) => stopped = Some(met),
            Err(_) => {}
        }
    }
    match stopped {
        Some(stopped) => Err(stopped),
        None => Ok(total.expect("there is at least one worker")),
    }
}

impl Stopped {
    /// Whether this is to be reported rather than `other`: damage before expense, later times first.
    fn outranks(&self, other: &Stopped) -> bool {
        let too_expensive = |fault: &Fault| matches!(fault, Fault::Fatal(ReadError::TooExpensive { .. }));
        match (too_expensive(&self.fault), too_expensive(&other.fault)) {
            (false, true) => true,
            (true, false) => false,
            _ => self.at > other.at,
        }
    }
}

async fn worker<T: Tally>(
    question: Arc<Question>,
    queue: Arc<Mutex<std::vec::IntoIter<Work>>>,
    mut tally: T,
) -> Result<T, Stopped> {
    loop {
        let next = queue.lock().expect("no code panics while it holds this lock").next();
        let Some(Work { latest, part }) = next else { return Ok(tally) };
        tally = one(&question, part, tally)
            .await
            .map_err(|fault| Stopped { fault, at: Timestamp::from_micros(latest) })?;
    }
}

/// Counts one part.
async fn one<T: Tally>(question: &Question, part: WorkPart, mut tally: T) -> Result<T, Fault> {
    let unit = match part {
        WorkPart::Tail(run) => Unit::Tail(question.state.tail_run(&question.tenant, &run).await?),
        WorkPart::Group(segment, group) => Unit::Group(segment, group),
    };
    let Some(mut selection) = unit.select(question).await? else { return Ok(tally) };
    // Columns of all rows at once: whatever is selected, its line or its mask tells.
    let columns = match tally.columns() {
        none if none.is_empty() => RowGroupColumns::new(selection.range()),
        wanted => unit.columns(question, wanted, &selection.range()).await?,
    };
    if !question.has_residual() && !tally.needs_lines() {
        let inline = selection.range().len() <= TURN_ROWS_MAX;
        let work = move || {
            tally.count(&columns, &selection.bitmap(columns.rows()), &[])?;
            Ok(tally)
        };
        return if inline { work() } else { question.compute(work).await? };
    }
    while !selection.is_empty() {
        let rows = selection.take(crate::Order::NewestFirst, TURN_ROWS_MAX);
        let found = unit.matching_lines(question, rows, |row, line| (row, line.clone())).await?;
        if found.is_empty() {
            continue;
        }
        let columns = columns.clone();
        let counted = question.compute(move || {
            let (rows, lines): (Vec<u32>, Vec<Line>) = found.into_iter().unzip();
            let mut selected = BooleanBufferBuilder::new(columns.len());
            selected.append_n(columns.len(), false);
            for row in rows {
                selected.set_bit((row - columns.rows().start) as usize, true);
            }
            tally.count(&columns, &selected.finish(), &lines)?;
            Ok::<T, ReadError>(tally)
        });
        tally = counted.await??;
    }
    Ok(tally)
}

/// The plan's times as a range, for a question that leaves an end open. `None` if there is no
/// event to speak of or the range is empty.
pub(crate) fn range(
    plan: &Plan,
    pin: u64,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Option<std::ops::Range<i64>> {
    let known = plan.times(pin);
    let start = from.map(Timestamp::as_micros).or(known.map(|(min, _)| min))?;
    let end = to.map(Timestamp::as_micros).or(known.map(|(_, max)| max + 1))?;
    (start < end).then_some(start..end)
}

/// The first plan and the pin of a count.
pub(crate) async fn plan_and_pin(
    state: &ReadState,
    tenant: &TenantId,
    pin: Option<u64>,
) -> Result<(Plan, u64), ReadError> {
    let plan = state.first_plan(tenant).await?;
    let pin = pin.unwrap_or(plan.end_seq());
    Ok((plan, pin))
}
