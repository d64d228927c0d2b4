//! How far streams are behind their logs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use recount_event::Timestamp;
use recount_store::{
    LogExtent, ReadError, TenantLog,
    streams::{Stream, StreamId},
};
use serde::Serialize;

use super::{LifecycleError, Streams};

/// Streams of which it is remembered when their next event was received.
const REMEMBERED_MAX: usize = 10_000;

/// How far a stream is behind its log.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Lag {
    /// Events between its cursor and the log's end, those that its filter leaves out included.
    pub events: u64,
    /// How long ago the next of them was received.
    pub seconds: u64,
    /// When retention removes the next of them, delivered or not; null if it never does, or none waits.
    pub cut_off_at: Option<String>,
    /// Events after its cursor that retention has removed already. They are not delivered any more.
    pub removed: u64,
}

/// When the events at which streams stand were received. Reading one means unpacking many, and a
/// stream that stands still is looked at again and again.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<HashMap<StreamId, (u64, Timestamp)>>>);

impl Waiting {
    fn get(&self, stream: &Stream, next: u64) -> Option<Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&stream.id).filter(|(seq, _)| *seq == next).map(|(_, at)| *at)
    }

    fn put(&self, stream: &Stream, next: u64, at: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == REMEMBERED_MAX {
            known.clear();
        }
        known.insert(stream.id.clone(), (next, at));
    }
}

impl Streams {
    pub(super) async fn lag(
        &self,
        log: &TenantLog,
        stream: &Stream,
        extent: &LogExtent,
    ) -> Result<Lag, LifecycleError> {
        let next = stream.cursor.max(extent.first_seq);
        let removed = next - stream.cursor;
        let events = extent.next_seq.saturating_sub(next);
        let received_at = if events == 0 { None } else { self.received_at(log, stream, next).await? };
        let now = self.env.now().as_micros();
        let waiting = received_at.map_or(0, |at| now.saturating_sub(at.as_micros()));
        let cut_off_at = extent.retention.zip(received_at).map(|(retention, at)| retention.removes_at(at));
        Ok(Lag {
            events,
            seconds: u64::try_from(waiting / 1_000_000).unwrap_or(0),
            cut_off_at: cut_off_at.map(|at| at.to_string()),
            removed,
        })
    }

    async fn received_at(
        &self,
        log: &TenantLog,
        stream: &Stream,
        seq: u64,
    ) -> Result<Option<Timestamp>, LifecycleError> {
        if let Some(at) = self.waiting.get(stream, seq) {
            return Ok(Some(at));
        }
        let at = received_at(log, seq).await?;
        Ok(at.inspect(|at| self.waiting.put(stream, seq, *at)))
    }
}

/// When the event with this `seq` was received; `None` if it is not there (yet, or any more).
pub(crate) async fn received_at(log: &TenantLog, seq: u64) -> Result<Option<Timestamp>, ReadError> {
    match log.feed(seq, 1, Duration::ZERO).await {
        Ok(page) => Ok(page.events.first().map(|event| event.received_at)),
        Err(ReadError::Removed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
