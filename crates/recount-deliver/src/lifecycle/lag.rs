//! How far streams are behind their logs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use recount_event::Timestamp;
use recount_store::{
    TenantLog,
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
}

/// When the events at which streams stand were received. Reading one means unpacking many, and a
/// stream that stands still is looked at again and again.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<HashMap<StreamId, (u64, Timestamp)>>>);

impl Waiting {
    fn get(&self, stream: &Stream) -> Option<Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&stream.id).filter(|(cursor, _)| *cursor == stream.cursor).map(|(_, at)| *at)
    }

    fn put(&self, stream: &Stream, at: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == REMEMBERED_MAX {
            known.clear();
        }
        known.insert(stream.id.clone(), (stream.cursor, at));
    }
}

impl Streams {
    pub(super) async fn lag(
        &self,
        log: &TenantLog,
        stream: &Stream,
        head: u64,
    ) -> Result<Lag, LifecycleError> {
        let events = head.saturating_sub(stream.cursor);
        if events == 0 {
            return Ok(Lag { events, seconds: 0 });
        }
        let received_at = match self.waiting.get(stream) {
            Some(at) => Some(at),
            None => {
                let page = log.feed(stream.cursor, 1, Duration::ZERO).await?;
                let at = page.events.first().map(|event| event.received_at);
                at.inspect(|at| self.waiting.put(stream, *at))
            }
        };
        let now = self.env.now().as_micros();
        let waiting = received_at.map_or(0, |at| now.saturating_sub(at.as_micros()));
        Ok(Lag { events, seconds: u64::try_from(waiting / 1_000_000).unwrap_or(0) })
    }
}
