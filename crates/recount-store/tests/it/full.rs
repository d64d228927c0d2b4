//! A disk for objects that is full: appends go on, and sealing once there is room. A full disk of the
//! catalog is the server's test, since it takes a process of its own.

use recount_store::testing::{self, Fault, FaultPoint, Tender};

use crate::support::{Place, append, checked_log, events, tenant, tend};

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
