//! The intake's array of logs.

use recount_event::{Outcome, Timestamp, read_fields};
use serde::Serialize;

use super::config::Config;
use crate::{
    destinations::Batch,
    formats::{EncodeError, Format},
};

/// How old a log may be: the intake drops logs that are dated further back, and says 202. Datadog's
/// bound is 18 hours; an hour less is ours, for clocks and queues.
const AGE_HOURS_MAX: i64 = 17;

/// One log. The order of members is that of Datadog's own client library.
#[derive(Serialize)]
struct Log<'a> {
    ddsource: &'a str,
    ddtags: &'a str,
    hostname: &'a str,
    message: &'a str,
    service: &'a str,
    status: &'static str,
    /// Milliseconds; absent for a log that is too old, which is dated when it arrives.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,
}

/// Encodes a whole batch.
pub(super) fn body(
    batch: &Batch,
    format: Format,
    config: &Config,
    now: Timestamp,
) -> Result<Vec<u8>, EncodeError> {
    let mut tags = config.tags.clone();
    tags.push(format!("tenant:{}", batch.tenant));
    let tags = tags.join(",");
    let oldest = now.as_micros() - AGE_HOURS_MAX * 3_600 * 1_000_000;
    let mut body = vec![b'['];
    let mut encoded = Vec::new();
    for (index, event) in batch.events.iter().enumerate() {
        let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
        encoded.clear();
        format.encode(event, &mut encoded)?;
        let occurred = fields.occurred_at.as_micros();
        let log = Log {
            ddsource: &config.source,
            ddtags: &tags,
            hostname: &config.hostname,
            message: std::str::from_utf8(&encoded).expect("formats write UTF-8"),
            service: &config.service,
            status: match fields.outcome {
                Outcome::Success => "info",
                Outcome::Failure => "error",
                Outcome::Denied => "warn",
            },
            timestamp: (occurred >= oldest).then_some(occurred / 1_000),
        };
        if index > 0 {
            body.push(b',');
        }
        serde_json::to_writer(&mut body, &log).expect("texts and numbers always encode");
    }
    body.push(b']');
    Ok(body)
}
