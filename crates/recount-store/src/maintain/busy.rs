//! How busy the committer is, so that merging can give way: it is never urgent, and it would take
//! the processors that appends need.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Weight of the newest round in the average, in percent.
const NEWEST_PERCENT: u64 = 10;
/// Above this share of its time the committer counts as busy.
const BUSY_PER_MILLE: u64 = 400;
/// A committer without a round for this long is idle, whatever its last rounds were.
const IDLE_AFTER: Duration = Duration::from_secs(1);
/// While the committer is busy, merging rests this many times as long as it has worked.
const REST_FACTOR: u32 = 19;
/// It rests no longer at a time, so that it always gets on.
const REST_MAX: Duration = Duration::from_secs(2);
/// Nor does one merge rest longer altogether, since others wait for its place.
pub(super) const RESTS_MAX: Duration = Duration::from_secs(60);

/// The committer's share of busy time, averaged over some rounds. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Busy(Arc<Mutex<Rounds>>);

#[derive(Default)]
struct Rounds {
    /// Of the committer's time.
    busy_per_mille: u64,
    /// When the last round ended.
    last: Option<Instant>,
}

impl Busy {
    /// The committer worked until `ended` for `worked`, after it had waited for `waited`.
    pub(crate) fn observe(&self, worked: Duration, waited: Duration, ended: Instant) {
        let total = (worked + waited).as_micros().max(1);
        let newest = u64::try_from(worked.as_micros() * 1_000 / total).unwrap_or(1_000);
        let mut rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.busy_per_mille =
            (rounds.busy_per_mille * (100 - NEWEST_PERCENT) + newest * NEWEST_PERCENT) / 100;
        rounds.last = Some(ended);
    }

    /// How long to rest at `now`, after having worked for `worked`.
    pub(super) fn rest_after(&self, worked: Duration, now: Instant) -> Option<Duration> {
        let rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = rounds.last.is_some_and(|last| now.saturating_duration_since(last) < IDLE_AFTER);
        let busy = lately && rounds.busy_per_mille > BUSY_PER_MILLE;
        busy.then(|| (worked * REST_FACTOR).min(REST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_rests_while_the_committer_is_busy() {
        let (busy, milli, now) = (Busy::default(), Duration::from_millis(1), Instant::now());
        assert_eq!(busy.rest_after(milli, now), None);
        (0..50).for_each(|_| busy.observe(milli * 9, milli, now));
        assert_eq!(busy.rest_after(milli * 5, now), Some(milli * 95));
        assert_eq!(busy.rest_after(milli * 5_000, now), Some(REST_MAX));
        assert_eq!(busy.rest_after(milli, now + IDLE_AFTER), None, "nothing has come since");
        (0..50).for_each(|_| busy.observe(milli, milli * 99, now));
        assert_eq!(busy.rest_after(milli, now), None);
    }
}
