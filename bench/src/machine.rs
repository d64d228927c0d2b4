//! The machine that figures are from, and how fast it is just then: on shared hardware the same
//! processor is a third slower in some hours than in others, for whatever runs on it.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::workload::Bodies;

/// How long its speed is taken for.
const SPEED_TIME: Duration = Duration::from_secs(2);
/// What is compressed at once, as pages of a segment are.
const BLOCK_BYTES: usize = 128 * 1024;
const ZSTD_LEVEL: i32 = 1;

/// Processor and cores.
pub(crate) fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    format!("{model}, {} cores", cores())
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// MB of events' text that zstd compresses per second with all cores busy, per core.
pub(crate) fn speed() -> f64 {
    let text = Bodies::new(0).batch(0);
    let compress = || {
        let Ok(mut zstd) = zstd::bulk::Compressor::new(ZSTD_LEVEL) else { return 0 };
        let (began, mut bytes) = (Instant::now(), 0_u64);
        while began.elapsed() < SPEED_TIME {
            for block in text.chunks(BLOCK_BYTES) {
                if zstd.compress(block).is_ok() {
                    bytes += block.len() as u64;
                }
            }
        }
        bytes
    };
    let bytes: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|_| scope.spawn(compress)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    bytes as f64 / 1e6 / SPEED_TIME.as_secs_f64() / cores() as f64
}
