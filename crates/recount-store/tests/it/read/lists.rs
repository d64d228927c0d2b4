//! Lists, scans and lookups equal the naive evaluation of the filter over every line.

use recount_event::{Filter, Timestamp};
use recount_store::{ListQuery, Order, ReadError, ScanQuery};

use super::events::Draw;
use super::harness::{Harness, Log, assert_same, seqs};
use crate::support::{Place, on_both_catalogs, tend};

on_both_catalogs! {
    pages_do_not_shift_while_late_and_back_dated_events_arrive,
    every_event_is_found_by_its_id_wherever_it_is,
    a_log_without_events_answers_with_nothing,
    random_filters_find_what_the_naive_evaluation_finds,
}

/// Random filters per shape of the log.
const FILTERS: usize = 500;

/// A log of `count` events in merged and small segments and a tail, drawn from `seed`.
pub(crate) async fn shaped_log(harness: &Harness, draw: &mut Draw, count: usize) -> Log {
    let mut log = harness.log("acme");
    let mut number = 0;
    while number < count {
        let size = match draw.below(4) {
            0 => 1,
            1 => 1 + draw.below(10),
            _ => 20 + draw.below(120),
        };
        let events: Vec<_> = (number..number + size).map(|n| draw.event(n)).collect();
        number += size;
        log.append(&events).await;
        // The last third stays in the tail.
        if number < count / 3 * 2 && draw.chance(0.2) {
            tend(&harness.store, log.log.tenant()).await;
        }
    }
    log
}

fn bounded(draw: &mut Draw, log: &Log) -> ScanQuery {
    let time = |draw: &mut Draw| Timestamp::from_micros(draw.time_micros());
    ScanQuery {
        filter: draw.filter(),
        from: draw.chance(0.3).then(|| time(draw)),
        to: draw.chance(0.3).then(|| time(draw)),
        order: if draw.chance(0.5) { Order::NewestFirst } else { Order::OldestFirst },
        after: draw.chance(0.3).then(|| {
            let at = draw.below(log.naive.len());
            log.naive[at].position()
        }),
        pin: draw.chance(0.3).then(|| draw.below(log.naive.len() + 1) as u64),
        max_scan_bytes: None,
    }
}

async fn check_shape(place: Place, seed: u64) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(seed);
    let log = shaped_log(&harness, &mut draw, 1_500).await;
    for round in 0..FILTERS {
        let query = bounded(&mut draw, &log);
        let expected = log.matching(&query);
        let list = ListQuery {
            filter: query.filter.clone(),
            from: query.from,
            to: query.to,
            order: query.order,
            limit: 1 + draw.below(200),
            after: query.after,
            pin: query.pin,
            max_scan_bytes: None,
        };
        if round % 6 != 0 {
            let first = log.log.list(&list).await.expect("listed");
            assert_same(&first.events, &expected[..expected.len().min(list.limit)], &query.filter);
        } else {
            assert_same(&log.pages(list).await, &expected, &query.filter);
        }
        if round % 4 == 0 {
            let filter = query.filter.clone();
            assert_same(&log.scan(query).await.expect("scanned"), &expected, &filter);
        }
    }
}

async fn random_filters_find_what_the_naive_evaluation_finds(place: Place) {
    check_shape(place, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_filters_over_random_logs_find_what_the_naive_evaluation_finds() {
    for seed in 1..5 {
        check_shape(Place::sqlite(), seed).await;
    }
}

async fn pages_do_not_shift_while_late_and_back_dated_events_arrive(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(77);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let mut log = harness.log(if order == Order::NewestFirst { "newest" } else { "oldest" });
        let first: Vec<_> = (0..300).map(|n| draw.event(n)).collect();
        log.append(&first).await;
        let filter = Filter::parse("-action:x").expect("a filter");
        let expected = log.matching(&ScanQuery { filter: filter.clone(), order, ..ScanQuery::default() });

        let mut query = ListQuery { filter: filter.clone(), order, limit: 17, ..ListQuery::default() };
        let mut events = Vec::new();
        let mut number = 300;
        loop {
            let page = log.log.list(&query).await.expect("listed");
            events.extend(page.events);
            let Some(next) = page.next else { break };
            query.after = Some(next);
            query.pin = Some(page.pin);
            // All over the time range, so before and behind the cursor.
            let late: Vec<_> = (number..number + 13).map(|n| draw.event(n)).collect();
            number += 13;
            log.append(&late).await;
            if draw.chance(0.4) {
                tend(&harness.store, log.log.tenant()).await;
            }
        }
        assert_same(&events, &expected, &filter);
    }
}

async fn every_event_is_found_by_its_id_wherever_it_is(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(5);
    let log = shaped_log(&harness, &mut draw, 900).await;
    for event in &log.naive {
        let id = format!("event-{}", event.seq);
        let found = log.log.get(&id).await.expect("read").expect("there");
        assert_eq!((found.seq, &found.line), (event.seq, &event.line));
    }
    assert!(log.log.get("event-nowhere").await.expect("read").is_none());
    assert!(log.log.get("").await.expect("read").is_none());
}

async fn a_log_without_events_answers_with_nothing(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let log = harness.log("empty");
    let page = log.log.list(&ListQuery::default()).await.expect("listed");
    assert!(page.events.is_empty() && page.next.is_none() && page.pin == 0);
    assert!(log.scan(ScanQuery::default()).await.expect("scanned").is_empty());
    assert!(log.log.get("x").await.expect("read").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_past_its_bound_is_refused_and_says_how_to_narrow() {
    let harness = Harness::new().await;
    let mut draw = Draw::new(9);
    let log = shaped_log(&harness, &mut draw, 600).await;
    let filter = Filter::parse("\"not there\"").expect("a filter");
    let query = ListQuery { filter, max_scan_bytes: Some(20_000), ..ListQuery::default() };
    let refused = log.log.list(&query).await;
    let Err(ReadError::TooExpensive { detail }) = refused else { panic!("{refused:?}") };
    assert!(detail.contains("from") && detail.contains("action:"), "{detail}");
    // The same bound is enough for the newest events.
    let query = ListQuery { limit: 5, max_scan_bytes: Some(200_000), ..ListQuery::default() };
    assert_eq!(log.log.list(&query).await.expect("cheap").events.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_whose_reader_goes_away_stops() {
    use futures::StreamExt as _;
    let harness = Harness::new().await;
    let mut draw = Draw::new(3);
    let log = shaped_log(&harness, &mut draw, 600).await;
    // More scans than a tenant may have at a time, each dropped halfway: none holds its place.
    for _ in 0..20 {
        let mut scan = Box::pin(log.log.scan(ScanQuery::default()));
        let chunk = scan.next().await.expect("events").expect("read");
        assert!(!seqs(&chunk).is_empty());
    }
}
