//! Histograms and facets equal the counts over every line.

use std::collections::{BTreeMap, BTreeSet};

use recount_event::{Field, Filter, Outcome, Timestamp, read_fields};
use recount_store::{FacetsQuery, HistogramQuery, ReadError, ScanQuery};
use serde_json::Value;

use super::events::Draw;
use super::harness::{Harness, Log, Naive};
use super::lists::shaped_log;
use crate::support::{Place, on_both_catalogs, tend};

/// The field's values in one event, each once, read with another parser than the store's.
fn values(field: &Field, line: &str) -> BTreeSet<String> {
    let event: Value = serde_json::from_str(line).expect("JSON");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let at = |pointer: &str| event.pointer(pointer).and_then(text).into_iter().collect::<BTreeSet<_>>();
    let each = |list: &str, value: &dyn Fn(&Value) -> Option<String>| -> BTreeSet<String> {
        event[list].as_array().into_iter().flatten().filter_map(value).collect()
    };
    let reference = |entity: &Value| Some(format!("{}/{}", entity["type"].as_str()?, entity["id"].as_str()?));
    match field {
        Field::Id => at("/id"),
        Field::Action => at("/action"),
        Field::Outcome => [text(&event["outcome"]).unwrap_or("success".into())].into(),
        Field::Source => at("/source"),
        Field::Actor => reference(&event["actor"]).into_iter().collect(),
        Field::ActorId => at("/actor/id"),
        Field::ActorType => at("/actor/type"),
        Field::ActorName => at("/actor/name"),
        Field::ActorEmail => at("/actor/email"),
        Field::Target => each("targets", &reference),
        Field::TargetId => each("targets", &|target| text(&target["id"])),
        Field::TargetType => each("targets", &|target| text(&target["type"])),
        Field::TargetName => each("targets", &|target| text(&target["name"])),
        Field::Ip => at("/context/ip"),
        Field::UserAgent => at("/context/user_agent"),
        Field::Location => at("/context/location"),
        Field::SessionId => at("/context/session_id"),
        Field::RequestId => at("/context/request_id"),
        Field::Description => at("/description"),
        Field::Reason => at("/reason"),
        Field::Change => each("changes", &|change| text(&change["field"])),
        Field::Tag(name) => at(&format!("/tags/{name}")),
        Field::Metadata(path) => {
            let value = event.pointer(&format!("/metadata/{}", path.replace('.', "/")));
            let elements =
                value.map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
            let scalars = elements.into_iter().flatten().filter(|value| !value.is_object());
            scalars.map(|value| text(value).unwrap_or_else(|| value.to_string())).collect()
        }
    }
}

fn naive_facet(events: &[Naive], field: &Field) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for event in events {
        for value in values(field, &event.line) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

fn bounds(draw: &mut Draw) -> ScanQuery {
    ScanQuery {
        filter: draw.filter(),
        from: draw.chance(0.4).then(|| Timestamp::from_micros(draw.time_micros())),
        to: draw.chance(0.4).then(|| Timestamp::from_micros(draw.time_micros())),
        ..ScanQuery::default()
    }
}

async fn check_facets(log: &Log, draw: &mut Draw, query: &ScanQuery) {
    let fields: Vec<Field> = (0..1 + draw.below(4)).map(|_| draw.field()).collect();
    let limit = 1 + draw.below(8);
    let facets = log
        .log
        .facets(&FacetsQuery {
            filter: query.filter.clone(),
            from: query.from,
            to: query.to,
            fields: fields.clone(),
            limit,
            pin: query.pin,
            max_scan_bytes: None,
        })
        .await
        .expect("counted");
    let matching = log.matching(query);
    assert!(facets.exact && facets.covered_from.is_none());
    assert_eq!(facets.events, matching.len() as u64);
    for (field, counted) in fields.iter().zip(&facets.fields) {
        let naive = naive_facet(&matching, field);
        let found: Vec<(String, u64)> = counted.values.iter().map(|v| (v.value.clone(), v.count)).collect();
        assert_eq!(found, naive[..naive.len().min(limit)], "{field} of {}", query.filter);
        assert_eq!(counted.other_values, naive.len().saturating_sub(limit) as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_of_the_language_is_counted() {
    let harness = Harness::new().await;
    let mut draw = Draw::new(1_100);
    let log = shaped_log(&harness, &mut draw, 800).await;
    let mut fields: Vec<Field> = Vec::new();
    while fields.len() < 27 {
        let field = draw.field();
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    for field in fields {
        let query = FacetsQuery { fields: vec![field.clone()], limit: 1_000, ..FacetsQuery::default() };
        let facets = log.log.facets(&query).await.expect("counted");
        let counted = &facets.fields[0].values;
        let found: Vec<(String, u64)> = counted.iter().map(|v| (v.value.clone(), v.count)).collect();
        let naive = naive_facet(&log.naive, &field);
        assert_eq!(found, naive[..naive.len().min(1_000)], "{field}");
        let absent = matches!(&field, Field::Metadata(path) if path == "missing" || path == "nested");
        assert_eq!(naive.is_empty(), absent, "{field} is in some events");
    }
}

async fn check_histogram(log: &Log, draw: &mut Draw, query: &ScanQuery) {
    let interval_micros = [None, Some(60_000_000), Some(3_600_000_000)][draw.below(3)];
    let asked = HistogramQuery {
        filter: query.filter.clone(),
        from: query.from,
        to: query.to,
        interval_micros: interval_micros.filter(|interval| *interval > 60_000_000 || draw.chance(0.1)),
        pin: query.pin,
        ..HistogramQuery::default()
    };
    let histogram = match log.log.histogram(&asked).await {
        Err(ReadError::TooExpensive { .. }) if asked.interval_micros == Some(60_000_000) => return,
        histogram => histogram.expect("counted"),
    };
    let matching = log.matching(query);
    assert!(histogram.exact);
    assert_eq!(histogram.events, matching.len() as u64, "{}", query.filter);
    for pair in histogram.buckets.windows(2) {
        assert_eq!(pair[1].start.as_micros() - pair[0].start.as_micros(), histogram.interval_micros);
    }
    for bucket in &histogram.buckets {
        let start = bucket.start.as_micros();
        let within = start..start + histogram.interval_micros;
        let count = |outcome: Outcome| {
            let events = matching.iter().filter(|event| within.contains(&event.occurred_at.as_micros()));
            events.filter(|event| read_fields(&event.line).expect("normal").outcome == outcome).count() as u64
        };
        assert_eq!(bucket.success, count(Outcome::Success));
        assert_eq!(bucket.failure, count(Outcome::Failure));
        assert_eq!(bucket.denied, count(Outcome::Denied));
    }
}

async fn check_counts(place: Place, seed: u64) {
    let harness = Harness::at(place, |_| {}).await;
    let mut draw = Draw::new(seed);
    let log = shaped_log(&harness, &mut draw, 1_000).await;
    for _ in 0..150 {
        let mut query = bounds(&mut draw);
        query.pin = draw.chance(0.2).then(|| draw.below(log.naive.len()) as u64);
        check_facets(&log, &mut draw, &query).await;
        check_histogram(&log, &mut draw, &query).await;
    }
}

on_both_catalogs! { counts_equal_the_naive_ones_for_random_filters }

async fn counts_equal_the_naive_ones_for_random_filters(place: Place) {
    check_counts(place, 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_equal_the_naive_ones_for_random_filters_over_random_logs() {
    for seed in 1_001..1_003 {
        check_counts(Place::sqlite(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_bound_the_newest_part_is_counted_exactly_and_said_to_be_that() {
    let harness = Harness::new().await;
    let mut draw = Draw::new(31);
    let mut log = harness.log("acme");
    // Segments that follow each other in time, as they do when events come as they happen.
    let hour = 3_600_000_000;
    let mut events: Vec<Value> = (0..2_000).map(|n| draw.event(n)).collect();
    events.sort_by_key(|event| event["occurred_at"].to_string());
    for (index, event) in events.iter_mut().enumerate() {
        let at = Timestamp::from_micros(1_790_000_000_000_000 + index as i64 * hour / 10);
        event["occurred_at"] = at.to_string().into();
        event["id"] = format!("event-{index}").into();
    }
    for part in events.chunks(250) {
        log.append(part).await;
        tend(&harness.store, log.log.tenant()).await;
    }
    let filter = Filter::parse("metadata.plan:pro").expect("a filter");
    let fields = vec![Field::Action];
    let full = FacetsQuery { filter: filter.clone(), fields, limit: 100, ..FacetsQuery::default() };
    let mut inexact = 0;
    for bytes in (20_000..3_000_000).step_by(60_000) {
        let query = FacetsQuery { max_scan_bytes: Some(bytes), ..full.clone() };
        let facets = match log.log.facets(&query).await {
            Err(ReadError::TooExpensive { .. }) => continue,
            facets => facets.expect("counted"),
        };
        assert_eq!(facets.exact, facets.covered_from.is_none());
        inexact += usize::from(!facets.exact);
        let from = facets.covered_from;
        let matching = log.matching(&ScanQuery { filter: filter.clone(), from, ..ScanQuery::default() });
        assert_eq!(facets.events, matching.len() as u64);
        let found: Vec<(String, u64)> =
            facets.fields[0].values.iter().map(|v| (v.value.clone(), v.count)).collect();
        assert_eq!(found, naive_facet(&matching, &Field::Action));

        let query = HistogramQuery {
            filter: filter.clone(),
            max_scan_bytes: Some(bytes),
            ..HistogramQuery::default()
        };
        if let Ok(histogram) = log.log.histogram(&query).await {
            let from = histogram.covered_from;
            let matching = log.matching(&ScanQuery { filter: filter.clone(), from, ..ScanQuery::default() });
            assert_eq!(histogram.events, matching.len() as u64);
        }
    }
    assert!(inexact > 3, "some bound lies between nothing and everything: {inexact}");
    assert!(log.log.facets(&full).await.expect("counted").exact);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_are_not_served_say_what_is() {
    let harness = Harness::new().await;
    let mut draw = Draw::new(2);
    let log = shaped_log(&harness, &mut draw, 50).await;
    let none = log.log.facets(&FacetsQuery::default()).await;
    assert!(matches!(none, Err(ReadError::Invalid { .. })), "{none:?}");
    let many = FacetsQuery { fields: vec![Field::Action; 6], ..FacetsQuery::default() };
    let many = log.log.facets(&many).await;
    assert!(matches!(many, Err(ReadError::Invalid { .. })), "{many:?}");
    for interval in [0, -5, 1_500_000] {
        let query = HistogramQuery { interval_micros: Some(interval), ..HistogramQuery::default() };
        let refused = log.log.histogram(&query).await;
        assert!(matches!(refused, Err(ReadError::Invalid { .. })), "{refused:?}");
    }
    let query = HistogramQuery { interval_micros: Some(1_000_000), ..HistogramQuery::default() };
    let refused = log.log.histogram(&query).await;
    assert!(matches!(refused, Err(ReadError::TooExpensive { .. })), "{refused:?}");
}
