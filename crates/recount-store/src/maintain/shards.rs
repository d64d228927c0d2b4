//! Which tenants this node tends: shards by the hash of the tenant's name, one lease each.
//!
//! A node also holds a lease in its own name, which only counts nodes: each takes its share of
//! the shards and gives back what is above it, so that work spreads when a node joins.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use metrics::gauge;
use recount_event::{TenantId, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use crate::catalog::leases::Lease;
use crate::catalog::{Catalog, CatalogError};
use crate::env::Env;
use crate::measure;

/// Part of the leases' meaning: every node must use the same.
const SHARDS: u64 = 8;
/// Three renewals may fail before another node takes over.
const LEASE_LENGTH: Duration = Duration::from_secs(20);
/// Nodes that have been silent for this long are forgotten.
const NODE_FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
const NODE_PREFIX: &str = "node/";
const WORK_PREFIX: &str = "maintain/";
const COLLECTOR: &str = "maintain/garbage";

/// The leases that this node holds.
pub(super) struct Shards {
    env: Env,
    catalog: Catalog,
    holder: String,
    held: BTreeMap<String, Lease>,
}

fn shard_name(shard: u64) -> String {
    format!("{WORK_PREFIX}{shard}")
}

impl Shards {
    pub(super) fn new(node_name: &str, env: Env, catalog: Catalog) -> Self {
        let mut random = [0; 4];
        env.entropy.fill(&mut random);
        let holder = format!("{node_name}-{}", hex::encode(random));
        Self { env, catalog, holder, held: BTreeMap::new() }
    }

    /// The lease under which this node may work for the tenant.
    pub(super) fn lease_of(&self, tenant: &TenantId) -> Option<Lease> {
        self.in_force(&shard_name(xxh3_64(tenant.as_ref().as_bytes()) % SHARDS))
    }

    /// The lease under which this node may delete garbage.
    pub(super) fn collector_lease(&self) -> Option<Lease> {
        self.in_force(COLLECTOR)
    }

    fn in_force(&self, name: &str) -> Option<Lease> {
        self.held.get(name).filter(|lease| self.env.now() < lease.expires_at).cloned()
    }

    /// Renews what is held, takes what is free, gives back what is above this node's share.
    pub(super) async fn keep(&mut self) {
        if let Err(error) = self.try_keep().await {
            tracing::warn!(error = %error, "can't renew maintenance leases");
        }
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point")]
        gauge!(measure::LEASES_HELD).set(self.shards_held() as f64);
    }

    fn shards_held(&self) -> usize {
        (0..SHARDS).filter(|shard| self.held.contains_key(&shard_name(*shard))).count()
    }

    /// With one node and nothing new, this is one transaction and two reads.
    async fn try_keep(&mut self) -> Result<(), CatalogError> {
        let now = self.env.now();
        let held: Vec<Lease> = self.held.values().cloned().collect();
        let renewed = self.catalog.renew_leases(&held, now, LEASE_LENGTH).await?;
        self.held = renewed.into_iter().flatten().map(|lease| (lease.name.clone(), lease)).collect();

        let node = format!("{NODE_PREFIX}{}", self.holder);
        if !self.held.contains_key(&node) {
            self.take(node, now).await?;
            self.forget_silent_nodes(now).await?;
        }
        let nodes = self.catalog.leases_in_force(NODE_PREFIX, now).await?.max(1);
        let taken = self.catalog.lease_names_in_force(WORK_PREFIX, now).await?;
        let taken: HashSet<String> = taken.into_iter().collect();
        let share = usize::try_from(SHARDS.div_ceil(nodes)).expect("a few");
        for name in (0..SHARDS).map(shard_name) {
            if self.shards_held() > share
                && let Some(lease) = self.held.remove(&name)
            {
                self.catalog.release_lease(&lease).await?;
            } else if self.shards_held() < share && !taken.contains(&name) {
                self.take(name, now).await?;
            }
        }
        if !taken.contains(COLLECTOR) {
            self.take(COLLECTOR.to_owned(), now).await?;
        }
        Ok(())
    }

    async fn take(&mut self, name: String, now: Timestamp) -> Result<(), CatalogError> {
        if let Some(lease) = self.catalog.take_lease(&name, &self.holder, now, LEASE_LENGTH).await? {
            self.held.insert(name, lease);
        }
        Ok(())
    }

    async fn forget_silent_nodes(&self, now: Timestamp) -> Result<(), CatalogError> {
        let silent = i64::try_from(NODE_FORGOTTEN_AFTER.as_micros()).unwrap_or(i64::MAX);
        let before = Timestamp::from_micros(now.as_micros() - silent);
        self.catalog.forget_leases(NODE_PREFIX, before).await
    }

    /// Gives everything back.
    pub(super) async fn release(&mut self) {
        for lease in std::mem::take(&mut self.held).into_values() {
            if let Err(error) = self.catalog.release_lease(&lease).await {
                tracing::warn!(lease = lease.name, error = %error, "can't release a lease; it will expire");
            }
        }
    }
}
