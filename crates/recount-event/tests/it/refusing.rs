//! What is refused, with which code and which pointer.

use std::fmt::Write as _;

use recount_event::{EventErrorCode, ParseContext, TenantId, limits, parse_event, parse_event_bytes};

use crate::{assigned, parse};

/// A valid event in which the member after `"action"` is `member`.
fn with(member: &str) -> String {
    format!(
        r#"{{"tenant":"acme","occurred_at":"2026-11-23T14:32:07Z","actor":{{"type":"user","id":"u_1"}},"action":"a.b",{member}}}"#
    )
}

/// A valid event in which `from` is replaced by `to`.
fn replaced(from: &str, to: &str) -> String {
    let valid = r#"{"tenant":"acme","occurred_at":"2026-11-23T14:32:07Z","actor":{"type":"user","id":"u_1"},"action":"a.b"}"#;
    assert!(valid.contains(from), "{from}");
    valid.replace(from, to)
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

fn cases() -> Vec<(&'static str, String)> {
    let long = |chars: usize| "x".repeat(chars);
    let members = |count: usize| (0..count).map(|n| format!(r#""m{n}":{n}"#)).collect::<Vec<_>>().join(",");
    vec![
        // The grammar.
        ("empty", String::new()),
        ("cut off", replaced("}", "")[..60].to_owned()),
        ("cut off in a string", r#"{"tenant":"ac"#.to_owned()),
        ("cut off in an escape", r#"{"tenant":"ac\"#.to_owned()),
        ("text behind the event", with(r#""reason":"x""#) + " {}"),
        ("byte order mark", format!("\u{feff}{}", with(r#""reason":"x""#))),
        ("comma at the end", with("")),
        ("missing comma", replaced(r#","actor""#, r#""actor""#)),
        ("missing colon", replaced(r#""tenant":"#, r#""tenant""#)),
        ("name without quotes", replaced(r#""tenant""#, "tenant")),
        ("single quotes", replaced(r#""acme""#, "'acme'")),
        ("comment", replaced(r#""acme""#, r#"/* */"acme""#)),
        ("not an object", "[]".to_owned()),
        ("a string", r#""event""#.to_owned()),
        ("null", "null".to_owned()),
        ("truth misspelt", with(r#""metadata":{"x":True}"#)),
        ("raw control character", with("\"reason\":\"a\u{1}b\"")),
        ("raw line break", with("\"reason\":\"a\nb\"")),
        ("unknown escape", with(r#""reason":"\x41""#)),
        ("short escape", with(r#""reason":"\u12""#)),
        ("lone high surrogate", with(r#""metadata":{"a":["\ud800"]}"#)),
        ("lone low surrogate", with(r#""metadata":{"\udc00":1}"#)),
        ("two high surrogates", with(r#""reason":"\ud800\ud800""#)),
        // Numbers.
        ("NaN", with(r#""metadata":{"x":NaN}"#)),
        ("Infinity", with(r#""metadata":{"x":Infinity}"#)),
        ("minus Infinity", with(r#""metadata":{"x":-Infinity}"#)),
        ("leading plus", with(r#""metadata":{"x":+1}"#)),
        ("leading zero", with(r#""metadata":{"x":01}"#)),
        ("leading point", with(r#""metadata":{"x":.5}"#)),
        ("trailing point", with(r#""metadata":{"x":1.}"#)),
        ("empty exponent", with(r#""metadata":{"x":1e}"#)),
        ("hexadecimal", with(r#""metadata":{"x":0x1F}"#)),
        ("infinite for a double", with(r#""metadata":{"x":1e400}"#)),
        ("long number", with(&format!(r#""metadata":{{"x":{}}}"#, "1".repeat(129)))),
        // Duplicates, depth, size.
        ("member twice", with(r#""tenant":"acme""#)),
        ("member twice, escaped", with(r#""\u0074enant":"acme""#)),
        ("actor's member twice", replaced(r#""id":"u_1""#, r#""id":"u_1","id":"u_2""#)),
        ("target's member twice", with(r#""targets":[{"type":"t","id":"1","type":"t"}]"#)),
        ("metadata's member twice", with(r#""metadata":{"a":{"b":1,"b":1}}"#)),
        ("metadata's member twice among many", with(&format!(r#""metadata":{{{},"m7":0}}"#, members(40)))),
        ("member twice in a change", with(r#""changes":[{"field":"f","after":[{"x":1,"x":2}]}]"#)),
        ("tag twice", with(r#""tags":{"a":1,"a":2}"#)),
        ("depth 17", with(&format!(r#""metadata":{{"x":{}}}"#, nested(15)))),
        ("very deep", with(&format!(r#""metadata":{{"x":{}}}"#, nested(15_000)))),
        ("70 KiB", with(&format!(r#""metadata":{{"x":"{}"}}"#, long(70 * 1024)))),
        // Members.
        ("unknown member", with(r#""colour":"red""#)),
        ("seq", with(r#""seq":1"#)),
        ("unknown member of actor", replaced(r#""id":"u_1""#, r#""id":"u_1","phone":"1""#)),
        ("unknown member of context", with(r#""context":{"port":1}"#)),
        ("unknown member of a target", with(r#""targets":[{"type":"t","id":"1"},{"a/b~c":1}]"#)),
        ("unknown member of a change", with(r#""changes":[{"field":"f","old":1}]"#)),
        ("no tenant", replaced(r#""tenant":"acme","#, "")),
        ("no action", replaced(r#","action":"a.b""#, "")),
        ("no time", replaced(r#""occurred_at":"2026-11-23T14:32:07Z","#, "")),
        ("no actor", replaced(r#""actor":{"type":"user","id":"u_1"},"#, "")),
        ("actor without id", replaced(r#","id":"u_1""#, "")),
        ("target without type", with(r#""targets":[{"id":"1"}]"#)),
        ("change without field", with(r#""changes":[{"before":1}]"#)),
        ("null member", with(r#""reason":null"#)),
        ("null tag", with(r#""tags":{"a":null}"#)),
        ("null actor", replaced(r#"{"type":"user","id":"u_1"}"#, "null")),
        ("number for a string", replaced(r#""u_1""#, "1")),
        ("string for an object", replaced(r#"{"type":"user","id":"u_1"}"#, r#""ada""#)),
        ("object for an array", with(r#""targets":{"type":"t","id":"1"}"#)),
        ("array for metadata", with(r#""metadata":[]"#)),
        ("object as a tag", with(r#""tags":{"a":{}}"#)),
        ("boolean for a string", with(r#""description":true"#)),
        // Strings.
        ("empty id", with(r#""id":"""#)),
        ("empty action", replaced("a.b", "")),
        ("empty actor id", replaced("u_1", "")),
        ("empty tag name", with(r#""tags":{"":1}"#)),
        ("long id", with(&format!(r#""id":"{}""#, long(129)))),
        ("long action", replaced("a.b", &long(129))),
        ("long name", replaced(r#""id":"u_1""#, &format!(r#""id":"u_1","name":"{}""#, "é".repeat(1_025)))),
        ("long tag", with(&format!(r#""tags":{{"a":"{}"}}"#, long(257)))),
        ("line break in an id", with(r#""id":"a\nb""#)),
        ("C1 control in a name", replaced(r#""id":"u_1""#, r#""id":"u_1","name":"a\u0085b""#)),
        ("delete in a name", replaced(r#""id":"u_1""#, "\"id\":\"u_1\",\"name\":\"a\u{7f}\"")),
        ("escape in a description", with(r#""description":"a\u001b[1m""#)),
        ("space in an action", replaced("a.b", "role updated")),
        ("point first in an action", replaced("a.b", ".b")),
        ("letter beyond ASCII in an action", replaced("a.b", "rôle")),
        ("slash in a type", replaced("user", "a/b")),
        // Counts.
        ("201 members", with(&format!(r#""metadata":{{{}}}"#, members(201)))),
        ("201 members, nested", with(&format!(r#""metadata":{{"a":[{{{}}}]}}"#, members(200)))),
        ("101 targets", with(&format!(r#""targets":[{}]"#, vec![r#"{"type":"t","id":"1"}"#; 101].join(",")))),
        ("201 changes", with(&format!(r#""changes":[{}]"#, vec![r#"{"field":"f"}"#; 201].join(",")))),
        ("51 tags", with(&format!(r#""tags":{{{}}}"#, members(51)))),
        // Values.
        ("tenant with a slash", replaced("acme", "../etc")),
        ("tenant of dots", replaced("acme", "..")),
        ("empty tenant", replaced("acme", "")),
        ("time without offset", replaced("07Z", "07")),
        ("a date only", replaced("T14:32:07Z", "")),
        ("year 0", replaced("2026", "0000")),
        ("year 9999", replaced("2026", "9999")),
        ("February 30", replaced("11-23", "02-30")),
        ("outcome", with(r#""outcome":"ok""#)),
        ("ip with a port", with(r#""context":{"ip":"203.0.113.7:80"}"#)),
        ("host for an ip", with(r#""context":{"ip":"example.com"}"#)),
        ("own action", replaced("a.b", "Recount.export.taken")),
        ("own source", with(r#""source":"Recount""#)),
    ]
}

#[test]
fn each_mistake_has_its_own_error() {
    let mut answers = String::new();
    for (name, text) in cases() {
        match parse(&text) {
            Ok(event) => panic!("{name} was accepted: {}", event.line),
            Err(error) => {
                let pointer = if error.pointer.is_empty() { "(whole)" } else { &error.pointer };
                writeln!(answers, "{name}: {} {pointer}\n    {}", error.code, error.detail).unwrap();
            }
        }
    }
    insta::assert_snapshot!(answers);
}

#[test]
fn every_code_is_met_by_some_mistake() {
    let mut met: Vec<EventErrorCode> =
        cases().iter().map(|(_, text)| parse(text).unwrap_err().code).collect();
    // These two take another key, or bytes.
    met.extend([EventErrorCode::TenantMismatch, EventErrorCode::InvalidUtf8]);
    for code in EventErrorCode::ALL {
        assert!(met.contains(code), "{code}");
    }
}

#[test]
fn the_tenant_of_the_key_is_the_only_one_allowed() {
    let acme: TenantId = "acme".parse().unwrap();
    let context = ParseContext { tenant: Some(&acme), allow_own_actions: false };
    let other = replaced("acme", "other");
    let error = parse_event(&other, &context, &mut assigned).unwrap_err();
    assert_eq!(error.code, EventErrorCode::TenantMismatch);
    assert_eq!(error.pointer, "/tenant");
    for own in [replaced("acme", "acme"), replaced(r#""tenant":"acme","#, "")] {
        assert_eq!(parse_event(&own, &context, &mut assigned).unwrap().tenant, acme);
    }
}

#[test]
fn own_actions_are_for_recount_alone() {
    let context = ParseContext { tenant: None, allow_own_actions: true };
    let own = replaced("a.b\"", "recount.export.taken\",\"source\":\"recount\"");
    assert!(parse_event(&own, &context, &mut assigned).is_ok());
    assert_eq!(parse(&own).unwrap_err().code, EventErrorCode::ReservedName);
}

#[test]
fn bytes_that_are_not_utf_8_are_pointed_at() {
    let mut bytes = with(r#""metadata":{"a":["x","y#"]}"#).into_bytes();
    let at = bytes.iter().position(|&byte| byte == b'#').unwrap();
    bytes[at] = 0xFF;
    let error = parse_event_bytes(&bytes, &ParseContext::default(), &mut assigned).unwrap_err();
    assert_eq!(error.code, EventErrorCode::InvalidUtf8);
    assert_eq!(error.pointer, "/metadata/a/1");
    assert!(error.detail.contains(&format!("at byte {at}")), "{}", error.detail);
}

#[test]
fn an_event_that_grows_past_the_limit_is_refused() {
    // What is added to it (id, outcome) makes it too long only in normal form.
    let fixed = with(r#""reason":"","metadata":{"x":""}"#).len();
    let text =
        with(&format!(r#""reason":"","metadata":{{"x":"{}"}}"#, "x".repeat(limits::EVENT_BYTES_MAX - fixed)));
    assert_eq!(text.len(), limits::EVENT_BYTES_MAX);
    let error = parse(&text).unwrap_err();
    assert_eq!(error.code, EventErrorCode::EventTooLarge);
    assert!(error.detail.contains("normal form"), "{}", error.detail);
}
