//! A full disk under a running store: what was acknowledged stays, the rest is refused with words
//! that say why, and when there is room again everything goes on.

use recount_store::AppendError;
use recount_store::testing::{self, Fault, FaultPoint, Tender};

use crate::support::{Place, accepted, append, checked_log, events, tenant, tend};

/// SQLite itself says that there is no room: no page more than there are now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalog_without_room_refuses_and_recovers() {
    let place = Place::sqlite();
    let store = place.open().await;
    let acme = tenant("acme");
    accepted(&store, events(&acme, "a", 0..50)).await;
    testing::execute(&store, "PRAGMA max_page_count = 1").await.expect("full");
    let mut acknowledged = 50;
    let refused = loop {
        let sent = events(&acme, "a", acknowledged..acknowledged + 500);
        match store.append(&testing::ingest(), sent).await {
            Ok(results) => {
                assert!(results.iter().all(Result::is_ok), "{results:?}");
                acknowledged += 500;
            }
            Err(refused) => break refused,
        }
        assert!(acknowledged < 100_000, "there is room for ever");
    };
    assert!(matches!(&refused, AppendError::Unavailable { detail } if detail.contains("full")), "{refused}");
    let before = checked_log(&store, &acme).await;
    assert_eq!(before.len() as u64, acknowledged, "what was acknowledged, and nothing else");

    testing::execute(&store, "PRAGMA max_page_count = 1000000").await.expect("room");
    // The sender's second try, with the same ids.
    let stored = accepted(&store, events(&acme, "a", acknowledged..acknowledged + 500)).await;
    assert_eq!(stored[0], (acknowledged, false));
    store.shutdown().await;
    let store = place.open().await;
    assert_eq!(checked_log(&store, &acme).await.len() as u64, acknowledged + 500);
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_without_room_let_the_tail_grow_until_there_is_some() {
    let place = Place::sqlite();
    let store = place.open().await;
    let acme = tenant("acme");
    let (_, objects) = testing::faults(&store);
    objects.follow(|at| (at == FaultPoint::Put).then_some(Fault::NotDone));
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    for part in 0..3 {
        append(&store, events(&acme, "a", part * 150..part * 150 + 150)).await;
        tender.tend(&acme).await.expect_err("no segment can be written");
    }
    assert_eq!(checked_log(&store, &acme).await.len(), 450);
    objects.clear();
    tend(&store, &acme).await;
    let layout = testing::layout(&store, &acme).await.expect("whole");
    assert!(!layout.segments.is_empty(), "{layout:?}");
    assert_eq!(checked_log(&store, &acme).await.len(), 450);
    store.shutdown().await;
}
