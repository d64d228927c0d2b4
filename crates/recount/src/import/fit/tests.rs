//! Whatever a source holds, the event that comes of it is accepted.

use proptest::prelude::*;
use recount_event::{ParseContext, TenantId, parse_event};

use super::{CUT_MEMBER, fit};
use crate::import::parts::{Change, Entity, Parts};

fn parts(metadata: Vec<(String, String)>) -> Parts {
    Parts {
        id: "e1".to_owned(),
        occurred_at: "2026-11-23T14:32:07Z".to_owned(),
        action: "thing.done".to_owned(),
        outcome: "success".to_owned(),
        actor: Entity { kind: "user".to_owned(), id: "u".to_owned(), ..Entity::default() },
        metadata,
        ..Parts::default()
    }
}

fn accepted(parts: &Parts) -> Result<serde_json::Value, String> {
    let tenant: TenantId = "acme".parse().expect("a tenant");
    let context = ParseContext { tenant: Some(&tenant), allow_own_actions: false };
    parse_event(&parts.to_line(), &context, &mut || unreachable!("it has an id"))
        .map(|event| serde_json::from_str(&event.line).expect("JSON"))
        .map_err(|error| format!("{} {} {}", error.code.as_str(), error.detail, error.pointer))
}

#[test]
fn an_event_within_the_limits_stays_as_it_is() {
    let mut event = parts(vec![("a".to_owned(), "{\"b\":1.10}".to_owned())]);
    let before = event.clone();
    assert!(!fit(&mut event));
    assert_eq!(event, before);
}

#[test]
fn what_is_nested_too_deep_becomes_text_with_its_words() {
    let deep = format!("{}\"needle\"{}", "[".repeat(40), "]".repeat(40));
    let mut event = parts(vec![("a".to_owned(), deep)]);
    assert!(accepted(&event).is_err());
    assert!(fit(&mut event));
    let event = accepted(&event).expect("accepted");
    assert!(event["metadata"]["a"].to_string().contains("needle"));
    assert!(event["metadata"][CUT_MEMBER][0].as_str().expect("a note").contains("nested too deep"));
    assert_eq!(event["tags"]["import"], "cut");
}

#[test]
fn too_many_members_become_text_with_their_words() {
    let wide: Vec<String> = (0..500).map(|number| format!("\"k{number}\":\"v{number}\"")).collect();
    let mut event =
        parts(vec![("wide".to_owned(), format!("{{{}}}", wide.join(","))), ("n".to_owned(), "1".to_owned())]);
    assert!(fit(&mut event));
    let event = accepted(&event).expect("accepted");
    assert!(event["metadata"]["wide"].as_str().expect("text").contains("v499"));
    assert_eq!(event["metadata"]["n"], 1);
}

#[test]
fn a_large_text_is_cut_and_says_so() {
    let mut event = parts(vec![
        ("big".to_owned(), format!("\"{}\"", "é".repeat(200_000))),
        ("n".to_owned(), "1".to_owned()),
    ]);
    assert!(fit(&mut event));
    let event = accepted(&event).expect("accepted");
    let big = event["metadata"]["big"].as_str().expect("text");
    assert!(big.contains("bytes cut]") && big.len() > 25_000, "{}", big.len());
}

#[test]
fn long_members_and_lists_are_cut() {
    let mut event = parts(Vec::new());
    event.id = "x".repeat(300);
    event.action = "a".repeat(300);
    event.actor.name = Some("n\u{7}".repeat(2_000));
    event.description = Some("d".repeat(9_000));
    event.context = vec![("user_agent", "u".repeat(5_000)), ("location", "l".repeat(900))];
    event.targets = (0..300)
        .map(|number| Entity {
            kind: "t".repeat(80),
            id: format!("{number}{}", "i".repeat(3_000)),
            ..Entity::default()
        })
        .collect();
    event.changes = (0..300)
        .map(|number| Change {
            field: format!("f{number}"),
            before: Some("[".repeat(30) + &"]".repeat(30)),
            after: None,
        })
        .collect();
    event.tags = (0..80).map(|number| (format!("t{number}"), "v".repeat(400))).collect();
    assert!(fit(&mut event));
    accepted(&event).expect("accepted");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_metadata_fits(members in prop::collection::vec(("[ -~é\u{1}]{0,200}", any_json()), 0..260)) {
        let members = members.into_iter().map(|(name, value)| (name, value.to_string())).collect();
        let mut event = parts(members);
        fit(&mut event);
        if let Err(reason) = accepted(&event) {
            prop_assert!(false, "{}", reason);
        }
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number)
            .map(serde_json::Value::from)),
        "\\PC{0,40}".prop_map(serde_json::Value::from),
        (1usize..4_000).prop_map(|count| serde_json::Value::from("w ".repeat(count))),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(20, 60, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::hash_map(".{0,150}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}
