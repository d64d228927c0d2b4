//! Events as CSV (RFC 4180): one row each, for spreadsheets.
//!
//! A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return would be run as a formula
//! by spreadsheets; it gets a single quote before it (OWASP, "CSV injection"). So CSV is not a form
//! to verify or to import again; NDJSON is.

use std::borrow::Cow;

use bytes::Bytes;
use recount_event::{Fields, Outcome, read_fields};
use recount_store::{ReadError, StoredEvent};
use serde::Serialize;

/// The columns, in order. `target_*` are the first target's; `targets` holds all, as JSON.
const COLUMNS: [&str; 25] = [
    "seq",
    "id",
    "occurred_at",
    "received_at",
    "action",
    "outcome",
    "actor_type",
    "actor_id",
    "actor_name",
    "actor_email",
    "target_type",
    "target_id",
    "target_name",
    "targets",
    "ip",
    "user_agent",
    "location",
    "session_id",
    "request_id",
    "source",
    "description",
    "reason",
    "changes",
    "tags",
    "metadata",
];

/// The row of column names.
pub(super) fn head() -> Bytes {
    let mut writer = writer(Vec::new());
    write_row(&mut writer, COLUMNS.iter().copied());
    finish(writer)
}

/// One row per event.
///
/// # Errors
/// If a stored line is damaged.
pub(super) fn rows(events: &[StoredEvent]) -> Result<Bytes, ReadError> {
    let bytes: usize = events.iter().map(|event| event.line.len()).sum();
    let mut writer = writer(Vec::with_capacity(bytes));
    for event in events {
        let fields = read_fields(&event.line).map_err(|error| ReadError::Corrupt {
            object: format!("event with seq {}", event.seq),
            what: error.to_string(),
        })?;
        write_event(&mut writer, event, &fields);
    }
    Ok(finish(writer))
}

fn write_event(writer: &mut csv::Writer<Vec<u8>>, event: &StoredEvent, fields: &Fields<'_>) {
    let seq = event.seq.to_string();
    let occurred_at = fields.occurred_at.to_string();
    let received_at = event.received_at.to_string();
    let targets = targets(fields);
    let target = fields.targets.first();
    fn text<'a>(value: Option<&'a Cow<'_, str>>) -> &'a str {
        value.map_or("", |value| value.as_ref())
    }
    let row: [&str; COLUMNS.len()] = [
        &seq,
        &fields.id,
        &occurred_at,
        &received_at,
        &fields.action,
        outcome(fields),
        &fields.actor_type,
        &fields.actor_id,
        text(fields.actor_name.as_ref()),
        text(fields.actor_email.as_ref()),
        text(target.map(|target| &target.kind)),
        text(target.map(|target| &target.id)),
        text(target.and_then(|target| target.name.as_ref())),
        &targets,
        text(fields.ip.as_ref()),
        text(fields.user_agent.as_ref()),
        text(fields.location.as_ref()),
        text(fields.session_id.as_ref()),
        text(fields.request_id.as_ref()),
        text(fields.source.as_ref()),
        text(fields.description.as_ref()),
        text(fields.reason.as_ref()),
        fields.changes.unwrap_or_default(),
        fields.tags.unwrap_or_default(),
        fields.metadata.unwrap_or_default(),
    ];
    write_row(writer, row.into_iter());
}

/// The outcome's name.
pub(super) fn outcome(fields: &Fields<'_>) -> &'static str {
    match fields.outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::Denied => "denied",
    }
}

/// All targets as JSON; empty without any.
pub(super) fn targets(fields: &Fields<'_>) -> String {
    if fields.targets.is_empty() {
        return String::new();
    }
    let targets = fields.targets.iter().map(|target| TargetCell {
        id: &target.id,
        name: target.name.as_deref(),
        kind: &target.kind,
    });
    let targets: Vec<_> = targets.collect();
    serde_json::to_string(&targets).expect("strings can be written as JSON")
}

/// A target as a cell has it.
#[derive(Serialize)]
struct TargetCell<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
}

pub(super) fn writer(out: Vec<u8>) -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

pub(super) fn write_row<'a>(writer: &mut csv::Writer<Vec<u8>>, cells: impl Iterator<Item = &'a str>) {
    for cell in cells {
        writer.write_field(&*neutral(cell)).expect("writing to memory can't fail");
    }
    writer.write_record(None::<&[u8]>).expect("writing to memory can't fail");
}

/// The cell, with a quote before it if a spreadsheet would run it.
fn neutral(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

pub(super) fn finish(writer: csv::Writer<Vec<u8>>) -> Bytes {
    writer.into_inner().expect("writing to memory can't fail").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use recount_event::{ParseContext, Timestamp, parse_event};

    use super::*;

    fn stored(json: &str) -> StoredEvent {
        let context = ParseContext { tenant: None, allow_own_actions: false };
        let event = parse_event(json, &context, &mut || uuid::Uuid::nil()).expect("valid event");
        StoredEvent { seq: 7, received_at: Timestamp::from_micros(1_000_000), line: event.line.into() }
    }

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader.records().map(|row| row.expect("valid CSV").iter().map(ToOwned::to_owned).collect()).collect()
    }

    #[test]
    fn every_column_has_its_value() {
        let event = stored(
            r#"{"id":"e1","tenant":"acme","occurred_at":"2026-11-23T14:32:07.418Z","action":"role.updated","outcome":"denied",
            "actor":{"type":"user","id":"u_1","name":"Ada, \"Countess\"","email":"ada@example.com"},
            "targets":[{"type":"role","id":"r_9","name":"Billing"},{"type":"team","id":"t_1"}],
            "context":{"ip":"203.0.113.7"},"description":"two\nlines","tags":{"severity":"low"},"metadata":{"any":1}}"#,
        );
        let mut table = cells(&[head(), rows(&[event]).expect("valid")].concat());
        let (head, row) = (table.remove(0), table.remove(0));
        assert_eq!(head.len(), row.len());
        let cell =
            |name: &str| row[head.iter().position(|column| column == name).expect("known column")].as_str();
        assert_eq!(cell("seq"), "7");
        assert_eq!(cell("outcome"), "denied");
        assert_eq!(cell("actor_name"), "Ada, \"Countess\"");
        assert_eq!(cell("target_id"), "r_9");
        assert_eq!(
            cell("targets"),
            r#"[{"id":"r_9","name":"Billing","type":"role"},{"id":"t_1","type":"team"}]"#
        );
        assert_eq!(cell("description"), "two\nlines");
        assert_eq!(cell("tags"), r#"{"severity":"low"}"#);
        assert_eq!(cell("metadata"), r#"{"any":1}"#);
    }

    proptest! {
        #[test]
        fn no_cell_starts_a_formula(text in "[=+@\\-\t\r'a\"]{0,4}.{0,10}") {
            let safe = neutral(&text);
            prop_assert!(!safe.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert!(safe.ends_with(&text));
        }
    }
}
