//! Sealing, merging and collecting change where events are, and nothing else.

use std::collections::BTreeSet;

use recount_event::TenantId;
use recount_store::Store;
use recount_store::testing::{self, Fault, FaultPoint, Tender};

use crate::support::{
    DAY, Place, SECOND, accepted, checked_log, event, events, on_both_catalogs, on_both_object_stores,
    tenant, tend,
};

mod catalogs {
    use super::*;

    on_both_catalogs! {
        a_fenced_holder_commits_nothing,
        a_lease_is_one_holders_at_a_time,
        a_tail_too_small_for_a_segment_waits_until_it_is_old,
        a_failed_seal_leaves_the_log_whole,
        a_seal_whose_answer_was_lost_happened_once,
        the_collector_and_a_late_writer_never_meet,
        background_tasks_find_the_work_themselves,
        work_that_panics_is_done_when_it_does_not,
    }

    pub(super) async fn a_fenced_holder_commits_nothing(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, events(&acme, "a", 0..150)).await;
        let late = Tender::new(&store, "maintain/test", "late").await.expect("free");
        place.clock.advance_micros(60 * SECOND);
        let _next = Tender::new(&store, "maintain/test", "next").await.expect("expired");
        let refused = late.tend(&acme).await.expect_err("the lease is another's");
        assert!(refused.contains("lease maintain/test was lost"), "{refused}");
        let layout = testing::layout(&store, &acme).await.expect("whole");
        assert!(layout.segments.is_empty());
        assert_eq!(checked_log(&store, &acme).await.len(), 150);
        // What the late holder had put is garbage, and goes.
        assert_eq!(testing::object_names(&store).await.expect("lists").len(), 1);
        place.clock.advance_micros(DAY);
        Tender::new(&store, "maintain/garbage", "next")
            .await
            .expect("free")
            .collect()
            .await
            .expect("collects");
        assert!(testing::object_names(&store).await.expect("lists").is_empty());
        store.shutdown().await;
    }

    pub(super) async fn a_lease_is_one_holders_at_a_time(place: Place) {
        let store = place.open().await;
        assert!(Tender::new(&store, "maintain/test", "a").await.is_some());
        assert!(Tender::new(&store, "maintain/test", "b").await.is_none());
        assert!(Tender::new(&store, "maintain/test", "a").await.is_some(), "its own");
        place.clock.advance_micros(21 * SECOND);
        assert!(Tender::new(&store, "maintain/test", "b").await.is_some(), "expired");
        store.shutdown().await;
    }

    pub(super) async fn a_tail_too_small_for_a_segment_waits_until_it_is_old(mut place: Place) {
        place.config.seal.events = 10_000;
        place.config.seal.worthwhile_events = 100;
        place.config.seal.events_min = 10;
        let store = place.open().await;
        let (some, few, single) = (tenant("some"), tenant("few"), tenant("single"));
        let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
        accepted(&store, events(&some, "a", 0..100)).await;
        accepted(&store, events(&few, "a", 0..99)).await;
        accepted(&store, events(&single, "a", 0..9)).await;
        assert_eq!(tender.find_due().await.expect("answers"), []);
        place.clock.advance_micros(16 * 60 * SECOND);
        assert_eq!(tender.find_due().await.expect("answers"), std::slice::from_ref(&some));
        place.clock.advance_micros(DAY);
        assert_eq!(tender.find_due().await.expect("answers"), [few.clone(), some.clone()]);
        for tenant in [&some, &few, &single] {
            tender.tend(tenant).await.expect("tends");
        }
        assert_eq!(testing::object_names(&store).await.expect("lists").len(), 2, "nine events are no file");
        assert_eq!(tender.find_due().await.expect("answers"), []);
        store.shutdown().await;
    }

    pub(super) async fn a_failed_seal_leaves_the_log_whole(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, events(&acme, "a", 0..150)).await;
        let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
        let (catalog, objects) = testing::faults(&store);
        let points = [
            (FaultPoint::Commit("intent"), Fault::NotDone),
            (FaultPoint::Commit("intent"), Fault::DoneAnyway),
            (FaultPoint::Put, Fault::NotDone),
            (FaultPoint::Put, Fault::DoneAnyway),
            (FaultPoint::Commit("seal"), Fault::NotDone),
        ];
        for (point, fault) in points {
            let plan = move |at: FaultPoint| (at == point).then_some(fault);
            catalog.follow(plan);
            objects.follow(plan);
            tender.tend(&acme).await.expect_err("the fault strikes");
            catalog.clear();
            objects.clear();
            assert!(
                testing::layout(&store, &acme).await.expect("whole").segments.is_empty(),
                "{point:?} {fault:?}"
            );
            assert_eq!(checked_log(&store, &acme).await.len(), 150);
        }
        tender.tend(&acme).await.expect("seals");
        assert_only_referenced_objects_stay(&place, &store, &acme).await;
        store.shutdown().await;
    }

    pub(super) async fn a_seal_whose_answer_was_lost_happened_once(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, events(&acme, "a", 0..150)).await;
        let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
        let (catalog, _) = testing::faults(&store);
        catalog.follow(|at| (at == FaultPoint::Commit("seal")).then_some(Fault::DoneAnyway));
        tender.tend(&acme).await.expect_err("the answer is lost");
        catalog.clear();
        let sealed = testing::layout(&store, &acme).await.expect("whole");
        assert_eq!(sealed.segments.len(), 1);
        tender.tend(&acme).await.expect("nothing is left to do");
        assert_eq!(testing::layout(&store, &acme).await.expect("whole"), sealed);
        assert_only_referenced_objects_stay(&place, &store, &acme).await;
        store.shutdown().await;
    }

    /// A writer so slow that its intent expired: if the collector has claimed the object, the
    /// writer's commit fails, so nothing refers to an object that may be gone.
    pub(super) async fn the_collector_and_a_late_writer_never_meet(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, events(&acme, "a", 0..150)).await;
        let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
        let (_, objects) = testing::faults(&store);
        let clock = place.clock.clone();
        // While the object is being put, two hours pass and the collector comes by.
        let (sender, receiver) = std::sync::mpsc::channel();
        objects.follow(move |at| {
            if at == FaultPoint::Put {
                clock.advance_micros(2 * 3_600 * SECOND);
                let _ = sender.send(());
            }
            None
        });
        let collector = {
            let store = store.clone();
            tokio::task::spawn_blocking(move || {
                receiver.recv().expect("a put");
                let runtime = tokio::runtime::Handle::current();
                runtime.block_on(async {
                    let tender = Tender::new(&store, "maintain/garbage", "other").await.expect("free");
                    tender.collect().await.expect("collects");
                });
            })
        };
        let sealed = tender.tend(&acme).await;
        collector.await.expect("the collector finishes");
        objects.clear();
        // Either the seal was faster or the collector; the log is whole in both cases.
        let layout = testing::layout(&store, &acme).await.expect("whole");
        assert_eq!(layout.segments.is_empty(), sealed.is_err(), "{sealed:?}");
        assert_eq!(checked_log(&store, &acme).await.len(), 150);
        store.shutdown().await;
    }

    pub(super) async fn background_tasks_find_the_work_themselves(mut place: Place) {
        place.config.maintain = true;
        let store = place.open().await;
        let acme = tenant("acme");
        for part in 0..8 {
            accepted(&store, events(&acme, "a", part * 100..part * 100 + 100)).await;
        }
        // The committer's hints lead to sealing and merging; nothing else says when it is done.
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let layout = testing::layout(&store, &acme).await.expect("whole");
            if layout.tail.is_empty() && layout.segments.len() <= 4 {
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "{layout:?}");
            tokio::task::yield_now().await;
        }
        assert_eq!(checked_log(&store, &acme).await.len(), 800);
        store.shutdown().await;
    }

    pub(super) async fn work_that_panics_is_done_when_it_does_not(mut place: Place) {
        place.config.maintain = true;
        let store = place.open().await;
        let acme = tenant("acme");
        let (_, objects) = testing::faults(&store);
        let (panics, panicked) = std::sync::mpsc::channel();
        objects.follow(move |at| {
            if at == FaultPoint::Put && panics.send(()).is_ok() {
                panic!("a bug, for once");
            }
            None
        });
        accepted(&store, events(&acme, "a", 0..150)).await;
        tokio::task::block_in_place(|| panicked.recv_timeout(std::time::Duration::from_secs(30)))
            .expect("a segment is put");
        objects.clear();
        // Each append hints at the tenant again.
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        for part in 0.. {
            accepted(&store, events(&acme, "b", part * 100..part * 100 + 100)).await;
            if !testing::layout(&store, &acme).await.expect("whole").segments.is_empty() {
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "it is never done again");
        }
        store.shutdown().await;
    }
}

mod object_stores {
    use super::*;

    on_both_object_stores! {
        sealing_and_merging_change_nothing_for_readers,
        only_referenced_objects_stay,
        a_write_whose_answer_was_lost_is_garbage_at_most,
    }

    async fn sealing_and_merging_change_nothing_for_readers(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme.~:@+=-_1");
        for part in 0..7 {
            place.clock.advance_micros(SECOND);
            let range = part * 130..part * 130 + 130;
            accepted(&store, events(&acme, "a", range)).await;
            let before = testing::read_log(&store, &acme).await.expect("whole");
            tend(&store, &acme).await;
            assert_eq!(testing::read_log(&store, &acme).await.expect("whole"), before);
        }
        let layout = testing::layout(&store, &acme).await.expect("whole");
        assert!(layout.segments.len() <= 4, "{layout:?}");
        for (first, last, object) in &layout.segments {
            let start = format!("tenants/{acme}/segments/{first:020}-{last:020}-");
            assert!(object.starts_with(&start) && object.ends_with(".parquet"), "{object}");
        }
        store.shutdown().await;
    }

    async fn only_referenced_objects_stay(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme");
        for part in 0..7 {
            accepted(&store, events(&acme, "a", part * 130..part * 130 + 130)).await;
            tend(&store, &acme).await;
        }
        let all = testing::object_names(&store).await.expect("lists");
        let layout = testing::layout(&store, &acme).await.expect("whole");
        assert!(all.len() > layout.segments.len(), "replaced objects stay a while for readers");
        assert_only_referenced_objects_stay(&place, &store, &acme).await;
        store.shutdown().await;
    }

    async fn a_write_whose_answer_was_lost_is_garbage_at_most(place: Place) {
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, vec![event(&acme, None, 1)]).await;
        accepted(&store, events(&acme, "a", 0..150)).await;
        let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
        let (_, objects) = testing::faults(&store);
        objects.follow(|at| (at == FaultPoint::Put).then_some(Fault::DoneAnyway));
        tender.tend(&acme).await.expect_err("the answer is lost");
        objects.clear();
        tender.tend(&acme).await.expect("another name");
        assert_eq!(testing::object_names(&store).await.expect("lists").len(), 2);
        // Deleting may fail as well, both ways, and is repeated.
        place.clock.advance_micros(DAY);
        let collector = Tender::new(&store, "maintain/garbage", "test").await.expect("free");
        for fault in [Fault::NotDone, Fault::DoneAnyway] {
            objects.follow(move |at| (at == FaultPoint::Delete).then_some(fault));
            collector.collect().await.expect_err("the fault strikes");
            objects.clear();
        }
        assert_only_referenced_objects_stay(&place, &store, &acme).await;
        store.shutdown().await;
    }
}

async fn assert_only_referenced_objects_stay(place: &Place, store: &Store, tenant: &TenantId) {
    place.clock.advance_micros(DAY);
    let tender = Tender::new(store, "maintain/garbage", "test").await.expect("free");
    tender.collect().await.expect("collects");
    let referenced: BTreeSet<String> = testing::layout(store, tenant)
        .await
        .expect("whole")
        .segments
        .into_iter()
        .map(|(_, _, object)| object)
        .collect();
    let found: BTreeSet<String> = testing::object_names(store).await.expect("lists").into_iter().collect();
    assert_eq!(found, referenced);
    checked_log(store, tenant).await;
}
