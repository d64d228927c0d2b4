//! What lies just within the limits, and what is odd and yet allowed.

use recount_event::limits;

use crate::parse;

fn with(member: &str) -> String {
    format!(
        r#"{{"tenant":"acme","occurred_at":"2026-11-23T14:32:07Z","actor":{{"type":"user","id":"u_1"}},"action":"a.b",{member}}}"#
    )
}

#[test]
fn each_limit_can_be_reached() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let members = |count: usize| (0..count).map(|n| format!(r#""m{n}":{n}"#)).collect::<Vec<_>>().join(",");
    // The event and `metadata` are two levels.
    let depth = limits::DEPTH_MAX - 2;
    let target = format!(r#"{{"type":"{}","id":"{}"}}"#, "t".repeat(limits::TYPE_CHARS_MAX), "1".repeat(400));
    for member in [
        format!(r#""id":"{}""#, "é".repeat(limits::ID_CHARS_MAX)),
        format!(r#""metadata":{{"x":{}}}"#, nested(depth)),
        format!(r#""metadata":{{{}}}"#, members(limits::METADATA_MEMBERS_MAX)),
        format!(r#""metadata":{{"x":{}}}"#, "9".repeat(limits::NUMBER_CHARS_MAX)),
        format!(r#""tags":{{{}}}"#, members(limits::TAGS_MAX)),
        format!(r#""targets":[{}]"#, vec![target; limits::TARGETS_MAX].join(",")),
        format!(r#""changes":[{}]"#, vec![r#"{"field":"f"}"#; limits::CHANGES_MAX].join(",")),
        format!(r#""description":"{}""#, "é".repeat(limits::DESCRIPTION_CHARS_MAX)),
        format!(r#""context":{{"user_agent":"{}"}}"#, "😀".repeat(limits::USER_AGENT_CHARS_MAX)),
    ] {
        if let Err(error) = parse(&with(&member)) {
            panic!("{error} at {}: {member}", error.pointer);
        }
    }
}

#[test]
fn odd_but_valid_events_are_taken() {
    for member in [
        r#""targets":[]"#,
        r#""context":{}"#,
        r#""metadata":{}"#,
        r#""metadata":{"":{"":[]}}"#,
        r#""metadata":{"x":null,"y":[null,{},[]]}"#,
        r#""reason":"""#,
        r#""reason":"two\nlines\tand a tab""#,
        r#""changes":[{"field":"f","before":null,"after":null}]"#,
        r#""tags":{"a":true,"b":-0.0,"c":""}"#,
        r#""context":{"ip":"::ffff:203.0.113.7"}"#,
        r#""metadata":{"x":1e-400,"y":-0,"z":9007199254740993}"#,
        r#""metadata":{"nul":"\u0000","max":"\uffff","pair":"\ud83d\ude00"}"#,
        r#""source":"recounting""#,
    ] {
        if let Err(error) = parse(&with(member)) {
            panic!("{error} at {}: {member}", error.pointer);
        }
    }
}

#[test]
fn members_of_different_objects_may_have_one_name() {
    let names = |from: usize| {
        (from..from + 30).map(|n| format!(r#""m{n}":{{"m{n}":1}}"#)).collect::<Vec<_>>().join(",")
    };
    parse(&with(&format!(r#""metadata":{{"a":{{{}}},"b":{{{}}}}}"#, names(0), names(5)))).unwrap();
}
