//! The body of `_bulk`: an action line and a document line per event.

use recount_event::read_fields;

use crate::{
    destinations::Batch,
    formats::{EncodeError, Format},
};

/// Encodes a batch as `create` actions, which a document that is there already refuses with 409.
pub(super) fn body(batch: &Batch, format: Format) -> Result<Vec<u8>, EncodeError> {
    let mut body = Vec::new();
    let mut document = Vec::new();
    for event in &batch.events {
        let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
        let id = serde_json::Value::from(fields.id.as_ref());
        body.extend_from_slice(format!("{{\"create\":{{\"_id\":{id}}}}}\n").as_bytes());
        document.clear();
        format.encode(event, &mut document)?;
        // Data streams need `@timestamp`; it goes before the event's own members.
        body.extend_from_slice(format!("{{\"@timestamp\":\"{}\",", fields.occurred_at).as_bytes());
        body.extend_from_slice(&document[1..]);
        body.push(b'\n');
    }
    Ok(body)
}
