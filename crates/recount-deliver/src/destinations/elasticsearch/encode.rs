//! The body of `_bulk`: an action line and a document line per event.

use recount_event::read_fields;
use sha2::{Digest as _, Sha256};

use crate::{
    destinations::Batch,
    formats::{EncodeError, Format},
};

/// Longest `_id` of a document, in bytes.
const ID_BYTES_MAX: usize = 512;

/// Encodes a batch as `create` actions, which a document that is there already refuses with 409.
pub(super) fn body(batch: &Batch, format: Format) -> Result<Vec<u8>, EncodeError> {
    let mut body = Vec::new();
    let mut document = Vec::new();
    for event in &batch.events {
        let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
        let id = serde_json::Value::from(document_id(batch.tenant.as_ref(), event.seq, &fields.id));
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

/// What a document is called: always the same for an event, and never the same for two. An event's
/// id alone is neither another tenant's nor a later event's own; its place in its log is, and the id
/// tells two logs of one name apart.
fn document_id(tenant: &str, seq: u64, id: &str) -> String {
    let name = format!("{tenant},{seq},{id}");
    if name.len() <= ID_BYTES_MAX {
        return name;
    }
    format!("{tenant},{seq},{}", hex::encode(Sha256::digest(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_documents_differ_where_events_do_and_fit() {
        assert_eq!(document_id("acme", 7, "e-1"), "acme,7,e-1");
        assert_ne!(document_id("acme", 7, "e-1"), document_id("acme", 8, "e-1"));
        assert_ne!(document_id("acme", 7, "e-1"), document_id("umbrella", 7, "e-1"));
        let long = |last: &str| document_id(&"t".repeat(128), u64::MAX, &("\u{1f600}".repeat(127) + last));
        assert!(long("a").len() <= ID_BYTES_MAX);
        assert_ne!(long("a"), long("b"));
    }
}
