//! Two nodes on one PostgreSQL and one object store.

use std::time::Duration;

use futures::future::join_all;
use recount_store::testing::{self, Tender};

use crate::support::{Place, accepted, checked_log, event, events, tenant, tend};

macro_rules! place_or_return {
    ($test:literal) => {
        match Place::postgres($test).await {
            Some(place) => place,
            None => return,
        }
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_of_two_nodes_to_the_same_tenants_are_dense_and_never_double() {
    let place = place_or_return!("two nodes appending to the same tenants");
    let nodes = [place.open().await, place.open().await];
    // In the order of bytes and in that of people, rows of these are locked in another order.
    let tenants = ["Zed", "alpha", "Beta", "_x"].map(tenant).to_vec();
    // Every event is sent to both nodes, in overlapping requests of several tenants.
    let senders = (0..8_u64).map(|sender| {
        let node = nodes[usize::try_from(sender % 2).expect("small")].clone();
        let tenants = tenants.clone();
        tokio::spawn(async move {
            for request in 0..25_u64 {
                let first = (request * 4 + sender / 2) % 90;
                let sent = tenants.iter().flat_map(|tenant| events(tenant, "e", first..first + 10)).collect();
                let stored = accepted(&node, sent).await;
                assert_eq!(stored.len(), 40);
            }
        })
    });
    for sender in join_all(senders).await {
        sender.expect("the sender finishes");
    }
    for at in &tenants {
        let ids = checked_log(&nodes[0], at).await;
        assert_eq!(ids.len(), 99, "events 0 to 98, each once");
    }
    for node in nodes {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_is_recognised_on_the_other_node() {
    let place = place_or_return!("duplicates across nodes");
    let (one, two) = (place.open().await, place.open().await);
    let acme = tenant("acme");
    // Both nodes know the tenant; then one appends and seals, and the other must notice.
    accepted(&one, events(&acme, "a", 0..10)).await;
    assert_eq!(accepted(&two, events(&acme, "a", 9..11)).await, [(9, true), (10, false)]);
    accepted(&one, events(&acme, "b", 0..150)).await;
    tend(&one, &acme).await;
    assert_eq!(testing::layout(&two, &acme).await.expect("whole").segments.len(), 1);
    let sent = vec![event(&acme, Some("b7"), 7), event(&acme, Some("a10"), 8), event(&acme, Some("c"), 9)];
    assert_eq!(accepted(&two, sent).await, [(18, true), (10, true), (161, false)]);
    accepted(&one, events(&acme, "d", 0..3)).await;
    assert_eq!(accepted(&two, events(&acme, "d", 2..3)).await, [(164, true)]);
    assert_eq!(checked_log(&one, &acme).await.len(), 165);
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_nodes_append_while_one_seals_and_merges() {
    let place = place_or_return!("appending on two nodes while sealing");
    let nodes = [place.open().await, place.open().await];
    let acme = tenant("acme");
    let senders = nodes.iter().enumerate().map(|(at, node)| {
        let (node, acme) = (node.clone(), acme.clone());
        tokio::spawn(async move {
            for request in 0..40_u64 {
                let own = events(&acme, &format!("n{at}-"), request * 20..request * 20 + 20);
                let shared = events(&acme, "both-", request * 5..request * 5 + 5);
                accepted(&node, own.into_iter().chain(shared).collect()).await;
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    let tender = Tender::new(&nodes[1], "maintain/test", "two").await.expect("free");
    while !senders.iter().all(tokio::task::JoinHandle::is_finished) {
        tender.tend(&acme).await.expect("seals");
        tokio::task::yield_now().await;
    }
    for sender in senders {
        sender.await.expect("the sender finishes");
    }
    assert_eq!(checked_log(&nodes[0], &acme).await.len(), 2 * 800 + 200);
    for node in nodes {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_hears_of_the_other_nodes_append() {
    let place = place_or_return!("heads across nodes");
    let (one, two) = (place.open().await, place.open().await);
    let acme = tenant("acme");
    let mut head = testing::tenant_log(&two, &acme).watch_head();
    accepted(&one, events(&acme, "a", 0..3)).await;
    tokio::time::timeout(Duration::from_secs(10), head.wait_for(|head| *head == 3))
        .await
        .expect("within some poll intervals")
        .expect("the store lives");
    one.shutdown().await;
    two.shutdown().await;
}
