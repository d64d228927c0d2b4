//! How long a failing stream rests: exponential, with full jitter.
//!
//! A random pause between nothing and the exponential bound spreads streams that failed together
//! (see "Exponential Backoff And Jitter", AWS Architecture Blog).

use std::time::Duration;

use recount_store::env::Entropy;

/// Bounds of the pauses after failed attempts.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The bound after the first failure; it doubles.
    pub first: Duration,
    /// The bound after many.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The pause after so many failures in a row; at least what the destination asked for.
    #[must_use]
    pub fn pause(&self, failures: u32, asked: Option<Duration>, entropy: &dyn Entropy) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let bound = self.first.saturating_mul(1 << doublings).min(self.longest);
        let mut random = [0; 8];
        entropy.fill(&mut random);
        let bound_us = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        let jittered = Duration::from_micros(u64::from_le_bytes(random) % bound_us.saturating_add(1));
        jittered.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use recount_store::env::SeededEntropy;

    use super::*;

    proptest! {
        #[test]
        fn pauses_stay_within_their_bounds(seed: u64, failures in 1u32..100, asked in proptest::option::of(0u64..10_000)) {
            let backoff = Backoff::default();
            let asked = asked.map(Duration::from_secs);
            let pause = backoff.pause(failures, asked, &SeededEntropy::new(seed));
            prop_assert!(pause >= asked.unwrap_or_default());
            let bound = backoff.first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(backoff.longest);
            prop_assert!(pause <= bound.max(asked.unwrap_or_default()));
        }
    }

    #[test]
    fn pauses_of_many_streams_spread_over_the_whole_range() {
        let backoff = Backoff::default();
        let entropy = SeededEntropy::new(7);
        let pauses: Vec<Duration> = (0..1_000).map(|_| backoff.pause(9, None, &entropy)).collect();
        let below = pauses.iter().filter(|pause| **pause < Duration::from_secs(128)).count();
        assert!((400..600).contains(&below), "{below} of 1000 are in the lower half");
    }
}
