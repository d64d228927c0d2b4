//! Events as NDJSON, a line each.

use recount_store::StoredEvent;

/// One line per event, as the API serves it.
pub(super) fn rows(events: &[StoredEvent]) -> Vec<u8> {
    let bytes: usize = events.iter().map(|event| event.line.len() + 80).sum();
    let mut out = Vec::with_capacity(bytes);
    for event in events {
        event.write_json(&mut out);
        out.push(b'\n');
    }
    out
}
