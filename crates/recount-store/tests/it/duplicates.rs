//! An id is recognised again: at once, after a restart, after sealing and merging, on another node.

use recount_event::{ParseContext, parse_event};
use recount_store::testing;

use crate::support::{
    DAY, Place, accepted, checked_log, event, events, id_of, on_both_catalogs, tenant, tend,
};

on_both_catalogs! {
    within_one_request,
    across_requests_and_a_restart,
    after_sealing,
    after_merging,
    an_assigned_id_sent_back_is_recognised,
    the_same_id_in_two_tenants_is_two_events,
    after_the_window_an_id_is_new,
}

async fn within_one_request(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    let ids = ["a", "b", "a", "c", "b", "a"];
    let sent = ids.iter().zip(0..).map(|(id, n)| event(&acme, Some(id), n)).collect();
    let expected = [(0, false), (1, false), (0, true), (2, false), (1, true), (0, true)];
    assert_eq!(accepted(&store, sent).await, expected);
    assert_eq!(checked_log(&store, &acme).await, ["a", "b", "c"]);
    store.shutdown().await;
}

async fn across_requests_and_a_restart(place: Place) {
    let acme = tenant("acme");
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..10)).await;
    let again = accepted(&store, events(&acme, "a", 5..12)).await;
    assert_eq!(again[..5], (5..10).map(|seq| (seq, true)).collect::<Vec<_>>());
    assert_eq!(again[5..], [(10, false), (11, false)]);
    store.shutdown().await;
    let store = place.open().await;
    let again = accepted(&store, events(&acme, "a", 0..12)).await;
    assert_eq!(again, (0..12).map(|seq| (seq, true)).collect::<Vec<_>>());
    assert_eq!(checked_log(&store, &acme).await.len(), 12);
    store.shutdown().await;
}

async fn after_sealing(place: Place) {
    let acme = tenant("acme");
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..120)).await;
    // Known before and after: what the committer remembers of the tail must still be right.
    tend(&store, &acme).await;
    assert_eq!(testing::layout(&store, &acme).await.expect("whole").segments.len(), 1);
    assert_eq!(accepted(&store, events(&acme, "a", 7..8)).await, [(7, true)]);
    store.shutdown().await;
    let store = place.open().await;
    let again = accepted(&store, events(&acme, "a", 100..130)).await;
    let expected: Vec<_> = (100..120).map(|n| (n, true)).chain((120..130).map(|n| (n, false))).collect();
    assert_eq!(again, expected);
    checked_log(&store, &acme).await;
    store.shutdown().await;
}

async fn after_merging(place: Place) {
    let acme = tenant("acme");
    let store = place.open().await;
    for part in 0..6 {
        accepted(&store, events(&acme, "a", part * 150..part * 150 + 150)).await;
        tend(&store, &acme).await;
    }
    let layout = testing::layout(&store, &acme).await.expect("whole");
    assert!(layout.segments.len() < 6, "{layout:?}");
    let again = accepted(&store, events(&acme, "a", 0..900)).await;
    assert_eq!(again, (0..900).map(|seq| (seq, true)).collect::<Vec<_>>());
    store.shutdown().await;
    let store = place.open().await;
    assert_eq!(accepted(&store, events(&acme, "a", 333..334)).await, [(333, true)]);
    assert_eq!(checked_log(&store, &acme).await.len(), 900);
    store.shutdown().await;
}

async fn an_assigned_id_sent_back_is_recognised(place: Place) {
    let store = place.open().await;
    let acme = tenant("acme");
    assert_eq!(accepted(&store, vec![event(&acme, None, 1)]).await, [(0, false)]);
    let stored = testing::read_log(&store, &acme).await.expect("whole");
    let mut never = || unreachable!("the line has an id");
    let sent_back = parse_event(&stored[0].line, &ParseContext::default(), &mut never).expect("normal");
    assert!(!sent_back.id_assigned && sent_back.id == id_of(&stored[0]));
    assert_eq!(accepted(&store, vec![sent_back]).await, [(0, true)]);
    store.shutdown().await;
}

async fn the_same_id_in_two_tenants_is_two_events(place: Place) {
    let store = place.open().await;
    let (acme, other) = (tenant("acme"), tenant("other"));
    let both = vec![event(&acme, Some("x"), 0), event(&other, Some("x"), 0)];
    assert_eq!(accepted(&store, both.clone()).await, [(0, false), (0, false)]);
    assert_eq!(accepted(&store, both).await, [(0, true), (0, true)]);
    store.shutdown().await;
}

async fn after_the_window_an_id_is_new(mut place: Place) {
    place.config.dedup_window_days = 3;
    let acme = tenant("acme");
    let store = place.open().await;
    accepted(&store, events(&acme, "a", 0..120)).await;
    tend(&store, &acme).await;
    store.shutdown().await;
    place.clock.advance_micros(2 * DAY);
    let store = place.open().await;
    assert_eq!(accepted(&store, events(&acme, "a", 0..1)).await, [(0, true)], "within the window");
    store.shutdown().await;
    place.clock.advance_micros(2 * DAY);
    let store = place.open().await;
    assert_eq!(accepted(&store, events(&acme, "a", 0..1)).await, [(120, false)], "after the window");
    store.shutdown().await;
}
