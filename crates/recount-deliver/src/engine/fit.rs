//! How large the batches are that a destination manages.
//!
//! A batch that is said to be too large, or whose attempts take until they time out, makes the
//! next ones smaller; those that pass make them grow again: fast up to where it is known to fit,
//! slowly beyond.

use std::time::Duration;

/// An attempt that took so long and failed was perhaps too much for the destination.
const SLOW_ATTEMPT: Duration = Duration::from_secs(20);

/// Slow failures in a row before batches become smaller: one is an accident, and a batch that is
/// tried again unchanged is recognised by its name.
const SLOW_MAX: u32 = 2;

/// Events of the first batch after that.
const PROBE_EVENTS: usize = 200;

/// Beyond what is known to fit, a size grows by a sixteenth of itself, after so many batches of it.
const CAUTIOUS_GROWTH: usize = 16;
const CAUTIOUS_AFTER: u32 = 8;

/// What is known of a destination's capacity, by one stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fit {
    /// Most events of a batch now; none if nothing ever was too large.
    limit: Option<usize>,
    /// Up to where the limit doubles.
    known: usize,
    /// Slow failures in a row.
    slow: u32,
    /// Whether the limit is due to slowness.
    too_slow: bool,
    /// Batches in a row that passed at the limit.
    passed: u32,
}

impl Fit {
    /// Most events of the next batch, of those that the stream is set up for.
    pub(super) fn events(&self, events_max: usize) -> usize {
        self.limit.map_or(events_max, |limit| limit.min(events_max))
    }

    /// Most events of a batch that is tried again: as many as it had, unless that took too long. One
    /// that is too large is split when the destination says so.
    pub(super) fn events_again(&self, events_max: usize) -> usize {
        if self.too_slow { self.events(events_max) } else { events_max }
    }

    /// So many events were said to be too large.
    pub(super) fn too_large(&mut self, events: usize) {
        let half = (events / 2).max(1);
        *self = Self { limit: Some(half), known: half, slow: self.slow, ..Self::default() };
    }

    /// An attempt with so many events failed after so long.
    pub(super) fn failed(&mut self, events: usize, took: Duration) {
        if took < SLOW_ATTEMPT {
            self.slow = 0;
            return;
        }
        self.slow += 1;
        if self.slow >= SLOW_MAX {
            self.known = (events / 2).max(1);
            self.limit = Some(self.known.min(PROBE_EVENTS));
            (self.too_slow, self.passed) = (true, 0);
        }
    }

    /// So many events passed at once.
    pub(super) fn passed(&mut self, events: usize, events_max: usize) {
        self.slow = 0;
        let Some(limit) = self.limit.filter(|limit| events >= *limit) else { return };
        self.passed += 1;
        let larger = if limit < self.known {
            (limit * 2).min(self.known)
        } else if self.passed < CAUTIOUS_AFTER {
            return;
        } else {
            self.known = limit + (limit / CAUTIOUS_GROWTH).max(1);
            self.known
        };
        self.passed = 0;
        if larger < events_max {
            self.limit = Some(larger);
        } else {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// Plays a destination that manages `capacity` events in time; says how many attempts of `steps`
    /// failed.
    fn failures(capacity: usize, events_max: usize, steps: usize) -> usize {
        let mut fit = Fit::default();
        let mut failed = 0;
        for _ in 0..steps {
            let events = fit.events(events_max);
            if events > capacity {
                failed += 1;
                fit.failed(events, LONG);
            } else {
                fit.passed(events, events_max);
            }
        }
        failed
    }

    #[test]
    fn a_destination_that_is_too_slow_for_full_batches_gets_smaller_ones_most_of_the_time() {
        let failed = failures(30_000, 100_000, 400);
        assert!(failed < 50, "{failed} of 400 attempts timed out");
        assert_eq!(failures(100_000, 100_000, 400), 0);
    }

    #[test]
    fn one_slow_failure_changes_nothing_and_quick_ones_never_do() {
        let mut fit = Fit::default();
        fit.failed(100, LONG);
        assert_eq!(fit.events(100), 100);
        for _ in 0..100 {
            fit.failed(100, Duration::from_secs(1));
        }
        assert_eq!(fit.events(100), 100);
    }

    #[test]
    fn what_was_too_large_is_remembered_until_larger_ones_pass() {
        let mut fit = Fit::default();
        for events in [1_000, 500, 250] {
            fit.too_large(events);
        }
        assert_eq!(fit.events(1_000), 125);
        for _ in 0..1_000 {
            fit.passed(fit.events(1_000), 1_000);
        }
        assert_eq!(fit, Fit::default());
    }
}
