//! The log in `seq` order: what streams, tails and replicas follow.
//!
//! Segments are sorted by time, so a stretch of consecutive seqs can lie anywhere in one. A
//! *window* is such a stretch, read at once, put in order and kept, so that a reader that asks
//! for a hundred events at a time (or ten readers that do) decodes each page of the segment once
//! per window instead of once per call.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use recount_event::{Filter, TenantId, Timestamp};
use recount_segment::{ColumnId, ColumnSet, Line, RowGroup, RowGroupColumns, Segment};
use tokio::sync::watch;
use tokio::time::Instant;

use super::cache::looked;
use super::error::ReadError;
use super::fault::{Fault, Part};
use super::meter::Timed;
use super::plan::{Plan, TailRun};
use super::question::Question;
use super::state::ReadState;
use super::unit::Unit;
use crate::catalog::segments::SegmentMeta;
use crate::query::{FEED_EVENTS_MAX, FEED_WAIT_SECONDS_MAX};
use crate::{FeedPage, StoredEvent};

/// Bytes of lines on a page; one event always fits.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Events of a window of a segment whose row groups follow each other in `seq`.
const WINDOW_EVENTS: u64 = 16_384;
/// Events of a window of a segment whose row groups overlap in `seq`: each window reads all of
/// them, so there are fewer.
const SCATTERED_WINDOW_EVENTS: u64 = 32_768;
/// A window holds about this many bytes of lines at most, by their average length.
const WINDOW_BYTES_MAX: u64 = 24 * 1024 * 1024;
/// Lines are read in pieces that span at most this many rows, to bound what is decompressed.
const PIECE_ROWS: usize = 8_192;

/// Consecutive events of a segment.
pub(crate) struct Window {
    first_seq: u64,
    events: Vec<StoredEvent>,
    heap_bytes: usize,
}

impl Window {
    pub(crate) fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }
}

impl ReadState {
    /// See [`TenantLog::feed`](crate::TenantLog::feed).
    pub(crate) async fn feed(
        self: &Arc<Self>,
        tenant: &TenantId,
        mut head: watch::Receiver<u64>,
        from: u64,
        limit: usize,
        wait: Duration,
    ) -> Result<FeedPage, ReadError> {
        let deadline = Instant::now() + wait.min(Duration::from_secs(FEED_WAIT_SECONDS_MAX));
        let limit = limit.clamp(1, FEED_EVENTS_MAX);
        loop {
            let plan = self.first_plan(tenant).await?;
            if from < plan.end_seq() {
                let events = self.feed_page(tenant, plan, from, limit).await?;
                let next = from + events.len() as u64;
                return Ok(FeedPage { events, next });
            }
            // The receiver existed before the look: an append after it is not missed.
            let moved = head.wait_for(|next_seq| *next_seq > from);
            match tokio::time::timeout_at(deadline, moved).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(ReadError::Cancelled),
                Err(_) => return Ok(FeedPage { events: Vec::new(), next: from }),
            }
        }
    }

    async fn feed_page(
        self: &Arc<Self>,
        tenant: &TenantId,
        plan: Plan,
        from: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ReadError> {
        let _timed = Timed::new("feed");
        let _admitted = self.queries.enter(tenant).await?;
        let question = Arc::new(Question::all(self, tenant, &Filter::default()));
        self.with_plan(tenant, plan, |plan| {
            let question = question.clone();
            async move { page(&question, &plan, from, limit).await }
        })
        .await
    }
}

/// Events from `from` on, which is below the plan's end.
async fn page(
    question: &Arc<Question>,
    plan: &Plan,
    from: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    if from < plan.first_seq() {
        return Err(ReadError::Removed { first_seq: plan.first_seq() }.into());
    }
    let mut events = Vec::new();
    let mut bytes = 0;
    let mut seq = from;
    let runs = plan.runs();
    let tail_start = runs.first().map_or(plan.end_seq(), TailRun::first_seq);
    while seq < plan.end_seq() && events.len() < limit && bytes < PAGE_BYTES_MAX {
        let room = limit - events.len();
        let before = events.len();
        if seq < tail_start {
            let segments = plan.segments();
            let index = segments.partition_point(|segment| segment.last_seq < seq);
            let window = window_with(question, &segments[index], seq).await?;
            let skip = usize::try_from(seq - window.first_seq).expect("a window is small");
            take(&mut events, &mut bytes, window.events[skip..].iter().take(room).cloned());
        } else {
            let run = &runs[runs.partition_point(|run| run.end_seq() <= seq)];
            let batch = question.state.tail_run(&question.tenant, run).await?;
            let end = run.end_seq().min(seq.saturating_add(room as u64));
            let rows = batch.rows_in_seq_order(seq..end);
            let columns = batch.columns();
            let found = rows.into_iter().map(|row| StoredEvent {
                seq: columns.seq(row as usize),
                received_at: columns.received_at(row as usize),
                line: batch.line(row as usize).as_str().into(),
            });
            take(&mut events, &mut bytes, found);
        }
        if events.len() == before {
            return Err(gap(seq));
        }
        seq = from + events.len() as u64;
    }
    // The one thing a feed must never do is skip.
    match events.iter().zip(from..).find(|(event, expected)| event.seq != *expected) {
        Some((_, missing)) => Err(gap(missing)),
        None => Ok(events),
    }
}

fn take(events: &mut Vec<StoredEvent>, bytes: &mut usize, found: impl Iterator<Item = StoredEvent>) {
    for event in found {
        if *bytes >= PAGE_BYTES_MAX {
            return;
        }
        *bytes += event.line.len();
        events.push(event);
    }
}

fn gap(seq: u64) -> Fault {
    Fault::Fatal(ReadError::Corrupt {
        object: "the log".into(),
        what: format!("the event with seq {seq} is missing"),
    })
}

/// The window of a segment that holds `seq`.
async fn window_with(question: &Arc<Question>, meta: &SegmentMeta, seq: u64) -> Result<Arc<Window>, Fault> {
    let segment = question.state.segment(meta).await?;
    let length = window_events(segment.row_groups(), meta.rows());
    let first = meta.first_seq + (seq - meta.first_seq) / length * length;
    let seqs = first..(first + length).min(meta.last_seq + 1);
    let key = (Arc::<str>::from(meta.object.as_str()), first);
    let windows = &question.state.caches().windows;
    let mut hit = true;
    let window = windows
        .try_get_with(key, async {
            hit = false;
            read_window(question, &segment, seqs).await.map(Arc::new)
        })
        .await;
    looked("feed_windows", hit);
    window.map_err(|fault| Fault::clone(&fault))
}

/// How long the windows of a segment are.
fn window_events(groups: &[RowGroup], rows: u64) -> u64 {
    let spread: u64 = groups.iter().map(|group| group.max_seq - group.min_seq + 1).sum();
    let events = if spread >= rows * 2 { SCATTERED_WINDOW_EVENTS } else { WINDOW_EVENTS };
    let bytes: u64 = groups.iter().map(|group| group.line_bytes).sum();
    events.min(WINDOW_BYTES_MAX / (bytes / rows.max(1)).max(1)).max(256)
}

/// Reads the events `seqs` of a segment and puts them in order.
async fn read_window(question: &Arc<Question>, segment: &Segment, seqs: Range<u64>) -> Result<Window, Fault> {
    let mut pieces = Vec::new();
    for (index, group) in segment.row_groups().iter().enumerate() {
        if group.max_seq < seqs.start || group.min_seq >= seqs.end {
            continue;
        }
        let unit = Unit::Group(segment.clone(), index);
        let columns = unit.columns(question, ColumnSet::ORDER, &(0..group.rows)).await?;
        let rows = rows_with(&columns, &seqs);
        pieces.extend(
            rows.chunk_by(|a, b| *a as usize / PIECE_ROWS == *b as usize / PIECE_ROWS)
                .map(|rows| (index, columns.clone(), rows.to_vec())),
        );
    }
    let count = usize::try_from(seqs.end - seqs.start).expect("a window is small");
    let mut slots: Vec<Option<StoredEvent>> = vec![None; count];
    let mut read = futures::stream::iter(pieces)
        .map(|(index, columns, rows)| {
            let (question, unit) = (question.clone(), Unit::Group(segment.clone(), index));
            async move {
                let keep = move |row: u32, line: &Line| event(&columns, row, line);
                unit.lines(&question, rows, keep).await
            }
        })
        .buffered(question.state.parallel_max());
    let mut heap_bytes = count * size_of::<StoredEvent>();
    while let Some(events) = read.try_next().await? {
        for event in events {
            heap_bytes += event.line.len() + 2 * size_of::<usize>();
            let slot = usize::try_from(event.seq - seqs.start).expect("a window is small");
            slots[slot] = Some(event);
        }
    }
    let events: Option<Vec<StoredEvent>> = slots.into_iter().collect();
    let events = events.ok_or_else(|| {
        Fault::Fatal(ReadError::Corrupt {
            object: Part::Object(segment.name().into()).to_string(),
            what: format!("not every event from seq {} to {} is in it", seqs.start, seqs.end - 1),
        })
    })?;
    Ok(Window { first_seq: seqs.start, events, heap_bytes })
}

fn event(columns: &RowGroupColumns, row: u32, line: &Line) -> StoredEvent {
    let row = row as usize;
    let received_at: Timestamp = columns.received_at(row);
    StoredEvent { seq: columns.seq(row), received_at, line: line.as_str().into() }
}

/// The rows whose seq is in `seqs`, ascending by row.
fn rows_with(columns: &RowGroupColumns, seqs: &Range<u64>) -> Vec<u32> {
    let all = columns.ints(ColumnId::Seq).iter().zip(0_u32..);
    all.filter(|(seq, _)| seqs.contains(&seq.cast_unsigned())).map(|(_, row)| row).collect()
}
