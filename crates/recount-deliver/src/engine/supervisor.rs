//! Knows all streams of the shards that this node holds, and starts a run for each that has
//! something to do.

use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use recount_event::{TenantId, Timestamp};
use recount_store::{
    TenantLog,
    streams::{Deliveries, Shard, Stream, StreamId, StreamStatus},
};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    STOP_TIMEOUT, Shared,
    fit::Fit,
    prepare::Prepared,
    run::{Looked, Next, Run, RunEnd},
};

/// How often leases are renewed and shares are looked at.
const KEEP_INTERVAL: Duration = Duration::from_secs(4);

/// How often changes that people made on other nodes are looked for.
const CHANGES_INTERVAL: Duration = Duration::from_secs(2);

/// How far back changes are looked for: more than clocks of nodes differ.
const CHANGES_OVERLAP: Duration = Duration::from_secs(60);

/// How long a stream that has nothing to do keeps its destination (connections, TLS) ready.
const PREPARED_IDLE_MAX: Duration = Duration::from_secs(60);

/// Logs whose heads are asked for at once, when streams are taken up.
const HEADS_ASKED_MAX: usize = 4;

/// How long to wait before a head that could not be had is asked for again.
const HEAD_PAUSE: Duration = Duration::from_secs(1);

/// A stream of this node.
struct Slot {
    stream: Stream,
    head: Arc<AtomicU64>,
    prepared: Option<(Arc<Prepared>, Instant)>,
    arrived: BTreeSet<u64>,
    window: usize,
    fit: Fit,
    /// When it is woken, if it is.
    due: Option<Instant>,
    /// Whether `due` is a pause after a failure, which news must not cut short.
    resting: bool,
    /// The run that is under way.
    running: Option<u64>,
    looked: Looked,
    /// Whether its row has changed while it was running.
    reload: bool,
}

pub(super) struct Supervisor {
    shared: Arc<Shared>,
    deliveries: Deliveries,
    stop: CancellationToken,
    /// What is held; a shard that was lost and taken again is another.
    shards: Vec<Shard>,
    slots: HashMap<StreamId, Slot>,
    tenants: HashMap<TenantId, Watched>,
    /// Numbers watches and runs, so that what a former one still brings is known as such.
    counter: u64,
    heads: FuturesUnordered<BoxFuture<'static, Option<HeadMoved>>>,
    /// How many heads may be asked for at once.
    asking: Arc<Semaphore>,
    due: BTreeSet<(Instant, StreamId)>,
    /// Runs under way; one that panicked ends with nothing.
    runs: JoinSet<(StreamId, u64, Option<RunEnd>)>,
    /// Up to when people's changes have been looked at.
    seen_changes: Timestamp,
}

/// A tenant with streams here.
#[derive(Default)]
struct Watched {
    streams: Vec<StreamId>,
    /// The watch on its head.
    watch: u64,
    /// The head as far as the watch has told; 0 before.
    head: u64,
}

/// A tenant's log has grown.
struct HeadMoved {
    tenant: TenantId,
    watch: u64,
    head: u64,
    receiver: tokio::sync::watch::Receiver<u64>,
}

impl Supervisor {
    pub(super) fn new(shared: Arc<Shared>, deliveries: Deliveries, stop: CancellationToken) -> Self {
        Self {
            seen_changes: shared.env.now(),
            shared,
            deliveries,
            stop,
            shards: Vec::new(),
            slots: HashMap::new(),
            tenants: HashMap::new(),
            counter: 0,
            heads: FuturesUnordered::new(),
            asking: Arc::new(Semaphore::new(HEADS_ASKED_MAX)),
            due: BTreeSet::new(),
            runs: JoinSet::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let changes = self.deliveries.changes();
        let mut keep = interval(KEEP_INTERVAL);
        let mut look = interval(CHANGES_INTERVAL);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Registered before anything is looked at, so that no change falls between.
            let changed = changes.notified();
            let next_due = self.due.first().map(|(at, _)| *at);
            tokio::select! {
                () = self.stop.cancelled() => break,
                _ = keep.tick() => self.keep_shards().await,
                _ = look.tick() => self.look_for_changes().await,
                () = changed => self.look_for_changes().await,
                Some(moved) = self.heads.next(), if !self.heads.is_empty() => self.head_moved(moved),
                Some(ended) = self.runs.join_next(), if !self.runs.is_empty() => self.run_ended(ended).await,
                () = sleep_until(next_due.unwrap_or_else(Instant::now)), if next_due.is_some() => self.start_due(),
            }
        }
        let finished = timeout(STOP_TIMEOUT, async { while self.runs.join_next().await.is_some() {} });
        if finished.await.is_err() {
            tracing::warn!(
                streams = self.runs.len(),
                "batches in flight were cut off; they are sent again later"
            );
        }
        self.runs.shutdown().await;
    }

    /// Renews leases; takes up the streams of new shards and lets go of those of lost ones.
    async fn keep_shards(&mut self) {
        let shards = match self.deliveries.keep().await {
            Ok(shards) => shards,
            Err(error) => {
                tracing::warn!(error = %error, "delivery leases can't be renewed now");
                return;
            }
        };
        let new: Vec<Shard> = shards.iter().copied().filter(|shard| !self.shards.contains(shard)).collect();
        if !new.is_empty() {
            match self.deliveries.active(&new).await {
                Ok(streams) => {
                    for (stream, head) in streams {
                        self.put(stream, Some(head));
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "streams can't be loaded now");
                    return;
                }
            }
        }
        if self.shards.iter().any(|shard| !shards.contains(shard)) {
            let lost: Vec<StreamId> =
                self.slots.keys().filter(|id| self.deliveries.lease(id).is_none()).cloned().collect();
            for id in lost {
                self.remove(&id);
            }
        }
        self.shards = shards;
        self.forget_prepared();
        metrics::gauge!("recount_streams_held").set(self.slots.len() as f64);
        let unwell = self.slots.values().filter(|slot| slot.stream.failures > 0).count();
        metrics::gauge!("recount_streams_failing").set(unwell as f64);
    }

    /// Destinations of streams that have had nothing to do for a while are let go.
    fn forget_prepared(&mut self) {
        let now = Instant::now();
        for slot in self.slots.values_mut() {
            if slot.prepared.as_ref().is_some_and(|(_, used)| now - *used > PREPARED_IDLE_MAX) {
                slot.prepared = None;
            }
        }
        // A watch that is known no more ends when its head next moves.
        self.tenants.retain(|_, watched| !watched.streams.is_empty());
    }

    async fn look_for_changes(&mut self) {
        let now = self.shared.env.now();
        let overlap = i64::try_from(CHANGES_OVERLAP.as_micros()).unwrap_or(i64::MAX);
        let since = Timestamp::from_micros(self.seen_changes.as_micros().saturating_sub(overlap));
        let changed = match self.deliveries.changed(since).await {
            Ok(changed) => changed,
            Err(error) => {
                tracing::warn!(error = %error, "changes of streams can't be looked for now");
                return;
            }
        };
        self.seen_changes = now;
        for (id, revision) in changed {
            if self.deliveries.lease(&id).is_none() {
                continue;
            }
            if self.slots.get(&id).is_none_or(|slot| slot.stream.revision != revision) {
                self.load(&id).await;
            }
        }
    }

    /// Loads a stream anew and takes it up, or lets it go.
    async fn load(&mut self, id: &StreamId) {
        if let Some(slot) = self.slots.get_mut(id)
            && slot.running.is_some()
        {
            slot.reload = true;
            return;
        }
        match self.deliveries.load(id).await {
            Ok(Some(stream)) if stream.status == StreamStatus::Active => self.put(stream, None),
            Ok(_) => self.remove(id),
            Err(error) => {
                tracing::warn!(stream = %id, error = %error, "a stream can't be loaded now");
                // Its old row would only be refused: try again soon.
                self.schedule(id, Instant::now() + KEEP_INTERVAL, true);
            }
        }
    }

    /// Takes a stream up as it is in the catalog.
    fn put(&mut self, mut stream: Stream, head: Option<u64>) {
        let id = stream.id.clone();
        self.remove_due(&id);
        let known = self.slots.remove(&id);
        let running = known.as_ref().and_then(|slot| slot.running);
        let watched = self.tenants.entry(stream.tenant.clone()).or_default();
        // What the watch told before this stream was here, it will not tell again.
        let head_watched = watched.head;
        if known.is_none() {
            watched.streams.push(id.clone());
            if watched.streams.len() == 1 {
                self.counter += 1;
                watched.watch = self.counter;
                self.watch(&stream, &id, self.counter);
            }
        }
        // What is known of a stream holds as long as nobody changed it.
        let same = known.as_ref().is_some_and(|slot| slot.stream.revision == stream.revision);
        let looked = known.as_ref().map_or_else(Looked::default, |slot| Looked {
            unsettled: slot.looked.unsettled,
            ..Looked::default()
        });
        if let Some(slot) = known.as_ref().filter(|_| same) {
            // Sent, and not written down: it is to be cut in the same places.
            stream.stretches.extend(slot.stream.stretches.iter().copied());
            stream.stretches.retain(|end| *end > stream.cursor);
            stream.stretches.sort_unstable();
            stream.stretches.dedup();
        }
        let (head_known, arrived, fit) = match known {
            Some(slot) if same => (slot.head, slot.arrived, slot.fit),
            Some(slot) => (slot.head, BTreeSet::new(), Fit::default()),
            None => (Arc::new(AtomicU64::new(stream.cursor)), BTreeSet::new(), Fit::default()),
        };
        let retry_at = stream.retry_at;
        // Without a known head it is looked at once: a run finds out by itself.
        head_known.fetch_max(head.unwrap_or(0).max(head_watched), Ordering::AcqRel);
        let slot = Slot {
            stream,
            head: head_known,
            prepared: None,
            arrived,
            window: 1,
            fit,
            due: None,
            resting: false,
            running,
            looked,
            reload: false,
        };
        self.slots.insert(id.clone(), slot);
        let pause =
            retry_at.map(|at| at.as_micros() - self.shared.env.now().as_micros()).filter(|us| *us > 0);
        match pause {
            Some(us) => self.schedule(&id, Instant::now() + Duration::from_micros(us.unsigned_abs()), true),
            None if head.is_none() => self.schedule(&id, Instant::now(), false),
            None => self.schedule_if_news(&id),
        }
    }

    /// Waits for the tenant's log to grow, as long as it has streams here.
    fn watch(&mut self, stream: &Stream, id: &StreamId, watch: u64) {
        let Some(lease) = self.deliveries.lease(id) else { return };
        let log = self.deliveries.log(stream, &lease);
        let receiver = log.watch_head();
        let tenant = stream.tenant.clone();
        // Asked in a task of its own: a query that is begun and then not polled, because this loop
        // is busy elsewhere, would keep its connection from everybody.
        let asked = AbortOnDropHandle::new(tokio::spawn(current_head(log, Arc::clone(&self.asking))));
        self.heads.push(
            async move {
                let head = asked.await.unwrap_or(0);
                Some(HeadMoved { tenant, watch, head, receiver })
            }
            .boxed(),
        );
    }

    fn head_moved(&mut self, moved: Option<HeadMoved>) {
        let Some(HeadMoved { tenant, watch, head, mut receiver }) = moved else { return };
        let Some(watched) = self.tenants.get_mut(&tenant).filter(|watched| watched.watch == watch) else {
            return;
        };
        watched.head = watched.head.max(head);
        let streams = watched.streams.clone();
        for id in streams {
            if let Some(slot) = self.slots.get(&id) {
                slot.head.fetch_max(head, Ordering::AcqRel);
                self.schedule_if_news(&id);
            }
        }
        self.heads.push(
            async move {
                receiver.changed().await.ok()?;
                let head = *receiver.borrow_and_update();
                Some(HeadMoved { tenant, watch, head, receiver })
            }
            .boxed(),
        );
    }

    /// Wakes a stream that has events to look at: at once if they fill a batch, else when the first
    /// of them has waited long enough.
    fn schedule_if_news(&mut self, id: &StreamId) {
        let Some(slot) = self.slots.get(id) else { return };
        let pending =
            slot.head.load(Ordering::Acquire).saturating_sub(slot.looked.upto.max(slot.stream.cursor));
        if pending == 0 || slot.running.is_some() || slot.resting {
            return;
        }
        let policy = match &slot.prepared {
            Some((prepared, _)) => prepared.policy,
            // Its first run, or its first in a while: the settings are a small JSON text.
            None => match super::prepare::policy(&slot.stream) {
                Some(policy) => policy,
                // A run will say what is wrong.
                None => return self.schedule(id, Instant::now(), false),
            },
        };
        let full = pending >= policy.events_max as u64;
        let at = if full { Instant::now() } else { Instant::now() + policy.age_max };
        if slot.due.is_none_or(|due| at < due) {
            self.schedule(id, at, false);
        }
    }

    fn schedule(&mut self, id: &StreamId, at: Instant, resting: bool) {
        self.remove_due(id);
        if let Some(slot) = self.slots.get_mut(id) {
            slot.due = Some(at);
            slot.resting = resting;
            self.due.insert((at, id.clone()));
        }
    }

    fn remove_due(&mut self, id: &StreamId) {
        if let Some(slot) = self.slots.get_mut(id)
            && let Some(at) = slot.due.take()
        {
            slot.resting = false;
            self.due.remove(&(at, id.clone()));
        }
    }

    fn remove(&mut self, id: &StreamId) {
        self.remove_due(id);
        if let Some(slot) = self.slots.remove(id)
            && let Some(watched) = self.tenants.get_mut(&slot.stream.tenant)
        {
            watched.streams.retain(|other| other != id);
        }
    }

    fn start_due(&mut self) {
        let now = Instant::now();
        while let Some((at, id)) = self.due.first().cloned() {
            if at > now {
                return;
            }
            self.remove_due(&id);
            self.due.remove(&(at, id.clone()));
            self.start(&id);
        }
    }

    fn start(&mut self, id: &StreamId) {
        let Some(lease) = self.deliveries.lease(id) else {
            return self.remove(id);
        };
        let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.running.is_none()) else {
            return;
        };
        self.counter += 1;
        slot.running = Some(self.counter);
        let run = Run {
            shared: Arc::clone(&self.shared),
            log: self.deliveries.log(&slot.stream, &lease),
            lease,
            stream: slot.stream.clone(),
            prepared: slot.prepared.take().map(|(prepared, _)| prepared),
            head: Arc::clone(&slot.head),
            arrived: std::mem::take(&mut slot.arrived),
            window: slot.window,
            fit: slot.fit,
            looked: slot.looked,
            stop: self.stop.clone(),
        };
        let (id, number) = (id.clone(), self.counter);
        self.runs.spawn(async move {
            let ended = AssertUnwindSafe(run.run()).catch_unwind().await;
            (id, number, ended.ok())
        });
    }

    async fn run_ended(&mut self, ended: Result<(StreamId, u64, Option<RunEnd>), tokio::task::JoinError>) {
        // Runs are cut off when the engine stops, and only then.
        let Ok((id, number, end)) = ended else { return };
        let Some(slot) = self.slots.get_mut(&id).filter(|slot| slot.running == Some(number)) else { return };
        slot.running = None;
        let reload = std::mem::take(&mut slot.reload);
        let Some(end) = end else {
            tracing::error!(stream = %id, "a stream's run broke off; it is taken up again after a pause");
            let pause = slot.looked.own_trouble();
            self.load(&id).await;
            return self.schedule(&id, Instant::now() + pause, true);
        };
        slot.stream = end.stream;
        slot.prepared = end.prepared.map(|prepared| (prepared, Instant::now()));
        slot.arrived = end.arrived;
        slot.window = end.window;
        slot.fit = end.fit;
        slot.looked = end.looked;
        match end.next {
            // Taken again since, by this node: another holding of the shard.
            Next::Lost if self.deliveries.lease(&id).is_some_and(|now| now.epoch() != end.lease.epoch()) => {
                self.load(&id).await;
            }
            Next::Lost => self.remove(&id),
            Next::Reload => self.load(&id).await,
            _ if reload => self.load(&id).await,
            Next::After(pause) => self.schedule(&id, Instant::now() + pause, true),
            Next::Linger(pause) => {
                self.schedule(&id, Instant::now() + pause, false);
                self.schedule_if_news(&id);
            }
            Next::Again => self.schedule(&id, Instant::now(), false),
            Next::Idle => self.schedule_if_news(&id),
        }
    }
}

/// The log's next `seq`; asks until there is an answer.
async fn current_head(log: TenantLog, asking: Arc<Semaphore>) -> u64 {
    loop {
        let permit = asking.acquire().await;
        if let Ok(head) = log.head().await {
            return head;
        }
        drop(permit);
        sleep(HEAD_PAUSE).await;
    }
}
