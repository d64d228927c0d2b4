//! Latencies and their percentiles.

use std::time::Duration;

/// Durations of one kind of request.
#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one request.
    pub(crate) fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Adds another connection's requests.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The latency that `percent` of the requests did not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&mut self, percent: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let index = ((percent / 100.0) * last as f64).round() as usize;
        self.0.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}
