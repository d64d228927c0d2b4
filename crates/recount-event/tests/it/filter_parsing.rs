//! The filter language as text: what it means, what is refused, what it prints.

use proptest::prelude::*;
use recount_event::{Field, Filter, FilterError, Matcher, Pattern, Word, limits};

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> FilterError {
    match Filter::parse(text) {
        Ok(filter) => panic!("{text} was taken as {filter:?}"),
        Err(error) => error,
    }
}

fn only(text: &str) -> Matcher {
    let filter = parse(text);
    assert_eq!(filter.terms.len(), 1, "{text}");
    filter.terms[0].matcher.clone()
}

fn field(field: Field, any: &[Pattern]) -> Matcher {
    Matcher::Field { field, any: any.to_vec() }
}

fn exact(text: &str) -> Pattern {
    Pattern::Exact(text.to_owned())
}

fn prefix(text: &str) -> Pattern {
    Pattern::Prefix(text.to_owned())
}

fn cidr(text: &str) -> Pattern {
    Pattern::Cidr(text.parse().unwrap())
}

#[test]
fn no_terms_match_everything() {
    assert_eq!(parse(""), Filter::default());
    assert_eq!(parse("  \n\t"), Filter::default());
    assert!(Filter::default().matches("anything"));
}

#[test]
fn terms_are_read_as_documented() {
    assert_eq!(only("actor:ada"), field(Field::Actor, &[exact("ada")]));
    assert_eq!(only("action:user.*"), field(Field::Action, &[prefix("user.")]));
    assert_eq!(
        only("action:a,b*,\"c, d\"*"),
        field(Field::Action, &[exact("a"), prefix("b"), prefix("c, d")])
    );
    assert_eq!(only(r#"actor:"Ada \"A\" \\""#), field(Field::Actor, &[exact(r#"Ada "A" \"#)]));
    assert_eq!(only(r#"action:"a*""#), field(Field::Action, &[exact("a*")]));
    assert_eq!(only("target:role/r_9"), field(Field::Target, &[exact("role/r_9")]));
    assert_eq!(only("reason:*"), field(Field::Reason, &[prefix("")]));
    assert_eq!(only("outcome:DENIED,fail*"), field(Field::Outcome, &[exact("denied"), prefix("fail")]));
    assert_eq!(only("metadata.plan:pro"), field(Field::Metadata("plan".into()), &[exact("pro")]));
    assert_eq!(only("Metadata.Plan.x:pro"), field(Field::Metadata("Plan.x".into()), &[exact("pro")]));
    assert_eq!(
        only(r#"metadata."a key: b":pro"#),
        field(Field::Metadata("a key: b".into()), &[exact("pro")])
    );
    assert_eq!(only("tags.severity:low"), field(Field::Tag("severity".into()), &[exact("low")]));
    assert_eq!(only("word"), Matcher::Word(Word::Whole("word".into())));
    assert_eq!(only("word*"), Matcher::Word(Word::Prefix("word".into())));
    assert_eq!(only("\"two words\""), Matcher::Word(Word::Phrase("two words".into())));
    assert_eq!(only("ada@example.com"), Matcher::Word(Word::Whole("ada@example.com".into())));
    assert_eq!(only("10:30"), Matcher::Word(Word::Whole("10:30".into())));
    assert_eq!(only(r"DOMAIN\user"), Matcher::Word(Word::Whole(r"DOMAIN\user".into())));
    assert!(parse("-outcome:success").terms[0].negated);
    assert!(parse("-\"a b\"").terms[0].negated);
    assert_eq!(parse(" a  actor:b\n-c ").terms.len(), 3);
}

#[test]
fn addresses_are_networks() {
    for (text, network) in [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("203.0.113.9/24", "203.0.113.0/24"),
        ("203.0.*", "203.0.0.0/16"),
        ("10.*", "10.0.0.0/8"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::/0", "::/0"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ] {
        assert_eq!(only(&format!("ip:{text}")), field(Field::Ip, &[cidr(network)]), "{text}");
    }
    for text in [
        "x",
        "203.0.113",
        "203.0.113.7/33",
        "203.0.113.7*",
        "203.0.1*",
        "1.2.3.4.*",
        "256.*",
        "01.*",
        "+1.*",
        "2001:db8:*",
        "1.2.3.4:80",
    ] {
        refused(&format!("ip:{text}"));
    }
    assert_eq!(only("ip:*"), field(Field::Ip, &[prefix("")]));
}

#[test]
fn fields_go_by_the_names_that_people_try() {
    for (name, wanted) in [
        ("ACTOR", Field::Actor),
        ("user", Field::Actor),
        ("by", Field::Actor),
        ("actor.id", Field::ActorId),
        ("actor_id", Field::ActorId),
        ("email", Field::ActorEmail),
        ("targets.type", Field::TargetType),
        ("resource", Field::Target),
        ("event", Field::Action),
        ("result", Field::Outcome),
        ("context.user_agent", Field::UserAgent),
        ("session", Field::SessionId),
        ("changes.field", Field::Change),
        ("tag.a.b", Field::Tag("a.b".into())),
        ("meta.a", Field::Metadata("a".into())),
        ("event_id", Field::Id),
    ] {
        let value = if wanted == Field::Outcome { "denied" } else { "x" };
        assert_eq!(only(&format!("{name}:{value}")), field(wanted, &[exact(value)]), "{name}");
    }
}

#[test]
fn mistakes_are_placed_and_explained() {
    let texts = [
        "acter:ada",
        "x acter:ada",
        "-acter:ada",
        "é 日本 aktion:x",
        "colour:red",
        "http://example.com/",
        "occurred_at:2026",
        "since:1d",
        "actor:",
        "actor: ada",
        "actor:a,,b",
        "actor:a,",
        "actor:\"\"",
        "actor:\"a",
        "\"a",
        "\"a\"b",
        "actor:\"a\"b",
        "\"a\"*",
        "\"\"",
        "a\"b\"",
        "\"a\\q\"",
        "a*b",
        "*",
        "*a",
        "actor:*a",
        "a**",
        "-",
        "- a",
        "--a",
        "a,b",
        "(a",
        "a OR b",
        "NOT a",
        "a AND b",
        "ip:10.0.0",
        "ip:10.0.0.0/40",
        "outcome:ok",
        "outcome:x*",
        "metadata:x",
        "metadata.:x",
        "tags:x",
        "metadata.\"a\"",
        "metadata.\"\":x",
        "metadata.\"a:x",
        "actor:a:",
    ];
    let mut answers = String::new();
    for text in texts {
        match Filter::parse(text) {
            Ok(filter) => answers.push_str(&format!("{text}\n    taken: {filter}\n")),
            Err(error) => {
                let mark = " ".repeat(error.position) + &"^".repeat(error.length.max(1));
                answers.push_str(&format!("{text}\n{mark}\n    {error}\n"));
            }
        }
    }
    insta::assert_snapshot!(answers);
}

#[test]
fn limits_are_enforced() {
    assert!(Filter::parse(&"a ".repeat(limits::FILTER_TERMS_MAX)).is_ok());
    let error = refused(&"a ".repeat(limits::FILTER_TERMS_MAX + 1));
    assert_eq!(error.position, 2 * limits::FILTER_TERMS_MAX);
    assert!(Filter::parse(&format!("id:{}", vec!["a"; limits::FILTER_VALUES_MAX].join(","))).is_ok());
    refused(&format!("id:{}", vec!["a"; limits::FILTER_VALUES_MAX + 1].join(",")));
    assert!(Filter::parse(&"é".repeat(limits::FILTER_WORD_CHARS_MAX)).is_ok());
    refused(&"é".repeat(limits::FILTER_WORD_CHARS_MAX + 1));
    refused(&format!("\"{}\"", "é".repeat(limits::FILTER_WORD_CHARS_MAX + 1)));
    refused(&format!("id:{}", "a".repeat(limits::FILTER_BYTES_MAX)));
}

#[test]
fn a_filter_is_a_json_string() {
    let filter = parse(r#"user:"Ada L" -x"#);
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(json, r#""actor:\"Ada L\" -x""#);
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    let error = serde_json::from_str::<Filter>(r#""acter:x""#).unwrap_err();
    assert!(error.to_string().contains("did you mean `actor`?"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn the_canonical_text_parses_back(text in r#"((-?(actor|action|ip|tags\.x|metadata\.[a"é ]{1,4}|Reason)?:?["]?[a-c*é\\,: ."\n/-]{1,6}["]?\*?) ){0,4}"#) {
        if let Ok(filter) = Filter::parse(&text) {
            let canonical = filter.to_string();
            let again = Filter::parse(&canonical).unwrap();
            prop_assert_eq!(again.to_string(), canonical.as_str());
            prop_assert_eq!(again, filter, "{}", canonical);
        }
    }

    #[test]
    fn any_text_in_quotes_is_that_text(text in "\\PC{1,20}|[\"\\\\\n\t\r*,: -]{1,8}") {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert_eq!(only(&quoted), Matcher::Word(Word::Phrase(text.clone())));
        prop_assert_eq!(only(&format!("actor:{quoted}")), field(Field::Actor, &[exact(&text)]));
        let canonical = parse(&format!("actor:{quoted} {quoted}")).to_string();
        prop_assert_eq!(parse(&canonical), parse(&format!("actor:{quoted} {quoted}")));
    }

    #[test]
    fn errors_lie_within_the_text(text in r#"[a-c:*",\\ ().é-]{0,16}"#) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position + error.length <= text.chars().count(), "{:?}", error);
            let place = format!(" at {}", error.position);
            prop_assert!(error.detail.contains(&place));
        }
    }

    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = Filter::parse(&text);
    }
}
