//! The normal form: one text for an event, however it was written.

use proptest::prelude::*;
use recount_event::{ParseContext, parse_event};

use crate::model::event;
use crate::{ASSIGNED, assigned, parse};

proptest! {
    #[test]
    fn every_text_of_an_event_has_the_same_normal_form(event in event(), seed in any::<u64>()) {
        let tidy = event.compact();
        let parsed = parse(&event.untidy(seed)).unwrap();
        prop_assert_eq!(&parsed.line, &tidy);
        prop_assert_eq!(parsed.id.as_str(), event.get("id").unwrap().text().unwrap());
        prop_assert!(!parsed.id_assigned);
    }

    #[test]
    fn the_normal_form_of_a_normal_form_is_itself(event in event(), seed in any::<u64>()) {
        let line = parse(&event.untidy(seed)).unwrap().line;
        prop_assert_eq!(parse(&line).unwrap().line, line);
    }

    #[test]
    fn the_normal_form_means_the_same_to_another_reader(event in event(), seed in any::<u64>()) {
        let sent = event.untidy(seed);
        let line = parse(&sent).unwrap().line;
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(read(&line), read(&sent));
        prop_assert!(!line.contains('\n'));
    }
}

#[test]
fn what_the_sender_may_leave_out_is_written() {
    let event = parse_event(
        r#"{"occurred_at":"2026-11-23T14:32:07Z","action":"a","actor":{"type":"user","id":"1"}}"#,
        &ParseContext { tenant: Some(&"acme".parse().unwrap()), allow_own_actions: false },
        &mut assigned,
    )
    .unwrap();
    assert!(event.id_assigned);
    assert_eq!(event.id, ASSIGNED);
    assert_eq!(
        event.line,
        format!(
            r#"{{"id":"{ASSIGNED}","tenant":"acme","occurred_at":"2026-11-23T14:32:07Z","action":"a","outcome":"success","actor":{{"type":"user","id":"1"}}}}"#
        )
    );
}

#[test]
fn an_id_is_assigned_only_where_there_is_none() {
    let text = r#"{"id":"mine","tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"a","actor":{"type":"user","id":"1"}}"#;
    let event = parse_event(text, &ParseContext::default(), &mut || panic!("not asked for"));
    assert_eq!(event.unwrap().id, "mine");
}
