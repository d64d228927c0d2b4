//! The body of a row of the tail: some hundred events in a few kilobytes.
//!
//! All integers little-endian (`docs/formats/tail-batch.md`):
//!
//! ```text
//! 0   1   version: 1, or 2 if there may be several frames
//! 1   4   CRC-32 of everything that follows
//! 5   4   number of events
//! 9   8   bytes of the text before compression
//! 17  4   number of runs
//! 21  12n runs: number of events (4), their received_at in microseconds (8)
//!     …   zstd frames, one after the other: each event's line followed by a line feed
//! ```
//!
//! A commit writes one run and one frame; folding joins the runs of the rows that it replaces, and their frames as
//! they are if compressing them anew would gain little.

use std::cell::RefCell;

use bytes::Bytes;
use recount_event::Timestamp;
use recount_segment::{Line, Row};

mod encode;

pub(crate) use encode::{Encoder, Packed, join};

/// One frame.
const VERSION_1: u8 = 1;
/// One frame or several.
const VERSION_2: u8 = 2;
const FIXED_BYTES: usize = 21;
const RUN_BYTES: usize = 12;
/// No row holds more text, so that a damaged length can't exhaust the memory.
pub(crate) const TEXT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Adjacent events that were received in one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) events: u32,
    pub(crate) received_at: Timestamp,
}

/// The runs of `rows`, which are in seq order.
pub(crate) fn runs(rows: &[Row]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(run) if run.received_at == row.received_at => run.events += 1,
            _ => runs.push(Run { events: 1, received_at: row.received_at }),
        }
    }
    runs
}

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CorruptBatch {
    #[error("it ends after {0} bytes")]
    Truncated(usize),
    #[error("its format version is {0}, this binary knows 1 and 2")]
    UnknownVersion(u8),
    #[error("its checksum is wrong")]
    Checksum,
    #[error("it holds {found} events, its row says {expected}")]
    Count { expected: u64, found: u64 },
    #[error("its text can't be read: {0}")]
    Text(String),
}

/// A body whose checksum is right, and not decompressed yet.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) events: u32,
    text_bytes: u64,
    runs: Vec<Run>,
    frames: &'a [u8],
}

/// Checks a body as far as that goes without decompressing it.
///
/// # Errors
/// [`CorruptBatch`] if a single bit is not as it was written.
pub(crate) fn open(body: &[u8]) -> Result<Opened<'_>, CorruptBatch> {
    let version = *body.first().ok_or(CorruptBatch::Truncated(0))?;
    if !matches!(version, VERSION_1 | VERSION_2) {
        return Err(CorruptBatch::UnknownVersion(version));
    }
    if body.len() < FIXED_BYTES {
        return Err(CorruptBatch::Truncated(body.len()));
    }
    if crc32fast::hash(&body[5..]) != u32_at(body, 1) {
        return Err(CorruptBatch::Checksum);
    }
    let (events, text_bytes, run_count) = (u32_at(body, 5), i64_at(body, 9), u32_at(body, 17) as usize);
    let head = FIXED_BYTES + RUN_BYTES * run_count;
    if body.len() < head {
        return Err(CorruptBatch::Truncated(body.len()));
    }
    let runs: Vec<Run> = body[FIXED_BYTES..head]
        .chunks_exact(RUN_BYTES)
        .map(|run| Run { events: u32_at(run, 0), received_at: Timestamp::from_micros(i64_at(run, 4)) })
        .collect();
    let (expected, found) = (u64::from(events), runs.iter().map(|run| u64::from(run.events)).sum());
    if expected != found {
        return Err(CorruptBatch::Count { expected, found });
    }
    Ok(Opened { events, text_bytes: text_bytes.cast_unsigned(), runs, frames: &body[head..] })
}

thread_local! {
    /// zstd's work space: making it takes longer than decompressing a small row does.
    static DECOMPRESSOR: RefCell<zstd::bulk::Decompressor<'static>> = RefCell::default();
}

/// A body taken apart. The rows share the decompressed text.
#[derive(Debug, Clone)]
pub(crate) struct DecodedBatch {
    pub(crate) rows: Vec<Row>,
}

/// Decodes the body of the row at `first_seq`, checking everything. CPU: about 1 µs an event.
///
/// # Errors
/// [`CorruptBatch`] if a single bit is not as it was written.
pub(crate) fn decode(first_seq: u64, body: &[u8]) -> Result<DecodedBatch, CorruptBatch> {
    let Opened { events, text_bytes, runs, frames } = open(body)?;
    let text = decompress(frames, text_bytes)?;
    let rows = split(first_seq, &text, &runs)?;
    if rows.len() != events as usize {
        return Err(CorruptBatch::Count { expected: u64::from(events), found: rows.len() as u64 });
    }
    Ok(DecodedBatch { rows })
}

fn decompress(frames: &[u8], text_bytes: u64) -> Result<Bytes, CorruptBatch> {
    if text_bytes > TEXT_BYTES_MAX {
        return Err(CorruptBatch::Text(format!("{text_bytes} bytes is above the limit")));
    }
    let capacity = usize::try_from(text_bytes).map_err(|error| CorruptBatch::Text(error.to_string()))?;
    let text = DECOMPRESSOR
        .with_borrow_mut(|zstd| zstd.decompress(frames, capacity))
        .map_err(|error| CorruptBatch::Text(error.to_string()))?;
    if text.len() != capacity {
        return Err(CorruptBatch::Text(format!("{} bytes instead of {capacity}", text.len())));
    }
    Ok(Bytes::from(text))
}

fn split(first_seq: u64, text: &Bytes, runs: &[Run]) -> Result<Vec<Row>, CorruptBatch> {
    let mut received = runs.iter().flat_map(|run| std::iter::repeat_n(run.received_at, run.events as usize));
    let mut rows = Vec::with_capacity(runs.iter().map(|run| run.events as usize).sum());
    let mut start = 0;
    while start < text.len() {
        let len = memchr::memchr(b'\n', &text[start..])
            .ok_or_else(|| CorruptBatch::Text("the last line has no end".to_owned()))?;
        let line = Line::try_from(text.slice(start..start + len))
            .map_err(|error| CorruptBatch::Text(error.to_string()))?;
        let found = rows.len() as u64;
        let received_at = received.next().ok_or(CorruptBatch::Count { expected: found, found: found + 1 })?;
        rows.push(Row { seq: first_seq + found, received_at, line });
        start += len + 1;
    }
    if received.next().is_some() {
        let expected = runs.iter().map(|run| u64::from(run.events)).sum();
        return Err(CorruptBatch::Count { expected, found: rows.len() as u64 });
    }
    Ok(rows)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_and_runs() -> impl Strategy<Value = Vec<(i64, Vec<String>)>> {
        let line = "[^\n]{0,60}";
        prop::collection::vec((0_i64..1 << 50, prop::collection::vec(line, 1..20)), 1..6)
    }

    fn body(parts: &[(i64, Vec<String>)]) -> Vec<u8> {
        let runs: Vec<Run> = parts
            .iter()
            .map(|(at, lines)| Run {
                events: u32::try_from(lines.len()).expect("few"),
                received_at: Timestamp::from_micros(*at),
            })
            .collect();
        let lines = parts.iter().flat_map(|(_, lines)| lines.iter().map(String::as_str));
        Encoder::new().expect("zstd").encode(lines, &runs).expect("encodes")
    }

    fn seen(rows: &[Row]) -> Vec<(u64, i64, String)> {
        rows.iter().map(|row| (row.seq, row.received_at.as_micros(), row.line.as_str().to_owned())).collect()
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(parts in lines_and_runs(), first_seq in 0_u64..1 << 40) {
            let decoded = decode(first_seq, &body(&parts)).expect("whole");
            let expected: Vec<(u64, i64, String)> = parts
                .iter()
                .flat_map(|(at, lines)| lines.iter().map(move |line| (*at, line.clone())))
                .zip(first_seq..)
                .map(|((at, line), seq)| (seq, at, line))
                .collect();
            prop_assert_eq!(seen(&decoded.rows), expected);
        }

        #[test]
        fn what_was_joined_is_decoded(rows in prop::collection::vec(lines_and_runs(), 1..5)) {
            let bodies: Vec<Vec<u8>> = rows.iter().map(|parts| body(parts)).collect();
            let opened: Vec<Opened<'_>> = bodies.iter().map(|body| open(body).expect("whole")).collect();
            let joined = join(&opened).expect("few");
            // A joined body may be joined again.
            let twice = join(&[open(&joined).expect("whole"), open(&bodies[0]).expect("whole")]).expect("few");
            let expected = decode(7, &body(&rows.concat())).expect("whole").rows;
            prop_assert_eq!(seen(&decode(7, &joined).expect("whole").rows), seen(&expected));
            let first = decode(7 + expected.len() as u64, &bodies[0]).expect("whole").rows;
            prop_assert_eq!(seen(&decode(7, &twice).expect("whole").rows), seen(&[expected, first].concat()));
        }

        #[test]
        fn any_flipped_bit_or_cut_is_noticed(
            parts in lines_and_runs(), at in any::<prop::sample::Index>(), bit in 0_u8..8, twice: bool,
        ) {
            let once = body(&parts);
            let whole = if twice {
                join(&[open(&once).expect("whole"), open(&once).expect("whole")]).expect("few")
            } else {
                once
            };
            let at = at.index(whole.len());
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(decode(0, &flipped).is_err());
            prop_assert!(decode(0, &whole[..at]).is_err());
        }
    }

    /// Version 2: the frames of two bodies in one, neither compressed anew.
    #[test]
    fn version_2_is_frozen() {
        let parts =
            [(1_000_000, vec![r#"{"id":"a"}"#.to_owned()]), (2_000_000, vec![r#"{"id":"b"}"#.to_owned()])];
        let bodies: Vec<Vec<u8>> = parts.iter().map(|part| body(std::slice::from_ref(part))).collect();
        let opened: Vec<Opened<'_>> = bodies.iter().map(|body| open(body).expect("whole")).collect();
        let joined = join(&opened).expect("few");
        let head = FIXED_BYTES + 2 * RUN_BYTES;
        assert_eq!(joined[0], 2);
        assert_eq!(
            hex::encode(&joined[5..head]),
            "02000000160000000000000002000000\
             0100000040420f0000000000\
             0100000080841e0000000000"
        );
        let frames = |body: &[u8]| body[FIXED_BYTES + RUN_BYTES..].to_vec();
        assert_eq!(joined[head..], [frames(&bodies[0]), frames(&bodies[1])].concat());
    }

    /// Version 1 as first released: a body written then must decode for ever.
    #[test]
    fn version_1_is_frozen() {
        let runs = [
            Run { events: 2, received_at: Timestamp::from_micros(1_000_000) },
            Run { events: 1, received_at: Timestamp::from_micros(2_000_000) },
        ];
        let lines = [r#"{"id":"a"}"#, r#"{"id":"b"}"#, r#"{"id":"c"}"#];
        let head = {
            let body = Encoder::new().expect("zstd").encode(lines.into_iter(), &runs).expect("encodes");
            hex::encode(&body[5..FIXED_BYTES + 2 * RUN_BYTES])
        };
        assert_eq!(
            head,
            "03000000210000000000000002000000\
             0200000040420f0000000000\
             0100000080841e0000000000"
        );
    }
}
