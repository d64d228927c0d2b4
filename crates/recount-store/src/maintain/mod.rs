//! Work in the background: seal tails, fold small rows, merge segments, remove what is kept no longer,
//! delete garbage.
//!
//! Tenants are divided into shards, each a lease that one node holds at a time. The committer
//! hints at tenants whose tail has grown; a cheap scan finds those that have become old, and
//! whatever hints missed. Every commit of this work checks the lease's epoch, so a node that was
//! paused for an hour can't do harm. Whatever is interrupted leaves only garbage.

mod busy;
pub(crate) mod checkpoint;
mod collect;
mod compact;
mod fold;
mod read_tail;
mod retain;
mod seal;
mod shards;
mod tend;

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use metrics::counter;
use recount_event::TenantId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, CatalogError};
use crate::config::{CompactionPolicy, SealPolicy, StoreConfig};
use crate::env::Env;
use crate::heads::Heads;
use crate::measure;
use crate::objects::{ObjectError, Objects};
use crate::retention::RetentionPolicy;
use crate::segment_cache::SegmentCache;

pub(crate) use busy::Busy;
use shards::Shards;
use tend::{Due, Tended};

/// Hints that may wait; more are dropped, and found by the scan.
const HINTS_MAX: usize = 4_096;
/// How often leases are renewed and free ones taken.
const LEASE_INTERVAL: Duration = Duration::from_secs(5);
/// How often all tenants are looked through for old tails and small segments.
const SCAN_INTERVAL: Duration = Duration::from_secs(30);
/// How often unreferenced objects are deleted.
const COLLECT_INTERVAL: Duration = Duration::from_secs(60);
/// How often logs are looked through for events that are kept no longer; they become so at midnight.
const RETAIN_INTERVAL: Duration = Duration::from_secs(600);
/// Tails and merges worked on at once, fewer on small machines. Sealing waits for the disk and for its
/// turn to commit most of the time; merging takes a processor from appends and reads.
const TAILS_AT_ONCE_MAX: usize = 8;
const MERGES_AT_ONCE_MAX: usize = 4;
/// Tenants whose small rows are folded by one task; none of them is sealed meanwhile.
const FOLDS_AT_ONCE_MAX: usize = 64;
/// How long a put may take until the object counts as abandoned.
const INTENT_LENGTH: Duration = Duration::from_secs(3600);
/// How long replaced objects stay for readers that have begun.
const GARBAGE_DELAY: Duration = Duration::from_secs(600);

/// The committer's end of the hints.
#[derive(Clone)]
pub(crate) struct Hints(mpsc::Sender<TenantId>);

impl Hints {
    pub(crate) fn channel() -> (Self, mpsc::Receiver<TenantId>) {
        let (sender, receiver) = mpsc::channel(HINTS_MAX);
        (Self(sender), receiver)
    }

    /// Says that the tenant's tail has grown.
    pub(crate) fn send(&self, tenant: &TenantId) {
        // Full or closed: the scan finds the tenant.
        let _ = self.0.try_send(tenant.clone());
    }
}

/// What all background work needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub(crate) env: Env,
    pub(crate) catalog: Catalog,
    pub(crate) objects: Objects,
    pub(crate) segments: SegmentCache,
    pub(crate) heads: Heads,
    pub(crate) seal: Arc<SealPolicy>,
    pub(crate) compaction: Arc<CompactionPolicy>,
    pub(crate) retention: RetentionPolicy,
    pub(crate) busy: Busy,
    pub(crate) cancel: CancellationToken,
}

impl Workshop {
    #[expect(clippy::too_many_arguments, reason = "they are the store's parts, each once")]
    pub(crate) fn new(
        config: &StoreConfig,
        env: Env,
        catalog: Catalog,
        objects: Objects,
        segments: SegmentCache,
        heads: Heads,
        busy: Busy,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            env,
            catalog,
            objects,
            segments,
            heads,
            seal: Arc::new(config.seal.clone()),
            compaction: Arc::new(config.compaction.clone()),
            retention: config.retention(),
            busy,
            cancel,
        }
    }

    /// For work on demand.
    #[cfg(feature = "testing")]
    pub(crate) fn of(store: &crate::store::Inner) -> Self {
        Self::new(
            &store.config,
            store.env.clone(),
            store.catalog.clone(),
            store.objects.clone(),
            store.segments.clone(),
            store.heads.clone(),
            Busy::default(),
            store.shutdown.clone(),
        )
    }
}

/// Why a piece of background work was given up. None of them loses anything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Segment(#[from] Arc<recount_segment::SegmentError>),
    #[error("{object} is damaged: {what}")]
    Corrupt { object: String, what: String },
    #[error("{0}")]
    Encode(String),
    #[error("it panicked: {0}")]
    Panicked(String),
    #[error("the store is shutting down")]
    Cancelled,
}

/// The task that finds background work and has it done.
pub(crate) struct Maintainer {
    workshop: Workshop,
    shards: Shards,
    /// Sealing comes first: it keeps the tail short. Merging has a place of its own,
    /// so that a merge of some seconds does not keep tails waiting.
    tails: Jobs,
    segments: Jobs,
    running: JoinSet<Finished>,
    /// Small rows are folded by one task, many tenants' together.
    folds: Jobs,
    fold: JoinSet<Vec<TenantId>>,
    scan: JoinSet<Due>,
    /// Finds tenants with events that are kept no longer; their segments are then tended.
    expired: JoinSet<Vec<TenantId>>,
    collection: JoinSet<()>,
}

struct Finished {
    kind: Kind,
    tenant: TenantId,
    tended: Tended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tail,
    Segments,
}

/// Tenants that wait for one kind of work, each once, and those worked for now.
struct Jobs {
    at_once_max: usize,
    waiting: VecDeque<TenantId>,
    queued: HashSet<TenantId>,
    running: HashSet<TenantId>,
}

impl Jobs {
    fn new(at_once_max: usize) -> Self {
        Self { at_once_max, waiting: VecDeque::new(), queued: HashSet::new(), running: HashSet::new() }
    }

    fn add(&mut self, tenant: TenantId) {
        if self.queued.insert(tenant.clone()) {
            self.waiting.push_back(tenant);
        }
    }

    /// The next tenant that is not worked for already, here or among `elsewhere`, if there is room.
    fn next(&mut self, elsewhere: &HashSet<TenantId>) -> Option<TenantId> {
        if self.running.len() >= self.at_once_max {
            return None;
        }
        let is_free = |tenant: &TenantId| !self.running.contains(tenant) && !elsewhere.contains(tenant);
        let at = self.waiting.iter().position(is_free)?;
        let tenant = self.waiting.remove(at)?;
        self.queued.remove(&tenant);
        Some(tenant)
    }
}

impl Maintainer {
    pub(crate) fn new(workshop: Workshop, node_name: &str) -> Self {
        let shards = Shards::new(node_name, workshop.env.clone(), workshop.catalog.clone());
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            workshop,
            shards,
            tails: Jobs::new(cores.clamp(1, TAILS_AT_ONCE_MAX)),
            segments: Jobs::new((cores / 4).clamp(1, MERGES_AT_ONCE_MAX)),
            running: JoinSet::new(),
            folds: Jobs::new(FOLDS_AT_ONCE_MAX),
            fold: JoinSet::new(),
            scan: JoinSet::new(),
            expired: JoinSet::new(),
            collection: JoinSet::new(),
        }
    }

    /// Runs until cancelled, then gives the leases back.
    pub(crate) async fn run(mut self, mut hinted: mpsc::Receiver<TenantId>) {
        let mut lease_ticks = ticks(LEASE_INTERVAL);
        let mut fold_ticks = ticks(self.workshop.seal.fold_wait);
        let mut scan_ticks = ticks(SCAN_INTERVAL);
        let mut collect_ticks = ticks(COLLECT_INTERVAL);
        let mut retain_ticks = ticks(RETAIN_INTERVAL);
        let cancel = self.workshop.cancel.clone();
        loop {
            tokio::select! {
                // In this order: without leases, hints and scans would lead to nothing.
                biased;
                () = cancel.cancelled() => break,
                _ = lease_ticks.tick() => self.shards.keep().await,
                Some(done) = self.running.join_next() => self.finish(done),
                Some(done) = self.fold.join_next() => self.end_folds(done),
                Some(found) = self.scan.join_next() => {
                    let Due { tails, segments } = found.unwrap_or_default();
                    tails.into_iter().for_each(|tenant| self.tails.add(tenant));
                    segments.into_iter().for_each(|tenant| self.segments.add(tenant));
                }
                Some(found) = self.expired.join_next() => {
                    found.unwrap_or_default().into_iter().for_each(|tenant| self.segments.add(tenant));
                }
                Some(_) = self.collection.join_next() => {}
                _ = fold_ticks.tick() => self.start_folds(),
                _ = scan_ticks.tick() => self.start_scan(),
                _ = collect_ticks.tick() => self.start_collection(),
                _ = retain_ticks.tick() => self.find_expired(),
                Some(tenant) = hinted.recv() => self.tails.add(tenant),
            }
            self.start_work(Kind::Tail);
            self.start_work(Kind::Segments);
        }
        while self.running.join_next().await.is_some() {}
        while self.fold.join_next().await.is_some() {}
        self.collection.shutdown().await;
        self.shards.release().await;
    }

    fn finish(&mut self, done: Result<Finished, tokio::task::JoinError>) {
        // Panics are caught in the task and it is never aborted, so there is no other end.
        let Ok(Finished { kind, tenant, tended }) = done else { return };
        match kind {
            Kind::Tail => self.tails.running.remove(&tenant),
            Kind::Segments => self.segments.running.remove(&tenant),
        };
        if tended.is_fold_due {
            self.folds.add(tenant.clone());
        }
        if tended.sealed {
            self.segments.add(tenant);
        }
    }

    /// Starts what waits while there is room.
    fn start_work(&mut self, kind: Kind) {
        let (jobs, elsewhere) = match kind {
            Kind::Tail => (&mut self.tails, &self.folds.running),
            Kind::Segments => (&mut self.segments, &HashSet::new()),
        };
        while let Some(tenant) = jobs.next(elsewhere) {
            let Some(lease) = self.shards.lease_of(&tenant) else { continue };
            let workshop = self.workshop.clone();
            jobs.running.insert(tenant.clone());
            self.running.spawn(async move {
                let work = async {
                    match kind {
                        Kind::Tail => workshop.tend_tail(&tenant, &lease).await,
                        Kind::Segments => {
                            workshop.tend_segments(&tenant, &lease).await.map(|()| Tended::default())
                        }
                    }
                };
                // A panic is a bug, but it must not keep the tenant's place taken for ever.
                let tended = caught(work).await.unwrap_or_else(|error| {
                    report(&tenant, &error);
                    Tended::default()
                });
                Finished { kind, tenant, tended }
            });
        }
    }

    /// Folds what waits, if that of the last time is done.
    fn start_folds(&mut self) {
        if !self.fold.is_empty() {
            return;
        }
        let mut due = Vec::new();
        while let Some(tenant) = self.folds.next(&self.tails.running) {
            let Some(lease) = self.shards.lease_of(&tenant) else { continue };
            self.folds.running.insert(tenant.clone());
            due.push((tenant, lease));
        }
        if !due.is_empty() {
            // Rows of neighbours lie beside each other.
            due.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            let workshop = self.workshop.clone();
            self.fold.spawn(async move { workshop.fold_all(due).await });
        }
    }

    fn end_folds(&mut self, done: Result<Vec<TenantId>, tokio::task::JoinError>) {
        self.folds.running.clear();
        // Panics are caught in the task and it is never aborted, so there is no other end.
        let Ok(more) = done else { return };
        // As tails, which may have become due to be sealed.
        more.into_iter().for_each(|tenant| self.tails.add(tenant));
        // Whoever would fill a task need not wait for company.
        if self.folds.waiting.len() >= FOLDS_AT_ONCE_MAX {
            self.start_folds();
        }
    }

    fn start_scan(&mut self) {
        if self.scan.is_empty() {
            let workshop = self.workshop.clone();
            self.scan.spawn(async move {
                workshop.find_due().await.unwrap_or_else(|error| {
                    tracing::warn!(error = %error, "can't look for background work");
                    Due::default()
                })
            });
        }
    }

    fn find_expired(&mut self) {
        if self.expired.is_empty() {
            let workshop = self.workshop.clone();
            self.expired.spawn(async move {
                workshop.find_expired().await.unwrap_or_else(|error| {
                    tracing::warn!(error = %error, "can't look for events that are kept no longer");
                    Vec::new()
                })
            });
        }
    }

    fn start_collection(&mut self) {
        if let Some(lease) = self.shards.collector_lease()
            && self.collection.is_empty()
        {
            let workshop = self.workshop.clone();
            self.collection.spawn(async move {
                if let Err(error) = workshop.collect(&lease).await {
                    counter!(measure::MAINTENANCE_FAILURES).increment(1);
                    tracing::warn!(error = %error, "can't delete unreferenced objects; it is tried again");
                }
            });
        }
    }
}

fn report(tenant: &TenantId, error: &WorkError) {
    let tenant = tenant.as_ref();
    match error {
        WorkError::Cancelled => {}
        // Another node has the work now, or was faster.
        WorkError::Catalog(CatalogError::Fenced { .. } | CatalogError::Conflict { .. }) => {
            tracing::info!(tenant, error = %error, "background work was given up");
        }
        error => {
            counter!(measure::MAINTENANCE_FAILURES).increment(1);
            tracing::error!(tenant, error = %error, "background work failed; it is tried again");
        }
    }
}

/// What `work` comes to, or that it panicked.
async fn caught<T>(work: impl Future<Output = Result<T, WorkError>>) -> Result<T, WorkError> {
    let result = AssertUnwindSafe(work).catch_unwind().await;
    result.unwrap_or_else(|panic| Err(WorkError::Panicked(text_of(&*panic))))
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no text)").to_owned()
}

fn ticks(interval: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
