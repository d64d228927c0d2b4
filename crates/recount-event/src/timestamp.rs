//! Moments in microseconds, their RFC 3339 text, and the one text they are
//! written in (the *normal text*).
//!
//! The parser is our own because an event is refused for anything that RFC 3339
//! does not allow, with an error that says what is wrong, and because it runs
//! once per event on the way in and once on every line that is scanned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment: microseconds since 1970-01-01T00:00:00Z, in UTC, without leap seconds.
/// The default is 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// A text that is no moment of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text is not RFC 3339.
    #[error("a time is RFC 3339, like `2026-11-23T14:32:07.418Z`; {what}")]
    Malformed {
        /// What is wrong, and where.
        what: &'static str,
    },
    /// The text is RFC 3339, and outside [`Timestamp::MIN`] to [`Timestamp::MAX`].
    #[error("a time lies between 1970-01-01T00:00:00Z and 2199-12-31T23:59:59.999999Z; this one does not")]
    OutOfRange,
}

impl Timestamp {
    /// The microseconds of a day.
    pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
    /// The first moment that an event can have, 1970-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(0);
    /// The last moment that an event can have, 2199-12-31T23:59:59.999999Z.
    pub const MAX: Timestamp = Timestamp(7_258_118_400 * MICROS_PER_SECOND - 1);

    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 time with any offset.
    ///
    /// `t`, `z` and a space between date and time are taken, as RFC 3339 section
    /// 5.6 allows. Digits after the sixth of a fraction are dropped. The second
    /// 60 is taken at 23:59 UTC only and means the first second of the next day.
    ///
    /// # Errors
    /// [`TimestampError::Malformed`] or [`TimestampError::OutOfRange`].
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let micros = parse(text.as_bytes()).map_err(|what| TimestampError::Malformed { what })?;
        let moment = Self(micros);
        if moment < Self::MIN || moment > Self::MAX {
            return Err(TimestampError::OutOfRange);
        }
        Ok(moment)
    }

    /// Appends the normal text: UTC with `Z`, and the shortest fraction of 0, 3
    /// or 6 digits that is exact.
    pub fn write_to(self, out: &mut String) {
        let mut buffer = [0; TEXT_BYTES_MAX];
        out.push_str(self.format(&mut buffer));
    }

    fn format(self, buffer: &mut [u8; TEXT_BYTES_MAX]) -> &str {
        let seconds = self.0.div_euclid(MICROS_PER_SECOND);
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let mut writer = Digits { buffer, len: 0 };
        if year < 0 {
            writer.byte(b'-');
        }
        let year = year.unsigned_abs();
        let width = if year > 9_999 { 6 } else { 4 };
        writer.number(year, width);
        writer.byte(b'-');
        writer.number(month, 2);
        writer.byte(b'-');
        writer.number(day, 2);
        writer.byte(b'T');
        writer.number((of_day / 3_600).unsigned_abs(), 2);
        writer.byte(b':');
        writer.number((of_day / 60 % 60).unsigned_abs(), 2);
        writer.byte(b':');
        writer.number((of_day % 60).unsigned_abs(), 2);
        let micros = micros.unsigned_abs();
        if micros != 0 {
            writer.byte(b'.');
            if micros.is_multiple_of(1_000) {
                writer.number(micros / 1_000, 3);
            } else {
                writer.number(micros, 6);
            }
        }
        writer.byte(b'Z');
        let len = writer.len;
        std::str::from_utf8(&buffer[..len]).expect("only ASCII was written")
    }
}

/// The longest normal text: a sign, six digits of year and a full fraction.
const TEXT_BYTES_MAX: usize = 32;

/// Writes digits into a buffer that is large enough by construction.
struct Digits<'a> {
    buffer: &'a mut [u8; TEXT_BYTES_MAX],
    len: usize,
}

impl Digits<'_> {
    fn byte(&mut self, byte: u8) {
        self.buffer[self.len] = byte;
        self.len += 1;
    }

    fn number(&mut self, mut value: u64, width: usize) {
        for place in (self.len..self.len + width).rev() {
            self.buffer[place] = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.len += width;
    }
}

fn parse(text: &[u8]) -> Result<i64, &'static str> {
    let date = text.get(..10).ok_or("it is too short")?;
    let year = digits(&date[..4]).ok_or("it starts with a year of four digits")?;
    let month = digits(&date[5..7]).ok_or("the month has two digits")?;
    let day = digits(&date[8..10]).ok_or("the day has two digits")?;
    if date[4] != b'-' || date[7] != b'-' {
        return Err("the date is written `YYYY-MM-DD`");
    }
    let time = text.get(10..19).ok_or("the time of day is missing or cut off")?;
    if !matches!(time[0], b'T' | b't' | b' ') {
        return Err("a `T` stands between date and time");
    }
    let hour = digits(&time[1..3]).ok_or("the hour has two digits")?;
    let minute = digits(&time[4..6]).ok_or("the minute has two digits")?;
    let second = digits(&time[7..9]).ok_or("the second has two digits")?;
    if time[3] != b':' || time[6] != b':' {
        return Err("the time of day is written `HH:MM:SS`");
    }
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err("there is no such day");
    }
    if hour > 23 || minute > 59 || second > 60 {
        return Err("there is no such time of day");
    }
    let (micros, rest) = fraction(&text[19..])?;
    let offset = offset_seconds(rest)?;
    let at_minute = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 - offset;
    if second == 60 && at_minute.rem_euclid(SECONDS_PER_DAY) != SECONDS_PER_DAY - 60 {
        return Err("second 60 exists at 23:59 UTC only");
    }
    Ok((at_minute + second) * MICROS_PER_SECOND + micros)
}

fn fraction(text: &[u8]) -> Result<(i64, &[u8]), &'static str> {
    let Some(rest) = text.strip_prefix(b".") else {
        return Ok((0, text));
    };
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 {
        return Err("digits follow the point");
    }
    let kept = len.min(6);
    let value = digits(&rest[..kept]).expect("these are digits");
    Ok((value * 10_i64.pow(6 - kept as u32), &rest[len..]))
}

fn offset_seconds(text: &[u8]) -> Result<i64, &'static str> {
    const WRONG: &str = "it ends with an offset, `Z` or like `+02:00`";
    let (sign, rest) = match text {
        [b'Z' | b'z'] => return Ok(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(WRONG),
    };
    if rest.len() != 5 || rest[2] != b':' {
        return Err(WRONG);
    }
    let (hours, minutes) = (digits(&rest[..2]).ok_or(WRONG)?, digits(&rest[3..]).ok_or(WRONG)?);
    if hours > 23 || minutes > 59 {
        return Err("there is no such offset");
    }
    Ok(sign * (hours * 3_600 + minutes * 60))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar.
///
/// Years start in March here, so that a leap day is the last day of a year
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.format(&mut [0; TEXT_BYTES_MAX]))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_rfc3339(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.format(&mut [0; TEXT_BYTES_MAX]))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).map_err(serde::de::Error::custom)
    }
}
