//! The body of a row of the tail: some hundred events in a few kilobytes.
//!
//! Version 1, all integers little-endian (`docs/formats/tail-batch.md`):
//!
//! ```text
//! 0   1   version = 1
//! 1   4   CRC-32 of everything that follows
//! 5   4   number of events
//! 9   8   bytes of the text before compression
//! 17  4   number of runs
//! 21  12n runs: number of events (4), their received_at in microseconds (8)
//!     …   one zstd frame: each event's line followed by a line feed
//! ```
//!
//! A commit writes one run; folding joins the runs of the rows that it replaces.

use std::cell::RefCell;

use bytes::Bytes;
use recount_event::Timestamp;
use recount_segment::{Line, Row};

const VERSION: u8 = 1;
const FIXED_BYTES: usize = 21;
const RUN_BYTES: usize = 12;
/// zstd level: 1 costs half the time of 3 and 2 % more space, and the tail is short-lived.
const ZSTD_LEVEL: i32 = 1;
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

/// Compresses batches one after the other, keeping zstd's work space.
pub(crate) struct Encoder {
    zstd: zstd::bulk::Compressor<'static>,
    text: Vec<u8>,
    packed: Vec<u8>,
}

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CorruptBatch {
    #[error("it ends after {0} bytes")]
    Truncated(usize),
    #[error("its format version is {0}, this binary knows 1")]
    UnknownVersion(u8),
    #[error("its checksum is wrong")]
    Checksum,
    #[error("it holds {found} events, its row says {expected}")]
    Count { expected: u64, found: u64 },
    #[error("its text can't be read: {0}")]
    Text(String),
}

impl Encoder {
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        // The CRC covers the compressed bytes already.
        zstd.include_checksum(false)?;
        Ok(Self { zstd, text: Vec::new(), packed: Vec::new() })
    }

    /// The body of `lines`, whose `received_at` are given by `runs`.
    pub(crate) fn encode<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a str>,
        runs: &[Run],
    ) -> std::io::Result<Vec<u8>> {
        self.text.clear();
        let mut events = 0_u32;
        for line in lines {
            self.text.extend_from_slice(line.as_bytes());
            self.text.push(b'\n');
            events += 1;
        }
        debug_assert_eq!(events, runs.iter().map(|run| run.events).sum::<u32>());
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.text.len()));
        self.zstd.compress_to_buffer(&self.text, &mut self.packed)?;
        let head = FIXED_BYTES + RUN_BYTES * runs.len();
        let mut body = Vec::with_capacity(head + self.packed.len());
        body.resize(head, 0);
        body.extend_from_slice(&self.packed);
        body[0] = VERSION;
        body[5..9].copy_from_slice(&events.to_le_bytes());
        body[9..17].copy_from_slice(&(self.text.len() as u64).to_le_bytes());
        let run_count = u32::try_from(runs.len()).map_err(std::io::Error::other)?;
        body[17..21].copy_from_slice(&run_count.to_le_bytes());
        for (run, place) in runs.iter().zip(body[FIXED_BYTES..head].chunks_exact_mut(RUN_BYTES)) {
            place[..4].copy_from_slice(&run.events.to_le_bytes());
            place[4..].copy_from_slice(&run.received_at.as_micros().to_le_bytes());
        }
        let crc = crc32fast::hash(&body[5..]);
        body[1..5].copy_from_slice(&crc.to_le_bytes());
        Ok(body)
    }
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
    let version = *body.first().ok_or(CorruptBatch::Truncated(0))?;
    if version != VERSION {
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
    let text = decompress(&body[head..], text_bytes.cast_unsigned())?;
    let rows = split(first_seq, &text, &runs)?;
    if rows.len() != events as usize {
        return Err(CorruptBatch::Count { expected: u64::from(events), found: rows.len() as u64 });
    }
    Ok(DecodedBatch { rows })
}

fn decompress(frame: &[u8], text_bytes: u64) -> Result<Bytes, CorruptBatch> {
    if text_bytes > TEXT_BYTES_MAX {
        return Err(CorruptBatch::Text(format!("{text_bytes} bytes is above the limit")));
    }
    let capacity = usize::try_from(text_bytes).map_err(|error| CorruptBatch::Text(error.to_string()))?;
    let text = DECOMPRESSOR
        .with_borrow_mut(|zstd| zstd.decompress(frame, capacity))
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

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(parts in lines_and_runs(), first_seq in 0_u64..1 << 40) {
            let decoded = decode(first_seq, &body(&parts)).expect("whole");
            let expected: Vec<(u64, i64, &str)> = parts
                .iter()
                .flat_map(|(at, lines)| lines.iter().map(move |line| (*at, line.as_str())))
                .zip(first_seq..)
                .map(|((at, line), seq)| (seq, at, line))
                .collect();
            let found: Vec<(u64, i64, &str)> = decoded
                .rows
                .iter()
                .map(|row| (row.seq, row.received_at.as_micros(), row.line.as_str()))
                .collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn any_flipped_bit_or_cut_is_noticed(
            parts in lines_and_runs(), at in any::<prop::sample::Index>(), bit in 0_u8..8,
        ) {
            let whole = body(&parts);
            let at = at.index(whole.len());
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(decode(0, &flipped).is_err());
            prop_assert!(decode(0, &whole[..at]).is_err());
        }
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
