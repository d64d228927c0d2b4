//! Splitting a batch: arrays and NDJSON.

use proptest::prelude::*;
use recount_event::{
    ParseContext, SplitErrorKind, limits, ndjson_lines, parse_array, parse_event_bytes, split_array,
    split_array_bytes,
};
use uuid::Uuid;

use crate::model::any_json;

#[test]
fn elements_are_returned_as_they_stand() {
    assert_eq!(split_array("[]").unwrap(), Vec::<&str>::new());
    assert_eq!(split_array(" [ ] \n").unwrap(), Vec::<&str>::new());
    assert_eq!(
        split_array(r#" [ {"a":"]},[\"" } ,[1,[2]],"x", 7 ,null,nope]"#).unwrap(),
        [r#"{"a":"]},[\"" }"#, "[1,[2]]", r#""x""#, "7", "null", "nope"]
    );
}

#[test]
fn mistakes_within_an_element_are_left_to_it() {
    let batch = "[{\"a\":01},{\"b\":\"raw\nbreak\"},{a},{\"c\":1}]";
    assert_eq!(split_array(batch).unwrap().len(), 4);
    assert_eq!(split_array_bytes(b"[{\"a\":\"\xFF\"},{}]").unwrap().len(), 2);
}

/// Names are remembered in far fewer places than there are tenants here.
#[test]
fn each_event_of_an_array_is_its_own_tenants() {
    let tenants: Vec<String> = (0..2_000).map(|n| format!("t{}", n % 1_000)).collect();
    let event = |tenant: &String| {
        format!(
            r#"{{"tenant":"{tenant}","action":"a.b","occurred_at":"2026-11-22T00:00:00Z","actor":{{"type":"user","id":"u"}}}}"#
        )
    };
    let batch = format!("[{}]", tenants.iter().map(event).collect::<Vec<_>>().join(","));
    let mut events = Vec::new();
    parse_array(batch.as_bytes(), &ParseContext::default(), &mut Uuid::nil, |event| events.push(event))
        .unwrap();
    let found: Vec<String> = events.into_iter().map(|event| event.unwrap().tenant.to_string()).collect();
    assert_eq!(found, tenants);
}

#[test]
fn mistakes_of_the_array_name_their_place() {
    for (batch, offset, line, column) in [
        ("", 0, 1, 1),
        ("{}", 0, 1, 1),
        ("[", 1, 1, 2),
        ("[{}", 3, 1, 4),
        ("[{},", 4, 1, 5),
        ("[{},]", 4, 1, 5),
        ("[,{}]", 1, 1, 2),
        ("[{} {}]", 4, 1, 5),
        ("[{}]\n[]", 5, 2, 1),
        ("[\n{\"a\":[}]\n]", 8, 2, 7),
        ("[\n{},\n  {\"a\":1]\n]", 14, 3, 9),
        ("[{\"a\":\"b}]", 6, 1, 7),
        ("[}]", 1, 1, 2),
    ] {
        let error = split_array(batch).unwrap_err();
        assert_eq!((error.offset, error.line, error.column), (offset, line, column), "{batch:?}: {error}");
        assert_eq!(error.kind, SplitErrorKind::Malformed);
        assert!(error.to_string().contains(&format!("line {line}")), "{error}");
    }
}

#[test]
fn a_batch_of_too_many_events_is_refused() {
    let batch = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
    assert_eq!(split_array(&batch(limits::BATCH_EVENTS_MAX)).unwrap().len(), limits::BATCH_EVENTS_MAX);
    let error = split_array(&batch(limits::BATCH_EVENTS_MAX + 1)).unwrap_err();
    assert_eq!(error.kind, SplitErrorKind::TooManyEvents);
}

#[test]
fn nesting_without_end_is_no_danger() {
    let deep = "[".repeat(1_000_000);
    assert!(split_array(&deep).is_err());
    let closed = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(split_array(&closed).unwrap().len(), 1);
    let objects = format!("[{}", r#"{"a":"#.repeat(100_000));
    assert!(split_array(&objects).is_err());
}

#[test]
fn lines_are_counted_and_blank_ones_passed_over() {
    let lines: Vec<_> = ndjson_lines(b"{\"a\":1}\r\n\n  \t\r\n{\"b\":2}\n\xFF\n{\"c\":3}")
        .map(|line| (line.number, line.bytes))
        .collect();
    assert_eq!(lines, [(1, &b"{\"a\":1}"[..]), (4, b"{\"b\":2}"), (5, b"\xFF"), (6, b"{\"c\":3}")]);
    assert_eq!(ndjson_lines(b"").count(), 0);
    assert_eq!(ndjson_lines(b"\n\r\n").count(), 0);
}

/// An event, one with a mistake somewhere, or anything else.
fn element() -> impl Strategy<Value = Vec<u8>> {
    const EVENT: &str = r#"{"tenant":"t","occurred_at":"2026-01-01T00:00:00Z","action":"a.b","actor":{"type":"user","id":"}]\""},"metadata":{"k":[1,{}]}}"#;
    let event = || Just(EVENT.as_bytes().to_vec());
    let broken =
        (event(), any::<proptest::sample::Index>(), any::<u8>()).prop_map(|(mut event, at, byte)| {
            let at = at.index(event.len());
            event[at] = byte;
            event
        });
    prop_oneof![event(), broken, any_json().prop_map(|json| json.compact().into_bytes())]
}

proptest! {
    #[test]
    fn elements_survive_however_they_are_written(
        elements in proptest::collection::vec((any_json(), any::<u64>()), 0..6)
    ) {
        let texts: Vec<String> = elements.iter().map(|(json, seed)| json.untidy(*seed)).collect();
        let batch = format!("[{}]", texts.join(","));
        let trimmed: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
        prop_assert_eq!(split_array(&batch).unwrap(), trimmed);
    }

    #[test]
    fn a_cut_off_array_is_always_noticed(
        elements in proptest::collection::vec(any_json(), 0..4), cut in any::<proptest::sample::Index>()
    ) {
        let texts: Vec<String> = elements.iter().map(|json| json.compact()).collect();
        let batch = format!("[{}]", texts.join(","));
        let cut = cut.index(batch.len());
        prop_assert!(split_array_bytes(&batch.as_bytes()[..cut]).is_err());
    }

    /// Reading an array's events in one pass is the same as splitting it and reading each.
    #[test]
    fn events_of_an_array_are_those_of_its_elements(
        elements in proptest::collection::vec(element(), 0..6), cut in proptest::option::of(any::<proptest::sample::Index>())
    ) {
        let mut batch = [&b"["[..], &elements.join(&b", "[..]), b"]"].concat();
        if let Some(cut) = cut {
            batch.truncate(cut.index(batch.len()));
        }
        let context = ParseContext::default();
        let mut events = Vec::new();
        let whole = parse_array(&batch, &context, &mut Uuid::nil, |event| events.push(event));
        match split_array_bytes(&batch) {
            Ok(texts) => {
                prop_assert_eq!(whole, Ok(()));
                let each = texts.into_iter().map(|text| parse_event_bytes(text, &context, &mut Uuid::nil));
                prop_assert_eq!(events, each.collect::<Vec<_>>());
            }
            Err(error) => prop_assert_eq!(whole, Err(error)),
        }
    }

    #[test]
    fn splitting_never_panics(text in r#"[\[\]{}",:\\ \na1]{0,40}"#) {
        let _ = split_array(&text);
    }
}
