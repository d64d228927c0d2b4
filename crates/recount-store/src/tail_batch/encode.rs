//! Writing bodies.

use super::{FIXED_BYTES, Opened, RUN_BYTES, Run, VERSION_1, VERSION_2};

/// zstd level: 1 costs half the time of 3 and 2 % more space, and the tail is short-lived.
const ZSTD_LEVEL: i32 = 1;

/// Compresses batches one after the other, keeping zstd's work space.
pub(crate) struct Encoder {
    zstd: zstd::bulk::Compressor<'static>,
    text: Vec<u8>,
    packed: Vec<u8>,
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
        self.pack(lines)?.body(runs)
    }

    /// Compresses `lines`.
    pub(crate) fn pack<'a>(&mut self, lines: impl Iterator<Item = &'a str>) -> std::io::Result<Packed> {
        self.text.clear();
        let mut events = 0_u32;
        for line in lines {
            self.text.extend_from_slice(line.as_bytes());
            self.text.push(b'\n');
            events += 1;
        }
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.text.len()));
        self.zstd.compress_to_buffer(&self.text, &mut self.packed)?;
        Ok(Packed { events, text_bytes: self.text.len() as u64, frame: self.packed.as_slice().into() })
    }
}

/// Compressed events: a body but for what says when they were received.
pub(crate) struct Packed {
    events: u32,
    text_bytes: u64,
    frame: Box<[u8]>,
}

impl Packed {
    /// The body, with the `received_at` that `runs` give.
    pub(crate) fn body(&self, runs: &[Run]) -> std::io::Result<Vec<u8>> {
        debug_assert_eq!(self.events, runs.iter().map(|run| run.events).sum::<u32>());
        write(VERSION_1, self.events, self.text_bytes, runs, &[&self.frame])
    }
}

fn write(
    version: u8,
    events: u32,
    text_bytes: u64,
    runs: &[Run],
    frames: &[&[u8]],
) -> std::io::Result<Vec<u8>> {
    let head = FIXED_BYTES + RUN_BYTES * runs.len();
    let mut body = Vec::with_capacity(head + frames.iter().map(|frame| frame.len()).sum::<usize>());
    body.resize(head, 0);
    frames.iter().for_each(|frame| body.extend_from_slice(frame));
    body[0] = version;
    body[5..9].copy_from_slice(&events.to_le_bytes());
    body[9..17].copy_from_slice(&text_bytes.to_le_bytes());
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

/// The body of all events of `bodies`, which are those of adjacent rows, in seq order.
pub(crate) fn join(bodies: &[Opened<'_>]) -> std::io::Result<Vec<u8>> {
    let runs: Vec<Run> = bodies.iter().flat_map(|body| &body.runs).copied().collect();
    let frames: Vec<&[u8]> = bodies.iter().map(|body| body.frames).collect();
    let events = bodies.iter().map(|body| body.events).sum();
    let text_bytes = bodies.iter().map(|body| body.text_bytes).sum();
    write(VERSION_2, events, text_bytes, &runs, &frames)
}
