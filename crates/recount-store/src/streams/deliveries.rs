//! The engine's side: shards of streams, held under leases, and the fenced steps of their cursors.
//!
//! All streams are spread over [`SHARDS`] shards; a node holds some of them, each under a lease. So
//! thousands of idle streams cost a node a handful of renewals, and nodes that come and go share
//! the shards evenly: each takes at most its share of them and gives back what is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::settle::{SettleError, Settlement};
use super::stream::{Stream, StreamId};
use crate::catalog::CatalogError;
use crate::catalog::leases::Lease;
use crate::store::Store;
use crate::tenant_log::TenantLog;

/// How many shards there are. Part of the catalog's format.
pub const SHARDS: u32 = 16;

/// How long a shard is held without renewal: how long its streams rest when a node dies.
const LEASE_LENGTH: Duration = Duration::from_secs(15);

/// Prefix of the leases by which nodes show that they are there.
const NODE_PREFIX: &str = "deliver/node/";

/// Prefix of the shards' leases.
const SHARD_PREFIX: &str = "deliver/shard/";

/// A node's right to deliver one shard's streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamLease(pub(crate) Lease);

impl StreamLease {
    /// Which holding of the shard it is: one that was lost and taken again is another, even if the
    /// node is the same.
    pub fn epoch(&self) -> i64 {
        self.0.epoch
    }
}

/// A shard while a node holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// Which of the shards.
    pub number: u32,
    /// See [`StreamLease::epoch`].
    pub epoch: i64,
}

/// What one node delivers. Made by [`Store::deliveries`]; each has its own identity.
#[derive(Clone)]
pub struct Deliveries {
    store: Store,
    holder: Arc<str>,
    held: Arc<Mutex<HashMap<u32, Lease>>>,
    node: Arc<Mutex<Option<Lease>>>,
}

impl Store {
    /// A new deliverer, which holds nothing yet.
    pub fn deliveries(&self) -> Deliveries {
        let holder = format!("{}/{}", self.config().node_name, self.env().uuid_v7().simple());
        Deliveries { store: self.clone(), holder: holder.into(), held: Arc::default(), node: Arc::default() }
    }
}

impl Deliveries {
    /// How long a lease lasts; [`keep`](Self::keep) must be called several times in that time.
    pub const LEASE_LENGTH: Duration = LEASE_LENGTH;

    /// Renews what is held, takes a fair share of what is free, gives back what is over it.
    /// Returns the shards that are held now.
    ///
    /// # Errors
    /// If the catalog does not answer. What was held stays held until its lease ends.
    pub async fn keep(&self) -> Result<Vec<Shard>, CatalogError> {
        let catalog = &self.store.inner.catalog;
        let now = self.store.env().now();
        let name = format!("{NODE_PREFIX}{}", self.holder);
        // One transaction for all renewals: a node that is idle writes once per call.
        let mut held: Vec<(Option<u32>, Lease)> =
            lock(&self.node).clone().map(|lease| (None, lease)).into_iter().collect();
        held.extend(lock(&self.held).iter().map(|(shard, lease)| (Some(*shard), lease.clone())));
        let leases: Vec<Lease> = held.iter().map(|(_, lease)| lease.clone()).collect();
        let renewed = catalog.renew_leases(&leases, now, LEASE_LENGTH).await?;
        for ((shard, _), renewed) in held.into_iter().zip(renewed) {
            match (shard, renewed) {
                (None, renewed) => *lock(&self.node) = renewed,
                (Some(shard), Some(lease)) => drop(lock(&self.held).insert(shard, lease)),
                (Some(shard), None) => drop(lock(&self.held).remove(&shard)),
            }
        }
        if lock(&self.node).is_none() {
            let node = catalog.take_lease(&name, &self.holder, now, LEASE_LENGTH).await?;
            *lock(&self.node) = node;
        }
        let nodes = catalog.leases_in_force(NODE_PREFIX, now).await?.max(1);
        let share = usize::try_from(u64::from(SHARDS).div_ceil(nodes)).unwrap_or(usize::MAX);
        let mut over: Vec<(u32, Lease)> =
            lock(&self.held).iter().map(|(shard, lease)| (*shard, lease.clone())).collect();
        over.sort_by_key(|(shard, _)| *shard);
        for (shard, lease) in over.into_iter().skip(share) {
            // First out of our hands, then out of the catalog.
            lock(&self.held).remove(&shard);
            catalog.release_lease(&lease).await?;
        }
        for shard in 0..SHARDS {
            if lock(&self.held).len() >= share {
                break;
            }
            if lock(&self.held).contains_key(&shard) {
                continue;
            }
            let name = format!("{SHARD_PREFIX}{shard:02}");
            if let Some(lease) = catalog.take_lease(&name, &self.holder, now, LEASE_LENGTH).await? {
                lock(&self.held).insert(shard, lease);
            }
        }
        Ok(self.shards())
    }

    /// Gives everything back, so that other nodes need not wait.
    ///
    /// # Errors
    /// If the catalog does not answer; the leases then end by themselves.
    pub async fn release(&self) -> Result<(), CatalogError> {
        let leases: Vec<Lease> = lock(&self.held).drain().map(|(_, lease)| lease).collect();
        let node = lock(&self.node).take();
        for lease in leases.into_iter().chain(node) {
            self.store.inner.catalog.release_lease(&lease).await?;
        }
        let now = self.store.env().now();
        self.store.inner.catalog.forget_leases(NODE_PREFIX, now).await
    }

    /// The shards that are held.
    pub fn shards(&self) -> Vec<Shard> {
        let mut shards: Vec<Shard> = lock(&self.held)
            .iter()
            .map(|(number, lease)| Shard { number: *number, epoch: lease.epoch })
            .collect();
        shards.sort_unstable();
        shards
    }

    /// The lease that covers the stream, if this node holds it.
    pub fn lease(&self, stream: &StreamId) -> Option<StreamLease> {
        lock(&self.held).get(&stream.shard()).cloned().map(StreamLease)
    }

    /// The log of a stream under its lease.
    pub fn log(&self, stream: &Stream, _lease: &StreamLease) -> TenantLog {
        TenantLog::new(self.store.clone(), stream.tenant.clone())
    }

    /// All active streams of the given shards, each with its log's next `seq`.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn active(&self, shards: &[Shard]) -> Result<Vec<(Stream, u64)>, CatalogError> {
        let numbers: Vec<u32> = shards.iter().map(|shard| shard.number).collect();
        self.store.inner.catalog.active_streams(&numbers).await
    }

    /// One stream, whatever its status; `None` if it was deleted.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn load(&self, stream: &StreamId) -> Result<Option<Stream>, CatalogError> {
        self.store.inner.catalog.stream(None, stream).await
    }

    /// Ids and revisions of the streams that people changed since `since`.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn changed(
        &self,
        since: recount_event::Timestamp,
    ) -> Result<Vec<(StreamId, i64)>, CatalogError> {
        self.store.inner.catalog.changed_streams(since).await
    }

    /// Woken when a person changed a stream on this node.
    pub fn changes(&self) -> Arc<Notify> {
        Arc::clone(&self.store.inner.stream_changes)
    }

    /// Writes down what came of attempts, several streams' in one transaction; each takes effect or
    /// not by itself. What the database refuses of one stream holds up no other.
    pub async fn settle(&self, settlements: &[Settlement]) -> Vec<Result<(), SettleError>> {
        match self.store.inner.catalog.settle_streams(settlements).await {
            Ok(results) => return results,
            Err(CatalogError::Database(sqlx::Error::Database(error))) if settlements.len() > 1 => {
                tracing::warn!(error = %error, streams = settlements.len(), "steps of streams are written down one by one");
            }
            Err(error) => return settlements.iter().map(|_| Err(unavailable(&error))).collect(),
        }
        let mut results = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            let result = self.store.inner.catalog.settle_streams(std::slice::from_ref(settlement)).await;
            results.push(match result {
                Ok(results) => results.into_iter().next().unwrap_or(Ok(())),
                Err(error) => Err(unavailable(&error)),
            });
        }
        results
    }
}

fn unavailable(error: &CatalogError) -> SettleError {
    SettleError::Unavailable(error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
