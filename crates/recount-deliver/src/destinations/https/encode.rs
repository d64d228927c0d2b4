//! Bodies of generic batches.

use super::config::{Body, Config};
use crate::{
    destinations::Batch,
    formats::{EncodeError, Format},
};

/// Joins the events as configured.
pub(super) fn body(batch: &Batch, format: Format, config: &Config) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    match config.body {
        Body::Ndjson => {
            for event in &batch.events {
                format.encode(event, &mut out)?;
                out.push(b'\n');
            }
        }
        Body::Array => {
            let (open, close) = envelope(config);
            out.extend_from_slice(open.as_bytes());
            out.push(b'[');
            let mut text = Vec::new();
            for (index, event) in batch.events.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if format.is_json() {
                    format.encode(event, &mut out)?;
                } else {
                    text.clear();
                    format.encode(event, &mut text)?;
                    let text = std::str::from_utf8(&text).expect("formats write UTF-8");
                    serde_json::to_writer(&mut out, text).expect("a text always encodes");
                }
            }
            out.push(b']');
            out.extend_from_slice(close.as_bytes());
        }
    }
    Ok(out)
}

/// What comes before and after the array.
fn envelope(config: &Config) -> (String, &'static str) {
    let Some(member) = &config.envelope else { return (String::new(), "") };
    let member = serde_json::Value::from(member.as_str());
    if config.envelope_in_array { (format!("[{{{member}:"), "}]") } else { (format!("{{{member}:"), "}") }
}

/// The body's media type unless a header says otherwise.
pub(super) fn media_type(format: Format, config: &Config) -> &'static str {
    match (config.body, format.is_json()) {
        (Body::Array, _) => "application/json",
        (Body::Ndjson, true) => "application/x-ndjson",
        (Body::Ndjson, false) => "text/plain; charset=utf-8",
    }
}
