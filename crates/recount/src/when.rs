//! Times as people type them: `15m`, `7d`, `yesterday`, `2026-11-23`, `2026-11-23T14:32`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

/// Units of a time before now.
const UNITS: [(char, i64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

/// Reads a time relative to `now`, as RFC 3339 in UTC.
///
/// # Errors
/// What can be typed instead.
pub fn parse(text: &str, now: Timestamp) -> Result<String, String> {
    let midnight = |days_ago: i64| {
        let today = now.to_zoned(TimeZone::UTC).date();
        let date = today.saturating_sub(jiff::Span::new().days(days_ago));
        date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp())
    };
    let found = match text.trim() {
        "now" => Some(now),
        "today" => midnight(0).ok(),
        "yesterday" => midnight(1).ok(),
        other => ago(other, now).or_else(|| other.parse().ok()).or_else(|| in_utc(other)),
    };
    found.map(|timestamp| timestamp.to_string()).ok_or_else(|| {
        format!("{text:?} is not a time: write 15m, 6h, 7d (before now), today, yesterday, 2026-11-23 or 2026-11-23T14:32:07Z")
    })
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let unit = text.chars().last()?;
    let seconds = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let count: i64 = text[..text.len() - 1].parse().ok().filter(|count| *count >= 0)?;
    now.checked_sub(SignedDuration::from_secs(count.checked_mul(seconds)?)).ok()
}

fn in_utc(text: &str) -> Option<Timestamp> {
    let datetime: civil::DateTime =
        text.parse().ok().or_else(|| text.parse::<civil::Date>().ok().map(civil::Date::into))?;
    TimeZone::UTC.to_timestamp(datetime).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_people_type_is_understood() {
        let now = "2026-11-23T14:32:07Z".parse().expect("a time");
        let parsed = |text: &str| parse(text, now);
        for (text, expected) in [
            ("now", "2026-11-23T14:32:07Z"),
            ("15m", "2026-11-23T14:17:07Z"),
            ("7d", "2026-11-16T14:32:07Z"),
            ("today", "2026-11-23T00:00:00Z"),
            ("yesterday", "2026-11-22T00:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T09:30", "2026-11-01T09:30:00Z"),
            ("2026-11-01T09:30:00+02:00", "2026-11-01T07:30:00Z"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "soon", "7", "d", "-3d", "2026-13-01"] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
