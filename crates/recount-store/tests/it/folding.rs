//! Folding makes fewer rows of a tail, and changes nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use recount_event::{NewEvent, ParseContext, TenantId, parse_event};
use recount_store::testing::{self, Fault, FaultPoint, Tender};
use recount_store::{Store, StoredEvent};

use crate::support::{Place, SECOND, accepted, event, events, on_both_catalogs, tenant, tend};

on_both_catalogs! {
    small_rows_are_folded_into_one,
    rows_of_some_kilobytes_are_joined_as_they_are,
    folds_of_many_tenants_are_one_transaction,
    folds_that_fail_together_are_made_one_by_one,
    a_fold_whose_answer_was_lost_happened_once,
    damaged_rows_keep_only_their_own_tenants_from_being_folded,
    a_fenced_holder_folds_nothing_and_keeps_no_other_from_it,
    what_is_left_to_fold_is_named,
    background_tasks_fold_what_hints_name,
}

/// An event of more than a kilobyte.
fn wide_event(tenant: &TenantId, n: u64) -> NewEvent {
    let note = format!("{n} ").repeat(1_000 / (1 + n.to_string().len()));
    let text = format!(
        r#"{{"id":"w{n}","tenant":"{tenant}","action":"note.written","occurred_at":"2026-11-22T00:00:00Z","actor":{{"type":"user","id":"u"}},"metadata":{{"note":"{note}"}}}}"#,
    );
    parse_event(&text, &ParseContext::default(), &mut || unreachable!("it has an id")).expect("a good event")
}

/// Six rows of one event for each of five tenants.
async fn rows_of_five(place: &Place, store: &Store) -> Vec<TenantId> {
    let tenants: Vec<TenantId> = (0..5).map(|n| tenant(&format!("t{n}"))).collect();
    for n in 0..6 {
        place.clock.advance_micros(SECOND);
        let one_each = tenants.iter().map(|tenant| event(tenant, Some(&format!("e{n}")), n)).collect();
        accepted(store, one_each).await;
    }
    tenants
}

async fn logs(store: &Store, tenants: &[TenantId]) -> Vec<Vec<StoredEvent>> {
    let mut logs = Vec::new();
    for tenant in tenants {
        logs.push(testing::read_log(store, tenant).await.expect("whole"));
    }
    logs
}

async fn tails(store: &Store, tenants: &[TenantId]) -> Vec<Vec<(u64, u64)>> {
    let mut tails = Vec::new();
    for tenant in tenants {
        tails.push(testing::layout(store, tenant).await.expect("whole").tail);
    }
    tails
}

fn due<'a>(tenants: &'a [TenantId], tender: &'a Tender) -> Vec<(&'a TenantId, &'a Tender)> {
    tenants.iter().map(|tenant| (tenant, tender)).collect()
}

/// The six rows as one.
const FOLDED: (u64, u64) = (0, 6);
/// And as they were.
const UNFOLDED: [(u64, u64); 6] = [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)];

/// Counts commits of folds, and lets `fault` strike the first.
fn count_folds(store: &Store, fault: Option<Fault>) -> Arc<AtomicUsize> {
    let commits = Arc::new(AtomicUsize::new(0));
    let (catalog, _) = testing::faults(store);
    let counted = Arc::clone(&commits);
    catalog.follow(move |at| {
        let is_first = at == FaultPoint::Commit("fold") && counted.fetch_add(1, Ordering::SeqCst) == 0;
        fault.filter(|_| is_first)
    });
    commits
}

/// Folds the rows of five tenants while `fault` strikes the first commit, and says how many commits there were.
async fn fold_five(place: &Place, fault: Option<Fault>) -> usize {
    let store = place.open().await;
    let tenants = rows_of_five(place, &store).await;
    let before = logs(&store, &tenants).await;
    let commits = count_folds(&store, fault);
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    assert_eq!(tender.fold_all(&due(&tenants, &tender)).await, []);
    assert_eq!(tails(&store, &tenants).await, vec![vec![FOLDED]; 5]);
    assert_eq!(logs(&store, &tenants).await, before);
    for tenant in &tenants {
        assert_eq!(accepted(&store, vec![event(tenant, Some("e4"), 4)]).await, [(4, true)]);
    }
    store.shutdown().await;
    commits.load(Ordering::SeqCst)
}

async fn folds_of_many_tenants_are_one_transaction(place: Place) {
    assert_eq!(fold_five(&place, None).await, 1);
}

async fn folds_that_fail_together_are_made_one_by_one(place: Place) {
    assert_eq!(fold_five(&place, Some(Fault::NotDone)).await, 1 + 5);
}

async fn a_fold_whose_answer_was_lost_happened_once(place: Place) {
    assert_eq!(fold_five(&place, Some(Fault::DoneAnyway)).await, 1);
}

async fn damaged_rows_keep_only_their_own_tenants_from_being_folded(place: Place) {
    const BODY: &str =
        "UPDATE tail_batches SET body = substr(body, 1, 5) WHERE tenant = 't2' AND first_seq = 3";
    let one_byte_more = if place.is_shared() {
        r"UPDATE tail_batches SET id_hashes = '\x010203040506070809'::bytea WHERE tenant = 't4' AND first_seq = 3"
    } else {
        "UPDATE tail_batches SET id_hashes = X'010203040506070809' WHERE tenant = 't4' AND first_seq = 3"
    };
    let store = place.open().await;
    let tenants = rows_of_five(&place, &store).await;
    for damage in [BODY, one_byte_more] {
        assert_eq!(testing::execute(&store, damage).await.expect("damaged"), 1);
    }
    let commits = count_folds(&store, None);
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    tender.fold_all(&due(&tenants, &tender)).await;
    let expected = [true, true, false, true, false].map(row_or_rows);
    assert_eq!(tails(&store, &tenants).await, expected);
    assert_eq!(commits.load(Ordering::SeqCst), 1);
    store.shutdown().await;
}

fn row_or_rows(is_folded: bool) -> Vec<(u64, u64)> {
    if is_folded { vec![FOLDED] } else { UNFOLDED.to_vec() }
}

async fn a_fenced_holder_folds_nothing_and_keeps_no_other_from_it(place: Place) {
    let store = place.open().await;
    let tenants = rows_of_five(&place, &store).await;
    let late = Tender::new(&store, "maintain/a", "late").await.expect("free");
    place.clock.advance_micros(60 * SECOND);
    let _next = Tender::new(&store, "maintain/a", "next").await.expect("expired");
    let holder = Tender::new(&store, "maintain/b", "holder").await.expect("free");
    let under = [&holder, &late, &holder, &late, &holder];
    let due: Vec<(&TenantId, &Tender)> = tenants.iter().zip(under).collect();
    holder.fold_all(&due).await;
    let expected = [true, false, true, false, true].map(row_or_rows);
    assert_eq!(tails(&store, &tenants).await, expected);
    store.shutdown().await;
}

/// Large rows before a run don't count as what follows it; what one fold had to leave does.
async fn what_is_left_to_fold_is_named(mut place: Place) {
    place.config.seal.events = 100_000;
    let store = place.open().await;
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    let tenants = [tenant("large-first"), tenant("long")];
    let mut seqs = 0..;
    let mut row = |tenant: &TenantId, events: u64| -> Vec<NewEvent> {
        seqs.by_ref().take(usize::try_from(events).expect("few")).map(|n| event(tenant, None, n)).collect()
    };
    for _ in 0..5 {
        accepted(&store, row(&tenants[0], 300)).await;
    }
    for _ in 0..4 {
        accepted(&store, row(&tenants[0], 1)).await;
    }
    for _ in 0..45 {
        accepted(&store, row(&tenants[1], 200)).await;
    }
    let more = tender.fold_all(&due(&tenants, &tender)).await;
    assert_eq!(more, [tenants[1].clone()]);
    let layouts = tails(&store, &tenants).await;
    assert_eq!((layouts[0].len(), layouts[0][5]), (6, (1_500, 4)));
    assert_eq!((layouts[1].len(), layouts[1][0]), (6, (0, 8_000)));
    let more = tender.fold_all(&due(&more, &tender)).await;
    assert_eq!((more, tails(&store, &tenants[1..]).await), (vec![], vec![vec![(0, 8_000), (8_000, 1_000)]]));
    store.shutdown().await;
}

async fn background_tasks_fold_what_hints_name(mut place: Place) {
    place.config.maintain = true;
    let store = place.open().await;
    let tenants = rows_of_five(&place, &store).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let tails = tails(&store, &tenants).await;
        if tails.iter().all(|tail| tail.len() < 4) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{tails:?}");
        tokio::task::yield_now().await;
    }
    assert!(logs(&store, &tenants).await.iter().all(|log| log.len() == 6));
    store.shutdown().await;
}

async fn small_rows_are_folded_into_one(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    for n in 0..30 {
        place.clock.advance_micros(SECOND);
        accepted(&store, events(&acme, "a", n..n + 1)).await;
    }
    let before = testing::read_log(&store, &acme).await.expect("whole");
    tend(&store, &acme).await;
    let layout = testing::layout(&store, &acme).await.expect("whole");
    assert_eq!(layout.tail, [(0, 30)], "one row, and no segment yet: {layout:?}");
    assert_eq!(testing::read_log(&store, &acme).await.expect("whole"), before);
    assert_eq!(accepted(&store, events(&acme, "a", 4..5)).await, [(4, true)]);
    store.shutdown().await;
    let store = place.open().await;
    assert_eq!(accepted(&store, events(&acme, "a", 4..5)).await, [(4, true)]);
    store.shutdown().await;
}

async fn rows_of_some_kilobytes_are_joined_as_they_are(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    let rows = (0..8).map(|row| (row * 10..row * 10 + 10).map(|n| wide_event(&acme, n)).collect());
    for row in rows {
        place.clock.advance_micros(SECOND);
        accepted(&store, row).await;
    }
    let before = testing::read_log(&store, &acme).await.expect("whole");
    tend(&store, &acme).await;
    let layout = testing::layout(&store, &acme).await.expect("whole");
    assert_eq!((layout.tail, layout.segments.len()), (vec![(0, 80)], 0), "one row, and no segment yet");
    let of_version_2 = if place.is_shared() {
        r"UPDATE tail_batches SET events = events WHERE substr(body, 1, 1) = '\x02'::bytea"
    } else {
        "UPDATE tail_batches SET events = events WHERE substr(body, 1, 1) = X'02'"
    };
    assert_eq!(testing::execute(&store, of_version_2).await.expect("counted"), 1, "frames end to end");
    assert_eq!(testing::read_log(&store, &acme).await.expect("whole"), before);
    assert_eq!(accepted(&store, vec![wide_event(&acme, 44)]).await, [(44, true)]);

    accepted(&store, (80..160).map(|n| wide_event(&acme, n)).collect()).await;
    tend(&store, &acme).await;
    let layout = testing::layout(&store, &acme).await.expect("whole");
    assert_eq!((layout.tail, layout.segments.len()), (vec![(80, 80)], 1), "the joined row was sealed");
    assert_eq!(testing::read_log(&store, &acme).await.expect("whole")[..80], before);
    store.shutdown().await;
}
