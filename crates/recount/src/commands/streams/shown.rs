//! Streams as people read them: tables, or the server's own JSON.

use serde_json::Value;

use crate::exit::{Exit, Failed};
use crate::output;

/// A column: its name, and the members that fill it, the first that is there.
type Column = (&'static str, &'static [&'static str]);

pub(super) const STREAM_COLUMNS: &[Column] = &[
    ("id", &["/id"]),
    ("name", &["/name"]),
    ("status", &["/status"]),
    ("health", &["/health"]),
    ("destination", &["/destination/type"]),
    ("behind", &["/lag/events"]),
    ("cut off at", &["/lag/cut_off_at"]),
    ("dead letters", &["/dead_letters"]),
    ("why", &["/status_reason", "/last_error"]),
];

pub(super) const DESTINATION_COLUMNS: &[Column] = &[
    ("type", &["/type"]),
    ("title", &["/title"]),
    ("formats", &["/formats"]),
    ("secrets", &["/secret_members"]),
    ("assigned", &["/assigned"]),
];

pub(super) const ATTEMPT_COLUMNS: &[Column] = &[
    ("at", &["/at"]),
    ("outcome", &["/outcome"]),
    ("status", &["/status"]),
    ("events", &["/events"]),
    ("first seq", &["/first_seq"]),
    ("ms", &["/took_ms"]),
    ("answer", &["/reason", "/answer"]),
];

pub(super) const DEAD_LETTER_COLUMNS: &[Column] = &[
    ("seq", &["/seq"]),
    ("event", &["/event_id"]),
    ("at", &["/at"]),
    ("replays", &["/replays"]),
    ("reason", &["/reason"]),
];

pub(super) const REDELIVERY_COLUMNS: &[Column] =
    &[("seq", &["/seq"]), ("accepted", &["/accepted"]), ("reason", &["/reason"])];

/// Prints a list: a table, or one JSON object a line.
pub(super) fn list(items: &[Value], as_json: bool, columns: &[Column]) -> Result<(), Failed> {
    if as_json {
        return items.iter().try_for_each(|item| output::line(&item.to_string()));
    }
    let rows: Vec<Vec<String>> =
        items.iter().map(|item| columns.iter().map(|(_, members)| cell(item, members)).collect()).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    output::line(&output::table(&names, &rows))
}

fn cell(item: &Value, members: &[&str]) -> String {
    let texts = members.iter().filter_map(|member| item.pointer(member)).map(plain);
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| "–".to_owned())
}

/// A value without JSON's signs.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.1}", number.as_f64().unwrap_or_default()),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

/// Prints one object: a member a line, or JSON.
pub(super) fn one(value: &Value, as_json: bool) -> Result<(), Failed> {
    if as_json {
        return output::line(&value.to_string());
    }
    let mut rows = Vec::new();
    flatten("", value, &mut rows);
    output::line(&output::table(&["", ""], &rows).lines().skip(1).collect::<Vec<_>>().join("\n"))
}

fn flatten(prefix: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, inner, rows);
            }
        }
        Value::Null => {}
        other => rows.push(vec![prefix.to_owned(), plain(other)]),
    }
}

/// Prints what came of a test.
pub(super) fn test_result(result: &Value, as_json: bool) -> Result<Exit, Failed> {
    one(result, as_json)?;
    Ok(if result["passed"] == true { Exit::Success } else { Exit::Failure })
}
