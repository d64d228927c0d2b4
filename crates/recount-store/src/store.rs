//! [`Store`]: opens catalog and objects, starts the background tasks, and hands out the rest.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recount_event::{NewEvent, TenantId, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::access::AccessState;
use crate::append::{Appended, Committer, IngestAccess, Queue};
use crate::catalog::tenants::TenantRow;
use crate::catalog::{Catalog, CatalogError};
use crate::config::{SecretKeySource, StoreConfig};
use crate::env::Env;
use crate::error::{AppendError, EventRefused, NotReady, OpenError};
use crate::heads::{self, Heads};
use crate::maintain::{Busy, Hints, Maintainer, Workshop};
use crate::objects::Objects;
use crate::read::ReadState;
use crate::retention::Retention;
use crate::secrets::SecretKey;
use crate::segment_cache::SegmentCache;
use crate::{maintain, measure};

/// How long [`Store::shutdown`] waits for seals and merges that are under way.
const MAINTENANCE_STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How long [`Store::ready`] waits for the catalog.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// All tenants' logs. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: StoreConfig,
    pub(crate) env: Env,
    pub(crate) catalog: Catalog,
    pub(crate) objects: Objects,
    /// Readers and the committer have clones of their own.
    #[cfg(feature = "testing")]
    pub(crate) segments: SegmentCache,
    pub(crate) heads: Heads,
    pub(crate) secret_key: Option<SecretKey>,
    pub(crate) read: Arc<ReadState>,
    pub(crate) access: AccessState,
    /// Cancelled when the store shuts down; loops of other modules may listen too.
    pub(crate) shutdown: CancellationToken,
    /// Wakes the delivery engine when a person changed a stream on this node.
    pub(crate) stream_changes: Arc<tokio::sync::Notify>,
    queue: Arc<Queue>,
    tasks: Mutex<Tasks>,
}

#[derive(Default)]
struct Tasks {
    committer: JoinSet<()>,
    background: JoinSet<()>,
}

impl Store {
    /// Opens and migrates the catalog, opens the objects, and starts the background tasks.
    ///
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`]; each says what to do.
    pub async fn open(config: StoreConfig, env: Env) -> Result<Self, OpenError> {
        measure::describe();
        let secret_key = config.secret_key.as_ref().map(|source| secret_key(source, &env)).transpose()?;
        let catalog = Catalog::open(&config).await?;
        let objects = Objects::open(&config.objects)?;
        objects.check().await?;
        let segments = SegmentCache::new(
            objects.clone(),
            config.segment_cache_bytes,
            config.id_filter_cache_bytes,
            config.column_cache_bytes / 8,
        );
        let heads = Heads::default();
        let shutdown = CancellationToken::new();
        let queue = Arc::new(Queue::new(config.append_queue_events_max, config.append_queue_bytes_max));
        let (hints, hinted) = Hints::channel();
        let busy = Busy::default();

        let mut tasks = Tasks::default();
        let committer = Committer::new(
            &config,
            env.clone(),
            catalog.clone(),
            segments.clone(),
            Arc::clone(&queue),
            heads.clone(),
            hints,
            busy.clone(),
        );
        tasks.committer.spawn(committer.run());
        if catalog.is_shared() {
            tasks.background.spawn(heads::poll_other_nodes(heads.clone(), catalog.clone(), shutdown.clone()));
        }
        tasks.background.spawn(maintain::checkpoint::run(catalog.clone(), shutdown.clone()));
        if config.maintain {
            let maintainer = Maintainer::new(
                Workshop::new(
                    &config,
                    env.clone(),
                    catalog.clone(),
                    objects.clone(),
                    segments.clone(),
                    heads.clone(),
                    busy,
                    shutdown.clone(),
                ),
                &config.node_name,
            );
            tasks.background.spawn(maintainer.run(hinted));
        }

        let inner = Inner {
            read: Arc::new(ReadState::new(&config, catalog.clone(), segments.clone())),
            access: AccessState::new(&config),
            config,
            env,
            catalog,
            objects,
            #[cfg(feature = "testing")]
            segments,
            heads,
            secret_key,
            shutdown,
            stream_changes: Arc::default(),
            queue,
            tasks: Mutex::new(tasks),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Appends events, each to its tenant's log, in the given order per tenant.
    ///
    /// When it returns `Ok`, every event whose result is `Ok` is durable and readable. Results are
    /// in the order of `events`. An event whose id the tenant's log already has, or has earlier in
    /// this call, is not stored again: its result is the first one's `seq` with `duplicate` set.
    ///
    /// # Errors
    /// [`AppendError::Busy`]: nothing was stored. [`AppendError::Unavailable`]: the commit failed,
    /// or its outcome is unknown. Repeat either with the same ids.
    pub async fn append(
        &self,
        access: &IngestAccess,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Result<Appended, EventRefused>>, AppendError> {
        self.inner.queue.append(access, events).await
    }

    /// Whether the store can serve: the catalog answers and appends are taken.
    ///
    /// # Errors
    /// [`NotReady`] says what is wrong.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let not_ready = |detail: String| Err(NotReady { detail });
        if self.inner.queue.is_closed() {
            return not_ready("the store is shutting down".to_owned());
        }
        match tokio::time::timeout(READY_TIMEOUT, self.inner.catalog.ping()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => not_ready(error.to_string()),
            Err(_) => not_ready(format!("the catalog did not answer within {} s", READY_TIMEOUT.as_secs())),
        }
    }

    /// Takes no more appends, commits those that wait, stops the background tasks, closes the catalog.
    ///
    /// Every append that was waiting gets its answer first. Repeating it does nothing.
    pub async fn shutdown(&self) {
        self.inner.queue.close();
        let mut tasks = std::mem::take(&mut *self.lock_tasks());
        while tasks.committer.join_next().await.is_some() {}
        self.inner.shutdown.cancel();
        let stopped = async { while tasks.background.join_next().await.is_some() {} };
        if tokio::time::timeout(MAINTENANCE_STOP_TIMEOUT, stopped).await.is_err() {
            // Safe: what is not committed is garbage that the next start collects.
            tracing::warn!("background work did not stop in time and was abandoned");
        }
        tasks.background.shutdown().await;
        self.inner.catalog.close().await;
    }

    /// What the store was opened with.
    pub fn config(&self) -> &StoreConfig {
        &self.inner.config
    }

    /// Clock and entropy.
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// The key for stored secrets, if one was configured.
    pub fn secret_key(&self) -> Option<&SecretKey> {
        self.inner.secret_key.as_ref()
    }

    /// Creates a tenant; says whether it was new. `access/` decides who may.
    pub(crate) async fn create_tenant(&self, tenant: &TenantId) -> Result<bool, CatalogError> {
        self.inner.catalog.create_tenant(tenant, self.inner.env.now()).await
    }

    /// Up to `limit` tenants in the order of their names, after `after`. `access/` decides who may.
    pub(crate) async fn tenants(
        &self,
        after: Option<&TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantSummary>, CatalogError> {
        let rows = self.inner.catalog.tenants_page(after, limit).await?;
        Ok(rows.into_iter().map(|row| self.summary(row)).collect())
    }

    pub(crate) fn summary(&self, row: TenantRow) -> TenantSummary {
        TenantSummary {
            tenant: row.tenant,
            created_at: row.created_at,
            first_seq: row.first_seq,
            next_seq: row.next_seq,
            last_received_at: (row.next_seq > 0).then_some(row.last_received_at),
            retention: self.inner.config.retention().of_tenant(row.retention_days),
            retention_is_own: row.retention_days.is_some(),
        }
    }

    fn lock_tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("catalog", &self.inner.catalog).finish_non_exhaustive()
    }
}

/// A tenant, for lists of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSummary {
    /// The tenant.
    pub tenant: TenantId,
    /// When its first event came or it was created.
    pub created_at: Timestamp,
    /// The first event's `seq`; earlier ones were removed by retention.
    pub first_seq: u64,
    /// The next event's `seq`.
    pub next_seq: u64,
    /// `received_at` of its last event; `None` before the first.
    pub last_received_at: Option<Timestamp>,
    /// How long its events are kept; `None` for ever.
    pub retention: Option<Retention>,
    /// Whether that was set for this tenant; if not, [`StoreConfig::retention_days`] says it.
    pub retention_is_own: bool,
}

fn secret_key(source: &SecretKeySource, env: &Env) -> Result<SecretKey, OpenError> {
    let failed = |detail: String| OpenError::SecretKey { detail };
    match source {
        SecretKeySource::Value(text) => {
            SecretKey::parse(text, "RECOUNT_SECRET_KEY").map_err(|error| failed(error.to_string()))
        }
        SecretKeySource::File(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| failed(format!("{}: {error}", path.display())))?;
            SecretKey::parse(&text, &path.display().to_string()).map_err(|error| failed(error.to_string()))
        }
        SecretKeySource::FileOrGenerate(path) => {
            SecretKey::load_or_create(path, &*env.entropy).map_err(|error| failed(error.to_string()))
        }
    }
}
