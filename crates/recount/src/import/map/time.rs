//! Times as foreign logs write them, as RFC 3339.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde::Deserialize;

use super::RecordError;
use super::expression::{Expression, Scope};

/// Where the time is and how it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRule {
    pub(super) from: Expression,
    /// How it is written.
    #[serde(default)]
    format: TimeFormat,
    /// The offset of times that do not say, as `+02:00`; UTC if absent.
    offset: Option<String>,
}

/// How a time is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// Any of the others, told by its form; numbers by how large they are.
    #[default]
    Auto,
    /// `2026-11-23T14:32:07.418Z`.
    Rfc3339,
    /// Seconds since 1970, with or without a fraction.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// Microseconds since 1970.
    EpochMicros,
    /// Nanoseconds since 1970.
    EpochNanos,
    /// `2026-11-23T14:32:07.418` or with a space, without a zone.
    Iso,
    /// A pattern of `strftime`, as `%d/%b/%Y:%H:%M:%S %z`.
    #[serde(untagged)]
    Pattern(String),
}

impl TimeRule {
    /// The time of a record in RFC 3339, in UTC.
    pub(super) fn time(&self, scope: &Scope<'_, '_>) -> Result<String, RecordError> {
        let text = self.from.text(scope).ok_or(RecordError::Missing { member: "occurred_at" })?;
        read_time(&text, &self.format, self.offset.as_deref()).map_err(|detail| RecordError::Time { detail })
    }

    /// Checks what the types cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        if let TimeFormat::Pattern(pattern) = &self.format
            && !pattern.contains('%')
        {
            return Err(format!(
                "occurred_at.format {pattern:?} is none of auto, rfc3339, epoch_seconds, epoch_millis, \
                 epoch_micros, epoch_nanos, iso, nor a pattern with %"
            ));
        }
        self.offset.as_deref().map_or(Ok(()), |offset| parse_offset(offset).map(drop))
    }
}

fn read_time(text: &str, format: &TimeFormat, offset: Option<&str>) -> Result<String, String> {
    let text = text.trim();
    let wrong = || format!("{text:?} is not {}", describe(format));
    let timestamp = match format {
        TimeFormat::Auto => return auto(text, offset),
        TimeFormat::Rfc3339 => text.parse::<jiff::Timestamp>().map_err(|_| wrong())?,
        TimeFormat::EpochSeconds => epoch(text, 1_000_000).ok_or_else(wrong)?,
        TimeFormat::EpochMillis => epoch(text, 1_000).ok_or_else(wrong)?,
        TimeFormat::EpochMicros => epoch(text, 1).ok_or_else(wrong)?,
        TimeFormat::EpochNanos => {
            let nanos: i64 = text.parse().map_err(|_| wrong())?;
            jiff::Timestamp::from_microsecond(nanos.div_euclid(1_000)).map_err(|_| wrong())?
        }
        TimeFormat::Iso => local(text.parse().map_err(|_| wrong())?, offset)?,
        TimeFormat::Pattern(pattern) => {
            let broken = strtime::parse(pattern, text).map_err(|error| format!("{}: {error}", wrong()))?;
            match broken.to_timestamp() {
                Ok(timestamp) => timestamp,
                Err(_) => {
                    local(broken.to_datetime().map_err(|error| format!("{}: {error}", wrong()))?, offset)?
                }
            }
        }
    };
    Ok(timestamp.to_string())
}

/// Numbers by how large they are (until the year 2286 for seconds), texts by their form.
fn auto(text: &str, offset: Option<&str>) -> Result<String, String> {
    let whole = text.split('.').next().unwrap_or(text);
    if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let format = match whole.len() {
            ..=10 => TimeFormat::EpochSeconds,
            11..=13 => TimeFormat::EpochMillis,
            14..=16 => TimeFormat::EpochMicros,
            _ => TimeFormat::EpochNanos,
        };
        return read_time(text, &format, offset);
    }
    read_time(text, &TimeFormat::Rfc3339, offset)
        .or_else(|_| read_time(text, &TimeFormat::Iso, offset))
        .or_else(|_| jiff::fmt::rfc2822::parse(text).map(|zoned| zoned.timestamp().to_string()))
        .map_err(|_| format!("{text:?} is not a time that can be told by its form; give occurred_at.format"))
}

/// A decimal number of units of `micros` each.
fn epoch(text: &str, micros: i64) -> Option<jiff::Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut total = whole.parse::<i64>().ok()?.checked_mul(micros)?;
    let mut unit = micros;
    for digit in fraction.bytes() {
        unit /= 10;
        total += i64::from(digit - b'0') * unit;
    }
    jiff::Timestamp::from_microsecond(total).ok()
}

fn local(datetime: DateTime, offset: Option<&str>) -> Result<jiff::Timestamp, String> {
    let offset = offset.map_or(Ok(Offset::UTC), parse_offset)?;
    offset.to_timestamp(datetime).map_err(|error| error.to_string())
}

fn parse_offset(text: &str) -> Result<Offset, String> {
    let wrong = || format!("occurred_at.offset {text:?} is not like +02:00");
    if text == "UTC" || text == "Z" {
        return Ok(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let (hours, minutes): (i32, i32) =
        (hours.parse().map_err(|_| wrong())?, minutes.parse().map_err(|_| wrong())?);
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).map_err(|_| wrong())
}

fn describe(format: &TimeFormat) -> String {
    match format {
        TimeFormat::Auto => "a time".to_owned(),
        TimeFormat::Rfc3339 => "RFC 3339".to_owned(),
        TimeFormat::EpochSeconds => "a number of seconds since 1970".to_owned(),
        TimeFormat::EpochMillis => "a number of milliseconds since 1970".to_owned(),
        TimeFormat::EpochMicros => "a number of microseconds since 1970".to_owned(),
        TimeFormat::EpochNanos => "a number of nanoseconds since 1970".to_owned(),
        TimeFormat::Iso => "an ISO 8601 time without a zone".to_owned(),
        TimeFormat::Pattern(pattern) => format!("a time like {pattern}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{TimeFormat, read_time};

    #[test]
    fn times_are_told_by_their_form() {
        let told = |text: &str| read_time(text, &TimeFormat::Auto, None);
        for text in [
            "2023-07-10T11:42:18Z",
            "2023-07-10T13:42:18+02:00",
            "1688989338",
            "1688989338000",
            "1688989338000000",
            "1688989338000000000",
            "2023-07-10 11:42:18",
            "2023-07-10T11:42:18",
            "Mon, 10 Jul 2023 11:42:18 +0000",
        ] {
            assert_eq!(told(text).as_deref(), Ok("2023-07-10T11:42:18Z"), "{text}");
        }
        assert_eq!(told("1688989338.25").as_deref(), Ok("2023-07-10T11:42:18.25Z"));
        assert!(told("yesterday").expect_err("not a time").contains("occurred_at.format"));
    }

    #[test]
    fn offsets_and_patterns_are_taken() {
        let iso = |text: &str| read_time(text, &TimeFormat::Iso, Some("-05:30"));
        assert_eq!(iso("2023-07-10T11:42:18.5").as_deref(), Ok("2023-07-10T17:12:18.5Z"));
        let pattern = TimeFormat::Pattern("%d/%b/%Y:%H:%M:%S %z".to_owned());
        assert_eq!(
            read_time("10/Jul/2023:13:42:18 +0200", &pattern, None).as_deref(),
            Ok("2023-07-10T11:42:18Z")
        );
        assert!(read_time("1688989338", &TimeFormat::Rfc3339, None).is_err());
    }
}
