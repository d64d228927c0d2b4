//! Bodies of webhook requests: `{"type","timestamp","data"}`, the same bytes at each attempt.

use super::config::Payload;
use crate::{
    destinations::Batch,
    formats::{EncodeError, Format},
};

/// One request's body, and what its id is made of.
pub(super) struct Message {
    /// `webhook-id`: constant over retries.
    pub(super) id: String,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// Encodes a batch to one message, or to one per event.
pub(super) fn messages(batch: &Batch, format: Format, payload: Payload) -> Result<Vec<Message>, EncodeError> {
    let prefix = if batch.test { "test" } else { "msg" };
    match payload {
        Payload::Batch => {
            let kind = if batch.test { "recount.test" } else { "recount.events" };
            let mut body = open(kind, &batch.last_received_at().to_string());
            body.push(b'[');
            for (index, event) in batch.events.iter().enumerate() {
                if index > 0 {
                    body.push(b',');
                }
                format.encode(event, &mut body)?;
            }
            body.extend_from_slice(b"]}");
            Ok(vec![Message { id: format!("{prefix}_{}", batch.id()), body }])
        }
        Payload::Single => batch
            .events
            .iter()
            .map(|event| {
                let kind = if batch.test { "recount.test" } else { "recount.event" };
                let mut body = open(kind, &event.received_at.to_string());
                format.encode(event, &mut body)?;
                body.push(b'}');
                Ok(Message { id: format!("{prefix}_{}-{}", batch.stream, event.seq), body })
            })
            .collect(),
    }
}

/// The head of a body. The time is the log's own, so that a retry has the same bytes.
fn open(kind: &str, timestamp: &str) -> Vec<u8> {
    format!(r#"{{"type":"{kind}","timestamp":"{timestamp}","data":"#).into_bytes()
}
