//! How long events are kept.
//!
//! Retention goes by `received_at`, which never decreases along `seq`: what is removed is always the
//! beginning of the log, up to a day's end (UTC), so that a log changes once a day at the most unless
//! its retention does.

use recount_event::Timestamp;

/// The longest retention, in days: a hundred years.
pub const RETENTION_DAYS_MAX: u32 = 36_500;

/// A number of days for which events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    days: u32,
}

impl Retention {
    /// Keeps events for `days`.
    pub fn of_days(days: u32) -> Self {
        Self { days: days.clamp(1, RETENTION_DAYS_MAX) }
    }

    /// The number of days.
    pub fn days(self) -> u32 {
        self.days
    }

    /// At `now`, events received before this are removed.
    pub(crate) fn cutoff(self, now: Timestamp) -> Timestamp {
        let today = now.as_micros().div_euclid(Timestamp::MICROS_PER_DAY);
        Timestamp::from_micros((today - i64::from(self.days)).max(0) * Timestamp::MICROS_PER_DAY)
    }

    /// The moment from which on an event that was received at `received_at` is removed.
    pub fn removes_at(self, received_at: Timestamp) -> Timestamp {
        let day = received_at.as_micros().div_euclid(Timestamp::MICROS_PER_DAY);
        Timestamp::from_micros((day + 1 + i64::from(self.days)) * Timestamp::MICROS_PER_DAY)
    }
}

/// For how long events are kept of tenants in general.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetentionPolicy {
    /// Of tenants that have no retention of their own; `None` for ever.
    pub(crate) default_days: Option<u32>,
    /// No event goes earlier: for so long its id is recognised.
    pub(crate) days_min: u32,
}

impl RetentionPolicy {
    /// The retention of a tenant, given its own, if it has one.
    pub(crate) fn of_tenant(self, own_days: Option<u32>) -> Option<Retention> {
        let days = own_days.or(self.default_days)?;
        Some(Retention::of_days(days.max(self.days_min)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The time that people are told is the one at which it happens, and no event goes too early.
        #[test]
        fn an_event_is_removed_when_it_was_said_to_be(
            received in 0_i64..4_000_000_000_000_000,
            days in 1_u32..4_000,
        ) {
            let (retention, received) = (Retention::of_days(days), Timestamp::from_micros(received));
            let at = retention.removes_at(received);
            prop_assert!(received < retention.cutoff(at));
            prop_assert!(received >= retention.cutoff(Timestamp::from_micros(at.as_micros() - 1)));
            let kept = at.as_micros() - received.as_micros();
            let days = i64::from(days) * Timestamp::MICROS_PER_DAY;
            prop_assert!(kept > days && kept <= days + Timestamp::MICROS_PER_DAY, "{kept}");
        }
    }
}
