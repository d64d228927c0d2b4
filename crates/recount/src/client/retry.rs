//! When to try again, and how long to wait.

use std::time::{Duration, Instant};

use reqwest::{Response, StatusCode, header};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// A server that wishes a longer pause than this is not waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Patience with a server that is busy or away: pauses that double, with jitter, for so long.
#[derive(Clone, Debug)]
pub struct Retry {
    until: Instant,
    next: Duration,
    /// Spreads pauses of many tasks; no secret, and repeatable.
    jitter: u64,
}

impl Retry {
    /// Patience for so long.
    #[must_use]
    pub fn lasting(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, next: FIRST_PAUSE, jitter: patience.as_nanos() as u64 }
    }

    /// The patience of somebody who waits at a terminal.
    #[must_use]
    pub fn short() -> Self {
        Self::lasting(Duration::from_secs(3))
    }

    /// Whether such an answer may be another one later.
    #[must_use]
    pub fn is_passing(status: StatusCode) -> bool {
        matches!(status.as_u16(), 408 | 429 | 502..=504)
    }

    /// The pause that an answer asks for.
    #[must_use]
    pub fn wanted(response: &Response) -> Option<Duration> {
        let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
        value.trim().parse().ok().map(Duration::from_secs)
    }

    /// Waits before the next try; false if there is to be none.
    pub async fn pause(&mut self, wanted: Option<Duration>) -> bool {
        self.jitter =
            self.jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Between half of the pause and the whole.
        let share = 0.5 + (self.jitter >> 40) as f64 / (1u64 << 25) as f64;
        let pause = wanted.unwrap_or_else(|| self.next.mul_f64(share));
        if pause > RETRY_AFTER_MAX || Instant::now() + pause > self.until {
            return false;
        }
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
        true
    }
}
