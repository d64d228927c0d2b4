//! Damaged rows and objects are noticed, named, and never served or trusted as if they were whole.

use std::path::PathBuf;

use recount_store::testing::{self, Fault, FaultPoint, Tender};
use recount_store::{EventRefused, OwnActor, OwnEvent, ReadError, Store};

use crate::support::{Place, accepted, append, event, events, on_both_catalogs, tenant, tend};

on_both_catalogs! {
    a_cut_tail_row_is_named,
    a_missing_tail_row_is_noticed,
    duplicates_are_not_guessed_from_a_damaged_log,
    a_missing_segment_keeps_out_only_what_it_could_have,
    a_damaged_segment_keeps_out_only_what_it_could_have,
    a_bucket_that_does_not_answer_keeps_out_only_what_needs_it,
}

async fn a_cut_tail_row_is_named(place: Place) {
    let store = place.open().await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    accepted(&store, events(&acme, "a", 0..150)).await;
    accepted(&store, events(&other, "a", 0..5)).await;
    let cut = "UPDATE tail_batches SET body = substr(body, 1, length(body) - 3) WHERE tenant = 'acme'";
    assert_eq!(testing::execute(&store, cut).await.expect("damaged"), 1);
    assert_corrupt(testing::read_log(&store, &acme).await, "tail batch 0 of tenant acme");
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    let refused = tender.tend(&acme).await.expect_err("a damaged tail is not sealed");
    assert!(refused.contains("tail batch 0 of tenant acme is damaged"), "{refused}");
    assert_eq!(testing::read_log(&store, &other).await.expect("whole").len(), 5);
    store.shutdown().await;
}

async fn a_missing_tail_row_is_noticed(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    for n in 0..3 {
        accepted(&store, events(&acme, "a", n..n + 1)).await;
    }
    testing::execute(&store, "DELETE FROM tail_batches WHERE first_seq = 1").await.expect("damaged");
    assert_corrupt(testing::read_log(&store, &acme).await, "the log of tenant acme");
    store.shutdown().await;
}

async fn duplicates_are_not_guessed_from_a_damaged_log(place: Place) {
    let acme = tenant("acme");
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..10)).await;
    let cut = "UPDATE tail_batches SET body = substr(body, 1, length(body) - 3)";
    testing::execute(&store, cut).await.expect("damaged");
    let sent = vec![
        event(&acme, Some("a3"), 3),
        event(&acme, Some("new"), 4),
        event(&tenant("other"), Some("a3"), 5),
    ];
    let results = append(&store, sent).await;
    assert!(
        matches!(&results[0], Err(EventRefused::Damaged { tenant, object })
            if tenant == "acme" && object == "tail batch 0 of tenant acme"),
        "{results:?}"
    );
    assert_eq!(results[1].as_ref().map(|a| a.seq), Ok(10), "an id whose hash is new needs no look");
    assert_eq!(results[2].as_ref().map(|a| a.seq), Ok(0), "other tenants are not affected");
    store.shutdown().await;
}

async fn a_missing_segment_keeps_out_only_what_it_could_have(place: Place) {
    let (store, object) = sealed_store(&place).await;
    let file = place.objects_folder().join(&object);
    let bytes = std::fs::read(&file).expect("there");
    std::fs::remove_file(&file).expect("removed");
    assert_keeps_out_only_acme(&store, &object).await;
    // Somebody restores it.
    std::fs::write(&file, bytes).expect("restored");
    let sent = vec![event(&tenant("acme"), Some("a3"), 3), event(&tenant("acme"), Some("new"), 4)];
    assert_eq!(accepted(&store, sent).await, [(3, true), (151, false)]);
    store.shutdown().await;
}

async fn a_damaged_segment_keeps_out_only_what_it_could_have(place: Place) {
    let (store, object) = sealed_store(&place).await;
    let file = place.objects_folder().join(&object);
    let bytes = std::fs::read(&file).expect("there");
    std::fs::write(&file, &bytes[..bytes.len() / 2]).expect("cut");
    assert_keeps_out_only_acme(&store, &object).await;
    // What is done with a damaged log is recorded all the same: an operator must be able to look.
    let actor = OwnActor { kind: "key".to_owned(), id: "k1".to_owned(), name: None };
    let mut own = OwnEvent::new("recount.operator.viewed", actor);
    own.once_key = Some("k1/2026-11-23".to_owned());
    testing::tenant_log(&store, &tenant("acme")).record(own).await.expect("recorded");
    store.shutdown().await;
}

async fn a_bucket_that_does_not_answer_keeps_out_only_what_needs_it(mut place: Place) {
    place.config.object_wait = std::time::Duration::from_millis(100);
    let (store, _) = sealed_store(&place).await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    let (_, objects) = testing::faults(&store);
    objects.follow(|at| (at == FaultPoint::Get).then_some(Fault::Late));
    for n in 0..3 {
        let sent = vec![event(&acme, Some("a3"), 3), event(&acme, None, 4), event(&other, Some("a3"), 5)];
        let results = append(&store, sent).await;
        assert!(
            matches!(&results[0], Err(EventRefused::Unverified { tenant, .. }) if tenant == "acme"),
            "{results:?}"
        );
        assert_eq!(results[1].as_ref().map(|a| a.seq), Ok(150 + n), "its id is Recount's own");
        assert_eq!(results[2].as_ref().map(|a| (a.seq, a.duplicate)), Ok((0, n > 0)));
    }
    objects.clear();
    // The reads that were not waited for end by themselves; nothing else says when.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let results = append(&store, vec![event(&acme, Some("a3"), 3)]).await;
        if let Ok(appended) = &results[0] {
            assert_eq!((appended.seq, appended.duplicate), (3, true));
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{results:?}");
        tokio::task::yield_now().await;
    }
    store.shutdown().await;
}

/// A store that knows nothing yet of its one segment, which holds the events a0 to a149 of acme.
async fn sealed_store(place: &Place) -> (Store, String) {
    let acme = tenant("acme");
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..150)).await;
    tend(&store, &acme).await;
    let object = testing::layout(&store, &acme).await.expect("whole").segments[0].2.clone();
    store.shutdown().await;
    drop(store);
    (place.open().await, object)
}

async fn assert_keeps_out_only_acme(store: &Store, object: &str) {
    let (acme, other) = (tenant("acme"), tenant("other"));
    let sent = vec![event(&acme, Some("a3"), 3), event(&acme, None, 4), event(&other, Some("a3"), 5)];
    let results = append(store, sent).await;
    let damaged = EventRefused::Damaged { tenant: "acme".to_owned(), object: object.to_owned() };
    assert_eq!(results[0], Err(damaged));
    assert_eq!(results[1].as_ref().map(|a| a.seq), Ok(150), "its id is Recount's own");
    assert_eq!(results[2].as_ref().map(|a| a.seq), Ok(0), "other tenants are not affected");
}

fn assert_corrupt(answer: Result<Vec<recount_store::StoredEvent>, ReadError>, name: &str) {
    match answer {
        Err(ReadError::Corrupt { object, what }) => assert_eq!(object, name, "{what}"),
        Ok(events) => panic!("{} events were served", events.len()),
        Err(other) => panic!("{other}"),
    }
}

/// A place with one sealed segment, and the segment's file.
async fn one_segment() -> (Place, String, PathBuf) {
    let place = Place::sqlite();
    let acme = tenant("acme");
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..150)).await;
    tend(&store, &acme).await;
    let layout = testing::layout(&store, &acme).await.expect("whole");
    let object = layout.segments[0].2.clone();
    store.shutdown().await;
    let file = place.objects_folder().join(&object);
    (place, object, file)
}

async fn assert_segment_corrupt(place: &Place, object: &str) {
    let acme = tenant("acme");
    let store = place.open().await;
    assert_corrupt(testing::read_log(&store, &acme).await, object);
    store.shutdown().await;
}

#[tokio::test]
async fn a_flipped_bit_anywhere_in_a_segment_is_noticed() {
    let (place, object, file) = one_segment().await;
    let whole = std::fs::read(&file).expect("there");
    let step = whole.len() / 40;
    for at in (0..whole.len()).step_by(step.max(1)).chain([0, whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(&file, &flipped).expect("damaged");
        assert_segment_corrupt(&place, &object).await;
    }
}

#[tokio::test]
async fn a_cut_segment_is_noticed() {
    let (place, object, file) = one_segment().await;
    let whole = std::fs::read(&file).expect("there");
    for len in [whole.len() - 1, whole.len() / 2, 10, 0] {
        std::fs::write(&file, &whole[..len]).expect("damaged");
        assert_segment_corrupt(&place, &object).await;
    }
}

#[tokio::test]
async fn a_missing_segment_is_named() {
    let (place, object, file) = one_segment().await;
    std::fs::remove_file(&file).expect("there");
    assert_segment_corrupt(&place, &object).await;
}

/// Another segment under this one's name: right in itself, wrong here.
#[tokio::test]
async fn a_segment_in_anothers_place_is_noticed() {
    let (place, object, file) = one_segment().await;
    let (_other_place, _, other_file) = {
        let place = Place::sqlite();
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, events(&acme, "b", 0..120)).await;
        tend(&store, &acme).await;
        let name = testing::layout(&store, &acme).await.expect("whole").segments[0].2.clone();
        store.shutdown().await;
        let file = place.objects_folder().join(&name);
        (place, name, file)
    };
    std::fs::copy(&other_file, &file).expect("copied");
    assert_segment_corrupt(&place, &object).await;
}

/// The segment of a tenant under another's name, as a careless restore leaves it: same ids, same seqs.
#[tokio::test]
async fn another_tenants_segment_is_never_served() {
    let place = Place::sqlite();
    let store = place.open().await;
    let mut objects = Vec::new();
    for name in ["acme", "other"] {
        let at = tenant(name);
        accepted(&store, events(&at, "a", 0..150)).await;
        tend(&store, &at).await;
        objects.push(testing::layout(&store, &at).await.expect("whole").segments[0].2.clone());
    }
    store.shutdown().await;
    drop(store);
    let file = |object: &str| place.objects_folder().join(object);
    std::fs::copy(file(&objects[1]), file(&objects[0])).expect("copied");
    // The catalog's size is the copy's, so that nothing else gives it away.
    let store = place.open().await;
    let fitted = "UPDATE segments SET bytes = (SELECT bytes FROM segments WHERE tenant = 'other')";
    testing::execute(&store, fitted).await.expect("fitted");
    assert_corrupt(testing::read_log(&store, &tenant("acme")).await, &objects[0]);
    assert_eq!(testing::read_log(&store, &tenant("other")).await.expect("whole").len(), 150);
    store.shutdown().await;
}
