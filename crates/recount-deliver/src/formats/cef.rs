//! ArcSight's Common Event Format: `CEF:0|vendor|product|version|signature|name|severity|extension`.

use std::{fmt::Write, net::IpAddr};

use recount_event::{Fields, Outcome, read_fields};
use recount_store::StoredEvent;

use super::EncodeError;

/// Device vendor and version of the header.
const VENDOR: &str = "Recount";
const VERSION: &str = "1";

/// Appends one event.
pub(super) fn write(event: &StoredEvent, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
    let name = fields.description.as_deref().unwrap_or(&fields.action);
    let severity = match fields.outcome {
        Outcome::Success => 3,
        Outcome::Failure => 5,
        Outcome::Denied => 7,
    };
    let head = format!(
        "CEF:0|{VENDOR}|{}|{VERSION}|{}|{}|{severity}|",
        header(fields.source.as_deref().unwrap_or("Recount")),
        header(&fields.action),
        header(name),
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(extension(event, &fields).as_bytes());
    Ok(())
}

fn extension(event: &StoredEvent, fields: &Fields<'_>) -> String {
    let mut out = Extension::default();
    out.pair("rt", &(fields.occurred_at.as_micros() / 1_000).to_string());
    out.pair("deviceReceiptTime", &(event.received_at.as_micros() / 1_000).to_string());
    out.pair("externalId", &fields.id);
    out.pair("act", &fields.action);
    out.pair("outcome", fields.outcome.as_str());
    out.pair("suid", &fields.actor_id);
    out.maybe("suser", fields.actor_name.as_deref().or(fields.actor_email.as_deref()));
    out.pair("sourceUserType", &fields.actor_type);
    out.maybe("sourceUserEmail", fields.actor_email.as_deref());
    match fields.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok()) {
        Some(IpAddr::V4(ip)) => out.pair("src", &ip.to_string()),
        Some(IpAddr::V6(ip)) => out.labelled("c6a2", "Source IPv6 Address", &ip.to_string()),
        None => {}
    }
    out.maybe("requestClientApplication", fields.user_agent.as_deref());
    out.maybe("reason", fields.reason.as_deref());
    out.maybe("msg", fields.description.as_deref());
    if let Some(target) = fields.targets.first() {
        out.pair("duid", &target.id);
        out.maybe("duser", target.name.as_deref());
    }
    out.labelled("cs1", "Tenant", &fields.tenant);
    if !fields.targets.is_empty() {
        let targets: Vec<String> = fields.targets.iter().map(|t| format!("{}/{}", t.kind, t.id)).collect();
        out.labelled("cs2", "Targets", &targets.join(" "));
    }
    for (key, label, value) in [
        ("cs3", "Metadata", fields.metadata),
        ("cs4", "Changes", fields.changes),
        ("cs5", "Request", fields.request_id.as_deref()),
        ("cs6", "Session", fields.session_id.as_deref()),
    ] {
        if let Some(value) = value {
            out.labelled(key, label, value);
        }
    }
    out.labelled("cn1", "Seq", &event.seq.to_string());
    out.maybe("recountTags", fields.tags);
    out.maybe("recountLocation", fields.location.as_deref());
    out.text
}

#[derive(Default)]
struct Extension {
    text: String,
}

impl Extension {
    fn pair(&mut self, key: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        write!(self.text, "{key}={}", value_text(value)).expect("writing to a String can't fail");
    }

    fn maybe(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.pair(key, value);
        }
    }

    fn labelled(&mut self, key: &str, label: &str, value: &str) {
        self.pair(&format!("{key}Label"), label);
        self.pair(key, value);
    }
}

/// A header field: `\` and `|` escaped, no ends of line.
fn header(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// An extension's value: `\` and `=` escaped, ends of line written as `\n` and `\r`.
fn value_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '=' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_an_event_stays_in_its_field() {
        assert_eq!(header("a|b\\c\nd"), "a\\|b\\\\c d");
        assert_eq!(value_text("x=1 src=6.6.6.6\nCEF:0|\\"), "x\\=1 src\\=6.6.6.6\\nCEF:0|\\\\");
    }
}
