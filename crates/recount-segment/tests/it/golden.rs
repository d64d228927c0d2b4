//! Files of earlier builds still read, and files of later formats are refused by name.
//!
//! `golden/v1.parquet` was written once by this crate from `events::rows(2026, 7, 300)`; `golden/v1.txt` is what it
//! holds. Never write them anew: a change of the format is a new version with a file of its own.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use recount_segment::{ColumnId, ColumnSet, Segment, SegmentError};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name)
}

async fn describe(segment: &Segment) -> String {
    let mut text = format!("{} {:?}\n", segment.tenant(), segment.stats());
    for group in 0..segment.row_groups().len() {
        let columns = segment.columns(group, ColumnSet::ALL, None).await.unwrap();
        let rows: Vec<u32> = columns.rows().collect();
        for (row, line) in segment.lines(group, &rows).await.unwrap().iter().enumerate() {
            for id in ColumnId::ALL {
                let _ = match id {
                    ColumnId::Seq | ColumnId::OccurredAt | ColumnId::ReceivedAt | ColumnId::IdHash => {
                        write!(text, "{}={} ", id.name(), columns.ints(id)[row])
                    }
                    _ => write!(text, "{}={:?} ", id.name(), columns.dict(id).get(row)),
                };
            }
            let _ = writeln!(text, "{}", line.as_str());
        }
    }
    text
}

#[tokio::test]
async fn a_segment_of_format_1_reads_as_it_was_written() {
    if std::env::var_os("RECOUNT_WRITE_GOLDEN").is_some() {
        let bytes = crate::events::encode(&[crate::events::batch(2026, 7, 300)]);
        let segment = crate::events::open(bytes.clone()).await;
        std::fs::write(path("v1.txt"), describe(&segment).await).unwrap();
        std::fs::write(path("v1.parquet"), bytes).unwrap();
    }
    let bytes = Bytes::from(std::fs::read(path("v1.parquet")).unwrap());
    let segment = Segment::open(Arc::new(bytes), "v1.parquet").await.unwrap();
    segment.verify().await.unwrap();
    assert_eq!(describe(&segment).await, std::fs::read_to_string(path("v1.txt")).unwrap());
    let found = segment.find_ids(&["id-9", "id-nowhere"]).await.unwrap();
    assert_eq!(found[0].map(|row| row.seq), Some(9));
    assert_eq!(found[1], None);
}

#[tokio::test]
async fn an_unknown_version_is_refused_by_name() {
    let mut bytes = std::fs::read(path("v1.parquet")).unwrap();
    // The version is the value after its key; seal the change so that only the version is new.
    let find = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).rposition(|part| part == text).unwrap();
    let version = find(&bytes, b"recount.segment.version") + 23 + 2;
    assert_eq!(bytes[version], b'1');
    bytes[version] = b'2';
    let digits = find(&bytes, b"recount.segment.seal") + 20 + 2;
    let start = usize::from_str_radix(std::str::from_utf8(&bytes[digits..digits + 16]).unwrap(), 16).unwrap();
    let stated = bytes[digits..digits + 16].to_vec();
    bytes[digits..digits + 24].fill(b'0');
    let crc = crc32fast::hash(&bytes[start..]);
    bytes[digits..digits + 16].copy_from_slice(&stated);
    bytes[digits + 16..digits + 24].copy_from_slice(format!("{crc:08x}").as_bytes());

    let error = Segment::open(Arc::new(Bytes::from(bytes)), "new.parquet").await.unwrap_err();
    assert!(
        matches!(&error, SegmentError::UnknownVersion { found, known: 1, .. } if found == "2"),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "segment new.parquet has format version 2, this build reads version 1: upgrade recount"
    );
}
