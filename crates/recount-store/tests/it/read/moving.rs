//! Readers on a log whose parts move: seals, merges and collection happen between and during reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use recount_event::Filter;
use recount_store::{ListQuery, Order, ScanQuery, testing};

use super::events::Draw;
use super::harness::{Harness, assert_same};
use crate::support::{Place, on_both_catalogs, tend};

on_both_catalogs! {
    lists_are_whole_while_seals_merges_and_collection_run_beside_them,
    a_long_scan_has_every_event_once_while_the_log_is_reorganised,
}

/// A store that rewrites everything at every turn and reads ahead as little as possible.
async fn restless(place: Place) -> Harness {
    Harness::at(place, |config| {
        config.compaction.fan_in = 2;
        config.compaction.tier_rows = vec![1_000_000];
        config.compaction.rows_max = 1_000_000;
        config.read_ahead_bytes = 1;
        config.column_cache_bytes = 0;
    })
    .await
}

/// A scan that is read chunk by chunk while everything under it is replaced several times.
async fn scan_while_moving(place: Place, order: Order, filter: &str) {
    let harness = restless(place).await;
    let mut draw = Draw::new(41);
    let mut log = harness.log("acme");
    let mut number = 0;
    let mut more = |draw: &mut Draw, count: usize| -> Vec<_> {
        number += count;
        (number - count..number).map(|n| draw.event(n)).collect()
    };
    for part in 0..12 {
        let events = more(&mut draw, 500);
        log.append(&events).await;
        if part < 9 {
            tend(&harness.store, log.log.tenant()).await;
        }
    }
    let filter = Filter::parse(filter).expect("a filter");
    let query = ScanQuery { filter: filter.clone(), order, ..ScanQuery::default() };
    let expected = log.matching(&query);

    let mut scan = Box::pin(log.log.clone().scan(query));
    let mut events = Vec::new();
    while let Some(chunk) = scan.next().await {
        events.extend(chunk.expect("read"));
        let late = more(&mut draw, 100);
        log.append(&late).await;
        harness.reorganise_at_once(&log).await;
    }
    assert!(testing::replans(&harness.store) >= 2, "parts of the log went away under the scan");
    assert_same(&events, &expected, &filter);
}

async fn a_long_scan_has_every_event_once_while_the_log_is_reorganised(place: Place) {
    scan_while_moving(place, Order::NewestFirst, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_long_scans_have_every_event_once_while_the_log_is_reorganised() {
    scan_while_moving(Place::sqlite(), Order::OldestFirst, "").await;
    scan_while_moving(Place::sqlite(), Order::NewestFirst, "-outcome:denied -zzz").await;
}

async fn lists_are_whole_while_seals_merges_and_collection_run_beside_them(place: Place) {
    let harness = restless(place).await;
    let mut draw = Draw::new(42);
    let mut log = harness.log("acme");
    let events: Vec<_> = (0..2_000).map(|n| draw.event(n)).collect();
    for part in events.chunks(100) {
        log.append(part).await;
    }
    let filter = Filter::parse("refund").expect("a filter");
    let pin = Some(2_000);
    let expected = log.matching(&ScanQuery { filter: filter.clone(), pin, ..ScanQuery::default() });
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (log, filter, expected) = (log.log.clone(), filter.clone(), expected.clone());
            let done = done.clone();
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let query =
                        ListQuery { filter: filter.clone(), limit: 1_000, pin, ..ListQuery::default() };
                    let page = log.list(&query).await.expect("listed");
                    assert_same(&page.events, &expected, &filter);
                    let query = ScanQuery { filter: filter.clone(), pin, ..ScanQuery::default() };
                    let scanned: Vec<_> = log.scan(query).map(|chunk| chunk.expect("read")).concat().await;
                    assert_same(&scanned, &expected, &filter);
                }
            })
        })
        .collect();
    for step in 0..20 {
        let late: Vec<_> = (2_000 + step * 30..2_030 + step * 30).map(|n| draw.event(n)).collect();
        log.append(&late).await;
        harness.reorganise_at_once(&log).await;
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.expect("read");
    }
}
