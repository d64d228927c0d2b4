//! The Open Cybersecurity Schema Framework: one JSON object per event.
//!
//! `class.rs` decides what kind of event it is, `map.rs` fills the class's attributes, and what the
//! schema has no place for goes to `unmapped`, so nothing of an event is lost. Attributes follow
//! the published schemas 1.8.0 and 1.1.0; the tests validate against both.

mod class;
mod map;
mod words;

use recount_store::StoredEvent;
use serde_json::{Map, Value};

pub use class::{OcsfClass, class_of};

use super::EncodeError;

/// A version of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OcsfVersion {
    /// 1.1.0.
    V1_1,
    /// 1.8.0.
    V1_8,
}

impl OcsfVersion {
    /// `metadata.version`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1.0",
            Self::V1_8 => "1.8.0",
        }
    }
}

/// An event in OCSF.
pub(super) struct Record {
    pub(super) attributes: Map<String, Value>,
    /// `unmapped`: a JSON object as text, because its numbers are the sender's.
    pub(super) unmapped: Option<String>,
}

/// Maps one event.
pub(super) fn record(event: &StoredEvent, version: OcsfVersion) -> Result<Record, EncodeError> {
    map::record(event, version)
}

/// Appends one event as JSON.
pub(super) fn write(event: &StoredEvent, version: OcsfVersion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let record = record(event, version)?;
    serde_json::to_writer(&mut *out, &record.attributes).expect("texts and numbers always encode");
    if let Some(unmapped) = record.unmapped {
        // Before the closing brace.
        out.pop();
        out.extend_from_slice(b",\"unmapped\":");
        out.extend_from_slice(unmapped.as_bytes());
        out.push(b'}');
    }
    Ok(())
}
