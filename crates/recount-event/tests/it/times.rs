//! Times: what is read, what is refused, and the one text they are written in.

use proptest::prelude::*;
use recount_event::{Timestamp, TimestampError};

fn normal(text: &str) -> String {
    Timestamp::parse_rfc3339(text).unwrap().to_string()
}

#[test]
fn times_are_written_in_utc_with_the_shortest_exact_fraction() {
    for (sent, written) in [
        ("2026-11-23T14:32:07Z", "2026-11-23T14:32:07Z"),
        ("2026-11-23T14:32:07.000Z", "2026-11-23T14:32:07Z"),
        ("2026-11-23T14:32:07.4Z", "2026-11-23T14:32:07.400Z"),
        ("2026-11-23T14:32:07.418Z", "2026-11-23T14:32:07.418Z"),
        ("2026-11-23T14:32:07.4181Z", "2026-11-23T14:32:07.418100Z"),
        ("2026-11-23T14:32:07.418000999Z", "2026-11-23T14:32:07.418Z"),
        ("2026-11-23t16:32:07+02:00", "2026-11-23T14:32:07Z"),
        ("2026-11-23 14:32:07z", "2026-11-23T14:32:07Z"),
        ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
        ("2024-02-29T23:59:59-23:59", "2024-03-01T23:58:59Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T00:59:60.5+01:00", "2017-01-01T00:00:00.500Z"),
        ("1970-01-01T00:00:00-00:00", "1970-01-01T00:00:00Z"),
        ("2199-12-31T23:59:59.999999Z", "2199-12-31T23:59:59.999999Z"),
    ] {
        assert_eq!(normal(sent), written, "{sent}");
    }
}

#[test]
fn what_is_not_rfc_3339_is_refused() {
    for text in [
        "",
        "now",
        "2026",
        "2026-11-23",
        "2026-11-23T14:32",
        "2026-11-23T14:32:07",
        "2026-11-23T14:32:07.Z",
        "2026-11-23T14:32:07,5Z",
        "2026-11-23T14:32:07+0200",
        "2026-11-23T14:32:07+2:00",
        "2026-11-23T14:32:07+24:00",
        "2026-11-23T14:32:07Z ",
        " 2026-11-23T14:32:07Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T23:60:00Z",
        "2026-11-23T12:00:60Z",
        "2026-11-23T23:59:61Z",
        "26-11-23T14:32:07Z",
        "+2026-11-23T14:32:07Z",
        "2026-11-23T14:32:07é",
        "２０２６-11-23T14:32:07Z",
        "1700000000",
        "2026/11/23T14:32:07Z",
        "2026-11-23T14.32.07Z",
    ] {
        let error = Timestamp::parse_rfc3339(text).unwrap_err();
        assert!(matches!(error, TimestampError::Malformed { .. }), "{text}: {error}");
    }
}

#[test]
fn times_beyond_the_range_are_refused_as_such() {
    for text in [
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:30:00+01:00",
        "2200-01-01T00:00:00Z",
        "2199-12-31T23:30:00-01:00",
        "9999-12-31T23:59:59Z",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), Err(TimestampError::OutOfRange), "{text}");
    }
}

#[test]
fn any_number_of_microseconds_can_be_shown() {
    for micros in [i64::MIN, -1, 0, 1, i64::MAX] {
        assert!(Timestamp::from_micros(micros).to_string().ends_with('Z'));
    }
    assert_eq!(Timestamp::MIN.to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(Timestamp::MAX.to_string(), "2199-12-31T23:59:59.999999Z");
    assert_eq!(Timestamp::from_micros(-1).to_string(), "1969-12-31T23:59:59.999999Z");
}

#[test]
fn times_are_json_strings() {
    let time = Timestamp::parse_rfc3339("2026-11-23T14:32:07.5Z").unwrap();
    let json = serde_json::to_string(&time).unwrap();
    assert_eq!(json, r#""2026-11-23T14:32:07.500Z""#);
    assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
    assert!(serde_json::from_str::<Timestamp>(r#""today""#).is_err());
}

proptest! {
    #[test]
    fn every_time_is_read_back_from_its_text(micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()) {
        let time = Timestamp::from_micros(micros);
        prop_assert_eq!(Timestamp::parse_rfc3339(&time.to_string()), Ok(time));
    }

    #[test]
    fn another_library_reads_the_same_time(micros in Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(), minutes in -1439_i32..1440) {
        let time = Timestamp::from_micros(micros);
        let theirs = jiff::Timestamp::from_microsecond(micros).unwrap();
        prop_assert_eq!(time.to_string().parse::<jiff::Timestamp>().unwrap(), theirs);
        let offset = jiff::tz::Offset::from_seconds(minutes * 60).unwrap();
        let local = theirs.display_with_offset(offset).to_string();
        prop_assert_eq!(Timestamp::parse_rfc3339(&local), Ok(time), "{}", local);
    }

    #[test]
    fn reading_never_panics(text in "\\PC{0,40}") {
        let _ = Timestamp::parse_rfc3339(&text);
    }

    #[test]
    fn reading_what_is_almost_a_time_never_panics(at in 0_usize..27, with in any::<char>()) {
        let mut text: Vec<char> = "2026-11-23T14:32:07.418123Z".chars().collect();
        text[at] = with;
        let _ = Timestamp::parse_rfc3339(&text.into_iter().collect::<String>());
    }
}
