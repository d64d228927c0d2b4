//! Damage is named and nothing of it is served, whatever is asked.

use std::path::PathBuf;
use std::time::Duration;

use recount_event::{Field, Filter};
use recount_store::{FacetsQuery, HistogramQuery, ListQuery, ReadError, ScanQuery, testing};

use super::events::Draw;
use super::harness::{Harness, Log};
use crate::support::{Place, on_both_catalogs, tend};

on_both_catalogs! {
    a_damaged_tail_batch_is_named,
    a_missing_segment_is_named_and_never_left_out,
}

async fn sealed_log(harness: &Harness) -> Log {
    let mut draw = Draw::new(61);
    let mut log = harness.log("acme");
    let events: Vec<_> = (0..1_000).map(|n| draw.event(n)).collect();
    log.append(&events).await;
    tend(&harness.store, log.log.tenant()).await;
    log
}

fn segments(harness: &Harness) -> Vec<PathBuf> {
    let folder = harness.place.objects_folder().join("tenants/acme/segments");
    let files = std::fs::read_dir(folder).expect("the tenant's segments");
    files.map(|file| file.expect("a file").path()).collect()
}

/// Asks everything that reads lines; each must fail, naming `object`.
async fn assert_all_corrupt(log: &Log, object: &str) {
    let named = |error: ReadError| match error {
        ReadError::Corrupt { object: found, what } => {
            assert!(found.contains(object), "{found}: {what}");
        }
        other => panic!("{other:?}"),
    };
    let word = Filter::parse("refund").expect("a filter");
    let list = ListQuery { filter: word.clone(), limit: 1_000, ..ListQuery::default() };
    named(log.log.list(&list).await.expect_err("list"));
    let scanned = log.scan(ScanQuery::default()).await;
    named(scanned.expect_err("scan"));
    named(log.log.feed(0, 10_000, Duration::ZERO).await.expect_err("feed"));
    let facets = FacetsQuery { filter: word.clone(), fields: vec![Field::Action], ..FacetsQuery::default() };
    named(log.log.facets(&facets).await.expect_err("facets"));
    let histogram = HistogramQuery { filter: word, ..HistogramQuery::default() };
    named(log.log.histogram(&histogram).await.expect_err("histogram"));
}

async fn a_missing_segment_is_named_and_never_left_out(place: Place) {
    let harness = Harness::at(place, |_| {}).await;
    let log = sealed_log(&harness).await;
    let [segment] = segments(&harness).try_into().expect("one segment");
    std::fs::remove_file(&segment).expect("removed");
    let (harness, log) = harness.reopened(log).await;
    assert_all_corrupt(&log, segment.file_name().expect("a name").to_str().expect("UTF-8")).await;
    assert!(matches!(log.log.get("event-1").await, Err(ReadError::Corrupt { .. })));
    harness.store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_segment_is_named() {
    let harness = Harness::new().await;
    let log = sealed_log(&harness).await;
    let [segment] = segments(&harness).try_into().expect("one segment");
    let bytes = std::fs::read(&segment).expect("read");
    std::fs::write(&segment, &bytes[..bytes.len() / 2]).expect("written");
    let (harness, log) = harness.reopened(log).await;
    assert_all_corrupt(&log, segment.file_name().expect("a name").to_str().expect("UTF-8")).await;
    harness.store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_anywhere_in_a_segment_is_noticed_or_harmless() {
    let mut harness = Harness::new().await;
    let mut log = sealed_log(&harness).await;
    let [segment] = segments(&harness).try_into().expect("one segment");
    let whole = std::fs::read(&segment).expect("read");
    let expected = log.matching(&ScanQuery::default());
    let mut noticed = 0;
    for step in 0..24 {
        let mut bytes = whole.clone();
        let at = step * (bytes.len() - 1) / 23;
        bytes[at] ^= 0x10;
        std::fs::write(&segment, &bytes).expect("written");
        (harness, log) = harness.reopened(log).await;
        match log.scan(ScanQuery::default()).await {
            Err(ReadError::Corrupt { object, .. }) => {
                assert!(object.contains(".parquet"), "{object}");
                noticed += 1;
            }
            Err(other) => panic!("{other:?}"),
            // A part that a scan doesn't read, such as a column or a bloom: the answer is whole.
            Ok(events) => {
                assert_eq!(events.len(), expected.len());
                assert!(events.iter().zip(&expected).all(|(a, b)| a.line == b.line && a.seq == b.seq));
            }
        }
    }
    assert!(noticed > 6, "{noticed}");
    harness.store.shutdown().await;
}

async fn a_damaged_tail_batch_is_named(place: Place) {
    let harness = Harness::at(place, |config| config.seal.fold_batches = 1_000).await;
    let mut draw = Draw::new(62);
    let mut log = harness.log("acme");
    let events: Vec<_> = (0..40).map(|n| draw.event(n)).collect();
    for part in events.chunks(4) {
        log.append(part).await;
    }
    let damage = "UPDATE tail_batches SET body = substr(body, 1, 40) WHERE first_seq = 12";
    assert_eq!(testing::execute(&harness.store, damage).await.expect("damaged"), 1);
    let (harness, log) = harness.reopened(log).await;
    assert_all_corrupt(&log, "12").await;
    harness.store.shutdown().await;
}
