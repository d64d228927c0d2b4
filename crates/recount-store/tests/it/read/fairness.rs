//! One tenant's heavy searches leave another's light ones their turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use recount_event::Filter;
use recount_store::ListQuery;

use super::events::Draw;
use super::harness::Harness;
use crate::support::tend;

/// Searches of the heavy tenant, all at once.
const HEAVY: usize = 48;
/// Lists of the light tenant, one after the other.
const LIGHT: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn light_lists_are_answered_while_another_tenants_heavy_searches_run() {
    let harness = Harness::with(|config| {
        // Whoever asks for most must not get most: admission alone would hide that here.
        config.read_concurrency_per_tenant = HEAVY;
        config.seal.events = 1_000;
        config.column_cache_bytes = 0;
    })
    .await;
    let mut draw = Draw::new(51);
    let mut logs = Vec::new();
    for (tenant, events) in [("heavy", 12_000), ("light", 1_000)] {
        let mut log = harness.log(tenant);
        let events: Vec<_> = (0..events).map(|n| draw.event(n)).collect();
        for part in events.chunks(6_000) {
            log.append(part).await;
        }
        tend(&harness.store, log.log.tenant()).await;
        logs.push(log.log);
    }
    let [heavy, light] = logs.try_into().expect("two logs");

    let answered = Arc::new(AtomicUsize::new(0));
    let searches: Vec<_> = (0..HEAVY)
        .map(|_| {
            let (heavy, answered) = (heavy.clone(), answered.clone());
            tokio::spawn(async move {
                let filter = Filter::parse("\"owher\"").expect("a filter");
                let page = heavy.list(&ListQuery { filter, ..ListQuery::default() }).await.expect("searched");
                assert!(page.events.is_empty());
                answered.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    for _ in 0..LIGHT {
        let page = light.list(&ListQuery::default()).await.expect("listed");
        assert_eq!(page.events.len(), 50);
    }
    let before = answered.load(Ordering::Relaxed);
    assert!(before < HEAVY / 2, "{before} of {HEAVY} searches went before {LIGHT} light lists");
    for search in searches {
        search.await.expect("searched");
    }
}
