//! What filters match, against a naive evaluation over the generated event.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;
use recount_event::token::{LinesTokens, fold, fold_char, tokens};
use recount_event::{Field, Filter, Matcher, Pattern, Word, field_values, read_fields};

use crate::model::{Json, TEXTS, any_text, event};
use crate::parse;

/// The event of the examples in `docs/filter.md`.
pub(crate) const EXAMPLE: &str = r#"{"id":"evt_1","tenant":"acme","occurred_at":"2026-11-23T14:32:07.418Z","action":"role.updated","outcome":"denied",
 "actor":{"type":"user","id":"u_1","name":"Ada Lovelace","email":"Ada@Example.com"},
 "targets":[{"type":"role","id":"r_9","name":"Billing admin"},{"type":"file","id":"2026/plan.pdf"}],
 "context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux) Firefox/128.0","location":"Paris, FR","session_id":"s_77","request_id":"req-1"},
 "source":"billing-api","description":"Ada updated role Billing admin","reason":"Ticket OPS-42",
 "changes":[{"field":"max_refund_usd","before":500,"after":25000},{"field":"owner"}],
 "tags":{"severity":"low","pci":true,"a.b":3},
 "metadata":{"plan":"pro","deep":{"er":["x",{"est":null}]},"a.b":{"c":1.50},"empty":{},"note":"said \"hi\"\nEND"}}"#;

fn matches(filter: &str, line: &str) -> bool {
    let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let matched = parsed.matches(line);
    assert_eq!(parsed.compile().matches(line), matched, "{filter}");
    let fields = read_fields(line).unwrap();
    assert_eq!(parsed.matches_fields(&fields), matched, "{filter}");
    assert_eq!(parsed.compile().matches_fields(&fields), matched, "{filter}");
    matched
}

#[test]
fn filters_find_what_they_say() {
    let line = parse(EXAMPLE).unwrap().line;
    for filter in [
        "",
        "id:evt_1",
        "id:evt*",
        "action:role.updated",
        "action:role.*",
        "action:x,role.updated",
        "outcome:denied",
        "outcome:success,denied",
        "source:billing-api",
        "source:bill*",
        "actor:u_1",
        "actor:user/u_1",
        "actor:user/*",
        "actor:u*",
        "actor:ada",
        "actor:Ada",
        "actor:lovelace",
        "actor:\"ada lovelace\"",
        "actor:love*",
        "actor:ada@example.com",
        "actor:@example.com",
        "actor:example.com",
        "actor:ada@ex*",
        "actor:@exam*",
        "actor:*",
        "actor.id:u_1",
        "actor.type:user",
        "actor.name:ada",
        "actor.name:LOVE*",
        "actor.email:ADA@EXAMPLE.COM",
        "actor.email:@example.com",
        "target:r_9",
        "target:role/r_9",
        "target:role/*",
        "target:billing",
        "target:\"billing admin\"",
        "target:2026/plan.pdf",
        "target:file/2026/*",
        "target.id:r_9",
        "target.type:file",
        "target.name:admin",
        "ip:203.0.113.7",
        "ip:203.0.113.0/24",
        "ip:203.0.*",
        "ip:::ffff:203.0.113.7",
        "ip:*",
        "ip:10.0.0.0/8,203.0.113.7",
        "user_agent:firefox",
        "user_agent:mozilla*",
        "user_agent:firefox/128.0",
        "location:paris",
        "location:fr",
        "session_id:s_77",
        "request_id:req-1",
        "description:role",
        "description:\"updated role\"",
        "reason:ops-42",
        "reason:*",
        "change:max_refund_usd",
        "change:owner",
        "change:max*",
        "tags.severity:low",
        "tags.pci:true",
        "tags.a.b:3",
        "tags.pci:*",
        "metadata.plan:pro",
        "metadata.plan:p*",
        "metadata.deep.er:x",
        "metadata.deep.er.est:null",
        "metadata.a.b.c:1.50",
        "metadata.empty:*",
        "metadata.deep:*",
        "ada",
        "LOVELACE",
        "u_1",
        "25000",
        "\"updated role\"",
        "bill*",
        "role.updated",
        "example.com",
        "pdf",
        "end",
        "\"\\\"hi\\\"\\nend\"",
        "-bob",
        "-actor:bob",
        "-tags.severity:high",
        "-metadata.missing:*",
        "actor:ada action:role.* -outcome:success ip:203.0.113.0/24 ada",
    ] {
        assert!(matches(filter, &line), "{filter} should match");
    }
    for filter in [
        "id:evt",
        "action:ROLE.UPDATED",
        "action:role",
        "outcome:success",
        "actor:U_1",
        "actor:ad",
        "actor:bob",
        "actor:role/u_1",
        "actor:da@example.com",
        "actor:@example.org",
        "actor.id:user/u_1",
        "actor.id:ada",
        "target:u_1",
        "target:user/r_9",
        "target:Role/r_9",
        "target:lovelace",
        "target.id:plan.pdf",
        "ip:203.0.113.8",
        "ip:10.0.0.0/8",
        "ip:::1",
        "user_agent:fire",
        "description:rol",
        "reason:ops-4",
        "change:after",
        "change:500",
        "tags.severity:LOW",
        "tags.missing:*",
        "tags.a:3",
        "metadata.plan:PRO",
        "metadata.deep:x",
        "metadata.missing:*",
        "metadata.a.b.c:1.5",
        "metadata.deep.er.est:x",
        "plan.pro",
        "metadata",
        "severity",
        "adalovelace",
        "-ada",
        "-actor:ada",
        "-ip:*",
        "actor:ada bob",
        "500.25000",
    ] {
        assert!(!matches(filter, &line), "{filter} should not match");
    }
}

#[test]
fn an_event_without_a_member_matches_only_what_denies_it() {
    let line = r#"{"id":"1","tenant":"t","occurred_at":"2026-11-23T14:32:07Z","action":"a","outcome":"success","actor":{"type":"user","id":"1"}}"#;
    for field in [
        "source",
        "actor.name",
        "actor.email",
        "target",
        "target.id",
        "target.type",
        "target.name",
        "ip",
        "user_agent",
        "location",
        "session_id",
        "request_id",
        "description",
        "reason",
        "change",
        "tags.x",
        "metadata.x",
    ] {
        assert!(!matches(&format!("{field}:*"), line), "{field}");
        assert!(matches(&format!("-{field}:*"), line), "{field}");
    }
}

#[test]
fn references_can_be_asked_for_in_one_text() {
    let target = Field::Target;
    assert!(Pattern::Exact("role/r_9".into()).matches_str(&target, "role/r_9"));
    assert!(Pattern::Exact("r_9".into()).matches_str(&target, "role/r_9"));
    assert!(Pattern::Exact("a/b".into()).matches_str(&target, "role/a/b"));
    assert!(Pattern::Prefix("role/".into()).matches_str(&target, "role/r_9"));
    assert!(!Pattern::Prefix("ro".into()).matches_str(&target, "role/r_9"));
    assert!(!Pattern::Exact("role".into()).matches_str(&target, "role/r_9"));
}

#[test]
fn what_has_no_tokens_prunes_nothing() {
    let required = |text: &str| Filter::parse(text).unwrap().terms[0].required_tokens();
    for text in [
        "-ada",
        "ada*",
        "\"ada\"",
        "ip:10.2.3.4",
        "tags.pci:true",
        "metadata.x:null",
        "metadata.x:false,pro",
        "actor:bill*",
        "reason:*",
        "metadata.x:tr*",
    ] {
        assert_eq!(required(text), None, "{text}");
    }
    assert_eq!(required("action:role.updated"), Some(vec![vec!["role".into(), "updated".into()]]));
    assert_eq!(required("target:role/R_9,x*,b"), None);
    assert_eq!(
        required("target:role/R_9,b"),
        Some(vec![vec!["role".into(), "r".into(), "9".into()], vec!["b".into()]])
    );
    assert_eq!(required("ada@x"), Some(vec![vec!["ada".into(), "x".into()]]));
}

/// Evaluates a filter over the generated event, by the words of the documentation.
fn naive(filter: &Filter, event: &Json) -> bool {
    filter.terms.iter().all(|term| {
        let holds = match &term.matcher {
            Matcher::Word(word) => event.values().iter().any(|value| occurs(value, word)),
            Matcher::Field { field, any } => any.iter().any(|pattern| naive_field(field, pattern, event)),
        };
        holds != term.negated
    })
}

fn naive_field(field: &Field, pattern: &Pattern, event: &Json) -> bool {
    let at = |path: &[&str]| path.iter().try_fold(event, |json, name| json.get(name)).and_then(Json::text);
    let targets = event.get("targets").map_or(&[][..], Json::elements);
    let whole = |value: Option<&str>| value.is_some_and(|value| equals(pattern, value));
    let words = |value: Option<&str>| value.is_some_and(|value| has_words(pattern, value));
    let email = |value: Option<&str>| value.is_some_and(|value| is_email(pattern, value));
    let reference = |object: Option<&Json>| {
        object.is_some_and(|object| {
            let part = |name| object.get(name).and_then(Json::text).unwrap();
            let (kind, id) = (part("type"), part("id"));
            equals(pattern, id)
                || (pattern_text(pattern).contains('/') && equals(pattern, &format!("{kind}/{id}")))
                || object.get("name").and_then(Json::text).is_some_and(|name| has_words(pattern, name))
        })
    };
    let in_targets = |name: &str, test: &dyn Fn(Option<&str>) -> bool| {
        targets.iter().any(|target| test(target.get(name).and_then(Json::text)))
    };
    match field {
        Field::Id => whole(at(&["id"])),
        Field::Action => whole(at(&["action"])),
        Field::Outcome => whole(at(&["outcome"])),
        Field::Source => whole(at(&["source"])),
        Field::Actor => reference(event.get("actor")) || email(at(&["actor", "email"])),
        Field::ActorId => whole(at(&["actor", "id"])),
        Field::ActorType => whole(at(&["actor", "type"])),
        Field::ActorName => words(at(&["actor", "name"])),
        Field::ActorEmail => email(at(&["actor", "email"])),
        Field::Target => targets.iter().any(|target| reference(Some(target))),
        Field::TargetId => in_targets("id", &whole),
        Field::TargetType => in_targets("type", &whole),
        Field::TargetName => in_targets("name", &words),
        Field::Ip => at(&["context", "ip"]).is_some_and(|ip| match pattern {
            Pattern::Cidr(network) => network.contains(&ip.parse::<IpAddr>().unwrap().to_canonical()),
            _ => equals(pattern, ip),
        }),
        Field::UserAgent => words(at(&["context", "user_agent"])),
        Field::Location => words(at(&["context", "location"])),
        Field::SessionId => whole(at(&["context", "session_id"])),
        Field::RequestId => whole(at(&["context", "request_id"])),
        Field::Description => words(at(&["description"])),
        Field::Reason => words(at(&["reason"])),
        Field::Change => event
            .get("changes")
            .map_or(&[][..], Json::elements)
            .iter()
            .any(|change| whole(change.get("field").and_then(Json::text))),
        Field::Tag(name) => {
            event.get("tags").and_then(|tags| tags.get(name)).is_some_and(|tag| scalar(pattern, tag))
        }
        Field::Metadata(path) => {
            event.get("metadata").is_some_and(|metadata| at_path(pattern, metadata, path))
        }
    }
}

fn pattern_text(pattern: &Pattern) -> &str {
    match pattern {
        Pattern::Exact(text) | Pattern::Prefix(text) => text,
        Pattern::Cidr(_) => "",
    }
}

fn equals(pattern: &Pattern, value: &str) -> bool {
    match pattern {
        Pattern::Exact(text) => value == text,
        Pattern::Prefix(text) => value.starts_with(text.as_str()),
        Pattern::Cidr(_) => false,
    }
}

fn has_words(pattern: &Pattern, value: &str) -> bool {
    match pattern {
        Pattern::Exact(text) => occurs(value, &Word::Whole(text.clone())),
        Pattern::Prefix(text) => occurs(value, &Word::Prefix(text.clone())),
        Pattern::Cidr(_) => false,
    }
}

fn is_email(pattern: &Pattern, value: &str) -> bool {
    let text = pattern_text(pattern);
    let folded = match pattern {
        Pattern::Exact(text) => Pattern::Exact(fold(text).into_owned()),
        Pattern::Prefix(text) => Pattern::Prefix(fold(text).into_owned()),
        Pattern::Cidr(_) => return false,
    };
    if text.starts_with('@') {
        value.rfind('@').is_some_and(|at| equals(&folded, &fold(&value[at..])))
    } else if text.contains('@') {
        equals(&folded, &fold(value))
    } else {
        has_words(pattern, value)
    }
}

fn scalar(pattern: &Pattern, value: &Json) -> bool {
    match value {
        Json::Text(text) | Json::Number(text) => equals(pattern, text),
        Json::Bool(value) => equals(pattern, &value.to_string()),
        Json::Null => equals(pattern, "null"),
        Json::Array(_) | Json::Object(_) => *pattern == Pattern::Prefix(String::new()),
    }
}

fn at_path(pattern: &Pattern, json: &Json, path: &str) -> bool {
    match json {
        Json::Array(elements) => {
            (path.is_empty() && scalar(pattern, json))
                || elements.iter().any(|element| at_path(pattern, element, path))
        }
        Json::Object(members) if !path.is_empty() => members.iter().any(|(name, value)| {
            if path == name {
                return at_path(pattern, value, "");
            }
            let rest = path.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| at_path(pattern, value, rest))
        }),
        json => path.is_empty() && scalar(pattern, json),
    }
}

fn occurs(value: &str, word: &Word) -> bool {
    let fold = |text: &str| text.chars().map(fold_char).collect::<Vec<_>>();
    let (value, text) = (fold(value), fold(word.text()));
    let letter = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
    let (start, end) = match word {
        Word::Whole(_) => (true, true),
        Word::Prefix(_) => (true, false),
        Word::Phrase(_) => (false, false),
    };
    (0..=value.len()).any(|at| {
        value[at..].starts_with(&text)
            && !(start && letter(text.first()) && at > 0 && letter(value.get(at - 1)))
            && !(end && letter(text.last()) && letter(value.get(at + text.len())))
    })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text, a piece of one, or one of the values that generated events often have.
fn searched() -> impl Strategy<Value = String> {
    let piece = (any_text(), any::<proptest::sample::Index>(), any::<proptest::sample::Index>()).prop_map(
        |(text, a, b)| {
            let chars: Vec<char> = text.chars().collect();
            let (a, b) = (a.index(chars.len() + 1), b.index(chars.len() + 1));
            chars[a.min(b)..a.max(b)].iter().collect::<String>()
        },
    );
    let reference = (proptest::sample::select(&["user", "role", "a.b:c-d"][..]), any_text())
        .prop_map(|(kind, id)| format!("{kind}/{id}"));
    prop_oneof![
        3 => proptest::sample::select(TEXTS).prop_map(str::to_owned),
        2 => piece,
        1 => reference,
        1 => proptest::sample::select(&["user", "role", "acme", "s3/Put:x-1", "@example.com", "0", "true", "null"][..])
            .prop_map(str::to_owned),
    ]
    .prop_filter("the language has no empty texts", |text| !text.is_empty())
}

fn term() -> impl Strategy<Value = String> {
    let field = proptest::sample::select(
        &[
            "id",
            "action",
            "source",
            "actor",
            "actor",
            "actor.id",
            "actor.type",
            "actor.name",
            "actor.email",
            "target",
            "target",
            "target.id",
            "target.type",
            "target.name",
            "user_agent",
            "location",
            "session_id",
            "request_id",
            "description",
            "reason",
            "change",
            "tags.plan",
            "tags.a.b",
            "tags.severity",
            "metadata.plan",
            "metadata.a",
            "metadata.a.b",
            "metadata.a.b.c",
            "metadata.plan.ada",
        ][..],
    );
    let value =
        (searched(), any::<bool>()).prop_map(|(text, star)| quoted(&text) + if star { "*" } else { "" });
    let value = prop_oneof![9 => value, 1 => Just("*".to_owned())];
    let of_field = (field, proptest::collection::vec(value, 1..3))
        .prop_map(|(field, values)| format!("{field}:{}", values.join(",")));
    let special = proptest::sample::select(
        &[
            "ip:10.0.0.0/8",
            "ip:203.0.113.7",
            "ip:2001:db8::/32",
            "ip:::1,10.2.*",
            "ip:*",
            "outcome:denied,failure",
            "outcome:s*",
        ][..],
    )
    .prop_map(str::to_owned);
    let word = (searched(), 0..3).prop_map(|(text, kind)| {
        let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"\",*()-:".contains(*c)).collect();
        match kind {
            0 if !bare.is_empty() => bare,
            1 if !bare.is_empty() => bare + "*",
            _ => quoted(&text),
        }
    });
    (prop_oneof![6 => of_field, 1 => special, 3 => word], any::<bool>())
        .prop_map(|(term, negated)| if negated { format!("-{term}") } else { term })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn a_filter_means_what_the_documentation_says(
        event in event(), terms in proptest::collection::vec(term(), 1..3)
    ) {
        let text = terms.join(" ");
        let filter = Filter::parse(&text).unwrap();
        let line = event.compact();
        let wanted = naive(&filter, &event);
        prop_assert_eq!(filter.matches(&line), wanted, "{}", text);
        prop_assert_eq!(filter.compile().matches(&line), wanted, "{}", text);
        let fields = read_fields(&line).unwrap();
        prop_assert_eq!(filter.compile().matches_fields(&fields), wanted, "{}", text);
        let canonical = Filter::parse(&filter.to_string()).unwrap();
        prop_assert_eq!(canonical, filter);
    }

    #[test]
    fn a_matching_line_has_the_required_tokens(event in event(), term in term()) {
        let filter = Filter::parse(&term).unwrap();
        let line = event.compact();
        if let Some(alternatives) = filter.terms[0].required_tokens()
            && filter.matches(&line)
        {
            let present: Vec<String> = tokens(&line).collect();
            let met = |tokens: &Vec<String>| tokens.iter().all(|token| present.contains(token));
            prop_assert!(alternatives.iter().any(met), "{}: {:?}", term, alternatives);
        }
    }

    #[test]
    fn lines_cut_together_have_the_tokens_of_each(events in proptest::collection::vec(event(), 1..20)) {
        let mut lines: Vec<String> = events.iter().map(|event| event.compact()).collect();
        lines.extend_from_within(..lines.len() / 2);
        let each: BTreeSet<String> = lines.iter().flat_map(|line| tokens(line)).collect();
        let (mut together, mut cutter) = (BTreeSet::new(), LinesTokens::default());
        for line in &lines {
            cutter.add(line, |token| {
                together.insert(token.to_owned());
            });
        }
        prop_assert_eq!(together, each);
    }

    #[test]
    fn columns_answer_as_the_event_does(event in event(), term in term()) {
        let filter = Filter::parse(&term).unwrap();
        let Matcher::Field { field, any } = &filter.terms[0].matcher else { return Ok(()) };
        let line = event.compact();
        let fields = read_fields(&line).unwrap();
        for pattern in any {
            let mut by_values = false;
            field_values(field, &fields, &mut |value| by_values |= pattern.matches_str(field, value));
            // What the fields that look at several members ask their columns besides.
            let name = |name: &Option<Cow<'_, str>>, of: &Field| {
                name.as_ref().is_some_and(|name| pattern.matches_str(of, name))
            };
            let wanted = match field {
                Field::Actor => {
                    by_values
                        || name(&fields.actor_name, &Field::ActorName)
                        || name(&fields.actor_email, &Field::ActorEmail)
                }
                Field::Target => {
                    by_values
                        || fields.targets.iter().any(|target| name(&target.name, &Field::TargetName))
                }
                // Objects and arrays have no value, and yet they are there.
                Field::Metadata(_) if *pattern == Pattern::Prefix(String::new()) => continue,
                _ => by_values,
            };
            prop_assert_eq!(pattern.matches_fields(field, &fields), wanted);
        }
    }
}
