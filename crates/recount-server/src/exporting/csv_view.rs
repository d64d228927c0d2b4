//! CSV as a view of the log shows it: its columns, its time zone.

use bytes::Bytes;
use jiff::tz::TimeZone;
use recount_store::{ReadError, StoredEvent};
use serde_json::Value;

use super::csv_rows::{finish, write_row, writer};

/// Most columns of a file.
const COLUMNS_MAX: usize = 50;
/// The longest name of a column, in characters.
const COLUMN_CHARS_MAX: usize = 200;

/// Which columns a CSV has, and in which zone its times are.
#[derive(Debug, Clone)]
pub(crate) struct CsvView {
    columns: Vec<String>,
    zone: TimeZone,
}

impl CsvView {
    /// Checks columns (`time`, `actor`, `target`, `ip`, `metadata.plan`, any path of an event) and an
    /// IANA zone. Without a zone, times are in UTC.
    ///
    /// # Errors
    /// Which of the two is wrong, and how.
    pub(crate) fn new(columns: &[String], zone: Option<&str>) -> Result<Self, (&'static str, String)> {
        let good = |column: &String| {
            !column.is_empty()
                && column.chars().count() <= COLUMN_CHARS_MAX
                && !column.chars().any(char::is_control)
        };
        if columns.is_empty() || columns.len() > COLUMNS_MAX || !columns.iter().all(good) {
            let detail =
                format!("a file has 1 to {COLUMNS_MAX} columns, each of 1 to {COLUMN_CHARS_MAX} characters");
            return Err(("columns", detail));
        }
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name)
                .map_err(|_| ("zone", "it is not a time zone like Europe/Paris".to_owned()))?,
        };
        Ok(Self { columns: columns.iter().flat_map(|column| with_id(column)).collect(), zone })
    }

    /// The row of column names.
    pub(super) fn head(&self) -> Bytes {
        let mut out = writer(Vec::new());
        write_row(&mut out, self.columns.iter().map(String::as_str));
        finish(out)
    }

    /// One row per event.
    ///
    /// # Errors
    /// If a stored line is damaged.
    pub(super) fn rows(&self, events: &[StoredEvent]) -> Result<Bytes, ReadError> {
        let mut out = writer(Vec::with_capacity(events.len() * 128));
        let mut line = Vec::new();
        for event in events {
            line.clear();
            event.write_json(&mut line);
            let served: Value = serde_json::from_slice(&line).map_err(|error| ReadError::Corrupt {
                object: format!("event with seq {}", event.seq),
                what: error.to_string(),
            })?;
            let cells: Vec<String> = self.columns.iter().map(|column| self.cell(&served, column)).collect();
            write_row(&mut out, cells.iter().map(String::as_str));
        }
        Ok(finish(out))
    }

    fn cell(&self, event: &Value, column: &str) -> String {
        let targets = || event["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let joined = |text: fn(&Value) -> String| targets().iter().map(text).collect::<Vec<_>>().join("; ");
        match column {
            "time" => self.time(&event["occurred_at"]),
            "actor" => first(&event["actor"], &["name", "email", "id"]),
            "actor_id" => reference(&event["actor"]),
            "target" => joined(|target| first(target, &["name", "id"])),
            "target_id" => joined(reference),
            "outcome" => event["outcome"].as_str().unwrap_or("success").to_owned(),
            "ip" | "location" => text(&event["context"][column]),
            path => text(path.split('.').fold(event, |at, name| &at[name])),
        }
    }

    /// The time in the zone, to the millisecond, with its offset.
    fn time(&self, occurred_at: &Value) -> String {
        let written = occurred_at.as_str().unwrap_or_default();
        let Ok(at) = written.parse::<jiff::Timestamp>() else { return written.to_owned() };
        let offset = self.zone.to_offset(at);
        if offset == jiff::tz::Offset::UTC {
            format!("{:.3}", at)
        } else {
            format!("{:.3}", at.display_with_offset(offset))
        }
    }
}

/// Beside a name, the id that it stands for.
fn with_id(column: &str) -> Vec<String> {
    match column {
        "actor" | "target" => vec![column.to_owned(), format!("{column}_id")],
        _ => vec![column.to_owned()],
    }
}

fn first(party: &Value, members: &[&str]) -> String {
    members.iter().find_map(|member| party[member].as_str()).unwrap_or_default().to_owned()
}

fn reference(party: &Value) -> String {
    format!("{}/{}", text(&party["type"]), text(&party["id"]))
}

/// Strings as they are, nothing for what is absent, everything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use recount_event::{ParseContext, Timestamp, parse_event};

    use super::*;

    #[test]
    fn columns_and_zone_are_the_views() {
        let context = ParseContext { tenant: None, allow_own_actions: false };
        let json = r#"{"id":"e1","tenant":"acme","occurred_at":"2026-07-01T22:30:07.4189Z","action":"role.updated",
            "actor":{"type":"user","id":"u_1","name":"=Ada"},"context":{"ip":"203.0.113.7"},
            "targets":[{"type":"role","id":"r_9","name":"Billing"},{"type":"team","id":"t_1"}],
            "metadata":{"plan":"pro","seats":{"n":3}}}"#;
        let event = parse_event(json, &context, &mut || uuid::Uuid::nil()).expect("valid event");
        let event =
            StoredEvent { seq: 7, received_at: Timestamp::from_micros(1_000_000), line: event.line.into() };
        let columns =
            ["time", "actor", "target", "outcome", "ip", "metadata.plan", "metadata.seats", "tags.none"]
                .map(str::to_owned);
        let view = CsvView::new(&columns, Some("Europe/Paris")).expect("a view");
        let table = [view.head(), view.rows(&[event]).expect("valid")].concat();
        let table = String::from_utf8(table).expect("text");
        assert_eq!(
            table,
            "time,actor,actor_id,target,target_id,outcome,ip,metadata.plan,metadata.seats,tags.none\r\n\
             2026-07-02T00:30:07.418+02:00,'=Ada,user/u_1,Billing; t_1,role/r_9; team/t_1,success,203.0.113.7,pro,\"{\"\"n\"\":3}\",\r\n"
        );
    }

    #[test]
    fn what_is_no_column_and_no_zone_is_told() {
        let columns = ["time".to_owned()];
        assert_eq!(CsvView::new(&columns, Some("Mars/Olympus")).expect_err("no zone").0, "zone");
        assert_eq!(CsvView::new(&[], None).expect_err("no columns").0, "columns");
    }
}
