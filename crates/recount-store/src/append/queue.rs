//! Requests that wait for the committer, bounded by events and by bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use recount_event::NewEvent;
use recount_segment::id_hash;
use tokio::sync::{Notify, oneshot};

use super::{Appended, IngestAccess};
use crate::error::{AppendError, EventRefused};
use crate::measure;

/// What one event costs in the queue besides its line.
const EVENT_OVERHEAD_BYTES: usize = 256;
/// How long a small round waits for senders that are expected: shorter than a sync of the disk. It is
/// slept on a thread, as the runtime's timer counts in milliseconds.
const GATHERING: Duration = Duration::from_micros(300);
/// A round of this many bytes is worth a commit of its own.
const GATHERED_BYTES_MAX: usize = 64 * 1024;
/// What a refused sender is told at least and at most.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// One result per event of a request, in order.
pub(super) type Results = Vec<Result<Appended, EventRefused>>;

/// A request as it waits.
pub(super) struct Request {
    pub(super) events: Vec<QueuedEvent>,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Result<Results, AppendError>>,
}

/// An event with its id's hash.
pub(super) struct QueuedEvent {
    pub(super) event: NewEvent,
    pub(super) hash: u64,
}

/// The queue between appends and the committer.
pub(crate) struct Queue {
    events_max: usize,
    bytes_max: usize,
    state: Mutex<State>,
    /// Woken when there is something to take, or the queue was closed.
    filled: Notify,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    events: usize,
    bytes: usize,
    closed: bool,
    /// Requests that probably come before the next round: as many as lately waited at once.
    expected: usize,
    /// How fast the committer has been lately, for `Retry-After`.
    events_per_second: f64,
}

impl Queue {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self { events_max, bytes_max, state: Mutex::default(), filled: Notify::new() }
    }

    /// Queues the events and waits for their commit.
    pub(crate) async fn append(
        &self,
        access: &IngestAccess,
        events: Vec<NewEvent>,
    ) -> Result<Results, AppendError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(tenant) = access.tenant()
            && events.iter().any(|event| event.tenant != *tenant)
        {
            return Box::pin(self.append_own_only(access, events)).await;
        }
        let began = Instant::now();
        let (answer, answered) = oneshot::channel();
        let events: Vec<QueuedEvent> =
            events.into_iter().map(|event| QueuedEvent { hash: id_hash(&event.id), event }).collect();
        let bytes = events.iter().map(|queued| queued.event.line.len() + EVENT_OVERHEAD_BYTES).sum();
        self.push(Request { events, bytes, answer })?;
        let results = answered.await.unwrap_or_else(|_| {
            Err(AppendError::Unavailable { detail: "the committer stopped; restart the server".to_owned() })
        });
        histogram!(measure::APPEND_SECONDS).record(began.elapsed());
        results
    }

    /// Parsing refuses other tenants' events already; this is the second net.
    async fn append_own_only(
        &self,
        access: &IngestAccess,
        events: Vec<NewEvent>,
    ) -> Result<Results, AppendError> {
        let refused = |event: &NewEvent| {
            access
                .tenant()
                .filter(|tenant| event.tenant != **tenant)
                .map(|_| EventRefused::WrongTenant { tenant: event.tenant.to_string() })
        };
        let verdicts: Vec<Option<EventRefused>> = events.iter().map(refused).collect();
        let own = events.into_iter().zip(&verdicts).filter(|(_, no)| no.is_none()).map(|(event, _)| event);
        let mut results = self.append(access, own.collect()).await?.into_iter();
        Ok(verdicts
            .into_iter()
            .map(|verdict| match verdict {
                Some(refused) => Err(refused),
                None => results.next().expect("one result per event that was not refused"),
            })
            .collect())
    }

    fn push(&self, request: Request) -> Result<(), AppendError> {
        let mut state = self.lock();
        if state.closed {
            return Err(AppendError::Unavailable { detail: "the server is shutting down".to_owned() });
        }
        // A request larger than the whole queue is taken when nothing else waits.
        let full = state.events + request.events.len() > self.events_max
            || state.bytes + request.bytes > self.bytes_max;
        if full && !state.requests.is_empty() {
            counter!(measure::APPEND_BUSY).increment(1);
            return Err(AppendError::Busy { retry_after: state.retry_after() });
        }
        state.events += request.events.len();
        state.bytes += request.bytes;
        state.requests.push_back(request);
        state.publish();
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for requests and takes some, at least one and about the given amounts at most;
    /// `None` once the queue is closed and empty.
    pub(super) async fn take(&self, events_max: usize, bytes_max: usize) -> Option<Vec<Request>> {
        loop {
            {
                let state = self.lock();
                if !state.requests.is_empty() {
                    break;
                }
                if state.closed {
                    return None;
                }
            }
            self.filled.notified().await;
        }
        self.gather().await;
        Some(self.take_now(events_max, bytes_max))
    }

    /// Waits until requests of at least `bytes` wait, which may be never.
    pub(super) async fn holds(&self, bytes: usize) {
        while self.lock().bytes < bytes {
            self.filled.notified().await;
        }
    }

    /// Takes what waits, about the given amounts at most.
    pub(super) fn take_now(&self, events_max: usize, bytes_max: usize) -> Vec<Request> {
        self.lock().take(events_max, bytes_max)
    }

    /// Waits a moment for the senders of the last round: they send again as soon as they are answered,
    /// and would otherwise always miss the round that begins with the others' events, so that each
    /// commit stores half as much (as PostgreSQL's `commit_delay`, but only when it pays).
    async fn gather(&self) {
        if self.lock().is_gathered() {
            return;
        }
        let mut pause = tokio::task::spawn_blocking(|| std::thread::sleep(GATHERING));
        let mut late = std::pin::pin!(tokio::time::sleep(GATHERING));
        while !self.lock().is_gathered() {
            tokio::select! {
                () = self.filled.notified() => {}
                _ = &mut pause => return,
                // Should all threads be taken.
                () = &mut late => return,
            }
        }
    }

    /// Takes no more requests; those that wait are still committed.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Takes no more requests and drops those that wait, whose senders learn that they failed.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.requests.clear();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Remembers a round: how many requests it answered, and how long it took.
    pub(super) fn committed(&self, requests: usize, events: usize, took: Duration) {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = events as f64 / took.as_secs_f64().max(1e-6);
        let mut state = self.lock();
        state.expected = requests + state.requests.len();
        state.events_per_second =
            if state.events_per_second == 0.0 { rate } else { state.events_per_second * 0.9 + rate * 0.1 };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_gathered(&self) -> bool {
        self.requests.len() >= self.expected || self.bytes >= GATHERED_BYTES_MAX || self.closed
    }

    fn take(&mut self, events_max: usize, bytes_max: usize) -> Vec<Request> {
        let (mut events, mut bytes) = (0, 0);
        let mut taken = Vec::new();
        while let Some(next) = self.requests.front() {
            events += next.events.len();
            bytes += next.bytes;
            if !taken.is_empty() && (events > events_max || bytes > bytes_max) {
                break;
            }
            let request = self.requests.pop_front().expect("there is a front");
            self.events -= request.events.len();
            self.bytes -= request.bytes;
            taken.push(request);
        }
        self.publish();
        taken
    }

    fn publish(&self) {
        #[expect(clippy::cast_precision_loss, reason = "gauges are floating-point")]
        {
            gauge!(measure::QUEUE_EVENTS).set(self.events as f64);
            gauge!(measure::QUEUE_BYTES).set(self.bytes as f64);
        }
    }

    /// The time that the queue needs to drain at the recent pace.
    fn retry_after(&self) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = self.events as f64 / self.events_per_second.max(1_000.0);
        Duration::from_secs_f64(seconds).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn queue_after_a_round_of(requests: usize) -> Queue {
        let queue = Queue::new(1_000, 1 << 20);
        queue.committed(requests, requests, Duration::from_millis(1));
        queue
    }

    fn push(queue: &Queue) {
        let (answer, _) = oneshot::channel();
        queue.push(Request { events: Vec::new(), bytes: 100, answer }).expect("there is room");
    }

    #[tokio::test]
    async fn a_round_waits_for_the_senders_of_the_last_one() {
        let queue = queue_after_a_round_of(3);
        push(&queue);
        let mut round = Box::pin(queue.take(1_000, 1 << 20));
        assert!((&mut round).now_or_never().is_none(), "two more are expected");
        push(&queue);
        push(&queue);
        assert_eq!(round.await.expect("open").len(), 3);
    }

    #[tokio::test]
    async fn a_sender_is_not_kept_waiting_by_others_that_went_away() {
        let queue = queue_after_a_round_of(3);
        push(&queue);
        assert_eq!(queue.take(1_000, 1 << 20).await.expect("open").len(), 1);
    }

    #[tokio::test]
    async fn what_is_worth_a_commit_or_comes_last_waits_for_nobody() {
        let queue = queue_after_a_round_of(3);
        let (answer, _) = oneshot::channel();
        let request = Request { events: Vec::new(), bytes: GATHERED_BYTES_MAX, answer };
        queue.push(request).expect("there is room");
        assert!(queue.take(1_000, 1 << 20).now_or_never().is_some(), "a large request");
        push(&queue);
        queue.close();
        assert!(queue.take(1_000, 1 << 20).now_or_never().is_some(), "the last request");
    }
}
