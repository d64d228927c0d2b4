//! A segment of several row groups and many blocks, with times in no order: what small logs
//! don't have, pruning by blocks, merging row groups, the feed over scattered rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use recount_event::{Field, Filter, Timestamp};
use recount_store::testing::FaultPoint;
use recount_store::{FacetsQuery, HistogramQuery, ListQuery, Order, ScanQuery, testing};
use serde_json::{Value, json};

use super::harness::{Harness, Log, assert_same};
use crate::support::tend;

/// More than one row group of 131,072 rows.
const EVENTS: u64 = 140_000;
const BATCH: u64 = 10_000;

/// Event `n`; every 40,000th has a word of its own, and times jump about.
fn event(n: u64) -> Value {
    let jumped = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 10_000_000;
    let at = 1_790_000_000_000_000 + i64::try_from(jumped).expect("small") * 1_000_000;
    let mut event = json!({
        "id": format!("e{n}"),
        "occurred_at": recount_event::Timestamp::from_micros(at).to_string(),
        "action": format!("a{}", n % 7),
        "actor": {"type": "user", "id": format!("u{}", n % 1_000)},
    });
    if n % 40_000 == 17 {
        event["description"] = json!(format!("needle{n} in a haystack"));
    }
    event
}

async fn large_log(harness: &Harness) -> Log {
    let mut log = harness.log("large");
    for start in (0..EVENTS).step_by(usize::try_from(BATCH).expect("small")) {
        let events: Vec<Value> = (start..start + BATCH).map(event).collect();
        log.append(&events).await;
    }
    tend(&harness.store, log.log.tenant()).await;
    let layout = testing::layout(&harness.store, log.log.tenant()).await.expect("a layout");
    assert_eq!((layout.segments.len(), layout.tail.len()), (1, 0), "all of it is one merged segment");
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_shuffled_segment_answers_as_the_naive_log_does() {
    let harness = Harness::with(|config| {
        config.seal.events = 70_000;
        config.compaction.fan_in = 2;
        config.compaction.tier_rows = vec![100_000];
        config.compaction.rows_max = 1_000_000;
    })
    .await;
    let log = large_log(&harness).await;
    let filters = ["haystack", "needle80017", "nowhere", "actor:u77", "needle*", "-action:a0 \"in a hay\""];
    for text in filters {
        let filter = Filter::parse(text).expect("a filter");
        let mut expected = log.matching(&ScanQuery { filter: filter.clone(), ..ScanQuery::default() });
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let query = ScanQuery { filter: filter.clone(), order, ..ScanQuery::default() };
            assert_eq!(expected.is_empty(), text == "nowhere");
            let list = ListQuery { filter: filter.clone(), order, limit: 50, ..ListQuery::default() };
            let page = log.log.list(&list).await.expect("listed");
            assert_same(&page.events, &expected[..expected.len().min(50)], &filter);
            assert_same(&log.scan(query).await.expect("scanned"), &expected, &filter);
            expected.reverse();
        }
    }

    let everything = log.matching(&ScanQuery::default());
    let scanned = log.scan(ScanQuery::default()).await.expect("scanned");
    assert_same(&scanned, &everything, &Filter::default());

    let fields = vec![Field::Action, Field::Description];
    let facets = FacetsQuery { fields, limit: 3, ..FacetsQuery::default() };
    let facets = log.log.facets(&facets).await.expect("counted");
    assert_eq!(facets.fields[0].values[0].count, EVENTS / 7);
    assert_eq!((facets.fields[1].values.len(), facets.fields[1].other_values), (3, 1));
    let histogram = log.log.histogram(&HistogramQuery::default()).await.expect("counted");
    assert_eq!(histogram.events, EVENTS);

    let mut from = 0;
    while from < EVENTS {
        let page = log.log.feed(from, 10_000, Duration::ZERO).await.expect("fed");
        for (event, expected) in page.events.iter().zip(&log.naive[usize::try_from(from).expect("small")..]) {
            assert_eq!((event.seq, &event.line), (expected.seq, &expected.line));
        }
        assert!(page.next > from);
        from = page.next;
    }
    for n in [0, 131_071, 131_072, EVENTS - 1] {
        let found = log.log.get(&format!("e{n}")).await.expect("read").expect("there");
        assert_eq!(found.seq, n);
    }

    what_is_looked_at_is_little(&harness, &log).await;
}

/// Statistics, page by page, keep what a question looks at to what its answer needs.
async fn what_is_looked_at_is_little(harness: &Harness, log: &Log) {
    let filter = |text: &str| Filter::parse(text).expect("a filter");
    let list = |text: &str, bytes| ListQuery {
        filter: filter(text),
        limit: 50,
        max_scan_bytes: Some(bytes),
        ..ListQuery::default()
    };
    let block = 8_192 * 24;
    log.log
        .list(&list("", block + 50_000))
        .await
        .expect("the first block of a group places the newest events");
    log.log
        .list(&list("action:a3", EVENTS + 2 * block + 50_000))
        .await
        .expect("one byte a row tells the action");
    log.log
        .list(&list("action:nothing", EVENTS + 1_000))
        .await
        .expect("a dictionary tells that there is none");
    // An hour of some months: one or two blocks of each row group.
    let mut hour = list("action:a3", 2 * block + 50_000);
    hour.from = Some(Timestamp::from_micros(1_790_000_000_000_000 + 5_000_000_000_000));
    hour.to = hour.from.map(|from| Timestamp::from_micros(from.as_micros() + 3_600_000_000));
    hour.limit = 1;
    log.log.list(&hour).await.expect("page statistics tell where the hour is");
    let facets = FacetsQuery {
        fields: vec![Field::Action],
        max_scan_bytes: Some(EVENTS + 1_000),
        ..FacetsQuery::default()
    };
    assert!(log.log.facets(&facets).await.expect("counted").exact, "counts need no order");

    // An event that was asked for lately costs no read at all.
    let (_, objects) = testing::faults(&harness.store);
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    objects.follow(move |point| {
        counted.fetch_add(usize::from(point == FaultPoint::Get), Ordering::Relaxed);
        None
    });
    let first = log.log.get("e70001").await.expect("read").expect("there");
    let cold = reads.swap(0, Ordering::Relaxed);
    assert_eq!(log.log.get("e70001").await.expect("read").expect("there"), first);
    assert_eq!(reads.load(Ordering::Relaxed), 0, "of {cold} at first");
    objects.clear();
}
