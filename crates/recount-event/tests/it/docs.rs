//! The documentation says what the code does: its examples parse, and its tables
//! have the codes, fields and limits that there are.

use recount_event::{EventErrorCode, Filter, limits};

use crate::parse;

const EVENT: &str = include_str!("../../../../docs/formats/event.md");
const FILTER: &str = include_str!("../../../../docs/filter.md");

/// The texts of the fenced blocks of one language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a block has an end"))
        .collect()
}

/// The first column of the rows of a table, without the quotes of code.
fn first_column(page: &str) -> Vec<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .collect()
}

/// A number with commas between the thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[test]
fn every_filter_of_the_guide_parses_and_prints_as_itself() {
    let filters: Vec<&str> = blocks(FILTER, "filter").iter().flat_map(|block| block.lines()).collect();
    assert!(filters.len() > 40, "{}", filters.len());
    for text in filters {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter, "{text}");
    }
}

#[test]
fn every_field_of_the_guide_exists() {
    for name in first_column(FILTER) {
        let field = name.replace("NAME", "x").replace("PATH", "x.y");
        let value = if name == "outcome" { "denied" } else { "*" };
        Filter::parse(&format!("{field}:{value}")).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_example_event_is_one_and_in_normal_order() {
    let example = blocks(EVENT, "json")[0];
    let joined = example.lines().map(str::trim_start).collect::<String>();
    assert_eq!(parse(example).unwrap().line, joined.trim_end());
}

#[test]
fn the_table_of_codes_is_complete() {
    let codes: Vec<&str> = EventErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let (_, errors) = EVENT.split_once("## Errors").unwrap();
    assert_eq!(first_column(errors), codes);
}

#[test]
fn the_limits_are_those_of_the_code() {
    for limit in [
        limits::EVENT_BYTES_MAX,
        limits::BATCH_EVENTS_MAX,
        limits::BATCH_BYTES_MAX,
        limits::DEPTH_MAX,
        limits::METADATA_MEMBERS_MAX,
        limits::TARGETS_MAX,
        limits::CHANGES_MAX,
        limits::TAGS_MAX,
        limits::NUMBER_CHARS_MAX,
    ] {
        assert!(EVENT.contains(&format!(" {} ", grouped(limit))), "{limit}");
    }
    for (member, limit) in [
        ("id", limits::ID_CHARS_MAX),
        ("tenant", limits::TENANT_CHARS_MAX),
        ("action", limits::ACTION_CHARS_MAX),
        ("source", limits::SOURCE_CHARS_MAX),
        ("actor.type", limits::TYPE_CHARS_MAX),
        ("actor.id", limits::REF_ID_CHARS_MAX),
        ("actor.name", limits::NAME_CHARS_MAX),
        ("actor.email", limits::EMAIL_CHARS_MAX),
        ("context.user_agent", limits::USER_AGENT_CHARS_MAX),
        ("context.location", limits::LOCATION_CHARS_MAX),
        ("context.session_id", limits::CONTEXT_ID_CHARS_MAX),
        ("context.request_id", limits::CONTEXT_ID_CHARS_MAX),
        ("description", limits::DESCRIPTION_CHARS_MAX),
        ("reason", limits::REASON_CHARS_MAX),
        ("changes[].field", limits::CHANGE_FIELD_CHARS_MAX),
        ("tags", limits::TAG_KEY_CHARS_MAX),
        ("tags", limits::TAG_VALUE_CHARS_MAX),
    ] {
        let row = EVENT.lines().find(|line| line.starts_with(&format!("| `{member}` |"))).unwrap();
        assert!(row.contains(&grouped(limit)), "{member}: {limit}");
    }
    for limit in [
        limits::FILTER_BYTES_MAX,
        limits::FILTER_TERMS_MAX,
        limits::FILTER_VALUES_MAX,
        limits::FILTER_WORD_CHARS_MAX,
    ] {
        assert!(FILTER.contains(&format!(" {} ", grouped(limit))), "{limit}");
    }
}
