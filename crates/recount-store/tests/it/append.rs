//! Appending: order, durability, limits, and who may.

use std::time::Duration;

use futures::future::join_all;
use recount_event::Outcome;
use recount_store::testing;
use recount_store::{AppendError, EventRefused, OwnActor, OwnEvent};
use sha2::Digest as _;

use crate::support::{
    DAY, Place, SECOND, accepted, append, check_invariants, checked_log, event, events, on_both_catalogs,
    tenant,
};

on_both_catalogs! {
    seqs_are_dense_per_tenant_in_the_order_sent,
    stored_lines_are_what_was_sent,
    an_event_of_another_tenant_is_refused_alone,
    an_unknown_tenant_is_refused_when_creation_is_off,
    many_senders_at_once_lose_nothing,
    one_request_for_two_thousand_tenants,
    received_at_does_not_go_back_with_the_clock,
    a_full_queue_answers_busy,
    shutting_down_stores_what_was_acknowledged,
    a_watcher_hears_of_an_append,
    an_own_event_with_a_key_is_recorded_once,
    no_sender_keeps_an_own_event_out,
    a_tail_that_can_not_be_sealed_stops_growing,
}

async fn seqs_are_dense_per_tenant_in_the_order_sent(place: Place) {
    let store = place.open().await;
    let (acme, other) = (tenant("acme"), tenant("Other:1"));
    let mut mixed = events(&acme, "a", 0..3);
    mixed.extend(events(&other, "a", 0..2));
    mixed.extend(events(&acme, "a", 3..5));
    let seqs: Vec<u64> = accepted(&store, mixed).await.into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, [0, 1, 2, 0, 1, 3, 4]);
    assert_eq!(accepted(&store, events(&acme, "a", 5..6)).await, [(5, false)]);
    assert_eq!(checked_log(&store, &acme).await, ["a0", "a1", "a2", "a3", "a4", "a5"]);
    assert_eq!(checked_log(&store, &other).await, ["a0", "a1"]);
    assert!(append(&store, Vec::new()).await.is_empty());
    store.shutdown().await;
}

async fn stored_lines_are_what_was_sent(place: Place) {
    let acme = tenant("acme");
    let sent = events(&acme, "é\\\"", 0..50);
    let store = place.open().await;
    accepted(&store, sent.clone()).await;
    store.shutdown().await;
    let store = place.open().await;
    let log = testing::read_log(&store, &acme).await.expect("whole");
    let lines: Vec<&str> = log.iter().map(|event| &*event.line).collect();
    assert_eq!(lines, sent.iter().map(|event| event.line.as_str()).collect::<Vec<_>>());
    store.shutdown().await;
}

async fn an_event_of_another_tenant_is_refused_alone(place: Place) {
    let store = place.open().await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    let mixed = vec![event(&acme, None, 0), event(&other, None, 1), event(&acme, None, 2)];
    let results = store.append(&testing::ingest_of(&acme), mixed).await.expect("answered");
    let wrong = Err(EventRefused::WrongTenant { tenant: "other".to_owned() });
    assert_eq!(results.iter().map(|r| r.clone().map(|a| a.seq)).collect::<Vec<_>>(), [Ok(0), wrong, Ok(1)]);
    assert_eq!(checked_log(&store, &acme).await.len(), 2);
    assert!(checked_log(&store, &other).await.is_empty());
    store.shutdown().await;
}

async fn an_unknown_tenant_is_refused_when_creation_is_off(mut place: Place) {
    let (acme, other) = (tenant("acme"), tenant("other"));
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..1)).await;
    store.shutdown().await;
    place.config.create_tenants = false;
    let store = place.open().await;
    let results = append(&store, vec![event(&other, None, 0), event(&acme, None, 1)]).await;
    assert_eq!(results[0], Err(EventRefused::UnknownTenant { tenant: "other".to_owned() }));
    assert_eq!(results[1].as_ref().map(|a| a.seq), Ok(1));
    assert!(checked_log(&store, &other).await.is_empty());
    store.shutdown().await;
}

async fn many_senders_at_once_lose_nothing(place: Place) {
    let store = place.open().await;
    let tenants: Vec<_> = (0..5).map(|n| tenant(&format!("t{n}"))).collect();
    let senders = (0..16_u64).map(|sender| {
        let (store, tenants) = (store.clone(), tenants.clone());
        tokio::spawn(async move {
            for request in 0..20 {
                let at = &tenants[usize::try_from((sender + request) % 5).expect("small")];
                let range = request * 3..request * 3 + 3;
                accepted(&store, events(at, &format!("s{sender}-"), range)).await;
            }
        })
    });
    for sender in join_all(senders).await {
        sender.expect("the sender finishes");
    }
    let mut total = 0;
    for at in &tenants {
        total += checked_log(&store, at).await.len();
    }
    assert_eq!(total, 16 * 20 * 3);
    store.shutdown().await;
}

async fn one_request_for_two_thousand_tenants(place: Place) {
    let store = place.open().await;
    let tenants: Vec<_> = (0..2_000).map(|n| tenant(&format!("tenant-{n}"))).collect();
    for round in 0..2 {
        let one_each = tenants.iter().map(|tenant| event(tenant, Some(&format!("e{round}")), 1)).collect();
        let seqs = accepted(&store, one_each).await;
        assert!(seqs.iter().all(|result| *result == (round, false)), "each is its tenant's next");
    }
    assert_eq!(checked_log(&store, &tenants[1_234]).await, ["e0", "e1"]);
    store.shutdown().await;
}

async fn received_at_does_not_go_back_with_the_clock(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    accepted(&store, events(&acme, "a", 0..1)).await;
    place.clock.advance_micros(-3 * DAY);
    accepted(&store, events(&acme, "a", 1..2)).await;
    store.shutdown().await;
    place.clock.advance_micros(-3 * DAY);
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 2..3)).await;
    place.clock.advance_micros(7 * DAY);
    accepted(&store, events(&acme, "a", 3..4)).await;
    let log = testing::read_log(&store, &acme).await.expect("whole");
    check_invariants(&log);
    assert_eq!(log[0].received_at, log[2].received_at);
    assert_eq!(log[3].received_at.as_micros() - log[2].received_at.as_micros(), DAY);
    store.shutdown().await;
}

async fn a_full_queue_answers_busy(mut place: Place) {
    place.config.append_queue_events_max = 10;
    let store = place.open().await;
    let acme = tenant("acme");
    let requests = (0..200).map(|n| {
        let access = testing::ingest();
        let (store, acme) = (store.clone(), acme.clone());
        async move { store.append(&access, events(&acme, "a", n * 5..n * 5 + 5)).await }
    });
    let (mut stored, mut busy) = (0, 0);
    for answer in join_all(requests).await {
        match answer {
            Ok(results) => stored += results.len(),
            Err(AppendError::Busy { retry_after }) => {
                assert!(retry_after >= Duration::from_secs(1));
                busy += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(busy > 0, "200 requests at once are more than the queue holds");
    assert_eq!(checked_log(&store, &acme).await.len(), stored, "what was busy was not stored");
    store.shutdown().await;
}

async fn shutting_down_stores_what_was_acknowledged(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    let senders: Vec<_> = (0..50)
        .map(|n| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let id = format!("a{n}");
                let answer = store.append(&testing::ingest(), vec![event(&acme, Some(&id), n)]).await;
                answer.is_ok().then_some(id)
            })
        })
        .collect();
    store.shutdown().await;
    let acknowledged: Vec<String> =
        join_all(senders).await.into_iter().filter_map(|id| id.expect("finishes")).collect();
    assert!(store.ready().await.is_err());
    let store = place.open().await;
    let ids = checked_log(&store, &acme).await;
    assert!(acknowledged.iter().all(|id| ids.contains(id)));
    assert_eq!(ids.len(), acknowledged.len());
    store.shutdown().await;
}

async fn a_watcher_hears_of_an_append(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    let log = testing::tenant_log(&store, &acme);
    let mut head = log.watch_head();
    assert_eq!(log.head().await.expect("answers"), 0);
    accepted(&store, events(&acme, "a", 0..7)).await;
    head.wait_for(|head| *head == 7).await.expect("the store lives");
    assert_eq!(log.head().await.expect("answers"), 7);
    store.shutdown().await;
}

async fn an_own_event_with_a_key_is_recorded_once(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    let log = testing::tenant_log(&store, &acme);
    let actor = OwnActor { kind: "key".to_owned(), id: "k1".to_owned(), name: None };
    let mut own = OwnEvent::new("recount.operator.viewed", actor);
    own.once_key = Some("k1/2026-11-23".to_owned());
    own.outcome = Outcome::Denied;
    log.record(own.clone()).await.expect("recorded");
    log.record(own.clone()).await.expect("known already");
    own.once_key = None;
    log.record(own).await.expect("recorded");
    let stored = testing::read_log(&store, &acme).await.expect("whole");
    assert_eq!(stored.len(), 2);
    assert!(stored[0].line.contains(r#""action":"recount.operator.viewed","outcome":"denied""#));
    assert!(stored[0].line.contains(r#""source":"recount""#));
    store.shutdown().await;
}

async fn no_sender_keeps_an_own_event_out(place: Place) {
    let store = place.open().await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    let actor = OwnActor { kind: "key".to_owned(), id: "k1".to_owned(), name: None };
    let mut own = OwnEvent::new("recount.operator.viewed", actor);
    own.once_key = Some("k1/2026-11-23".to_owned());
    // Whoever sees the id in one log learns nothing of another's.
    testing::tenant_log(&store, &other).record(own.clone()).await.expect("recorded");
    let seen = checked_log(&store, &other).await[0].clone();
    // What the id is made of is known to all; without the deployment's secret it is of no use.
    let guessed = format!(
        "recount-{}",
        hex::encode(&sha2::Sha256::digest(b"recount.operator.viewed\0k1/2026-11-23")[..16])
    );
    let sent = vec![event(&acme, Some(&seen), 1), event(&acme, Some(&guessed), 2)];
    accepted(&store, sent).await;
    testing::tenant_log(&store, &acme).record(own).await.expect("recorded");
    let stored = testing::read_log(&store, &acme).await.expect("whole");
    assert_eq!(stored.len(), 3);
    assert!(stored[2].line.contains(r#""source":"recount""#));
    store.shutdown().await;
}

async fn a_tail_that_can_not_be_sealed_stops_growing(mut place: Place) {
    place.config.seal.tail_events_max = 50;
    let store = place.open().await;
    let acme = tenant("acme");
    for n in 0..6 {
        place.clock.advance_micros(SECOND);
        accepted(&store, events(&acme, "a", n * 10..n * 10 + 10)).await;
        if n == 4 {
            break;
        }
    }
    let results = append(&store, events(&acme, "a", 60..61)).await;
    assert_eq!(results, [Err(EventRefused::TailFull { tenant: "acme".to_owned() })]);
    assert_eq!(accepted(&store, events(&tenant("other"), "a", 0..1)).await, [(0, false)]);
    store.shutdown().await;
}
