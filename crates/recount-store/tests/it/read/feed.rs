//! The feed: every event, in the order of the log, without a gap.

use std::time::Duration;

use recount_store::{FEED_EVENTS_MAX, StoredEvent};

use super::events::Draw;
use super::harness::{Harness, Log, seqs};
use super::lists::shaped_log;
use crate::support::{Place, on_both_catalogs};

on_both_catalogs! {
    the_feed_is_the_log_in_seq_order,
    a_follower_sees_each_event_once_while_the_tail_moves_to_segments,
    a_feed_without_news_answers_empty_when_its_wait_is_over,
}

async fn follow(log: &Log, mut from: u64, limit: usize) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    loop {
        let page = log.log.feed(from, limit, Duration::ZERO).await.expect("fed");
        assert_eq!(page.next, from + page.events.len() as u64);
        if page.events.is_empty() {
            return events;
        }
        from = page.next;
        events.extend(page.events);
    }
}

async fn the_feed_is_the_log_in_seq_order(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(21);
    let log = shaped_log(&harness, &mut draw, 1_200).await;
    for limit in [1, 7, 500, FEED_EVENTS_MAX, usize::MAX] {
        for from in [0, 1, 333, log.naive.len() - 1] {
            if limit == 1 && from < 1_000 {
                continue;
            }
            let events = follow(&log, from as u64, limit).await;
            assert_eq!(events.len(), log.naive.len() - from);
            for (event, expected) in events.iter().zip(&log.naive[from..]) {
                assert_eq!((event.seq, &event.line), (expected.seq, &expected.line));
            }
            assert!(events.is_sorted_by_key(|event| event.received_at));
        }
    }
    let beyond = log.log.feed(u64::MAX, 10, Duration::ZERO).await.expect("fed");
    assert!(beyond.events.is_empty() && beyond.next == u64::MAX);
}

async fn a_follower_sees_each_event_once_while_the_tail_moves_to_segments(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(22);
    let mut log = harness.log("acme");
    let follower = tokio::spawn({
        let log = log.log.clone();
        async move {
            let (mut from, mut seen) = (0, Vec::new());
            while from < 1_000 {
                let page = log.feed(from, 90, Duration::from_secs(30)).await.expect("fed");
                assert!(!page.events.is_empty(), "an append ends the wait");
                from = page.next;
                seen.extend(seqs(&page.events));
            }
            seen
        }
    });
    for step in 0..100 {
        let events: Vec<_> = (step * 10..step * 10 + 10).map(|n| draw.event(n)).collect();
        log.append(&events).await;
        if step % 5 == 4 {
            harness.reorganise_at_once(&log).await;
        }
    }
    let seen = follower.await.expect("followed");
    assert_eq!(seen, (0..1_000).collect::<Vec<u64>>());
}

async fn a_feed_without_news_answers_empty_when_its_wait_is_over(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(23);
    let mut log = harness.log("acme");
    let page = log.log.feed(0, 10, Duration::from_millis(5)).await.expect("fed");
    assert!(page.events.is_empty() && page.next == 0);
    log.append(&[draw.event(0)]).await;
    let page = log.log.feed(1, 10, Duration::from_millis(5)).await.expect("fed");
    assert!(page.events.is_empty() && page.next == 1);
    assert_eq!(seqs(&log.log.feed(0, 10, Duration::ZERO).await.expect("fed").events), [0]);
}
