//! Formats as others read them.
//!
//! Proven by: `ocsf-json-schema` (the published schemas) for OCSF (and in `crates/recount` for imported
//! real data), `pyarrow` for Parquet, `pycef` for
//! CEF.

use proptest::prelude::*;
use recount_deliver::formats::{Format, OcsfVersion, class_of, ocsf_parquet, recount_parquet};
use recount_event::{ParseContext, TenantId, Timestamp, parse_event, read_fields};
use recount_store::StoredEvent;
use serde_json::{Value, json};

use crate::support::{peers, world};

fn stored(seq: u64, event: &Value) -> StoredEvent {
    let tenant: TenantId = world::tenant("acme");
    let context = ParseContext { tenant: Some(&tenant), allow_own_actions: true };
    let parsed = parse_event(&event.to_string(), &context, &mut uuid_of_nothing).expect("a valid event");
    let received_at = Timestamp::parse_rfc3339("2026-11-23T14:32:08Z").expect("a time");
    StoredEvent { seq, received_at, line: parsed.line.into() }
}

fn uuid_of_nothing() -> uuid::Uuid {
    uuid::Uuid::nil()
}

fn encoded(format: Format, event: &StoredEvent) -> String {
    let mut out = Vec::new();
    format.encode(event, &mut out).expect("encodes");
    String::from_utf8(out).expect("UTF-8")
}

fn made(action: &str, targets: &[(&str, &str)], rest: &Value) -> Value {
    let targets: Vec<Value> = targets
        .iter()
        .map(|(kind, name)| json!({"type": kind, "id": format!("{kind}-1"), "name": name}))
        .collect();
    let mut event = json!({
        "id": format!("id-{action}"), "occurred_at": "2026-11-23T14:32:07.418Z", "action": action,
        "actor": {"type": "user", "id": "u_1", "name": "Ada", "email": "ada@example.com", "metadata": {"plan": "pro"}},
    });
    if !targets.is_empty() {
        event["targets"] = targets.into();
    }
    for (name, value) in rest.as_object().expect("an object") {
        event[name] = value.clone();
    }
    event
}

/// Events of all classes, with and without what is optional, and with what schemas are picky about.
fn samples() -> Vec<StoredEvent> {
    let user = ("user", "Bob");
    let actions: &[(&str, &[(&str, &str)])] = &[
        ("user.login", &[]),
        ("auth.logout", &[]),
        ("ConsoleLogin", &[]),
        ("mfa.challenge.failed", &[]),
        ("session.created", &[]),
        ("user.created", &[user]),
        ("user.deleted", &[user]),
        ("user.suspended", &[user]),
        ("user.password_reset", &[user]),
        ("password.changed", &[]),
        ("mfa.enabled", &[]),
        ("mfa.disabled", &[user]),
        ("account.locked", &[user]),
        ("account.unlocked", &[user]),
        ("user.updated", &[user]),
        ("role.granted", &[user, ("role", "Admin")]),
        ("role.revoked", &[user, ("role", "Admin")]),
        ("team.created", &[("team", "Ops")]),
        ("team.add_member", &[("team", "Ops"), user]),
        ("group.member.removed", &[("group", "Ops"), user]),
        ("group.renamed", &[("group", "Ops")]),
        ("invoice.created", &[("invoice", "2026-1")]),
        ("invoice.viewed", &[("invoice", "2026-1")]),
        ("project.moved", &[("project", "P")]),
        ("feature.enabled", &[("flag", "F")]),
        ("job.suspended", &[("job", "J")]),
        ("api_key.rotated", &[("api_key", "K")]),
        ("s3:GetObjectACL", &[("bucket", "B"), ("object", "O")]),
        ("weird", &[]),
        ("weird.thing", &[("x", "Y"), ("z", "W")]),
    ];
    let variants = [
        json!({"source": "billing", "context": {"ip": "203.0.113.7", "user_agent": "curl", "request_id": "r", "session_id": "s", "location": "Graz"},
               "reason": "because", "description": "said so", "changes": [{"field": "f", "before": 1, "after": 2}], "tags": {"k": "v"},
               "metadata": {"deep": {"er": [1, 2.50, 12345678901234567890u64]}}}),
        json!({"outcome": "denied", "context": {"ip": "2001:db8::1"}}),
        json!({"outcome": "failure", "actor": {"type": "service_account", "id": "sa", "email": "ünï@exämple.com"}}),
        json!({"actor": {"type": "system", "id": "cron"}, "context": {"ip": "::ffff:1.2.3.4"}}),
        json!({"actor": {"type": "martian", "id": "m", "email": "o'hara+x@example.co.uk"}}),
    ];
    let mut events = Vec::new();
    for (action, targets) in actions {
        for variant in &variants {
            let seq = events.len() as u64;
            let mut event = made(action, targets, variant);
            event["id"] = format!("e-{seq}").into();
            events.push(stored(seq, &event));
        }
    }
    events
}

#[test]
fn ocsf_is_valid_in_both_versions_for_all_classes() {
    let samples = samples();
    for format in [Format::OCSF, Format::OCSF_1_1] {
        let lines: Vec<String> = samples.iter().map(|event| encoded(format, event)).collect();
        let Some(output) = peers::python("validate_ocsf.py", lines.join("\n").as_bytes()) else { return };
        let output: Value = serde_json::from_str(&output).expect("JSON");
        assert_eq!(output["errors"], json!([]), "{}", format.name());
        assert_eq!(output["events"], json!(samples.len()));
        let classes = output["classes"].as_object().expect("counted").len();
        assert_eq!(classes, if format == Format::OCSF { 6 } else { 3 }, "{}", output["classes"]);
    }
}

#[test]
fn nothing_of_an_event_is_lost_in_ocsf() {
    for event in samples() {
        let original: Value = serde_json::from_str(&event.line).expect("JSON");
        let mut texts = Vec::new();
        leaves(&original, &mut texts);
        for format in [Format::OCSF, Format::OCSF_1_1] {
            let written = encoded(format, &event);
            let mut found = Vec::new();
            leaves(&serde_json::from_str(&written).expect("JSON"), &mut found);
            for text in &texts {
                // Outcomes, kinds of actors and addresses have names of their own there.
                let renamed =
                    ["success", "failure", "denied", "user", "system", "service_account", "::ffff:1.2.3.4"];
                assert!(
                    found.contains(text) || renamed.contains(&text.as_str()),
                    "{text} of {} is not in {written}",
                    event.line
                );
            }
        }
        // Numbers are the sender's, digit for digit.
        if event.line.contains("12345678901234567890") {
            assert!(encoded(Format::OCSF, &event).contains("12345678901234567890"));
        }
    }
}

fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| leaves(value, into)),
        Value::Array(items) => items.iter().for_each(|value| leaves(value, into)),
        Value::String(text) => into.push(text.clone()),
        _ => {}
    }
}

#[test]
fn another_reader_reads_our_parquet() {
    let samples = samples();
    let events: Vec<&StoredEvent> = samples.iter().collect();
    for version in [OcsfVersion::V1_8, OcsfVersion::V1_1] {
        let bytes = ocsf_parquet(&events, version).expect("written");
        assert_eq!(
            bytes,
            ocsf_parquet(&events, version).expect("written"),
            "the same events give the same bytes"
        );
        let Some(output) = peers::python("read_parquet.py", &bytes) else { return };
        let output: Value = serde_json::from_str(&output).expect("JSON");
        let rows = output["rows"].as_array().expect("rows");
        assert_eq!(rows.len(), events.len());
        for (row, event) in rows.iter().zip(&events) {
            let fields = read_fields(&event.line).expect("an event");
            assert_eq!(row["metadata"]["uid"], json!(fields.id));
            assert_eq!(row["class_name"], json!(caption(&class_of(&fields, version).to_string())));
            assert_eq!(row["time"], json!(fields.occurred_at.as_micros() / 1_000));
            assert_eq!(row["actor"]["user"]["uid"], json!(fields.actor_id));
            if let Some(metadata) = fields.metadata {
                let unmapped = row["unmapped"].as_str().expect("a text");
                assert!(unmapped.contains(metadata), "{unmapped}");
            }
        }
    }
    let Some(output) = peers::python("read_parquet.py", &recount_parquet(&events).expect("written")) else {
        return;
    };
    let output: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(output["rows"][3]["event"], json!(events[3].line.as_ref()));
    assert_eq!(output["rows"][3]["seq"], json!(3));
}

fn caption(class: &str) -> &'static str {
    match class {
        "account_change" => "Account Change",
        "authentication" => "Authentication",
        "entity_management" => "Entity Management",
        "user_access" => "User Access Management",
        "group_management" => "Group Management",
        _ => "API Activity",
    }
}

#[test]
fn another_parser_reads_our_cef() {
    let mut events = samples();
    let nasty = "a=b | c \\ d CEF:0|x|y|z src=6.6.6.6 msg=fake";
    let mut event = world::event(1);
    event["description"] = nasty.into();
    events.push(stored(1_000, &event));
    let lines: Vec<String> = events.iter().map(|event| encoded(Format::Cef, event)).collect();
    assert!(lines.iter().all(|line| !line.contains(['\n', '\r'])));
    let Some(output) = peers::python("parse_cef.py", lines.join("\n").as_bytes()) else { return };
    let parsed: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(parsed.len(), events.len());
    for (parsed, event) in parsed.iter().zip(&events) {
        let fields = read_fields(&event.line).expect("an event");
        assert_eq!(parsed["DeviceVendor"], "Recount", "{parsed}");
        assert_eq!(parsed["DeviceEventClassID"], json!(fields.action));
        assert_eq!(parsed["externalId"], json!(fields.id));
        assert_eq!(parsed["suid"], json!(fields.actor_id));
        assert_ne!(parsed["src"], "6.6.6.6", "an event's text made a field of its own");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_out_of_a_line(text in "\\PC{0,60}", name in "[!-~][ -~]{0,40}", said in "[!-~][ -~\n]{0,40}") {
        let mut event = world::event(1);
        event["actor"]["name"] = name.into();
        event["description"] = said.into();
        event["metadata"] = json!({"text": text});
        let tenant = world::tenant("acme");
        let context = ParseContext { tenant: Some(&tenant), allow_own_actions: false };
        // Names that the event itself refuses never come here.
        prop_assume!(parse_event(&event.to_string(), &context, &mut uuid_of_nothing).is_ok());
        let event = stored(1, &event);
        for format in Format::ALL {
            let line = encoded(*format, &event);
            prop_assert!(!line.contains(['\n', '\r']), "{}", line);
            if format.is_json() {
                prop_assert!(serde_json::from_str::<Value>(&line).is_ok(), "{}", line);
            }
        }
    }
}
