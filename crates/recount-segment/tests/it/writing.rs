//! What goes in comes out, in order, and wrong input is refused.

use bytes::Bytes;
use futures::TryStreamExt;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use recount_event::Timestamp;
use recount_segment::{
    BLOCK_ROWS, ColumnId, ColumnSet, EncodeError, EventBatch, RowGroupColumns, Segment, SegmentOptions,
    SegmentWriter, merge,
};

use crate::events::{batch, encode, open, rows};

/// Every column and line of a segment, as text.
async fn contents(segment: &Segment) -> Vec<String> {
    let mut all = Vec::new();
    for group in 0..segment.row_groups().len() {
        let columns = segment.columns(group, ColumnSet::ALL, None).await.unwrap();
        let rows: Vec<u32> = columns.rows().collect();
        for (row, line) in segment.lines(group, &rows).await.unwrap().iter().enumerate() {
            all.push(describe(&columns, row, line.as_str()));
        }
    }
    all
}

fn describe(columns: &RowGroupColumns, row: usize, line: &str) -> String {
    let mut text = String::new();
    for id in ColumnId::ALL {
        text += &match id {
            ColumnId::Seq | ColumnId::OccurredAt | ColumnId::ReceivedAt | ColumnId::IdHash => {
                format!("{}|", columns.ints(id)[row])
            }
            _ => format!("{:?}|", columns.dict(id).get(row)),
        };
    }
    text + line
}

fn described(batch: &EventBatch) -> Vec<String> {
    (0..batch.len()).map(|row| describe(batch.columns(), row, batch.line(row).as_str())).collect()
}

#[tokio::test]
async fn a_segment_gives_back_what_was_written() {
    for count in [1, 2, 700, BLOCK_ROWS as u64 + 1] {
        let batch = batch(1, 10, count);
        let segment = open(encode(std::slice::from_ref(&batch))).await;
        assert_eq!(segment.tenant(), "acme");
        assert_eq!((segment.stats().first_seq, segment.stats().last_seq), (10, 9 + count));
        assert_eq!(contents(&segment).await, described(&batch));
        segment.verify().await.unwrap();
    }
}

#[tokio::test]
async fn row_groups_end_at_their_limit_and_keep_the_order() {
    let all = rows(2, 0, 140_000);
    let batch = EventBatch::from_rows(&all).unwrap();
    let bytes = encode(std::slice::from_ref(&batch));
    let segment = open(bytes.clone()).await;
    let sizes: Vec<u32> = segment.row_groups().iter().map(|group| group.rows).collect();
    assert_eq!(sizes, [131_072, 140_000 - 131_072]);
    segment.verify().await.unwrap();
    let last = segment.row_groups()[1].rows - 1;
    let line = segment.lines(1, &[last]).await.unwrap().remove(0);
    assert_eq!(line.as_str(), batch.line(139_999).as_str());
}

#[tokio::test]
async fn how_rows_are_cut_into_batches_does_not_matter() {
    let whole = batch(3, 0, 9_000);
    let expected = encode(std::slice::from_ref(&whole));
    for size in [1_000, 4_999, 8_192] {
        let mut writer = SegmentWriter::new(SegmentOptions::FRESH);
        let mut start = 0;
        while start < whole.len() {
            let end = whole.len().min(start + size);
            writer.push(&whole.slice(start..end)).unwrap();
            start = end;
        }
        let segment = open(writer.finish().unwrap().bytes).await;
        assert_eq!(contents(&segment).await, contents(&open(expected.clone()).await).await);
        segment.verify().await.unwrap();
    }
}

#[tokio::test]
async fn merging_segments_equals_writing_all_rows_at_once() {
    let parts: Vec<EventBatch> = [(0, 3_000), (3_000, 1), (3_001, 9_000), (12_001, 500)]
        .map(|(first, count)| batch(first + 9, first, count))
        .into();
    let whole = EventBatch::merge(&parts).unwrap();
    let mut segments = Vec::new();
    for part in &parts {
        segments.push(open(encode(std::slice::from_ref(part))).await);
    }
    let merged: Vec<EventBatch> = merge(segments).try_collect().await.unwrap();
    assert!(merged.iter().all(|batch| batch.len() <= BLOCK_ROWS));
    let rows: Vec<String> = merged.iter().flat_map(described).collect();
    assert_eq!(rows, described(&whole));
    let segment = open(encode(&merged)).await;
    assert_eq!(contents(&segment).await, described(&whole));
    segment.verify().await.unwrap();
}

#[tokio::test]
async fn segments_of_two_tenants_are_not_merged() {
    let ours = batch(10, 0, 5);
    let mut others = rows(11, 5, 5);
    for row in &mut others {
        row.line = row.line.as_str().replacen("\"acme\"", "\"other\"", 1).into();
    }
    let theirs = EventBatch::from_rows(&others).unwrap();
    let segments = vec![
        open(encode(std::slice::from_ref(&ours))).await,
        open(encode(std::slice::from_ref(&theirs))).await,
    ];
    let merged: Result<Vec<EventBatch>, _> = merge(segments).try_collect().await;
    assert!(merged.unwrap_err().to_string().contains("tenant \"other\"'s"));
    assert!(matches!(EventBatch::merge(&[ours, theirs]), Err(EncodeError::MixedTenants { .. })));
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    assert_eq!(encode(&[batch(4, 0, 2_000)]), encode(&[batch(4, 0, 2_000)]));
}

#[test]
fn other_readers_notice_damaged_lines_by_the_crc_of_their_page() {
    let page_error = |bytes: Vec<u8>| {
        let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        let body = reader.metadata().row_group(0).num_columns() - 1;
        let pages = reader.get_row_group(0).unwrap().get_column_page_reader(body).unwrap();
        pages.map(Result::err).last().unwrap()
    };
    let mut bytes = encode(&[batch(1, 0, 500)]).to_vec();
    assert!(page_error(bytes.clone()).is_none());
    let reader = SerializedFileReader::new(Bytes::from(bytes.clone())).unwrap();
    let (start, length) = reader.metadata().row_group(0).columns().last().unwrap().byte_range();
    bytes[(start + length) as usize - 1] ^= 1;
    let error = page_error(bytes).unwrap().to_string();
    assert!(error.contains("CRC"), "{error}");
}

#[test]
fn a_gap_in_the_seqs_is_refused() {
    let mut all = rows(5, 0, 10);
    all.remove(4);
    let mut writer = SegmentWriter::new(SegmentOptions::FRESH);
    writer.push(&EventBatch::from_rows(&all).unwrap()).unwrap();
    let error = writer.finish().unwrap_err();
    assert!(matches!(error, EncodeError::GapInSeq { first_seq: 0, last_seq: 9, rows: 9 }), "{error}");
}

#[test]
fn batches_out_of_order_are_refused() {
    let whole = batch(6, 0, 100);
    let mut writer = SegmentWriter::new(SegmentOptions::FRESH);
    writer.push(&whole.slice(50..100)).unwrap();
    let error = writer.push(&whole.slice(0..50)).unwrap_err();
    assert!(matches!(error, EncodeError::OutOfOrder { .. }), "{error}");
}

#[test]
fn rows_of_two_tenants_are_refused() {
    let mut all = rows(7, 0, 3);
    all[2].line = all[2].line.as_str().replacen("\"acme\"", "\"other\"", 1).into();
    let error = EventBatch::from_rows(&all).unwrap_err();
    assert!(matches!(error, EncodeError::MixedTenants { seq: 2, .. }), "{error}");
}

#[test]
fn a_damaged_line_is_refused_with_its_seq() {
    let mut all = rows(8, 100, 3);
    all[1].line = "{\"id\":\"x\"".into();
    let error = EventBatch::from_rows(&all).unwrap_err();
    assert!(matches!(error, EncodeError::CorruptLine { seq: 101, .. }), "{error}");
}

#[test]
fn nothing_is_no_segment() {
    assert!(matches!(EventBatch::from_rows(&[]), Err(EncodeError::Empty)));
    assert!(matches!(SegmentWriter::new(SegmentOptions::FRESH).finish(), Err(EncodeError::Empty)));
}

#[test]
fn batches_are_sorted_newest_first_and_count_their_memory() {
    let batch = batch(9, 0, 500);
    let places: Vec<(Timestamp, u64)> =
        (0..500).map(|row| (batch.columns().occurred_at(row), batch.columns().seq(row))).collect();
    assert!(places.is_sorted_by(|a, b| a > b));
    let lines: usize = batch.lines().iter().map(|line| line.len()).sum();
    assert!(batch.heap_bytes() > lines);
    assert_eq!(batch.seq_range(), 0..=499);
}
