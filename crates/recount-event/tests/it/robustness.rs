//! Whatever comes in: no panic, and the same judgement on JSON as a reader of others.

use proptest::prelude::*;
use recount_event::{EventErrorCode, Filter, ParseContext, parse_event_bytes, read_fields, token};

use crate::model::{event, metadata};
use crate::{assigned, parse};

fn in_metadata(json: &str) -> String {
    format!(
        r#"{{"tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"a","actor":{{"type":"user","id":"1"}},"metadata":{{"x":{json}}}}}"#
    )
}

/// Whether the code says that the text is not JSON at all.
fn is_about_grammar(code: EventErrorCode) -> bool {
    matches!(
        code,
        EventErrorCode::JsonSyntax
            | EventErrorCode::StringMalformed
            | EventErrorCode::LoneSurrogate
            | EventErrorCode::NumberMalformed
    )
}

fn agrees_with_another_reader(text: &str) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match parse(text) {
        Ok(event) => {
            let ours = serde_json::from_str::<serde_json::Value>(&event.line).unwrap();
            // What the normal form adds or writes in its own way.
            let rest = |mut event: serde_json::Value| {
                let members = event.as_object_mut().unwrap();
                for name in ["id", "outcome", "occurred_at"] {
                    members.remove(name);
                }
                event
            };
            prop_assert_eq!(rest(ours), rest(theirs.unwrap()));
        }
        Err(error) if is_about_grammar(error.code) => prop_assert!(theirs.is_err(), "{}", error),
        // Refused for a rule of events.
        Err(_) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn the_grammar_is_that_of_another_reader(json in r#"[\[\]{}",:\\ \n0-9eE+.truefalsn-]{0,12}"#) {
        agrees_with_another_reader(&in_metadata(&json))?;
    }

    #[test]
    fn numbers_are_those_of_another_reader(json in r"[0-9+.eE-]{1,6}") {
        agrees_with_another_reader(&in_metadata(&json))?;
    }

    #[test]
    fn strings_are_those_of_another_reader(json in r#"(\\[ubfnrt"/\\x]|[dD][89a-fA-F][0-9]{2}|00[0-9a-f]{2}|[a\x01é])"{0,6}"#) {
        agrees_with_another_reader(&in_metadata(&format!("\"{json}\"")))?;
    }

    #[test]
    fn changed_events_are_judged_as_by_another_reader(
        json in metadata(), seed in any::<u64>(), at in any::<proptest::sample::Index>(),
        with in r#"[\[\]{}",:\\ 0a\x01]{0,2}"#
    ) {
        let mut text = in_metadata(&json.untidy(seed));
        let mut start = at.index(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
        text.replace_range(start..end, &with);
        agrees_with_another_reader(&text)?;
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_event_bytes(&bytes, &ParseContext::default(), &mut assigned);
        let text = String::from_utf8_lossy(&bytes);
        let _ = read_fields(&text);
        let _ = Filter::parse(&text);
        token::for_each_token(&text, |_| {});
    }

    #[test]
    fn broken_utf_8_is_refused_with_its_place(
        event in event(), seed in any::<u64>(), at in any::<proptest::sample::Index>()
    ) {
        let mut bytes = event.untidy(seed).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = 0xFF;
        let error = parse_event_bytes(&bytes, &ParseContext::default(), &mut assigned).unwrap_err();
        prop_assert_eq!(error.code, EventErrorCode::InvalidUtf8);
    }

    #[test]
    fn a_line_matches_or_not_whatever_it_is(line in r#"[\[\]{}",:\\ab0-]{0,40}"#, text in r#"[ab0" :.*-]{0,12}"#) {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(filter.matches(&line), filter.compile().matches(&line));
        }
    }
}
