//! The buckets of a histogram: how long they are and where they start.

use std::ops::Range;

use recount_event::Timestamp;

use crate::ReadError;
use crate::query::HISTOGRAM_BUCKETS_MAX;

const MICROS: i64 = 1_000_000;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// 1970-01-01 was a Thursday; weeks start on Mondays.
const FIRST_MONDAY_SECONDS: i64 = 4 * DAY;

/// The lengths that are chosen from, in seconds: each divides a larger one that people think in.
const STEPS_SECONDS: [i64; 20] = [
    1,
    5,
    10,
    30,
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    WEEK,
    4 * WEEK,
    12 * WEEK,
    52 * WEEK,
    520 * WEEK,
];
/// How many buckets a chosen length gives at most.
const CHOSEN_BUCKETS_MAX: i64 = 100;

/// Equal buckets that cover a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Start of the first bucket, microseconds.
    first: i64,
    /// Length of each, microseconds.
    length: i64,
    count: usize,
}

impl Buckets {
    /// The buckets that cover `range` (microseconds, not empty), of the given or of a chosen length.
    ///
    /// # Errors
    /// `Invalid` if the interval is not whole seconds, `TooExpensive` if it gives too many buckets.
    pub(crate) fn cover(range: Range<i64>, interval_micros: Option<i64>) -> Result<Self, ReadError> {
        let seconds = match interval_micros {
            Some(micros) => whole_seconds(micros)?,
            None => chosen_interval(range.end - range.start),
        };
        let length = seconds * MICROS;
        let origin = if seconds % WEEK == 0 { FIRST_MONDAY_SECONDS * MICROS } else { 0 };
        let first = (range.start - origin).div_euclid(length) * length + origin;
        let count = (range.end - first - 1).div_euclid(length) + 1;
        if count > HISTOGRAM_BUCKETS_MAX as i64 {
            return Err(ReadError::TooExpensive {
                detail: format!(
                    "an interval of {seconds} s over this range gives {count} buckets, at most \
                     {HISTOGRAM_BUCKETS_MAX} are served: give an interval of at least {} s or a shorter range",
                    (range.end - range.start).div_euclid(MICROS) / (HISTOGRAM_BUCKETS_MAX as i64 - 1) + 1,
                ),
            });
        }
        Ok(Buckets { first, length, count: count as usize })
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Length of a bucket in microseconds.
    pub(crate) fn length_micros(&self) -> i64 {
        self.length
    }

    /// Start of a bucket; of the one past the last, the last one's end.
    pub(crate) fn start(&self, bucket: usize) -> Timestamp {
        Timestamp::from_micros(self.first + bucket as i64 * self.length)
    }
}

fn whole_seconds(micros: i64) -> Result<i64, ReadError> {
    if micros % MICROS != 0 || !(1..=520 * WEEK).contains(&(micros / MICROS)) {
        return Err(ReadError::Invalid {
            detail: "a histogram's interval is a whole number of seconds, from one second to ten years"
                .into(),
        });
    }
    Ok(micros / MICROS)
}

fn chosen_interval(range_micros: i64) -> i64 {
    // One bucket more than the division says is touched if the range starts within a bucket.
    STEPS_SECONDS
        .into_iter()
        .find(|seconds| range_micros / (seconds * MICROS) < CHOSEN_BUCKETS_MAX)
        .unwrap_or(STEPS_SECONDS[STEPS_SECONDS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        Timestamp::parse_rfc3339(text).expect("valid").as_micros()
    }

    fn cover(from: &str, to: &str) -> Buckets {
        Buckets::cover(micros(from)..micros(to), None).expect("within bounds")
    }

    #[test]
    fn ninety_days_are_counted_by_day_and_a_day_by_quarter_hours() {
        let days = cover("2026-08-25T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!((days.len(), days.length_micros() / MICROS), (90, 86_400));
        let hours = cover("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!((hours.len(), hours.length_micros() / MICROS), (96, 900));
    }

    #[test]
    fn a_range_that_starts_within_a_bucket_starts_with_that_bucket() {
        let buckets = cover("2026-11-22T00:07:00Z", "2026-11-22T23:59:00Z");
        assert_eq!(buckets.start(0).to_string(), "2026-11-22T00:00:00Z");
        assert_eq!(buckets.start(1).to_string(), "2026-11-22T00:15:00Z");
        assert_eq!(buckets.start(buckets.len()).to_string(), "2026-11-23T00:00:00Z");
    }

    #[test]
    fn weeks_start_on_mondays() {
        let weeks = cover("2024-11-23T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!(weeks.length_micros(), 4 * WEEK * MICROS);
        let weeks = cover("2026-01-01T00:00:00Z", "2026-11-23T00:00:00Z");
        assert_eq!(weeks.length_micros(), WEEK * MICROS);
        assert_eq!(weeks.start(0).to_string(), "2025-12-29T00:00:00Z");
    }

    #[test]
    fn the_whole_accepted_time_gets_a_bounded_number_of_buckets() {
        let all = cover("1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z");
        assert!(all.len() <= 101);
    }

    #[test]
    fn too_fine_an_interval_is_refused_with_one_that_works() {
        let range = micros("2026-01-01T00:00:30Z")..micros("2026-11-23T00:00:00Z");
        let refused = Buckets::cover(range.clone(), Some(MICROS));
        let Err(ReadError::TooExpensive { detail }) = refused else { panic!("{refused:?}") };
        let words: Vec<_> = detail.split(' ').collect();
        let at_least = words.iter().position(|word| *word == "least").expect("names a length");
        let seconds: i64 = words[at_least + 1].parse().expect("a number");
        Buckets::cover(range, Some(seconds * MICROS)).expect("the advice works");
    }
}
