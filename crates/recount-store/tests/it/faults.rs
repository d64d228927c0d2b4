//! Every write may fail, done or not done, at any moment: what was acknowledged is there, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use recount_event::TenantId;
use recount_store::AppendError;
use recount_store::testing::{self, Fault, FaultPoint, Tender};
use tokio::sync::Notify;

use crate::support::{
    Place, SECOND, accepted, check_invariants, event, events, id_of, on_both_catalogs, tenant,
};

on_both_catalogs! {
    a_commit_that_did_not_happen_is_repeated,
    a_commit_that_happened_without_an_answer_is_found,
    a_commit_that_never_gets_an_answer_is_reported,
    a_round_that_is_taken_ahead_is_planned_after_the_one_before,
    random_faults_lose_and_double_nothing,
}

async fn a_commit_that_did_not_happen_is_repeated(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    accepted(&store, events(&acme, "a", 0..3)).await;
    let (catalog, _) = testing::faults(&store);
    catalog.follow(once(Fault::NotDone));
    let sent = vec![event(&acme, Some("x"), 3), event(&acme, None, 4)];
    assert_eq!(accepted(&store, sent).await, [(3, false), (4, false)]);
    check_invariants(&testing::read_log(&store, &acme).await.expect("whole"));
    store.shutdown().await;
}

async fn a_commit_that_happened_without_an_answer_is_found(place: Place) {
    let store = place.open().await;
    let (acme, new) = (tenant("acme"), tenant("new"));
    accepted(&store, events(&acme, "a", 0..3)).await;
    let (catalog, _) = testing::faults(&store);
    catalog.follow(once(Fault::DoneAnyway));
    let sent = vec![
        event(&acme, Some("x"), 3),
        event(&acme, None, 4),
        event(&acme, Some("a1"), 5),
        event(&new, None, 6),
    ];
    // Stored once, at the first try, and not called duplicates; a real duplicate still is.
    assert_eq!(accepted(&store, sent).await, [(3, false), (4, false), (1, true), (0, false)]);
    let log = testing::read_log(&store, &acme).await.expect("whole");
    check_invariants(&log);
    assert_eq!(log.len(), 5);
    assert_eq!(testing::read_log(&store, &new).await.expect("whole").len(), 1);
    assert_eq!(accepted(&store, events(&acme, "a", 7..8)).await, [(5, false)]);
    store.shutdown().await;
}

async fn a_commit_that_never_gets_an_answer_is_reported(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    let (catalog, _) = testing::faults(&store);
    catalog.follow(|at| (at == FaultPoint::Commit("append")).then_some(Fault::NotDone));
    let answer = store.append(&testing::ingest(), events(&acme, "a", 0..2)).await;
    assert!(matches!(answer, Err(AppendError::Unavailable { .. })), "{answer:?}");
    catalog.clear();
    assert_eq!(accepted(&store, events(&acme, "a", 0..2)).await, [(0, false), (1, false)]);
    store.shutdown().await;
}

/// The first round's commit fails, or seems to, until the second was taken from the queue and the store is shutting
/// down. The second repeats events of the first.
async fn a_round_that_is_taken_ahead_is_planned_after_the_one_before(mut place: Place) {
    place.config.append_queue_events_max = 1_500;
    for (fault, name) in [(Fault::NotDone, "not-done"), (Fault::DoneAnyway, "done-anyway")] {
        let store = place.open().await;
        let acme = tenant(name);
        let (catalog, _) = testing::faults(&store);
        let (failed, heal) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (tell, healed) = (failed.clone(), heal.clone());
        catalog.follow(move |at| {
            let fails = at == FaultPoint::Commit("append") && !healed.load(Ordering::Relaxed);
            fails.then(|| {
                tell.notify_one();
                fault
            })
        });
        let append = |range: std::ops::Range<u64>| {
            let (store, events) = (store.clone(), events(&acme, "a", range));
            tokio::spawn(async move { store.append(&testing::ingest(), events).await })
        };
        let first = append(0..1_000);
        failed.notified().await;
        let second = append(500..1_600);
        // There is room for a third only once the second is out of the queue.
        let access = testing::ingest();
        let third = loop {
            let mut third = Box::pin(store.append(&access, events(&acme, "a", 1_500..2_500)));
            match futures::poll!(&mut third) {
                Poll::Pending => break third,
                Poll::Ready(Err(AppendError::Busy { .. })) => tokio::task::yield_now().await,
                Poll::Ready(other) => panic!("{other:?}"),
            }
        };
        let mut shutdown = Box::pin(store.shutdown());
        assert!(futures::poll!(&mut shutdown).is_pending(), "three rounds are on their way");
        heal.store(true, Ordering::Relaxed);
        shutdown.await;
        let answers = [first.await.expect("ran"), second.await.expect("ran"), third.await];
        for (answer, range) in answers.into_iter().zip([0..1_000, 500..1_600, 1_500..2_500]) {
            let begin = range.start;
            let results = answer.expect("committed").into_iter().map(|result| result.expect("accepted"));
            for (appended, seq) in results.zip(range) {
                let is_repeated = begin > 0 && seq < begin + if begin == 500 { 500 } else { 100 };
                assert_eq!((appended.seq, appended.duplicate), (seq, is_repeated), "{name}, from {begin}");
            }
        }
        let store = place.open().await;
        let log = testing::read_log(&store, &acme).await.expect("whole");
        check_invariants(&log);
        assert_eq!(log.len(), 2_500);
        store.shutdown().await;
    }
}

/// Seeds that every run tries, and how many faults a hundred writes meet.
const SEEDS: u64 = 6;
const FAULT_PERCENT: u32 = 15;

async fn random_faults_lose_and_double_nothing(mut place: Place) {
    for seed in 0..SEEDS {
        place.config.seal.events = 40;
        run_with_faults(&place, seed).await;
    }
}

/// Senders repeat what was not acknowledged; the node seals, merges, collects and restarts meanwhile.
async fn run_with_faults(place: &Place, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let tenants: Vec<TenantId> = (0..3).map(|n| tenant(&format!("seed{seed}-t{n}"))).collect();
    let mut acknowledged: BTreeMap<(usize, String), u64> = BTreeMap::new();
    let mut store = open_with_faults(place, seed).await;
    let mut next = 0;
    for step in 0..40 {
        place.clock.advance_micros(random.random_range(-2 * SECOND..5 * SECOND));
        let at = random.random_range(0..tenants.len());
        match random.random_range(0..10) {
            0..7 => {
                let count = random.random_range(1..30);
                // Some are new, some are repeats of what may or may not be stored.
                let first = next - random.random_range(0..=next.min(20));
                next = first + count;
                let sent = events(&tenants[at], "e", first..next);
                let ids: Vec<String> = sent.iter().map(|event| event.id.clone()).collect();
                if let Ok(results) = store.append(&testing::ingest(), sent).await {
                    for (id, result) in ids.into_iter().zip(results) {
                        if let Ok(appended) = result {
                            let before = acknowledged.insert((at, id), appended.seq);
                            assert!(before.is_none_or(|seq| seq == appended.seq), "seed {seed} step {step}");
                        }
                    }
                }
            }
            7 => {
                store.shutdown().await;
                store = open_with_faults(place, seed * 1_000 + step).await;
            }
            _ => {
                if let Some(tender) = Tender::new(&store, "maintain/test", "test").await {
                    let _ = tender.tend(&tenants[at]).await;
                    let _ = tender.collect().await;
                }
            }
        }
    }
    let (catalog, objects) = testing::faults(&store);
    catalog.clear();
    objects.clear();
    for (at, tenant) in tenants.iter().enumerate() {
        let log = testing::read_log(&store, tenant).await.expect("the log is whole");
        check_invariants(&log);
        let stored: BTreeMap<String, u64> = log.iter().map(|event| (id_of(event), event.seq)).collect();
        for ((of, id), seq) in &acknowledged {
            if *of == at {
                assert_eq!(stored.get(id), Some(seq), "seed {seed}: {id} of {tenant} was acknowledged");
            }
        }
    }
    store.shutdown().await;
}

async fn open_with_faults(place: &Place, seed: u64) -> recount_store::Store {
    let store = place.open().await;
    let (catalog, objects) = testing::faults(&store);
    catalog.follow(sometimes(seed));
    objects.follow(sometimes(seed ^ 0xff));
    store
}

fn sometimes(seed: u64) -> impl FnMut(FaultPoint) -> Option<Fault> + Send {
    let mut random = StdRng::seed_from_u64(seed);
    move |_| {
        if random.random_range(0..100) >= FAULT_PERCENT {
            return None;
        }
        Some(if random.random() { Fault::NotDone } else { Fault::DoneAnyway })
    }
}

/// The next append commit fails this way, later ones don't.
fn once(fault: Fault) -> impl FnMut(FaultPoint) -> Option<Fault> + Send {
    let mut left = Some(fault);
    move |at| if at == FaultPoint::Commit("append") { left.take() } else { None }
}
