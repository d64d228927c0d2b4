//! What can go wrong inside a read, before it is known whether planning anew helps.

use std::sync::Arc;

use recount_segment::{ReadAtError, SegmentError};

use super::error::ReadError;
use crate::catalog::CatalogError;

/// Why a step of a read failed.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A part of the plan isn't there any more: it was sealed, folded or compacted meanwhile.
    /// The same events are elsewhere now, or were removed by retention: plan again.
    Gone(Part),
    /// The read fails.
    Fatal(ReadError),
}

/// A part of a plan: where a stretch of the log was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A segment, by its object's name.
    Object(String),
    /// A row of the tail.
    TailBatch { first_seq: u64, events: u64 },
}

impl Part {
    /// The failure when the newest plan names a part that is nevertheless missing.
    pub(crate) fn missing(self) -> ReadError {
        ReadError::Corrupt {
            object: self.to_string(),
            what: "it is missing, or of another size, although the catalog refers to it".into(),
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Object(name) => f.write_str(name),
            Part::TailBatch { first_seq, events } => {
                write!(f, "the tail batch of seq {first_seq} to {}", first_seq + events - 1)
            }
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Fault::Fatal(error)
    }
}

impl From<CatalogError> for Fault {
    fn from(error: CatalogError) -> Self {
        Fault::Fatal(error.into())
    }
}

impl From<&SegmentError> for Fault {
    fn from(error: &SegmentError) -> Self {
        match error {
            SegmentError::Read { name, source: ReadAtError::NotFound } => {
                Fault::Gone(Part::Object(name.to_string()))
            }
            error => Fault::Fatal(error.into()),
        }
    }
}

impl From<SegmentError> for Fault {
    fn from(error: SegmentError) -> Self {
        (&error).into()
    }
}

impl From<Arc<SegmentError>> for Fault {
    fn from(error: Arc<SegmentError>) -> Self {
        error.as_ref().into()
    }
}
