//! One run of one stream: from being woken until it has caught up, fails, or is told to stop.
//!
//! ```text
//! cut ─▶ deliver ─▶ settle (durable, fenced) ─▶ cut …
//! ```
//!
//! The cursor moves only in `settle`, and only over what was accepted or is a dead letter. A crash
//! anywhere before it sends the same events again. Where the destination keeps no order, several
//! batches are in flight and the cursor follows the oldest of them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use recount_store::{
    ReadError, TenantLog,
    streams::{DEAD_LETTERS_MAX, SettleError, Settlement, Stream, StreamLease, StreamStatus},
};
use tokio::time::{Instant, timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Shared,
    budget::{PROBE_BYTES_MAX, PROBE_EVENTS_MAX},
    cut::{Cut, cut},
    outcome::{Halt, HaltKind, Outcome, deliver},
    prepare::Prepared,
    progress,
};
use crate::destinations::{Batch, BatchPolicy, Order};

/// What a run starts with.
pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) stream: Stream,
    pub(super) lease: StreamLease,
    pub(super) log: TenantLog,
    pub(super) prepared: Option<Arc<Prepared>>,
    /// The log's next `seq`, kept up to date by the supervisor.
    pub(super) head: Arc<AtomicU64>,
    /// `seq`s after the cursor that have arrived already.
    pub(super) arrived: BTreeSet<u64>,
    /// How many batches may be in flight.
    pub(super) window: usize,
    pub(super) looked: Looked,
    pub(super) stop: CancellationToken,
}

/// What a run leaves behind.
pub(super) struct RunEnd {
    pub(super) stream: Stream,
    pub(super) prepared: Option<Arc<Prepared>>,
    pub(super) arrived: BTreeSet<u64>,
    pub(super) window: usize,
    pub(super) looked: Looked,
    pub(super) next: Next,
}

/// How far a stream has looked beyond its cursor without finding anything that passes its filter.
/// Writing every such step down would cost a transaction per append of others' events.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Looked {
    pub(super) upto: u64,
    /// When a step was last written down.
    pub(super) settled_at: Option<Instant>,
    /// Steps in a row that could not be written down.
    pub(super) unsettled: u32,
}

/// What to do with the stream next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It has caught up, or waits for a batch to fill.
    Idle,
    /// Again, after a pause that news does not cut short.
    After(Duration),
    /// Nothing to send; what was looked at is to be written down after a while.
    Linger(Duration),
    /// Its row has changed: load it.
    Reload,
    /// It is no longer this node's.
    Lost,
}

/// A stretch on its way; lands with the stretch's first `seq`.
type Flight = AbortOnDropHandle<(u64, Outcome)>;

/// Most batches in flight of any stream.
const WINDOW_MAX: usize = 64;

/// `seq`s after the cursor that are remembered as arrived; more than these arrive twice.
const REMEMBERED_MAX: usize = 20_000;

/// How often, at the most, a step that carries nothing is written down.
const LINGER: Duration = Duration::from_secs(1);

/// Events that are looked at, at the most, before that is written down.
const LOOKED_EVENTS_MAX: u64 = 10_000;

/// A pause after trouble of our own, the catalog's or the log's.
const OWN_TROUBLE_PAUSE: Duration = Duration::from_millis(500);

impl Run {
    pub(super) async fn run(mut self) -> RunEnd {
        let next = self.work().await;
        RunEnd {
            stream: self.stream,
            prepared: self.prepared,
            arrived: self.arrived,
            window: self.window,
            looked: self.looked,
            next,
        }
    }

    async fn work(&mut self) -> Next {
        let prepared = match self.prepare() {
            Ok(prepared) => prepared,
            Err(reason) => {
                let halt = Halt { reason, kind: HaltKind::Misconfigured, held: false };
                return self
                    .fail(Outcome { halt: Some(halt), ..Outcome::default() }, self.stream.cursor)
                    .await;
            }
        };
        let mut flights: FuturesUnordered<Flight> = FuturesUnordered::new();
        // Stretches in flight or done, in order; the cursor moves to the end of the first done ones.
        let mut stretches: VecDeque<(u64, u64)> = VecDeque::new();
        let mut done: BTreeMap<u64, Outcome> = BTreeMap::new();
        let mut read_at = self.looked.upto.max(self.stream.cursor);
        let mut first = true;
        // Whether no further stretch is begun in this run.
        let mut closing = false;
        loop {
            let window = self.window_now(&prepared);
            while !closing && stretches.len() < window {
                match self.next_cut(&prepared, read_at).await {
                    Ok(cut) if is_due(&cut, &prepared, first) => {
                        first = false;
                        read_at = cut.upto;
                        stretches.push_back((cut.from, cut.upto));
                        flights.push(self.launch(&prepared, cut));
                    }
                    Ok(_) => closing = true,
                    Err(error) if stretches.is_empty() => return self.unreadable(&error).await,
                    Err(_) => closing = true,
                }
            }
            let Some(landed) = flights.next().await else {
                return self.linger().await;
            };
            let Ok((from, outcome)) = landed else {
                // A panic in a destination: its own stream suffers, after a pause.
                return Next::After(OWN_TROUBLE_PAUSE);
            };
            closing |= outcome.halt.is_some() || self.stop.is_cancelled();
            done.insert(from, outcome);
            while let Some((from, upto)) = stretches.front().copied() {
                let Some(outcome) = done.remove(&from) else { break };
                stretches.pop_front();
                if outcome.halt.is_some() {
                    // Those behind it are finished first, so that what they bring is remembered.
                    while let Some(landed) = flights.next().await {
                        done.extend(landed);
                    }
                    let behind = done.values().flat_map(|outcome| &outcome.accepted);
                    self.arrived.extend(behind.take(REMEMBERED_MAX));
                    return self.fail(outcome, upto).await;
                }
                match self.pass(outcome, upto).await {
                    Ok(()) => self.window = self.window.saturating_add(1).min(WINDOW_MAX),
                    Err(next) => return next,
                }
            }
        }
    }

    /// Sends in a task of its own, so that it goes on while the next stretch is read.
    fn launch(&self, prepared: &Arc<Prepared>, mut cut: Cut) -> Flight {
        let batch = Batch {
            tenant: self.stream.tenant.clone(),
            stream: self.stream.id.as_str().into(),
            events: std::mem::take(&mut cut.events),
            test: false,
        };
        let (prepared, env, refusals) = (Arc::clone(prepared), self.shared.env.clone(), self.stream.refusals);
        AbortOnDropHandle::new(tokio::spawn(async move {
            // What the filter emptied is done at once.
            let outcome = if batch.events.is_empty() {
                Outcome::default()
            } else {
                deliver(&prepared, &env, batch, refusals).await
            };
            (cut.from, outcome)
        }))
    }

    fn prepare(&mut self) -> Result<Arc<Prepared>, String> {
        if let Some(prepared) = &self.prepared {
            return Ok(Arc::clone(prepared));
        }
        let prepared = Arc::new(self.shared.prepare(&self.stream)?);
        self.prepared = Some(Arc::clone(&prepared));
        Ok(prepared)
    }

    /// How many batches may be in flight now: one while in trouble, more with each that passes.
    fn window_now(&self, prepared: &Prepared) -> usize {
        match prepared.kind.order {
            Order::Strict => 1,
            Order::Any { .. } if self.in_trouble() => 1,
            Order::Any { concurrency_max } => self.window.clamp(1, concurrency_max),
        }
    }

    fn in_trouble(&self) -> bool {
        self.stream.failures > 0
    }

    fn policy(&self, prepared: &Prepared) -> BatchPolicy {
        let mut policy = prepared.policy;
        if self.in_trouble() {
            policy.events_max = policy.events_max.min(PROBE_EVENTS_MAX);
            policy.bytes_max = policy.bytes_max.min(PROBE_BYTES_MAX);
        }
        policy
    }

    async fn next_cut(&self, prepared: &Prepared, from: u64) -> Result<Cut, ReadError> {
        let head = self.head.load(Ordering::Acquire);
        let policy = self.policy(prepared);
        let pending = head.saturating_sub(from).min(policy.events_max as u64);
        let room =
            self.shared.budget.room(&self.stream.tenant, self.in_trouble(), policy.bytes_max, pending).await;
        cut(&self.log, &prepared.filter, policy, (from, head), &self.arrived, room).await
    }

    /// All of a stretch is accounted for: the cursor moves to its end.
    async fn pass(&mut self, outcome: Outcome, upto: u64) -> Result<(), Next> {
        if outcome.tried == 0
            && upto - self.stream.cursor < LOOKED_EVENTS_MAX
            && self.settled_lately().is_some()
        {
            self.looked.upto = upto;
            return Ok(());
        }
        self.step(outcome, upto).await
    }

    /// How long to wait before a step that carries nothing is written down.
    fn settled_lately(&self) -> Option<Duration> {
        let since = self.looked.settled_at?.elapsed();
        LINGER.checked_sub(since).filter(|rest| !rest.is_zero())
    }

    /// Nothing is in flight: writes down what was looked at, now or in a while.
    async fn linger(&mut self) -> Next {
        if self.looked.upto <= self.stream.cursor {
            return Next::Idle;
        }
        match self.settled_lately() {
            Some(rest) if !self.stop.is_cancelled() => Next::Linger(rest),
            _ => match self.step(Outcome::default(), self.looked.upto).await {
                Ok(()) => Next::Idle,
                Err(next) => next,
            },
        }
    }

    async fn step(&mut self, outcome: Outcome, upto: u64) -> Result<(), Next> {
        let now = self.shared.env.now();
        let mut progress = progress::of(&self.stream);
        progress.cursor = upto;
        progress.delivered += outcome.accepted.len() as u64;
        if outcome.accepted.is_empty() {
            progress.refusals += u32::try_from(outcome.dead.len()).unwrap_or(u32::MAX);
        }
        let tried = outcome.tried > 0;
        let caught_up = upto >= self.head.load(Ordering::Acquire);
        if !outcome.accepted.is_empty() {
            progress::passed(&mut progress, now, caught_up);
        } else if tried {
            progress.last_error_at = Some(now);
            if let Some(letter) = outcome.dead.last() {
                progress.last_error.clone_from(&letter.reason);
            }
        }
        let accepted = outcome.accepted.len() as u64;
        self.settle(progress, outcome).await?;
        metrics::counter!("recount_stream_events_total", "destination" => self.stream.destination_type.clone())
            .increment(accepted);
        self.arrived = self.arrived.split_off(&upto);
        Ok(())
    }

    /// The log can't be read: trouble of ours, which those who watch the stream must see all the same.
    async fn unreadable(&mut self, error: &ReadError) -> Next {
        tracing::warn!(stream = %self.stream.id, error = %error, "a stream can't read its log");
        match error {
            ReadError::Busy { retry_after } => Next::After(*retry_after),
            ReadError::Cancelled => Next::Idle,
            other => {
                let reason = format!("Recount can't read the log: {other}");
                let kind = HaltKind::Transient { after: Some(OWN_TROUBLE_PAUSE) };
                let halt = Some(Halt { reason, kind, held: false });
                self.fail(Outcome { halt, ..Outcome::default() }, self.stream.cursor).await
            }
        }
    }

    /// Something halted: the cursor moves to the first event that is not accounted for.
    async fn fail(&mut self, outcome: Outcome, upto: u64) -> Next {
        let halt = outcome.halt.clone().expect("called with a halt");
        let mut progress = progress::of(&self.stream);
        self.arrived.extend(outcome.accepted.iter().take(REMEMBERED_MAX));
        if outcome.tried > 0 {
            progress.cursor = outcome.first_waiting.unwrap_or(upto);
        }
        progress.delivered += outcome.accepted.len() as u64;
        if outcome.accepted.is_empty() {
            progress.refusals += u32::try_from(outcome.dead.len()).unwrap_or(u32::MAX);
        } else {
            progress::passed(&mut progress, self.shared.env.now(), false);
            // A step forward is no recovery while the rest fails.
            progress.health = self.stream.health;
        }
        let pause = progress::failed(&mut progress, &halt, &self.shared.env, &self.shared.backoff);
        self.window = (self.window / 2).max(1);
        let status = progress.status;
        let dead: Vec<u64> = outcome.dead.iter().map(|letter| letter.seq).collect();
        if let Err(next) = self.settle(progress, outcome).await {
            return next;
        }
        // Dead letters count as dealt with only once they are on the list.
        self.arrived.extend(dead);
        self.arrived = self.arrived.split_off(&self.stream.cursor);
        if status == StreamStatus::Active { Next::After(pause) } else { Next::Reload }
    }

    async fn settle(
        &mut self,
        progress: recount_store::streams::Progress,
        outcome: Outcome,
    ) -> Result<(), Next> {
        let mut progress = progress;
        let mut attempts = outcome.attempts;
        for attempt in &mut attempts {
            attempt.number += self.stream.attempts;
        }
        progress.attempts += outcome.tried;
        if self.stream.dead_letters + outcome.dead.len() as u64 > DEAD_LETTERS_MAX {
            return Err(self.full().await);
        }
        // Recorded before it takes effect: a stream never falls ill unseen.
        if let Some(event) = progress::event(&self.stream, &progress)
            && let Err(error) = self.log.record(event).await
        {
            tracing::warn!(stream = %self.stream.id, error = %error, "a stream's state can't be recorded");
            return Err(Next::After(OWN_TROUBLE_PAUSE));
        }
        let dead = outcome.dead.len() as u64;
        let settlement = Settlement {
            stream: self.stream.id.clone(),
            lease: self.lease.clone(),
            revision: self.stream.revision,
            from: self.stream.cursor,
            progress: progress.clone(),
            attempts,
            dead_letters: outcome.dead,
        };
        match self.shared.ledger.settle(settlement).await {
            Ok(()) => {
                self.looked.settled_at = Some(Instant::now());
                self.looked.unsettled = 0;
                metrics::counter!("recount_stream_dead_letters_total", "destination" => self.stream.destination_type.clone())
                    .increment(dead);
                self.stream.dead_letters += dead;
                progress::apply(&mut self.stream, progress);
                Ok(())
            }
            Err(SettleError::Fenced) => Err(Next::Lost),
            Err(SettleError::Changed) => Err(Next::Reload),
            Err(SettleError::Unavailable(detail)) => {
                tracing::warn!(stream = %self.stream.id, detail, "a stream's step can't be written down");
                // It may have taken effect all the same, so the row is read anew; but not at once:
                // what can't be written down is sent again.
                self.looked.unsettled = self.looked.unsettled.saturating_add(1);
                let pause = OWN_TROUBLE_PAUSE.saturating_mul(1 << (self.looked.unsettled - 1).min(7));
                let _ = timeout(pause, self.stop.cancelled()).await;
                Err(Next::Reload)
            }
        }
    }

    /// No room for another dead letter: the stream waits until a person has made some.
    async fn full(&mut self) -> Next {
        let reason = format!("the list of dead letters is full ({DEAD_LETTERS_MAX}); replay or clear it");
        let mut progress = progress::of(&self.stream);
        let halt = Halt { reason, kind: HaltKind::Misconfigured, held: true };
        let pause = progress::failed(&mut progress, &halt, &self.shared.env, &self.shared.backoff);
        let settlement = Settlement {
            stream: self.stream.id.clone(),
            lease: self.lease.clone(),
            revision: self.stream.revision,
            from: self.stream.cursor,
            progress: progress.clone(),
            attempts: Vec::new(),
            dead_letters: Vec::new(),
        };
        match self.shared.ledger.settle(settlement).await {
            Ok(()) => {
                progress::apply(&mut self.stream, progress);
                Next::After(pause)
            }
            Err(SettleError::Fenced) => Next::Lost,
            Err(_) => Next::Reload,
        }
    }
}

/// Whether a cut is sent now: what is not full waits for more, unless its time has come (it is the
/// first of the run) or the stream does not wait.
fn is_due(cut: &Cut, prepared: &Prepared, first: bool) -> bool {
    cut.upto > cut.from && (first || cut.full || prepared.policy.age_max.is_zero())
}
