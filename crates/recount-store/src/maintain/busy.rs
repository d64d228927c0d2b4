//! How busy the committer is, so that merging can give way: it is never urgent, and it would take
//! the processors that appends need.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Weight of the newest round in the average, in percent.
const NEWEST_PERCENT: u64 = 10;
/// Above this share of its time the committer counts as busy.
const BUSY_PER_MILLE: u32 = 400;
/// While the committer is busy, merging rests this many times as long as it has worked.
const REST_FACTOR: u32 = 4;
/// It rests no longer at a time, so that it always gets on.
const REST_MAX: Duration = Duration::from_millis(500);

/// The committer's share of busy time, averaged over some rounds. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Busy(Arc<AtomicU32>);

impl Busy {
    /// The committer worked for `worked` after it had waited for `waited`.
    pub(crate) fn observe(&self, worked: Duration, waited: Duration) {
        let total = (worked + waited).as_micros().max(1);
        let newest = u64::try_from(worked.as_micros() * 1_000 / total).unwrap_or(1_000);
        let before = u64::from(self.0.load(Ordering::Relaxed));
        let now = (before * (100 - NEWEST_PERCENT) + newest * NEWEST_PERCENT) / 100;
        self.0.store(u32::try_from(now).unwrap_or(1_000), Ordering::Relaxed);
    }

    /// How long to rest after having worked for `worked`.
    pub(super) fn rest_after(&self, worked: Duration) -> Option<Duration> {
        let busy = self.0.load(Ordering::Relaxed) > BUSY_PER_MILLE;
        busy.then(|| (worked * REST_FACTOR).min(REST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_rests_while_the_committer_is_busy() {
        let (busy, milli) = (Busy::default(), Duration::from_millis(1));
        assert_eq!(busy.rest_after(milli), None);
        (0..50).for_each(|_| busy.observe(milli * 9, milli));
        assert_eq!(busy.rest_after(milli * 5), Some(milli * 20));
        assert_eq!(busy.rest_after(milli * 5_000), Some(REST_MAX));
        (0..50).for_each(|_| busy.observe(milli, milli * 99));
        assert_eq!(busy.rest_after(milli), None);
    }
}
