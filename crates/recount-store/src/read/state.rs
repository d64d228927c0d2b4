//! What all reads of one node share: the way to catalog and objects, caches, limits on work.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use recount_event::TenantId;
use recount_segment::{EventBatch, IdFilter, Segment};

use super::admission::Admission;
use super::cache::{Caches, looked};
use super::columns::Loads;
use super::error::ReadError;
use super::fault::{Fault, Part};
use super::gate::CpuGate;
use super::plan::TailRun;
use crate::catalog::Catalog;
use crate::catalog::segments::SegmentMeta;
use crate::catalog::tail::TailBatchMeta;
use crate::config::{ObjectsLocation, StoreConfig};
use crate::segment_cache::SegmentCache;
use crate::tail_batch;

/// Reads per tenant that wait for that tenant's others to end; more are refused.
const QUERIES_WAITING_MAX: usize = 64;
/// Whole-answer scans (exports) of one tenant at a time, and how many more wait.
const SCANS_MAX: usize = 4;
const SCANS_WAITING_MAX: usize = 8;
/// Turns per processor when objects are far away, where a turn is mostly spent waiting.
const REMOTE_TURNS_PER_CPU: usize = 2;
/// Turns beyond one per processor: while one is handed on from thread to thread, none stands idle.
const SPARE_TURNS: usize = 1;

/// The readers' shared state of one store.
pub(crate) struct ReadState {
    catalog: Catalog,
    segments: SegmentCache,
    caches: Caches,
    /// Columns that are being loaded.
    pub(crate) loads: Loads,
    gate: CpuGate,
    cpus: usize,
    /// Lists, lookups, counts and pages of the feed.
    pub(crate) queries: Admission,
    /// Scans.
    pub(crate) scans: Admission,
    /// Most bytes that a read may examine unless it says otherwise.
    pub(crate) scan_bytes_max: u64,
    /// Bytes of lines that a streaming scan holds ready.
    pub(crate) ahead_bytes: usize,
    /// How often a part of a plan was gone, since the start.
    replans: AtomicU64,
}

impl ReadState {
    pub(crate) fn new(config: &StoreConfig, catalog: Catalog, segments: SegmentCache) -> Self {
        let cpus = std::thread::available_parallelism().map_or(2, NonZero::get);
        let remote = matches!(config.objects, ObjectsLocation::S3(_));
        let turns = if remote { cpus * REMOTE_TURNS_PER_CPU } else { cpus + SPARE_TURNS };
        ReadState {
            catalog,
            segments,
            caches: Caches::new(config),
            loads: Loads::default(),
            gate: CpuGate::new(turns),
            cpus,
            queries: Admission::new(config.read_concurrency_per_tenant, QUERIES_WAITING_MAX),
            scans: Admission::new(SCANS_MAX, SCANS_WAITING_MAX),
            scan_bytes_max: config.read_scan_bytes_max,
            ahead_bytes: usize::try_from(config.read_ahead_bytes).unwrap_or(usize::MAX),
            replans: AtomicU64::new(0),
        }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.caches
    }

    pub(crate) fn count_replan(&self) {
        metrics::counter!(crate::measure::READ_REPLANS).increment(1);
        self.replans.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "testing")]
    pub(crate) fn replans(&self) -> u64 {
        self.replans.load(Ordering::Relaxed)
    }

    /// How many parts of one read are worked on at a time.
    pub(crate) fn parallel_max(&self) -> usize {
        self.cpus + SPARE_TURNS
    }

    /// Does work of some milliseconds in the tenant's turn, off the async threads.
    ///
    /// If the caller goes away meanwhile, the work still ends but nothing follows it.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let turn = self.gate.turn(tenant).await;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        match done.await {
            Ok(result) => Ok(result),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(ReadError::Cancelled),
        }
    }

    /// Opens a segment, or takes it from the cache.
    pub(crate) async fn segment(&self, meta: &SegmentMeta) -> Result<Segment, Fault> {
        Ok(self.segments.segment(meta).await?)
    }

    /// The id filter of a segment.
    pub(crate) async fn id_filter(&self, meta: &SegmentMeta) -> Result<Arc<IdFilter>, Fault> {
        Ok(self.segments.id_filter(meta).await?)
    }

    /// The decoded events of a run of the tail.
    ///
    /// # Errors
    /// [`Fault::Gone`] if one of its batches was sealed or folded meanwhile.
    pub(crate) async fn tail_run(&self, tenant: &TenantId, run: &TailRun) -> Result<Arc<EventBatch>, Fault> {
        let key = (tenant.clone(), run.first_seq(), run.end_seq());
        let cached = self.caches.tail.get(&key);
        looked("tail", cached.is_some());
        if let Some(batch) = cached {
            return Ok(batch);
        }
        let mut decoded = Vec::with_capacity(run.batches.len());
        let mut unknown = None;
        for batch in &run.batches {
            let key = (tenant.clone(), batch.first_seq, batch.end_seq());
            let cached = self.caches.tail.get(&key);
            unknown = unknown.or(cached.is_none().then_some(batch.first_seq));
            decoded.push(cached);
        }
        let bodies = match unknown {
            Some(first) => self.catalog.tail_bodies(tenant, first..run.end_seq()).await?,
            None => Vec::new(),
        };
        let batches = run.batches.clone();
        let merged = self
            .compute(tenant, move || {
                let mut bodies = bodies.into_iter().peekable();
                let mut parts = Vec::with_capacity(batches.len());
                for (meta, cached) in batches.iter().zip(decoded) {
                    while bodies.next_if(|(first_seq, _)| *first_seq < meta.first_seq).is_some() {}
                    let part = match cached {
                        Some(batch) => batch,
                        None => {
                            let body = bodies.next_if(|(first_seq, _)| *first_seq == meta.first_seq);
                            let (_, body) = body.ok_or(Fault::Gone(part(meta)))?;
                            Arc::new(decode_batch(meta, &body)?)
                        }
                    };
                    parts.push(part);
                }
                merge(&parts)
            })
            .await??;
        self.caches.tail.insert(key, merged.clone());
        for batch in &run.batches {
            // What was merged is not asked for alone any more.
            if run.batches.len() > 1 {
                self.caches.tail.invalidate(&(tenant.clone(), batch.first_seq, batch.end_seq()));
            }
        }
        Ok(merged)
    }
}

fn part(meta: &TailBatchMeta) -> Part {
    Part::TailBatch { first_seq: meta.first_seq, events: meta.events }
}

fn decode_batch(meta: &TailBatchMeta, body: &[u8]) -> Result<EventBatch, Fault> {
    let damaged = |what: String| Fault::Fatal(ReadError::Corrupt { object: part(meta).to_string(), what });
    let decoded = tail_batch::decode(meta.first_seq, body).map_err(|error| damaged(error.to_string()))?;
    let batch = EventBatch::from_rows(&decoded.rows).map_err(|error| damaged(error.to_string()))?;
    // Whole, but not what was asked for: the row was folded with its neighbours since the plan was made.
    // Should the catalog still say otherwise, planning anew finds that out.
    if batch.len() as u64 != meta.events {
        return Err(Fault::Gone(part(meta)));
    }
    Ok(batch)
}

fn merge(parts: &[Arc<EventBatch>]) -> Result<Arc<EventBatch>, Fault> {
    if let [only] = parts {
        return Ok(only.clone());
    }
    let parts: Vec<EventBatch> = parts.iter().map(|part| EventBatch::clone(part)).collect();
    match EventBatch::merge(&parts) {
        Ok(batch) => Ok(Arc::new(batch)),
        Err(error) => {
            Err(Fault::Fatal(ReadError::Corrupt { object: "the tail".into(), what: error.to_string() }))
        }
    }
}
