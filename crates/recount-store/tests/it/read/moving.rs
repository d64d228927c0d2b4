//! Readers on a log whose parts move: seals, merges and collection happen between and during reads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use recount_event::{Filter, Timestamp};
use recount_store::{ListQuery, Order, ReadError, ScanQuery, testing};
use serde_json::Value;

use super::events::Draw;
use super::harness::{Harness, assert_same};
use crate::support::{Place, on_both_catalogs, tend};

/// Most rewrites of the whole log under reads that are to meet them.
const ROUNDS_MAX: usize = 300;

on_both_catalogs! {
    lists_are_whole_while_seals_merges_and_collection_run_beside_them,
    a_long_scan_has_every_event_once_while_the_log_is_reorganised,
    a_long_scan_from_the_oldest_has_every_event_once_while_the_log_is_reorganised,
    a_long_filtered_scan_has_every_event_once_while_the_log_is_reorganised,
    a_scan_that_pauses_while_the_tail_is_folded_and_sealed_goes_on,
    a_list_that_starts_anew_has_its_whole_allowance,
    exports_have_every_event_once_while_ingest_and_maintenance_run_beside_them,
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

async fn a_long_scan_from_the_oldest_has_every_event_once_while_the_log_is_reorganised(place: Place) {
    scan_while_moving(place, Order::OldestFirst, "").await;
}

async fn a_long_filtered_scan_has_every_event_once_while_the_log_is_reorganised(place: Place) {
    scan_while_moving(place, Order::NewestFirst, "-outcome:denied -zzz").await;
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

/// Random events numbered from `first` on that follow each other in time.
fn in_time(draw: &mut Draw, first: usize, count: usize) -> Vec<Value> {
    let event = |n: usize| {
        let mut event = draw.event(n);
        event["occurred_at"] = time_of(n).to_string().into();
        event
    };
    (first..first + count).map(event).collect()
}

/// When the event of this number occurred.
fn time_of(number: usize) -> Timestamp {
    let second = 1_790_000_000 + i64::try_from(number).expect("small");
    Timestamp::from_micros(second * 1_000_000)
}

/// A row of the tail that is folded keeps its first seq and holds more: that is no damage.
async fn a_scan_that_pauses_while_the_tail_is_folded_and_sealed_goes_on(place: Place) {
    let harness = Harness::at(place, |config| {
        config.seal.events = 8_000;
        config.seal.fold_batches = 4;
        config.read_ahead_bytes = 1;
        config.column_cache_bytes = 0;
    })
    .await;
    let mut draw = Draw::new(43);
    let mut log = harness.log("acme");
    // The first sixteen rows are read as one run. The next ones keep the scan from reading ahead as
    // far as the small rows at the end, which will be folded.
    let sizes = [[300; 16].as_slice(), &[260; 11], &[50; 4]].concat();
    let mut number = 0;
    for size in sizes {
        log.append(&in_time(&mut draw, number, size)).await;
        number += size;
    }
    let query = ScanQuery { order: Order::OldestFirst, ..ScanQuery::default() };
    let expected = log.matching(&query);
    let mut scan = Box::pin(log.log.clone().scan(query));
    let mut events = scan.next().await.expect("events").expect("read");
    tend(&harness.store, log.log.tenant()).await;
    let layout = testing::layout(&harness.store, log.log.tenant()).await.expect("a layout");
    assert_eq!((layout.tail.len(), layout.segments.len()), (28, 0), "folded, not sealed");
    while events.len() < expected.len() - 100 {
        events.extend(scan.next().await.expect("events").expect("read"));
    }
    // With more processors a scan reads further ahead, and may have read these rows before.
    let few = std::thread::available_parallelism().is_ok_and(|processors| processors.get() <= 2);
    assert!(testing::replans(&harness.store) == 1 || !few, "the folded rows were met");
    while let Some(chunk) = scan.next().await {
        events.extend(chunk.expect("read"));
    }
    assert_same(&events, &expected, &Filter::default());

    let mut scan =
        Box::pin(log.log.clone().scan(ScanQuery { pin: Some(number as u64), ..ScanQuery::default() }));
    let mut newest_first = scan.next().await.expect("events").expect("read");
    log.append(&in_time(&mut draw, number, 400)).await;
    harness.reorganise_at_once(&log).await;
    let layout = testing::layout(&harness.store, log.log.tenant()).await.expect("a layout");
    assert_eq!(layout.segments.len(), 1, "sealed");
    while let Some(chunk) = scan.next().await {
        newest_first.extend(chunk.expect("read"));
    }
    newest_first.reverse();
    assert_same(&newest_first, &expected, &Filter::default());
}

/// What a list examined before a part of its plan was gone is not held against the next plan.
async fn a_list_that_starts_anew_has_its_whole_allowance(place: Place) {
    let harness = restless(place).await;
    let mut draw = Draw::new(44);
    let mut log = harness.log("acme");
    log.append(&in_time(&mut draw, 0, 4_000)).await;
    log.append(&in_time(&mut draw, 4_000, 100)).await;
    harness.reorganise_at_once(&log).await;
    let filter = Filter::parse("\"owher\"").expect("a filter");
    // However many events come meanwhile, they are later: the answer costs what it cost.
    let bounded = move |bytes| ListQuery {
        filter: filter.clone(),
        to: Some(time_of(4_000)),
        pin: Some(4_000),
        max_scan_bytes: Some(bytes),
        ..ListQuery::default()
    };
    // What the answer costs while nothing moves.
    let (mut too_few, mut enough) = (0, 1 << 30);
    while too_few + 1_000 < enough {
        let bytes = u64::midpoint(too_few, enough);
        match log.log.list(&bounded(bytes)).await {
            Ok(_) => enough = bytes,
            Err(ReadError::TooExpensive { .. }) => too_few = bytes,
            Err(error) => panic!("{error}"),
        }
    }
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (log, done, query) = (log.log.clone(), done.clone(), bounded(enough * 11 / 10));
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    assert!(log.list(&query).await.expect("listed").events.is_empty());
                }
            })
        })
        .collect();
    for _ in 0..ROUNDS_MAX {
        log.append(&in_time(&mut draw, log.naive.len(), 100)).await;
        harness.reorganise_at_once(&log).await;
        if testing::replans(&harness.store) >= 6 {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.expect("listed");
    }
    assert!(testing::replans(&harness.store) >= 3, "parts of the log went away under the lists");
}

async fn exports_have_every_event_once_while_ingest_and_maintenance_run_beside_them(place: Place) {
    let harness = Arc::new(restless(place).await);
    let mut draw = Draw::new(45);
    let mut log = harness.log("acme");
    for part in 0..10 {
        let events: Vec<_> = (part * 600..part * 600 + 600).map(|n| draw.event(n)).collect();
        log.append(&events).await;
    }
    tend(&harness.store, log.log.tenant()).await;
    let pin = log.naive.len() as u64;
    let done = Arc::new(AtomicBool::new(false));
    let exports: Vec<_> = [Order::NewestFirst, Order::OldestFirst]
        .into_iter()
        .map(|order| {
            let query = ScanQuery { order, pin: Some(pin), ..ScanQuery::default() };
            let expected = log.matching(&query);
            let (log, done) = (log.log.clone(), done.clone());
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    let scanned: Vec<_> =
                        log.scan(query.clone()).map(|chunk| chunk.expect("read")).concat().await;
                    assert_same(&scanned, &expected, &Filter::default());
                }
            })
        })
        .collect();
    let mut segments = BTreeSet::new();
    let mut rounds = 0;
    // Until the exports have met parts that were gone; a bound, so that a failure ends.
    while testing::replans(&harness.store) < 2 && rounds < ROUNDS_MAX {
        log.append(&in_time(&mut draw, log.naive.len(), 150)).await;
        harness.reorganise_at_once(&log).await;
        let layout = testing::layout(&harness.store, log.log.tenant()).await.expect("a layout");
        assert_eq!((layout.segments.len(), layout.tail.len()), (1, 0), "sealed and merged");
        segments.extend(layout.segments.into_iter().map(|(_, _, object)| object));
        rounds += 1;
    }
    done.store(true, Ordering::Relaxed);
    for export in exports {
        export.await.expect("exported");
    }
    assert_eq!(segments.len(), rounds, "each round rewrote the whole log");
    assert!(testing::replans(&harness.store) >= 2, "exports met parts that were gone");
    let all = ScanQuery::default();
    assert_same(&log.scan(all.clone()).await.expect("scanned"), &log.matching(&all), &Filter::default());
}
