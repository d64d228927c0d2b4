//! Damage anywhere is an error or changes nothing; never other data, never a panic.

use std::sync::Arc;

use bytes::Bytes;
use recount_event::Filter;
use recount_segment::{ColumnId, ColumnSet, Predicate, Segment, SegmentError, id_hash};

use crate::events::{Random, batch, encode};

/// Everything that can be asked of a segment, as one text.
async fn answers(bytes: Bytes) -> Result<String, SegmentError> {
    let segment = Segment::open(Arc::new(bytes), "damaged.parquet").await?;
    let mut all = format!("{:?} {:?} {}\n", segment.stats(), segment.row_groups(), segment.tenant());
    let predicate = Predicate::compile(&Filter::parse("refund nowhere").unwrap());
    let id_filter = segment.id_filter().await?;
    all += &format!("{:?}\n", [1_u64, 2, 3].map(|n| id_filter.may_contain(id_hash(&format!("id-{n}")))));
    for (group, info) in segment.row_groups().iter().enumerate() {
        let columns = segment.columns(group, ColumnSet::ALL, None).await?;
        let rows: Vec<u32> = (0..info.rows).collect();
        let lines = segment.lines(group, &rows).await?;
        for (row, line) in lines.iter().enumerate() {
            for id in ColumnId::ALL {
                all += &match id {
                    ColumnId::Seq | ColumnId::OccurredAt | ColumnId::ReceivedAt | ColumnId::IdHash => {
                        columns.ints(id)[row].to_string()
                    }
                    _ => format!("{:?}", columns.dict(id).get(row)),
                };
            }
            all += line.as_str();
        }
        let blocks = predicate.surviving_blocks(&segment.token_filters(group).await?);
        all += &format!("{:?}\n", blocks.iter().collect::<Vec<_>>());
    }
    all += &format!("{:?}\n", segment.find_ids(&["id-1", "id-2", "nope"]).await?);
    all += &format!("{:?}\n", segment.rows_in_seq_order(0..20, 20).await?);
    Ok(all)
}

fn names_the_segment(error: &SegmentError) -> bool {
    error.to_string().starts_with("segment damaged.parquet ")
}

#[tokio::test]
async fn a_flipped_bit_is_reported_or_changes_nothing() {
    let bytes = encode(&[batch(1, 0, 150)]);
    let sound = answers(bytes.clone()).await.unwrap();
    let mut random = Random(42);
    // Every byte of the file's ends, where structure is dense, and random ones between.
    let end = bytes.len();
    let mut places: Vec<usize> = (0..64).chain(end - 4_000..end).collect();
    places.extend((0..3_000).map(|_| usize::try_from(random.below(end as u64)).unwrap()));
    for place in places {
        let mut damaged = bytes.to_vec();
        damaged[place] ^= 1 << random.below(8);
        match answers(Bytes::from(damaged)).await {
            Ok(answer) => {
                assert!(answer == sound, "byte {place} of {end} changed the answer unnoticed");
                assert!(place < 4, "byte {place} of {end} was read without its checksum");
            }
            Err(error) => assert!(names_the_segment(&error), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_truncated_file_is_reported() {
    let bytes = encode(&[batch(2, 0, 150)]);
    for length in (0..bytes.len()).rev().step_by(37).chain(0..20) {
        let error = answers(bytes.slice(..length)).await.unwrap_err();
        assert!(matches!(error, SegmentError::Corrupt { .. }), "{length}: {error}");
        assert!(names_the_segment(&error), "{error}");
    }
}

#[tokio::test]
async fn overwritten_runs_are_reported() {
    let bytes = encode(&[batch(3, 0, 150)]);
    let sound = answers(bytes.clone()).await.unwrap();
    let mut random = Random(43);
    for _ in 0..1_000 {
        let mut damaged = bytes.to_vec();
        let start = usize::try_from(random.below(bytes.len() as u64 - 8)).unwrap();
        let length = usize::try_from(1 + random.below(64)).unwrap().min(bytes.len() - start);
        for byte in &mut damaged[start..start + length] {
            *byte = random.next().to_le_bytes()[0];
        }
        if let Ok(answer) = answers(Bytes::from(damaged)).await {
            assert!(answer == sound, "{length} bytes from {start} changed the answer unnoticed");
        }
    }
}

#[tokio::test]
async fn damage_names_the_part() {
    let bytes = encode(&[batch(4, 0, 150)]);
    let mut damaged = bytes.to_vec();
    damaged[20] ^= 1;
    let error = answers(Bytes::from(damaged)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "segment damaged.parquet is damaged: column seq of row group 0: Parquet error: page at byte 4 fails its checksum"
    );
}
