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

use futures::{StreamExt, future::join, stream::FuturesUnordered};
use recount_store::{
    OwnEvent, ReadError, TenantLog,
    streams::{DEAD_LETTERS_MAX, Progress, SettleError, Settlement, Stream, StreamLease, StreamStatus},
};
use tokio::time::{Instant, timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Shared,
    budget::SMALL_BYTES,
    cut::{Cut, cut},
    fit::Fit,
    outcome::{Halt, HaltKind, Outcome, deliver},
    prepare::Prepared,
    progress,
};
use crate::destinations::{Batch, Order};

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
    /// How large they may be.
    pub(super) fit: Fit,
    pub(super) looked: Looked,
    pub(super) stop: CancellationToken,
}

/// What a run leaves behind.
pub(super) struct RunEnd {
    pub(super) stream: Stream,
    pub(super) prepared: Option<Arc<Prepared>>,
    pub(super) arrived: BTreeSet<u64>,
    pub(super) window: usize,
    pub(super) fit: Fit,
    pub(super) looked: Looked,
    /// The lease under which it ran.
    pub(super) lease: StreamLease,
    pub(super) next: Next,
}

/// How far a stream has looked beyond its cursor without finding anything that passes its filter.
/// Writing every such step down would cost a transaction per append of others' events.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Looked {
    pub(super) upto: u64,
    /// When a step was last written down.
    pub(super) settled_at: Option<Instant>,
    /// Steps in a row that came to nothing for reasons of our own.
    pub(super) unsettled: u32,
}

impl Looked {
    /// How long to rest after trouble of our own, longer each time that it comes again.
    pub(super) fn own_trouble(&mut self) -> Duration {
        let pause = OWN_TROUBLE_PAUSE.saturating_mul(1 << self.unsettled.min(OWN_TROUBLE_DOUBLINGS));
        self.unsettled = self.unsettled.saturating_add(1);
        pause
    }
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
    /// Again at once.
    Again,
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

/// A pause after trouble of our own, the catalog's or the log's. It doubles a number of times.
const OWN_TROUBLE_PAUSE: Duration = Duration::from_millis(500);
const OWN_TROUBLE_DOUBLINGS: u32 = 7;

/// Bytes that one event has at the most.
const EVENT_BYTES_MAX: u64 = SMALL_BYTES as u64;

impl Run {
    pub(super) async fn run(mut self) -> RunEnd {
        let next = self.work().await;
        RunEnd {
            stream: self.stream,
            prepared: self.prepared,
            arrived: self.arrived,
            window: self.window,
            fit: self.fit,
            looked: self.looked,
            lease: self.lease,
            next,
        }
    }

    async fn work(&mut self) -> Next {
        let prepared = match self.prepare() {
            Ok(prepared) => prepared,
            Err(reason) => {
                let halt = Halt { reason, kind: HaltKind::Misconfigured, held: false };
                let outcome = Outcome { halt: Some(halt), ..Outcome::default() };
                return self.fail(outcome, self.stream.cursor, Vec::new()).await;
            }
        };
        let mut flights: FuturesUnordered<Flight> = FuturesUnordered::new();
        // Stretches in flight or done, in order; the cursor moves to the end of the first done ones.
        let mut stretches: VecDeque<(u64, u64)> = VecDeque::new();
        let mut done: BTreeMap<u64, Outcome> = BTreeMap::new();
        let mut read_at = self.looked.upto.max(self.stream.cursor);
        // A full batch that was read while those before it were sent.
        let mut ahead: Option<Cut> = None;
        let mut first = true;
        // Whether no further stretch is begun in this run.
        let mut closing = false;
        loop {
            let window = self.window_now(&prepared);
            while !closing && stretches.len() < window {
                let cut = match ahead.take() {
                    Some(cut) => Ok(Some(cut)),
                    None => self.next_cut(&prepared, read_at, stretches.is_empty()).await,
                };
                match cut {
                    Ok(Some(cut)) if is_due(&cut, &prepared, first) => {
                        first = false;
                        read_at = cut.upto;
                        stretches.push_back((cut.from, cut.upto));
                        flights.push(self.launch(&prepared, cut));
                    }
                    // No memory for one more beside those in flight.
                    Ok(None) => break,
                    Ok(Some(_)) => closing = true,
                    Err(error) if stretches.is_empty() => return self.unreadable(&error).await,
                    Err(_) => closing = true,
                }
            }
            let landed = if !closing && ahead.is_none() && self.is_far_behind(&prepared, read_at) {
                let (landed, cut) = join(flights.next(), self.next_cut(&prepared, read_at, false)).await;
                ahead = cut.ok().flatten().filter(|cut| cut.full);
                landed
            } else {
                flights.next().await
            };
            let Some(landed) = landed else {
                return self.linger().await;
            };
            let Ok((from, outcome)) = landed else {
                tracing::error!(stream = %self.stream.id, "a batch in flight broke off");
                return Next::After(self.looked.own_trouble());
            };
            if self.learn(&outcome, &prepared) {
                ahead = None;
            }
            closing |= outcome.first_waiting.is_some() || self.stop.is_cancelled();
            done.insert(from, outcome);
            while let Some((from, upto)) = stretches.front().copied() {
                let Some(outcome) = done.remove(&from) else { break };
                stretches.pop_front();
                let outcome = self.admit(outcome, upto).await;
                let Some(waiting) = outcome.first_waiting.or(outcome.halt.as_ref().map(|_| upto)) else {
                    match self.pass(outcome, upto).await {
                        Ok(()) => self.window = self.window.saturating_add(1).min(WINDOW_MAX),
                        Err(next) => {
                            // What was sent and not written down is cut in the same places again.
                            let behind = stretches.iter().map(|(_, upto)| *upto);
                            self.stream.stretches.extend([upto].into_iter().chain(behind));
                            return next;
                        }
                    }
                    continue;
                };
                // Those behind it are finished first, so that what they bring is remembered.
                while let Some(landed) = flights.next().await {
                    done.extend(landed);
                }
                let behind = done.values().flat_map(|outcome| &outcome.accepted);
                self.arrived.extend(behind.take(REMEMBERED_MAX));
                if outcome.halt.is_none() {
                    return match self.step(outcome, waiting).await {
                        Ok(()) => Next::Again,
                        Err(next) => next,
                    };
                }
                let ends = stretches.iter().flat_map(|(from, upto)| {
                    let parts = done.get(from).map(|outcome| outcome.ends.as_slice()).unwrap_or_default();
                    parts.iter().copied().chain([*upto])
                });
                let ends = ends.collect();
                return self.fail(outcome, upto, ends).await;
            }
        }
    }

    /// Takes note of what an outcome says about the size of batches; says whether it changes it.
    fn learn(&mut self, outcome: &Outcome, prepared: &Prepared) -> bool {
        let before = self.fit;
        match (outcome.too_large, outcome.failed) {
            (Some(events), _) => self.fit.too_large(events),
            (None, Some((events, took))) => self.fit.failed(events, took),
            (None, None) if outcome.halt.is_none() && outcome.tried > 0 => {
                self.fit.passed(outcome.accepted.len(), prepared.policy.events_max);
            }
            (None, None) => {}
        }
        self.fit != before
    }

    /// A batch with more dead letters than there is room for waits until a person has made some.
    async fn admit(&mut self, outcome: Outcome, upto: u64) -> Outcome {
        let dead = outcome.dead.len() as u64;
        if dead == 0 || self.stream.dead_letters + dead <= DEAD_LETTERS_MAX {
            return outcome;
        }
        if let Some(kept) = self.shared.ledger.dead_letters(&self.stream.id).await {
            self.stream.dead_letters = kept;
        }
        if self.stream.dead_letters + dead <= DEAD_LETTERS_MAX {
            return outcome;
        }
        let reason = format!("the list of dead letters is full ({DEAD_LETTERS_MAX}); replay or clear it");
        outcome.hold_dead(reason, upto)
    }

    /// Sends in a task of its own, so that it goes on while the next stretch is read. The memory is
    /// held until then.
    fn launch(&self, prepared: &Arc<Prepared>, cut: Cut) -> Flight {
        let Cut { from, events, room, .. } = cut;
        let batch = Batch {
            tenant: self.stream.tenant.clone(),
            stream: self.stream.id.as_str().into(),
            events,
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
            drop(room);
            (from, outcome)
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

    /// Whether there is a full batch to read.
    fn is_far_behind(&self, prepared: &Prepared, from: u64) -> bool {
        let pending = self.head.load(Ordering::Acquire).saturating_sub(from);
        pending >= prepared.policy.events_max as u64
    }

    /// Cuts the next batch; `None` if there is no memory for one beside others of the stream.
    async fn next_cut(&self, prepared: &Prepared, from: u64, alone: bool) -> Result<Option<Cut>, ReadError> {
        let head = self.head.load(Ordering::Acquire);
        // A batch that was under way before ends where it ended.
        let again = self.stream.stretches.iter().copied().filter(|end| *end > from).min();
        let mut policy = prepared.policy;
        policy.events_max = match again {
            Some(_) => self.fit.events_again(policy.events_max),
            None => self.fit.events(policy.events_max),
        };
        let end = again.map_or(head, |end| end.min(head));
        let pending = end.saturating_sub(from).saturating_mul(EVENT_BYTES_MAX);
        let wanted = usize::try_from(pending).unwrap_or(usize::MAX).min(policy.bytes_max);
        let room = self.shared.budget.room(&self.stream.tenant, self.in_trouble(), wanted);
        if !alone && room.bytes < wanted && room.is_small() {
            return Ok(None);
        }
        let mut cut = cut(&self.log, &prepared.filter, policy, (from, end), &self.arrived, room).await?;
        cut.full |= again == Some(cut.upto);
        Ok(Some(cut))
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
        progress.stretches.retain(|end| *end > upto);
        progress.stretches.sort_unstable();
        progress.stretches.dedup();
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
            ReadError::Removed { first_seq } => self.cut_off(*first_seq).await,
            other => {
                let reason = format!("Recount can't read the log: {other}");
                let kind = HaltKind::Transient { after: Some(OWN_TROUBLE_PAUSE) };
                let halt = Some(Halt { reason, kind, held: false });
                self.fail(Outcome { halt, ..Outcome::default() }, self.stream.cursor, Vec::new()).await
            }
        }
    }

    /// Something halted: the cursor moves to the first event that is not accounted for. The batch up
    /// to `upto` and those behind it, whose ends are given, are cut in the same places again.
    async fn fail(&mut self, outcome: Outcome, upto: u64, behind: Vec<u64>) -> Next {
        let halt = outcome.halt.clone().expect("called with a halt");
        let mut progress = progress::of(&self.stream);
        self.arrived.extend(outcome.accepted.iter().take(REMEMBERED_MAX));
        if outcome.tried > 0 {
            progress.cursor = outcome.first_waiting.unwrap_or(upto);
            progress.stretches = outcome.ends.iter().copied().chain([upto]).chain(behind).collect();
            progress.stretches.retain(|end| *end > progress.cursor);
            progress.stretches.dedup();
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
        let (status, stretches) = (progress.status, progress.stretches.clone());
        let dead: Vec<u64> = outcome.dead.iter().map(|letter| letter.seq).collect();
        if let Err(next) = self.settle(progress, outcome).await {
            self.stream.stretches.extend(stretches);
            return next;
        }
        // Dead letters count as dealt with only once they are on the list.
        self.arrived.extend(dead);
        self.arrived = self.arrived.split_off(&self.stream.cursor);
        if status == StreamStatus::Active { Next::After(pause) } else { Next::Reload }
    }

    pub(super) async fn settle(&mut self, mut progress: Progress, outcome: Outcome) -> Result<(), Next> {
        let mut attempts = outcome.attempts;
        for attempt in &mut attempts {
            attempt.number += self.stream.attempts;
        }
        progress.attempts += outcome.tried;
        // Recorded before it takes effect: a stream never falls ill unseen.
        if let Some(mut event) = progress::event(&self.stream, &progress) {
            self.announce_cut_off(&mut event, &progress).await;
            self.record(event).await?;
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
                let pause = self.looked.own_trouble();
                let _ = timeout(pause, self.stop.cancelled()).await;
                Err(Next::Reload)
            }
        }
    }
}

impl Run {
    /// Writes an event about the stream to its log.
    pub(super) async fn record(&mut self, event: OwnEvent) -> Result<(), Next> {
        self.log.record(event).await.map_err(|error| {
            tracing::warn!(stream = %self.stream.id, error = %error, "a stream's state can't be recorded");
            Next::After(self.looked.own_trouble())
        })
    }
}

/// Whether a cut is sent now: what is not full waits for more, unless its time has come (it is the
/// first of the run) or the stream does not wait.
fn is_due(cut: &Cut, prepared: &Prepared, first: bool) -> bool {
    cut.upto > cut.from && (first || cut.full || prepared.policy.age_max.is_zero())
}
