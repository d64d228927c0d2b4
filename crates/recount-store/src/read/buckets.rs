//! The buckets of a histogram: how long they are and where they start.

use std::ops::Range;

use jiff::tz::{Offset, TimeZone};
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

/// The longest bucket that keeps its length when the clocks change; a longer one keeps to the clock.
const STEADY_SECONDS_MAX: i64 = HOUR;

/// Neighbouring buckets that cover a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Starts of the buckets and the end of the last, microseconds.
    edges: Vec<i64>,
    /// Length of each, microseconds; the clock's where the clocks change.
    length: i64,
}

impl Buckets {
    /// The buckets that cover `range` (microseconds, not empty), of the given or of a chosen length, at round times
    /// of the clocks in `zone`.
    ///
    /// # Errors
    /// `Invalid` if the interval is not whole seconds, `TooExpensive` if it gives too many buckets.
    pub(crate) fn cover(
        range: Range<i64>,
        interval_micros: Option<i64>,
        zone: &TimeZone,
    ) -> Result<Self, ReadError> {
        let seconds = match interval_micros {
            Some(micros) => whole_seconds(micros)?,
            None => chosen_interval(range.end - range.start),
        };
        let length = seconds * MICROS;
        let origin = if seconds % WEEK == 0 { FIRST_MONDAY_SECONDS * MICROS } else { 0 };
        let offset = offset_micros(zone, range.start);
        let first = (range.start + offset - origin).div_euclid(length) * length + origin;
        let count = (range.end + offset - first - 1).div_euclid(length) + 1;
        if count > HISTOGRAM_BUCKETS_MAX as i64 {
            return Err(ReadError::TooExpensive {
                detail: format!(
                    "an interval of {seconds} s over this range gives {count} buckets, at most \
                     {HISTOGRAM_BUCKETS_MAX} are served: give an interval of at least {} s or a shorter range",
                    (range.end - range.start).div_euclid(MICROS) / (HISTOGRAM_BUCKETS_MAX as i64 - 1) + 1,
                ),
            });
        }
        let instant = |wall: i64| match seconds {
            ..=STEADY_SECONDS_MAX => wall - offset,
            _ => instant_of(zone, wall),
        };
        // Where clocks skip the start of the first bucket, it starts with the range.
        let mut edges = vec![instant(first).min(range.start)];
        let mut wall = first;
        while edges[edges.len() - 1] < range.end {
            wall += length;
            let edge = instant(wall);
            // A bucket that the clocks skip is none.
            if edge > edges[edges.len() - 1] {
                edges.push(edge);
            }
        }
        Ok(Buckets { edges, length })
    }

    /// How many buckets there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.edges.len() - 1
    }

    /// Length of a bucket in microseconds.
    pub(crate) fn length_micros(&self) -> i64 {
        self.length
    }

    /// Start of a bucket; of the one past the last, the last one's end.
    #[cfg(test)]
    fn start(&self, bucket: usize) -> Timestamp {
        Timestamp::from_micros(self.edges[bucket])
    }

    /// The starts of all buckets and the end of the last.
    pub(crate) fn edges(&self) -> Vec<Timestamp> {
        self.edges.iter().map(|edge| Timestamp::from_micros(*edge)).collect()
    }
}

/// How far the clocks in `zone` are ahead of UTC.
fn offset_micros(zone: &TimeZone, micros: i64) -> i64 {
    jiff::Timestamp::from_microsecond(micros)
        .map_or(0, |instant| i64::from(zone.to_offset(instant).seconds()) * MICROS)
}

/// When the clocks in `zone` show a time, given as if it were UTC; the first of two, and after those they skip.
fn instant_of(zone: &TimeZone, wall: i64) -> i64 {
    jiff::Timestamp::from_microsecond(wall)
        .and_then(|wall| zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(wall)).compatible())
        .map_or(wall, |instant| instant.as_microsecond())
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
        cover_in("UTC", from, to, None)
    }

    fn cover_in(zone: &str, from: &str, to: &str, interval_seconds: Option<i64>) -> Buckets {
        let zone = TimeZone::get(zone).expect("known");
        Buckets::cover(micros(from)..micros(to), interval_seconds.map(|seconds| seconds * MICROS), &zone)
            .expect("within bounds")
    }

    fn starts(buckets: &Buckets) -> Vec<String> {
        buckets.edges().iter().map(Timestamp::to_string).collect()
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
        let refused = Buckets::cover(range.clone(), Some(MICROS), &TimeZone::UTC);
        let Err(ReadError::TooExpensive { detail }) = refused else { panic!("{refused:?}") };
        let words: Vec<_> = detail.split(' ').collect();
        let at_least = words.iter().position(|word| *word == "least").expect("names a length");
        let seconds: i64 = words[at_least + 1].parse().expect("a number");
        Buckets::cover(range, Some(seconds * MICROS), &TimeZone::UTC).expect("the advice works");
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let days = cover_in("America/Los_Angeles", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", Some(DAY));
        let expected =
            ["2026-10-24T07:00:00Z", "2026-10-25T07:00:00Z", "2026-10-26T07:00:00Z", "2026-10-27T07:00:00Z"];
        assert_eq!(starts(&days), expected);
        let weeks = cover_in("Asia/Kolkata", "2026-11-04T00:00:00Z", "2026-11-05T00:00:00Z", Some(WEEK));
        assert_eq!(starts(&weeks), ["2026-11-01T18:30:00Z", "2026-11-08T18:30:00Z"]);
    }

    #[test]
    fn a_day_on_which_the_clocks_change_is_longer_or_shorter() {
        let autumn = cover_in("Europe/Paris", "2026-10-24T22:00:00Z", "2026-10-26T20:00:00Z", Some(DAY));
        assert_eq!(starts(&autumn), ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"]);
        let spring = cover_in("Europe/Paris", "2026-03-28T23:00:00Z", "2026-03-29T20:00:00Z", Some(DAY));
        assert_eq!(starts(&spring), ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]);
        let hours = cover_in("Europe/Paris", "2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z", Some(HOUR));
        assert_eq!(hours.len(), 3, "hours keep their length");
    }

    #[test]
    fn every_range_is_covered_whatever_the_clocks_do() {
        let transitions = [
            ("Africa/Cairo", "2026-04-23T22:00:00Z"),
            ("America/Havana", "2026-11-01T05:00:00Z"),
            ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
            ("Antarctica/Troll", "2026-10-25T01:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        ];
        for (name, at) in transitions {
            let zone = TimeZone::get(name).expect("known");
            for minutes in (-180..180).step_by(10) {
                let start = micros(at) + minutes * MINUTE * MICROS;
                for hours in [1, 2, 3, 6, 12, 24] {
                    let range = start..start + HOUR * MICROS;
                    let buckets =
                        Buckets::cover(range.clone(), Some(hours * HOUR * MICROS), &zone).expect("covered");
                    let edges = &buckets.edges;
                    assert!(edges[0] <= range.start && range.end <= edges[buckets.len()], "{name} {minutes}");
                    assert!(edges.is_sorted_by(|a, b| a < b), "{name} {minutes}");
                }
            }
        }
    }
}
