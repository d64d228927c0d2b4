//! HEC's event envelope: JSON objects, one after the other.

use recount_event::read_fields;
use serde::Serialize;
use serde_json::value::RawValue;

use super::config::Config;
use crate::{
    destinations::Batch,
    formats::{EncodeError, Format},
};

/// One event in its envelope. The order of members is that of Splunk's own client library.
#[derive(Serialize)]
struct Envelope<'a> {
    event: &'a RawValue,
    time: &'a RawValue,
    host: &'a str,
    source: &'a str,
    sourcetype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    fields: Fields<'a>,
}

/// Indexed fields: found without parsing the event.
#[derive(Serialize)]
struct Fields<'a> {
    recount_id: &'a str,
    recount_seq: u64,
    recount_tenant: &'a str,
    recount_action: &'a str,
}

/// Encodes a whole batch.
pub(super) fn body(batch: &Batch, format: Format, config: &Config) -> Result<Vec<u8>, EncodeError> {
    let mut body = Vec::new();
    let mut encoded = Vec::new();
    for event in &batch.events {
        let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
        encoded.clear();
        format.encode(event, &mut encoded)?;
        let text = std::str::from_utf8(&encoded).expect("formats write UTF-8");
        let text = if format.is_json() { text.to_owned() } else { serde_json::Value::from(text).to_string() };
        let raw = |text: String| RawValue::from_string(text).expect("made as JSON above");
        let event_text = raw(text);
        let micros = fields.occurred_at.as_micros();
        let time =
            raw(format!("{}.{:03}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000) / 1_000));
        let envelope = Envelope {
            event: &event_text,
            time: &time,
            host: &config.host,
            source: &config.source,
            sourcetype: &config.sourcetype,
            index: config.index.as_deref(),
            fields: Fields {
                recount_id: &fields.id,
                recount_seq: event.seq,
                recount_tenant: batch.tenant.as_ref(),
                recount_action: &fields.action,
            },
        };
        serde_json::to_writer(&mut body, &envelope).expect("texts and numbers always encode");
    }
    Ok(body)
}
