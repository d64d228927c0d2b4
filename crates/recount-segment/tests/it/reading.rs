//! Reading parts: pages, ids, seq order, bounds, counts.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::Mutex;

use arrow_buffer::BooleanBuffer;
use bytes::Bytes;
use futures::future::BoxFuture;
use recount_event::{Field, Timestamp, read_fields};
use recount_segment::count::{OutcomeCounts, facet, facet_line, histogram, histogram_columns};
use recount_segment::{
    BLOCK_ROWS, Bounds, ColumnId, ColumnSet, Position, ReadAt, ReadAtError, Segment, SegmentError, id_hash,
};

use crate::events::{batch, encode, open, rows};

/// Counts the bytes read.
struct Counting {
    bytes: Bytes,
    read: Mutex<u64>,
}

impl ReadAt for Counting {
    fn read<'a>(&'a self, ranges: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>> {
        *self.read.lock().unwrap() += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        self.bytes.read(ranges)
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

#[tokio::test]
async fn only_pages_that_hold_wanted_rows_are_read() {
    let bytes = encode(&[batch(1, 0, 40_000)]);
    let source = Arc::new(Counting { bytes: bytes.clone(), read: Mutex::new(0) });
    let segment = Segment::open(Arc::<Counting>::clone(&source), "counted").await.unwrap();
    let reset = || *source.read.lock().unwrap() = 0;
    let read = || *source.read.lock().unwrap();

    reset();
    let columns = segment.columns(0, ColumnSet::ORDER, Some(0..50)).await.unwrap();
    assert_eq!(columns.rows(), 0..BLOCK_ROWS as u32);
    let first_page = read();
    reset();
    segment.columns(0, ColumnSet::ORDER, None).await.unwrap();
    assert!(first_page * 4 < read(), "one page of five was {first_page} of {} bytes", read());

    reset();
    let lines = segment.lines(0, &[0, 1, 49]).await.unwrap();
    assert_eq!(lines.len(), 3);
    assert_eq!(read(), segment.line_pages_bytes(0, &[0, 1, 49]));
    assert!(read() < segment.row_groups()[0].line_bytes_compressed / 20);
}

#[tokio::test]
async fn partial_columns_equal_the_same_rows_of_whole_ones() {
    let segment = open(encode(&[batch(2, 0, 20_000)])).await;
    let whole = segment.columns(0, ColumnSet::ALL, None).await.unwrap();
    let part = segment.columns(0, ColumnSet::ALL, Some(9_000..9_001)).await.unwrap();
    assert_eq!(part.rows(), 8_192..16_384);
    for row in 0..part.len() {
        for id in [ColumnId::Actor, ColumnId::Target, ColumnId::Tags, ColumnId::Ip] {
            assert_eq!(part.dict(id).get(row), whole.dict(id).get(row + 8_192));
        }
        assert_eq!(part.ints(ColumnId::IdHash)[row], whole.ints(ColumnId::IdHash)[row + 8_192]);
        assert_eq!(part.seq(row), whole.seq(row + 8_192));
    }
}

#[tokio::test]
async fn events_are_found_by_id_and_only_those() {
    let all = rows(3, 500, 10_000);
    let segment = open(encode(&[batch(3, 500, 10_000)])).await;
    let id_of = |index: usize| read_fields(all[index].line.as_str()).unwrap().id.into_owned();
    let wanted: Vec<String> = vec![id_of(0), "nowhere".to_owned(), id_of(9_999), id_of(4_711), id_of(0)];
    let ids: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let found = segment.find_ids(&ids).await.unwrap();
    let seqs: Vec<Option<u64>> = found.iter().map(|row| row.map(|row| row.seq)).collect();
    assert_eq!(seqs, [Some(500), None, Some(10_499), Some(5_211), Some(500)]);
    let hit = found[3].unwrap();
    let line = segment.lines(hit.address.row_group as usize, &[hit.address.row]).await.unwrap().remove(0);
    assert_eq!(line.as_str(), all[4_711].line.as_str());
    assert_eq!(hit.received_at, all[4_711].received_at);

    let filter = segment.id_filter().await.unwrap();
    assert!((0..10_000).all(|index| filter.may_contain(id_hash(&id_of(index)))));
    let wrong = (0..100_000).filter(|n| filter.may_contain(id_hash(&format!("other-{n}")))).count();
    assert!(wrong < 20, "{wrong} false positives");
}

#[tokio::test]
async fn of_two_events_with_one_id_the_first_one_stored_is_found() {
    let mut all = rows(7, 0, 40);
    for (copy, original) in [(30, 3), (5, 33)] {
        all[copy].line = all[original].line.clone();
    }
    let batch = recount_segment::EventBatch::from_rows(&all).unwrap();
    let segment = open(encode(&[batch])).await;
    for (seq, lowest) in [(30, 3), (33, 5)] {
        let id = read_fields(all[seq].line.as_str()).unwrap().id.into_owned();
        assert_eq!(segment.find_ids(&[&id]).await.unwrap()[0].map(|row| row.seq), Some(lowest));
    }
}

#[tokio::test]
async fn rows_come_in_seq_order_for_the_feed() {
    let segment = open(encode(&[batch(4, 1_000, 30_000)])).await;
    for (range, limit) in
        [(0..u64::MAX, 100), (5_000..5_001, 10), (30_990..40_000, 50), (7_000..9_000, 5_000)]
    {
        let found = segment.rows_in_seq_order(range.clone(), limit).await.unwrap();
        let first = range.start.max(1_000);
        let expected: Vec<u64> = (first..range.end.min(31_000)).take(limit).collect();
        assert_eq!(found.iter().map(|row| row.seq).collect::<Vec<_>>(), expected);
    }
    assert!(segment.rows_in_seq_order(31_000..32_000, 10).await.unwrap().is_empty());
    assert!(segment.rows_in_seq_order(0..1_000, 10).await.unwrap().is_empty());
}

#[test]
fn bounds_select_what_they_say() {
    let batch = batch(5, 0, 2_000);
    let columns = batch.columns();
    let at = |row: usize| Position { occurred_at: columns.occurred_at(row), seq: columns.seq(row) };
    let time = |row: usize| columns.occurred_at(row);
    let cases = [
        Bounds::default(),
        Bounds { from: Some(time(1_500)), to: Some(time(300)), ..Bounds::default() },
        Bounds { older_than: Some(at(700)), ..Bounds::default() },
        Bounds { newer_than: Some(at(700)), ..Bounds::default() },
        Bounds { seq_from: Some(10), seq_below: Some(900), ..Bounds::default() },
        Bounds { from: Some(time(1_999)), older_than: Some(at(0)), seq_below: Some(50), ..Bounds::default() },
        Bounds { to: Some(Timestamp::from_micros(0)), ..Bounds::default() },
    ];
    for bounds in cases {
        let selected = bounds.evaluate(columns);
        for row in 0..batch.len() {
            let place = at(row);
            let expected = bounds.from.is_none_or(|from| place.occurred_at >= from)
                && bounds.to.is_none_or(|to| place.occurred_at < to)
                && bounds.seq_from.is_none_or(|from| place.seq >= from)
                && bounds.seq_below.is_none_or(|below| place.seq < below)
                && bounds.older_than.is_none_or(|other| place < other)
                && bounds.newer_than.is_none_or(|other| place > other);
            assert_eq!(selected.value(row), expected, "{bounds:?} row {row}");
        }
    }
}

#[tokio::test]
async fn histograms_and_facets_equal_counting_lines() {
    let batch = batch(6, 0, 9_000);
    let segment = open(encode(std::slice::from_ref(&batch))).await;
    let columns = segment.columns(0, ColumnSet::ALL.union(histogram_columns()), None).await.unwrap();
    let selected = BooleanBuffer::collect_bool(9_000, |row| row % 3 != 0);
    let start = batch.columns().occurred_at(8_999).as_micros();
    let edges: Vec<Timestamp> = (0..8).map(|n| Timestamp::from_micros(start + n * 6_000_000)).collect();

    let mut counts = vec![OutcomeCounts::default(); 7];
    histogram(&columns, &selected, &edges, &mut counts);
    let mut expected = vec![OutcomeCounts::default(); 7];
    for row in selected.set_indices() {
        let fields = read_fields(batch.line(row).as_str()).unwrap();
        let bucket = edges.iter().rposition(|edge| fields.occurred_at >= *edge);
        let Some(count) = bucket.and_then(|bucket| expected.get_mut(bucket)) else {
            continue;
        };
        match fields.outcome.as_str() {
            "success" => count.success += 1,
            "failure" => count.failure += 1,
            _ => count.denied += 1,
        }
    }
    assert_eq!(counts, expected);

    let fields = [
        Field::Action,
        Field::Outcome,
        Field::Source,
        Field::Actor,
        Field::ActorId,
        Field::ActorType,
        Field::ActorName,
        Field::ActorEmail,
        Field::Target,
        Field::TargetId,
        Field::TargetType,
        Field::TargetName,
        Field::Ip,
        Field::UserAgent,
        Field::Location,
        Field::Tag("team".to_owned()),
    ];
    for field in fields {
        let (mut counts, mut expected) = (HashMap::new(), HashMap::new());
        facet(&columns, &selected, &field, &mut counts);
        for row in selected.set_indices() {
            facet_line(&read_fields(batch.line(row).as_str()).unwrap(), &field, &mut expected);
        }
        assert_eq!(counts, expected, "{field}");
        assert!(!counts.is_empty(), "{field}");
    }
}

#[tokio::test]
async fn a_missing_object_stays_a_missing_object() {
    struct Gone;
    impl ReadAt for Gone {
        fn read<'a>(&'a self, _: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>> {
            Box::pin(async { Err(ReadAtError::NotFound) })
        }
        fn len(&self) -> u64 {
            1_000
        }
    }
    let error = Segment::open(Arc::new(Gone), "gone.parquet").await.unwrap_err();
    assert!(matches!(error, SegmentError::Read { source: ReadAtError::NotFound, .. }), "{error}");
}
