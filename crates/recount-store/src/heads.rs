//! Heads: who waits for news of a tenant's log is woken when its `next_seq` moves.
//!
//! A watch channel exists only while somebody watches the tenant. Appends of this node announce
//! themselves; on PostgreSQL a poller also asks for the watched tenants' heads, because other
//! nodes append too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recount_event::TenantId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;

/// How often a node looks for what others appended.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The watched heads of one node. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Heads(Arc<Mutex<HashMap<TenantId, watch::Sender<u64>>>>);

impl Heads {
    /// A receiver of the tenant's `next_seq`. It starts at what is known, which may be behind.
    pub(crate) fn watch(&self, tenant: &TenantId) -> watch::Receiver<u64> {
        let mut heads = self.lock();
        if let Some(head) = heads.get(tenant) {
            return head.subscribe();
        }
        // Room for the newcomer first: channels that nobody watches any more.
        if heads.len() == heads.capacity() {
            heads.retain(|_, head| head.receiver_count() > 0);
        }
        let (head, receiver) = watch::channel(0);
        heads.insert(tenant.clone(), head);
        receiver
    }

    /// Says that the tenant's log has `next_seq` events. Going back is ignored.
    pub(crate) fn announce<'a>(&self, moved: impl IntoIterator<Item = (&'a TenantId, u64)>) {
        let heads = self.lock();
        if heads.is_empty() {
            return;
        }
        for (tenant, next_seq) in moved {
            if let Some(head) = heads.get(tenant) {
                head.send_if_modified(|known| {
                    let news = next_seq > *known;
                    *known = next_seq.max(*known);
                    news
                });
            }
        }
    }

    /// The tenants that somebody watches, with what is known of their heads.
    fn watched(&self) -> Vec<(TenantId, u64)> {
        let heads = self.lock();
        let watched = heads.iter().filter(|(_, head)| head.receiver_count() > 0);
        watched.map(|(tenant, head)| (tenant.clone(), *head.borrow())).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, watch::Sender<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Announces what other nodes appended, until cancelled.
pub(crate) async fn poll_other_nodes(heads: Heads, catalog: Catalog, cancel: CancellationToken) {
    let mut ticks = tokio::time::interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match catalog.moved_heads(&heads.watched()).await {
            Ok(moved) => heads.announce(moved.iter().map(|(tenant, head)| (tenant, *head))),
            Err(error) => tracing::warn!(error = %error, "can't look for other nodes' appends"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_watcher_sees_the_newest_head_and_never_an_older_one() {
        let heads = Heads::default();
        let acme: TenantId = "acme".parse().expect("valid");
        let mut watcher = heads.watch(&acme);
        heads.announce([(&acme, 5)]);
        heads.announce([(&acme, 3)]);
        watcher.changed().await.expect("open");
        assert_eq!(*watcher.borrow_and_update(), 5);
        assert!(!watcher.has_changed().expect("open"));
        drop(watcher);
        assert!(heads.watched().is_empty());
    }
}
