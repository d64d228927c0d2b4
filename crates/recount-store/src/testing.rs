//! For tests only (feature `testing`): ways in that need no credential, and faults on demand.
//!
//! No release build has this feature; `xtask tidy` checks that only dev-dependencies ask for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use recount_event::{TenantId, Timestamp};
use recount_segment::{Line, RowAddress, SegmentError};

use crate::append::IngestAccess;
use crate::catalog::leases::Lease;
use crate::catalog::{CatalogError, CommitPoint, on_tx};
use crate::maintain::{WorkError, Workshop};
use crate::query::StoredEvent;
use crate::store::Store;
use crate::tenant_log::TenantLog;
use crate::{ReadError, tail_batch};

/// Where a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// A transaction of the catalog begins.
    Begin,
    /// A transaction's commit; the name is that of the transaction (`append`, `seal`, …).
    Commit(&'static str),
    /// An object is put.
    Put,
    /// Ranges of an object are read.
    Get,
    /// An object is deleted.
    Delete,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It fails and nothing happened.
    NotDone,
    /// It happened, but the answer is a failure.
    DoneAnyway,
    /// It does not answer until the faults are cleared; for [`FaultPoint::Get`] only.
    Late,
}

type Plan = dyn FnMut(FaultPoint) -> Option<Fault> + Send;

/// Decides, each time a write comes by, whether and how it fails. Clones share the plan.
#[derive(Clone, Default)]
pub struct Faults(Arc<FaultState>);

#[derive(Default)]
struct FaultState {
    plan: Mutex<Option<Box<Plan>>>,
    cleared: tokio::sync::Notify,
}

impl Faults {
    /// Follows `plan` from now on.
    pub fn follow(&self, plan: impl FnMut(FaultPoint) -> Option<Fault> + Send + 'static) {
        *self.plan() = Some(Box::new(plan));
    }

    /// Lets everything succeed again.
    pub fn clear(&self) {
        *self.plan() = None;
        self.0.cleared.notify_waiters();
    }

    /// A plan that answers by doing work on the same store would wait for itself.
    pub(crate) fn at(&self, point: FaultPoint) -> Option<Fault> {
        self.plan().as_mut().and_then(|plan| plan(point))
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Box<Plan>>> {
        self.0.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn cleared(&self) {
        let mut cleared = std::pin::pin!(self.0.cleared.notified());
        cleared.as_mut().enable();
        if self.plan().is_some() {
            cleared.await;
        }
    }

    pub(crate) fn at_commit(&self, point: CommitPoint) -> Option<Fault> {
        self.at(FaultPoint::Commit(point.name()))
    }
}

/// The failure that stands for a lost connection.
pub(crate) fn lost_connection() -> CatalogError {
    CatalogError::UnknownOutcome(sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::ConnectionReset,
        "injected fault",
    )))
}

/// The right to append to any tenant.
pub fn ingest() -> IngestAccess {
    IngestAccess::of_any_tenant()
}

/// The right to append to one tenant.
pub fn ingest_of(tenant: &TenantId) -> IngestAccess {
    IngestAccess::of_tenant(tenant.clone())
}

/// A tenant's log, without a credential and so without the event that a look leaves.
pub fn tenant_log(store: &Store, tenant: &TenantId) -> TenantLog {
    TenantLog::new(store.clone(), tenant.clone())
}

/// The faults of the store's catalog and of its objects.
pub fn faults(store: &Store) -> (Faults, Faults) {
    (store.inner.catalog.faults.clone(), store.inner.objects.faults.clone())
}

/// Where a tenant's events are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The first event's seq.
    pub first_seq: u64,
    /// The next event's seq.
    pub next_seq: u64,
    /// First seq, last seq and object of each segment.
    pub segments: Vec<(u64, u64, String)>,
    /// First seq and number of events of each row of the tail.
    pub tail: Vec<(u64, u64)>,
}

/// Where the tenant's events are; an error if the catalog's rows don't cover the log.
pub async fn layout(store: &Store, tenant: &TenantId) -> Result<Layout, CatalogError> {
    let layout = store.inner.catalog.layout(tenant).await?.unwrap_or_default();
    Ok(Layout {
        first_seq: layout.first_seq,
        next_seq: layout.next_seq,
        segments: layout.segments.into_iter().map(|s| (s.first_seq, s.last_seq, s.object)).collect(),
        tail: layout.tail.iter().map(|batch| (batch.first_seq, batch.events)).collect(),
    })
}

/// The whole log in seq order, straight from rows and objects, every byte checked.
///
/// # Errors
/// The first damage, by name.
pub async fn read_log(store: &Store, tenant: &TenantId) -> Result<Vec<StoredEvent>, ReadError> {
    let Some(layout) = store.inner.catalog.layout(tenant).await? else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    for meta in &layout.segments {
        let segment = store.inner.segments.segment(meta).await.map_err(|error| ReadError::from(&*error))?;
        segment.verify().await.map_err(|error| ReadError::from(&error))?;
        let damaged = |error: SegmentError| ReadError::from(&error);
        let limit = usize::try_from(meta.rows()).expect("fits memory");
        let rows =
            segment.rows_in_seq_order(meta.first_seq..meta.last_seq + 1, limit).await.map_err(damaged)?;
        let mut lines: HashMap<RowAddress, Line> = HashMap::new();
        for row_group in 0..segment.row_groups().len() {
            let count = segment.row_groups()[row_group].rows;
            let all: Vec<u32> = (0..count).collect();
            let group = u32::try_from(row_group).expect("few row groups");
            let found = segment.lines(row_group, &all).await.map_err(damaged)?;
            lines.extend((0..).zip(found).map(|(row, line)| (RowAddress { row_group: group, row }, line)));
        }
        events.extend(rows.into_iter().map(|row| stored(row.seq, row.received_at, &lines[&row.address])));
    }
    for (batch, (first_seq, body)) in
        layout.tail.iter().zip(store.inner.catalog.tail_bodies(tenant, 0..u64::MAX).await?)
    {
        let name = format!("tail batch {first_seq} of tenant {tenant}");
        let decoded = tail_batch::decode(first_seq, &body)
            .map_err(|error| ReadError::Corrupt { object: name.clone(), what: error.to_string() })?;
        if (first_seq, decoded.rows.len() as u64) != (batch.first_seq, batch.events) {
            return Err(ReadError::Corrupt { object: name, what: "its count is wrong".to_owned() });
        }
        events.extend(decoded.rows.iter().map(|row| stored(row.seq, row.received_at, &row.line)));
    }
    Ok(events)
}

fn stored(seq: u64, received_at: Timestamp, line: &Line) -> StoredEvent {
    StoredEvent { seq, received_at, line: line.as_str().into() }
}

/// Background work on demand, for stores opened with `maintain` off.
pub struct Tender {
    workshop: Workshop,
    lease: Lease,
}

impl Tender {
    /// Takes the lease `name` for `holder`; `None` if another holder has it.
    pub async fn new(store: &Store, name: &str, holder: &str) -> Option<Self> {
        let inner = &store.inner;
        let length = std::time::Duration::from_secs(20);
        let lease = inner.catalog.take_lease(name, holder, inner.env.now(), length).await.ok()??;
        Some(Self { workshop: Workshop::of(inner), lease })
    }

    /// Folds, seals and merges what is due for the tenant.
    ///
    /// # Errors
    /// What went wrong, as text.
    pub async fn tend(&self, tenant: &TenantId) -> Result<(), String> {
        let tend = async {
            self.seal_and_fold(tenant).await?;
            self.workshop.tend_segments(tenant, &self.lease).await
        };
        tend.await.map_err(|error| error.to_string())
    }

    /// Folds and seals what is due of the tenant's tail.
    ///
    /// # Errors
    /// What went wrong, as text.
    pub async fn tend_tail(&self, tenant: &TenantId) -> Result<(), String> {
        self.seal_and_fold(tenant).await.map_err(|error| error.to_string())
    }

    /// Folds what is due of these tenants' tails together, each under its holder's lease, and names those with more.
    pub async fn fold_all(&self, due: &[(&TenantId, &Self)]) -> Vec<TenantId> {
        let due = due.iter().map(|&(tenant, holder)| (tenant.clone(), holder.lease.clone())).collect();
        self.workshop.fold_all(due).await
    }

    async fn seal_and_fold(&self, tenant: &TenantId) -> Result<(), WorkError> {
        loop {
            let tended = self.workshop.tend_tail(tenant, &self.lease).await?;
            if !(tended.is_fold_due && self.workshop.fold(tenant, &self.lease).await?) {
                return Ok(());
            }
        }
    }

    /// Removes what is kept no longer of the tenant's log.
    ///
    /// # Errors
    /// What went wrong, as text.
    pub async fn retain(&self, tenant: &TenantId) -> Result<(), String> {
        self.workshop.retain(tenant, &self.lease).await.map_err(|error| error.to_string())
    }

    /// Tenants with events that are kept no longer.
    ///
    /// # Errors
    /// What went wrong, as text.
    pub async fn find_expired(&self) -> Result<Vec<TenantId>, String> {
        self.workshop.find_expired().await.map_err(|error| error.to_string())
    }

    /// Deletes unreferenced objects that are due.
    ///
    /// # Errors
    /// What went wrong, as text.
    pub async fn collect(&self) -> Result<(), String> {
        self.workshop.collect(&self.lease).await.map_err(|error| error.to_string())
    }

    /// Tenants that something is due for.
    ///
    /// # Errors
    /// What went wrong, as text.
    pub async fn find_due(&self) -> Result<Vec<TenantId>, String> {
        let due = self.workshop.find_due().await.map_err(|error| error.to_string())?;
        let all: std::collections::BTreeSet<TenantId> = due.tails.into_iter().chain(due.segments).collect();
        Ok(all.into_iter().collect())
    }
}

/// Names of all objects, sorted.
///
/// # Errors
/// What went wrong, as text.
pub async fn object_names(store: &Store) -> Result<Vec<String>, String> {
    store.inner.objects.list("tenants").await.map_err(|error| error.to_string())
}

/// Runs one statement on the catalog, to damage rows.
///
/// # Errors
/// What the database says.
pub async fn execute(store: &Store, sql: &'static str) -> Result<u64, CatalogError> {
    let mut tx = store.inner.catalog.begin().await?;
    let rows = on_tx!(tx, |db| sqlx::query(sql).execute(db).await?.rows_affected());
    store.inner.catalog.commit(tx, CommitPoint::Tenants).await?;
    Ok(rows)
}

/// How often readers of this store found a part of the log gone and planned anew.
pub fn replans(store: &Store) -> u64 {
    store.inner.read.replans()
}
