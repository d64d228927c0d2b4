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
    a_scan_goes_on_while_what_it_reads_is_removed,
    background_tasks_find_what_is_too_old_themselves,
}

async fn what_is_kept_no_longer_is_removed_to_the_event(mut place: Place) {
    place.config.retention_days = Some(3);
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
    place.config.retention_days = Some(3);
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
    place.config.retention_days = Some(3);
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
    place.config.retention_days = Some(3);
    let store = place.open().await;
    let (sealed, tail) = (tenant("sealed"), tenant("tail"));
    for (of, count) in [(&sealed, 150), (&tail, 20)] {
        accepted(&store, events(of, "a", 0..count)).await;
        tend(&store, of).await;
    }
    place.clock.advance_micros(2 * DAY);
    for of in [&sealed, &tail] {
        accepted(&store, events(of, "b", 0..5)).await;
    }
    place.clock.advance_micros(2 * DAY);
    for (of, count) in [(&sealed, 150), (&tail, 20)] {
        tend(&store, of).await;
        assert_eq!(testing::layout(&store, of).await.expect("whole").first_seq, count);
        // Those that are kept are recognised, whatever this node still remembers of the others.
        assert_eq!(accepted(&store, events(of, "b", 3..4)).await, [(count + 3, true)]);
        store_again(&store, of, count).await;
    }
    store.shutdown().await;
    let store = place.open().await;
    for (of, count) in [(&sealed, 150), (&tail, 20)] {
        assert_eq!(accepted(&store, events(of, "b", 3..4)).await, [(count + 3, true)]);
    }
    store.shutdown().await;
}

/// Sends an event again that retention has removed: it is stored anew, or answered as what it was.
async fn store_again(store: &Store, of: &TenantId, first_seq: u64) {
    let (seq, duplicate) = accepted(store, vec![event(of, Some("a7"), 7)]).await[0];
    assert!(if duplicate { seq < first_seq } else { seq > first_seq }, "{seq} {duplicate}");
    checked_log(store, of).await;
}

async fn a_scan_goes_on_while_what_it_reads_is_removed(mut place: Place) {
    place.config.retention_days = Some(3);
    let store = place.open().await;
    let acme = tenant("acme");
    days_of_events(&place, &store, &acme, 17).await;
    let all = read(&store, &acme).await;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let log = testing::tenant_log(&store, &acme);
        let query = ScanQuery { order, ..ScanQuery::default() };
        let mut chunks = std::pin::pin!(log.scan(query));
        let mut seen: Vec<u64> = Vec::new();
        let mut removed = false;
        while let Some(chunk) = chunks.next().await {
            seen.extend(chunk.expect("it goes on").iter().map(|event| event.seq));
            if !std::mem::replace(&mut removed, true) {
                place.clock.advance_micros(DAY);
                tend(&store, &acme).await;
            }
        }
        let kept = testing::layout(&store, &acme).await.expect("whole").first_seq;
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "each event once");
        let missing = all.iter().filter(|event| event.seq >= kept && once.binary_search(&event.seq).is_err());
        assert_eq!(missing.count(), 0, "everything that is kept");
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
    place.config.retention_days = Some(3);
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

mod objects {
    use super::*;

    on_both_object_stores! {
        a_segment_is_written_anew_without_its_old_events,
    }

    pub(super) async fn a_segment_is_written_anew_without_its_old_events(mut place: Place) {
        place.config.retention_days = Some(3);
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
