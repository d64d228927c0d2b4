//! Retention removes the beginning of a log, exactly, says so in the log, and nothing else changes.

use std::time::Duration;

use futures::StreamExt as _;
use recount_event::{TenantId, Timestamp};
use recount_store::access::{AccessError, NewKey, Scope};
use recount_store::testing::{self, Fault, FaultPoint, Tender};
use recount_store::{ListQuery, Order, ReadError, ScanQuery, Store, StoredEvent, TenantLog};

use crate::support::{
    BEGIN, DAY, Place, SECOND, accepted, checked_log, event, events, id_of, on_both_catalogs,
    on_both_object_stores, tenant, tend,
};

const OPERATOR: &str = "operator-key-of-the-tests-32-characters";

/// Hours between the appends of `days_of_events`.
const STEP_HOURS: i64 = 5;

fn keep_three_days(place: &mut Place) {
    place.config.dedup_window_days = 1;
    place.config.retention_days = Some(3);
}

/// Appends `count` lots of events, one every five hours, each followed by whatever background work is
/// due. A lot has 1 to 90 events, so that some are sealed, some folded and some merged.
async fn days_of_events(place: &Place, store: &Store, of: &TenantId, count: u64) {
    for lot in 0..count {
        let first = lot * 100;
        accepted(store, events(of, "a", first..first + 1 + lot * 37 % 90)).await;
        if lot % 3 == 0 {
            tend(store, of).await;
        }
        place.clock.advance_micros(STEP_HOURS * 3600 * SECOND);
    }
}

async fn read(store: &Store, of: &TenantId) -> Vec<StoredEvent> {
    testing::read_log(store, of).await.expect("the log is whole")
}

fn is_record(event: &StoredEvent) -> bool {
    event.line.contains(r#""action":"recount.retention.applied""#)
}

/// Everything that readers can ask agrees with the log as it is.
async fn check_readers(log: &TenantLog, kept: &[StoredEvent], gone: &[StoredEvent]) {
    let first = kept[0].seq;
    let mut fed = Vec::new();
    let mut from = first;
    loop {
        let page = log.feed(from, 70, Duration::ZERO).await.expect("fed");
        if page.events.is_empty() {
            break;
        }
        fed.extend(page.events);
        from = page.next;
    }
    assert!(fed.iter().map(|event| event.seq).eq(kept.iter().map(|event| event.seq)));
    for from in [0, first.saturating_sub(1)].into_iter().filter(|from| *from < first) {
        let refused = log.feed(from, 1, Duration::ZERO).await;
        assert!(
            matches!(refused, Err(ReadError::Removed { first_seq }) if first_seq == first),
            "{refused:?}"
        );
    }
    let query = ListQuery { limit: 1_000, ..ListQuery::default() };
    let listed = log.list(&query).await.expect("listed");
    let mut listed: Vec<u64> = listed.events.iter().map(|event| event.seq).collect();
    listed.sort_unstable();
    assert!(listed.into_iter().eq(kept.iter().rev().take(1_000).rev().map(|event| event.seq)), "listed");
    for event in gone.iter().step_by(17) {
        assert!(log.get(&id_of(event)).await.expect("answered").is_none(), "{} is gone", event.seq);
    }
    for event in kept.iter().step_by(17) {
        assert_eq!(log.get(&id_of(event)).await.expect("answered").map(|found| found.seq), Some(event.seq));
    }
    let extent = log.extent().await.expect("answered");
    assert_eq!((extent.first_seq, extent.next_seq), (first, kept[kept.len() - 1].seq + 1));
}

on_both_catalogs! {
    what_is_kept_no_longer_is_removed_to_the_event,
    a_log_whose_events_are_all_too_old_keeps_only_the_record,
    whatever_fails_the_log_is_whole_and_the_record_is_written_once,
    a_tenants_own_retention_goes_before_the_deployments,
    an_id_that_was_removed_is_new_again,
    a_scan_fails_when_what_it_has_not_read_is_removed,
    a_seal_that_was_prepared_before_a_removal_changes_nothing,
    a_retention_is_never_shorter_than_ids_are_recognised,
    background_tasks_find_what_is_too_old_themselves,
}

async fn what_is_kept_no_longer_is_removed_to_the_event(mut place: Place) {
    keep_three_days(&mut place);
    let store = place.open().await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    accepted(&store, events(&other, "o", 0..5)).await;
    days_of_events(&place, &store, &acme, 14).await;
    // Nothing of it is three whole days old yet.
    assert_eq!(testing::layout(&store, &acme).await.expect("whole").first_seq, 0);
    let mut before = read(&store, &acme).await;
    let log = testing::tenant_log(&store, &acme);
    for day in 4..7 {
        place.clock.set(Timestamp::from_micros(BEGIN.as_micros() + day * DAY + 10 * SECOND));
        let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
        let due = tender.find_expired().await.expect("answers");
        assert!(due.contains(&acme), "on day {day}: {due:?}");
        tender.tend(&acme).await.expect("tends");
        assert!(!tender.find_expired().await.expect("answers").contains(&acme), "once a day");

        let cutoff = BEGIN.as_micros() + (day - 3) * DAY;
        let (gone, kept): (Vec<_>, Vec<_>) =
            before.iter().cloned().partition(|event| event.received_at.as_micros() < cutoff);
        let now = read(&store, &acme).await;
        let (record, rest) = now.split_last().expect("the record is left");
        assert!(is_record(record), "{}", record.line);
        assert!(
            rest.iter()
                .map(|event| (event.seq, &event.line))
                .eq(kept.iter().map(|event| (event.seq, &event.line)))
        );
        assert!(record.line.contains(&format!(r#""events":{}"#, gone.len())), "{}", record.line);
        checked_log(&store, &acme).await;
        check_readers(&log, &now, &gone).await;
        before = now;
    }
    assert_eq!(checked_log(&store, &other).await.len(), 5, "another tenant's log is as it was");
    store.shutdown().await;

    let store = place.open().await;
    check_readers(&testing::tenant_log(&store, &acme), &before, &[]).await;
    accepted(&store, events(&acme, "later", 0..3)).await;
    assert_eq!(checked_log(&store, &acme).await.len(), before.len() + 3);
    store.shutdown().await;
}

async fn a_log_whose_events_are_all_too_old_keeps_only_the_record(mut place: Place) {
    keep_three_days(&mut place);
    let store = place.open().await;
    let acme = tenant("acme");
    days_of_events(&place, &store, &acme, 5).await;
    let events = read(&store, &acme).await.len() as u64;
    place.clock.advance_micros(30 * DAY);
    tend(&store, &acme).await;
    let layout = testing::layout(&store, &acme).await.expect("whole");
    assert_eq!((layout.first_seq, layout.next_seq), (events, events + 1));
    assert_eq!((layout.segments.len(), layout.tail.as_slice()), (0, [(events, 1)].as_slice()));
    assert!(is_record(&read(&store, &acme).await[0]));
    // The objects go once readers that had begun are through.
    place.clock.advance_micros(DAY);
    let collector = Tender::new(&store, "maintain/garbage", "test").await.expect("free");
    collector.collect().await.expect("collects");
    assert!(testing::object_names(&store).await.expect("lists").is_empty());
    // The record is an event like others, and follows them; an empty log is none's business.
    place.clock.advance_micros(30 * DAY);
    tend(&store, &acme).await;
    assert_eq!(testing::layout(&store, &acme).await.expect("whole").first_seq, events + 1);
    store.shutdown().await;
}

async fn whatever_fails_the_log_is_whole_and_the_record_is_written_once(mut place: Place) {
    keep_three_days(&mut place);
    let store = place.open().await;
    let acme = tenant("acme");
    days_of_events(&place, &store, &acme, 17).await;
    place.clock.advance_micros(2 * DAY);
    let before = checked_log(&store, &acme).await;
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    let (catalog, objects) = testing::faults(&store);
    let points = [
        (FaultPoint::Commit("intent"), Fault::NotDone),
        (FaultPoint::Put, Fault::NotDone),
        (FaultPoint::Put, Fault::DoneAnyway),
        (FaultPoint::Commit("retain"), Fault::NotDone),
    ];
    for (point, fault) in points {
        let plan = move |at: FaultPoint| (at == point).then_some(fault);
        catalog.follow(plan);
        objects.follow(plan);
        tender.tend(&acme).await.expect_err("the fault strikes");
        catalog.clear();
        objects.clear();
        assert_eq!(checked_log(&store, &acme).await, before, "{point:?} {fault:?}");
    }
    // A retention that is set while the removal is prepared is obeyed.
    store.ensure_operator_key(Some(OPERATOR)).await.expect("installed");
    let operator = store.authenticate(OPERATOR).await.expect("known");
    let (setter, of, runtime) = (store.clone(), acme.clone(), tokio::runtime::Handle::current());
    let mut set = false;
    objects.follow(move |at| {
        if at == FaultPoint::Put && !std::mem::replace(&mut set, true) {
            let longer = setter.set_retention(&operator, &of, Some(400));
            tokio::task::block_in_place(|| runtime.block_on(longer)).expect("set");
        }
        None
    });
    tender.tend(&acme).await.expect_err("the retention has changed");
    objects.clear();
    let kept = checked_log(&store, &acme).await;
    assert_eq!(kept[..before.len()], before[..], "longer now");
    let operator = store.authenticate(OPERATOR).await.expect("known");
    store.set_retention(&operator, &acme, None).await.expect("set back");
    let before = checked_log(&store, &acme).await;

    catalog.follow(|at| (at == FaultPoint::Commit("retain")).then_some(Fault::DoneAnyway));
    tender.tend(&acme).await.expect_err("the answer is lost");
    catalog.clear();
    let after = checked_log(&store, &acme).await;
    assert!(after.len() < before.len());
    tender.tend(&acme).await.expect("nothing is left to do");
    assert_eq!(checked_log(&store, &acme).await, after);
    assert_eq!(read(&store, &acme).await.iter().filter(|event| is_record(event)).count(), 1);

    // What was put and not referred to goes; what is referred to stays.
    place.clock.advance_micros(2 * 3600 * SECOND);
    let collector = Tender::new(&store, "maintain/garbage", "test").await.expect("free");
    collector.collect().await.expect("collects");
    let layout = testing::layout(&store, &acme).await.expect("whole");
    let mut referred: Vec<String> = layout.segments.into_iter().map(|(.., object)| object).collect();
    referred.sort_unstable();
    assert_eq!(testing::object_names(&store).await.expect("lists"), referred);
    store.shutdown().await;
}

async fn a_tenants_own_retention_goes_before_the_deployments(mut place: Place) {
    place.config.retention_days = Some(10);
    place.config.dedup_window_days = 2;
    let store = place.open().await;
    store.ensure_operator_key(Some(OPERATOR)).await.expect("installed");
    let operator = store.authenticate(OPERATOR).await.expect("known");
    let (brief, usual) = (tenant("brief"), tenant("usual"));
    for of in [&brief, &usual] {
        accepted(&store, events(of, "a", 0..40)).await;
    }
    for days in [0, 1, 36_501] {
        let refused = store.set_retention(&operator, &brief, Some(days)).await;
        assert!(
            matches!(refused, Err(AccessError::Invalid { pointer: "/retention_days", .. })),
            "{refused:?}"
        );
    }
    let unknown = store.set_retention(&operator, &tenant("nobody"), Some(5)).await;
    assert!(matches!(unknown, Err(AccessError::NotFound)), "{unknown:?}");
    let set = store.set_retention(&operator, &brief, Some(2)).await.expect("set");
    assert_eq!((set.retention.map(|kept| kept.days()), set.retention_is_own), (Some(2), true));
    store.set_retention(&operator, &brief, Some(2)).await.expect("nothing changes");
    let changes =
        read(&store, &brief).await.into_iter().filter(|e| e.line.contains("recount.retention.changed"));
    assert_eq!(changes.count(), 1, "recorded once, as it changed once");

    let new = NewKey {
        name: "of a tenant".to_owned(),
        tenant: Some(brief.clone()),
        scopes: [Scope::EventsRead, Scope::KeysManage].into_iter().collect(),
        expires_at: None,
    };
    let key = store.create_key(&operator, new).await.expect("made");
    let tenants = store.authenticate(&key.text.text).await.expect("known");
    let refused = store.set_retention(&tenants, &brief, None).await;
    assert!(matches!(refused, Err(AccessError::Forbidden { .. })), "{refused:?}");
    let seen = store.tenant(&tenants, &brief).await.expect("its own");
    assert_eq!(seen.retention.map(|kept| kept.days()), Some(2), "a tenant sees how long its events are kept");

    place.clock.advance_micros(5 * DAY);
    for of in [&brief, &usual] {
        tend(&store, of).await;
    }
    assert!(testing::layout(&store, &brief).await.expect("whole").first_seq >= 40);
    assert_eq!(testing::layout(&store, &usual).await.expect("whole").first_seq, 0);
    let back = store.set_retention(&operator, &brief, None).await.expect("set back");
    assert_eq!((back.retention.map(|kept| kept.days()), back.retention_is_own), (Some(10), false));
    store.shutdown().await;
}

async fn an_id_that_was_removed_is_new_again(mut place: Place) {
    keep_three_days(&mut place);
    let store = place.open().await;
    let (sealed, tail) = (tenant("sealed"), tenant("tail"));
    let tenants = [(&sealed, 150), (&tail, 20)];
    for (of, count) in tenants {
        accepted(&store, events(of, "a", 0..count)).await;
        tend(&store, of).await;
    }
    store.shutdown().await;
    // A node that knows the segment by its filter, and goes on knowing it.
    let store = place.open().await;
    for (of, count) in tenants {
        assert_eq!(accepted(&store, events(of, "a", 7..8)).await, [(7, true)]);
        accepted(&store, events(of, "c", 0..2)).await;
        assert_eq!(testing::layout(&store, of).await.expect("whole").next_seq, count + 2);
    }
    place.clock.advance_micros(2 * DAY);
    for (of, _) in tenants {
        accepted(&store, events(of, "b", 0..5)).await;
    }
    place.clock.advance_micros(2 * DAY);
    for (of, count) in tenants {
        tend(&store, of).await;
        let first = count + 2;
        assert_eq!(testing::layout(&store, of).await.expect("whole").first_seq, first);
        // Those that are kept are recognised, whatever this node still remembers of the others.
        assert_eq!(accepted(&store, events(of, "b", 3..4)).await, [(first + 3, true)]);
        store_again(&store, of).await;
    }
    store.shutdown().await;
    let store = place.open().await;
    for (of, count) in tenants {
        assert_eq!(accepted(&store, events(of, "b", 3..4)).await, [(count + 2 + 3, true)]);
    }
    store.shutdown().await;
}

/// An event that retention has removed is a new one when it is sent again.
async fn store_again(store: &Store, of: &TenantId) {
    let next = testing::layout(store, of).await.expect("whole").next_seq;
    assert_eq!(accepted(store, vec![event(of, Some("a7"), 7)]).await, [(next, false)]);
    checked_log(store, of).await;
}

async fn a_scan_fails_when_what_it_has_not_read_is_removed(mut place: Place) {
    keep_three_days(&mut place);
    // Many segments, of which little is read ahead.
    place.config.compaction.fan_in = 1_000;
    place.config.read_ahead_bytes = 16 * 1024;
    let store = place.open().await;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let of = tenant(if order == Order::NewestFirst { "newest" } else { "oldest" });
        for lot in 0..50 {
            if lot == 40 {
                place.clock.advance_micros(2 * DAY);
            }
            accepted(&store, events(&of, "a", lot * 150..lot * 150 + 150)).await;
            tend(&store, &of).await;
        }
        let log = testing::tenant_log(&store, &of);
        let mut chunks = std::pin::pin!(log.scan(ScanQuery { order, ..ScanQuery::default() }));
        chunks.next().await.expect("there is something").expect("read");
        place.clock.advance_micros(2 * DAY);
        tend(&store, &of).await;
        // Readers that had begun have ten minutes; then the objects go.
        place.clock.advance_micros(3_600 * SECOND);
        let collector = Tender::new(&store, "maintain/garbage", "test").await.expect("free");
        collector.collect().await.expect("collects");
        let ended = loop {
            match chunks.next().await {
                None => panic!("a scan that lacks events must not end like a whole one"),
                Some(Err(error)) => break error,
                Some(Ok(_)) => {}
            }
        };
        assert!(matches!(ended, ReadError::Removed { first_seq: 6_000 }), "{order:?}: {ended}");
    }
    store.shutdown().await;
}

async fn background_tasks_find_what_is_too_old_themselves(mut place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    days_of_events(&place, &store, &acme, 4).await;
    let events = read(&store, &acme).await.len() as u64;
    store.shutdown().await;
    place.clock.advance_micros(10 * DAY);
    keep_three_days(&mut place);
    place.config.maintain = true;
    let store = place.open().await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while testing::layout(&store, &acme).await.expect("whole").first_seq < events {
        assert!(tokio::time::Instant::now() < deadline, "nobody looked");
        tokio::task::yield_now().await;
    }
    assert_eq!(checked_log(&store, &acme).await.len(), 1, "the record");
    store.shutdown().await;
}

/// A tail with a folded row of old and newer events, as the sealer and retention both find it.
async fn mixed_tail(place: &Place, store: &Store, of: &TenantId) {
    for n in 0..8 {
        accepted(store, events(of, "a", n..n + 1)).await;
        place.clock.advance_micros(6 * 3600 * SECOND);
    }
    tend(store, of).await;
    assert_eq!(testing::layout(store, of).await.expect("whole").tail, [(0, 8)], "one row of two days");
}

async fn a_seal_that_was_prepared_before_a_removal_changes_nothing(mut place: Place) {
    keep_three_days(&mut place);
    let store = place.open().await;
    let acme = tenant("acme");
    mixed_tail(&place, &store, &acme).await;
    accepted(&store, events(&acme, "b", 0..150)).await;
    place.clock.advance_micros(2 * DAY);
    // Without what is due by now of sealing.
    let remover = Tender::new(&store, "maintain/other", "test").await.expect("free");
    let sealer = Tender::new(&store, "maintain/test", "test").await.expect("free");
    let (_, objects) = testing::faults(&store);
    let (of, runtime) = (acme.clone(), tokio::runtime::Handle::current());
    let mut remover = Some(remover);
    objects.follow(move |at| {
        if at == FaultPoint::Put
            && let Some(remover) = remover.take()
        {
            tokio::task::block_in_place(|| runtime.block_on(remover.retain(&of))).expect("removed");
        }
        None
    });
    sealer.tend(&acme).await.expect_err("the tail is not as it was");
    objects.clear();
    let first = testing::layout(&store, &acme).await.expect("whole").first_seq;
    assert_eq!(first, 4);
    let kept = checked_log(&store, &acme).await;
    assert_eq!(kept.len(), 4 + 150 + 1);
    sealer.tend(&acme).await.expect("sealed now");
    assert_eq!(checked_log(&store, &acme).await, kept);
    store.shutdown().await;
}

async fn a_retention_is_never_shorter_than_ids_are_recognised(mut place: Place) {
    place.config.retention_days = Some(3);
    place.config.dedup_window_days = 8;
    let store = place.open().await;
    let acme = tenant("acme");
    accepted(&store, events(&acme, "a", 0..20)).await;
    place.clock.advance_micros(7 * DAY);
    let tender = Tender::new(&store, "maintain/test", "test").await.expect("free");
    assert_eq!(tender.find_expired().await.expect("answers"), []);
    tender.tend(&acme).await.expect("tends");
    assert_eq!(testing::layout(&store, &acme).await.expect("whole").first_seq, 0);
    let kept = testing::tenant_log(&store, &acme).extent().await.expect("answered").retention;
    assert_eq!(kept.map(|kept| kept.days()), Some(8));
    store.shutdown().await;
}

/// Two nodes: one folds the tail after the other has read it and before it begins to remove.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fold_between_reading_and_removing_loses_nothing() {
    let Some(mut place) = Place::postgres("a_fold_between_reading_and_removing_loses_nothing").await else {
        return;
    };
    keep_three_days(&mut place);
    let (one, two) = (place.open().await, place.open().await);
    let acme = tenant("acme");
    accepted(&one, events(&acme, "a", 0..1)).await;
    place.clock.advance_micros(2 * DAY);
    for n in 1..8 {
        accepted(&one, events(&acme, "a", n..n + 1)).await;
    }
    place.clock.advance_micros(2 * DAY);
    let remover = Tender::new(&one, "maintain/test", "test").await.expect("free");
    let folder = Tender::new(&two, "maintain/other", "test").await.expect("free");
    let (catalog, _) = testing::faults(&one);
    let (of, runtime) = (acme.clone(), tokio::runtime::Handle::current());
    let mut folder = Some(folder);
    catalog.follow(move |at| {
        if at == FaultPoint::Begin
            && let Some(folder) = folder.take()
        {
            tokio::task::block_in_place(|| runtime.block_on(folder.tend_tail(&of))).expect("folded");
        }
        None
    });
    let refused = remover.retain(&acme).await.expect_err("the tail is not as it was");
    assert!(refused.contains("was changed meanwhile"), "{refused}");
    catalog.clear();
    assert_eq!(checked_log(&one, &acme).await.len(), 8, "nothing is lost");
    assert_eq!(testing::layout(&one, &acme).await.expect("whole").tail, [(0, 8)]);
    remover.retain(&acme).await.expect("removed now");
    assert_eq!(checked_log(&one, &acme).await.len(), 7 + 1);
    one.shutdown().await;
    two.shutdown().await;
}

mod objects {
    use super::*;

    on_both_object_stores! {
        a_segment_is_written_anew_without_its_old_events,
    }

    pub(super) async fn a_segment_is_written_anew_without_its_old_events(mut place: Place) {
        keep_three_days(&mut place);
        let store = place.open().await;
        let acme = tenant("acme");
        accepted(&store, events(&acme, "a", 0..45)).await;
        place.clock.advance_micros(DAY);
        accepted(&store, events(&acme, "b", 0..60)).await;
        tend(&store, &acme).await;
        let before = testing::layout(&store, &acme).await.expect("whole").segments;
        assert_eq!(before.iter().map(|(first, last, _)| (*first, *last)).collect::<Vec<_>>(), [(0, 104)]);
        place.clock.advance_micros(3 * DAY);
        tend(&store, &acme).await;
        let after = testing::layout(&store, &acme).await.expect("whole");
        assert_eq!(after.first_seq, 45);
        assert_eq!((after.segments[0].0, after.segments[0].1), (45, 104));
        assert_ne!(after.segments[0].2, before[0].2, "names are never used again");
        assert_eq!(checked_log(&store, &acme).await.len(), 61);
        store.shutdown().await;
    }
}
