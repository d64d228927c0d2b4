//! Reading stored lines back.

use proptest::prelude::*;
use recount_event::read_fields;

use crate::model::{Json, event};
use crate::parse;

fn optional<'a>(object: Option<&'a Json>, name: &str) -> Option<&'a str> {
    object.and_then(|object| object.get(name)).and_then(Json::text)
}

fn raw(event: &Json, name: &str) -> Option<String> {
    event.get(name).map(Json::compact)
}

proptest! {
    #[test]
    fn every_member_is_read_back(event in event()) {
        let line = event.compact();
        let fields = read_fields(&line).unwrap();
        let top = Some(&event);
        prop_assert_eq!(Some(&*fields.id), optional(top, "id"));
        prop_assert_eq!(Some(&*fields.tenant), optional(top, "tenant"));
        prop_assert_eq!(Some(&*fields.action), optional(top, "action"));
        prop_assert_eq!(Some(fields.outcome.as_str()), optional(top, "outcome"));
        prop_assert_eq!(Some(&*fields.occurred_at.to_string()), optional(top, "occurred_at"));
        prop_assert_eq!(fields.source.as_deref(), optional(top, "source"));
        prop_assert_eq!(fields.description.as_deref(), optional(top, "description"));
        prop_assert_eq!(fields.reason.as_deref(), optional(top, "reason"));
        let actor = event.get("actor");
        prop_assert_eq!(Some(&*fields.actor_type), optional(actor, "type"));
        prop_assert_eq!(Some(&*fields.actor_id), optional(actor, "id"));
        prop_assert_eq!(fields.actor_name.as_deref(), optional(actor, "name"));
        prop_assert_eq!(fields.actor_email.as_deref(), optional(actor, "email"));
        let context = event.get("context");
        prop_assert_eq!(fields.ip.as_deref(), optional(context, "ip"));
        prop_assert_eq!(fields.user_agent.as_deref(), optional(context, "user_agent"));
        prop_assert_eq!(fields.location.as_deref(), optional(context, "location"));
        prop_assert_eq!(fields.session_id.as_deref(), optional(context, "session_id"));
        prop_assert_eq!(fields.request_id.as_deref(), optional(context, "request_id"));
        prop_assert_eq!(fields.changes.map(str::to_owned), raw(&event, "changes"));
        prop_assert_eq!(fields.tags.map(str::to_owned), raw(&event, "tags"));
        prop_assert_eq!(fields.metadata.map(str::to_owned), raw(&event, "metadata"));
        let targets = event.get("targets").map_or(&[][..], Json::elements);
        prop_assert_eq!(fields.targets.len(), targets.len());
        for (read, target) in fields.targets.iter().zip(targets) {
            prop_assert_eq!(Some(&*read.kind), optional(Some(target), "type"));
            prop_assert_eq!(Some(&*read.id), optional(Some(target), "id"));
            prop_assert_eq!(read.name.as_deref(), optional(Some(target), "name"));
            prop_assert_eq!(read.metadata.map(str::to_owned), raw(target, "metadata"));
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_corrupt(event in event(), cut in any::<proptest::sample::Index>()) {
        let line = event.compact();
        let mut end = cut.index(line.len());
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        prop_assert!(read_fields(&line[..end]).is_err());
    }

    #[test]
    fn damage_never_panics(
        event in event(), at in any::<proptest::sample::Index>(), with in r#"[\[\]{}",:\\ta0\u{1}]{0,3}"#
    ) {
        let mut line = event.compact();
        let mut start = at.index(line.len());
        while !line.is_char_boundary(start) {
            start -= 1;
        }
        let end = start + line[start..].chars().next().map_or(0, char::len_utf8);
        line.replace_range(start..end, &with);
        let _ = read_fields(&line);
    }
}

#[test]
fn members_of_later_versions_are_passed_over() {
    let line = parse(
        r#"{"tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"a","actor":{"type":"user","id":"1"}}"#,
    )
    .unwrap()
    .line;
    let served = line.replacen('}', r#","new":{"x":[1]}}"#, 1);
    let served = format!(r#"{},"seq":7,"received_at":"2026-11-23T14:32:08Z"}}"#, &served[..served.len() - 1]);
    assert_eq!(read_fields(&served).unwrap().actor_id, "1");
}

#[test]
fn a_line_without_a_required_member_is_corrupt() {
    let line = r#"{"id":"1","tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"a","outcome":"success","actor":{"type":"user","id":"1"}}"#;
    assert!(read_fields(line).is_ok());
    for (from, to) in [
        (r#""id":"1","tenant""#, r#""tenant""#),
        (r#""tenant":"t","#, ""),
        (r#""action":"a","#, ""),
        (r#"{"type":"user","id":"1"}"#, r#"{"type":"user"}"#),
        ("success", "succeeded"),
        ("2026", "0026"),
        ("}}", "}} "),
    ] {
        assert!(line.contains(from), "{from}");
        assert!(read_fields(&line.replacen(from, to, 1)).is_err(), "{from} → {to}");
    }
}
