//! What an event looks like to others: Recount's own JSON, OCSF, CEF.
//!
//! `docs/formats/` maps each member. All of them work on stored lines through
//! [`recount_event::read_fields`], so no number or text is re-interpreted on its way out.

mod cef;
mod gzip;
mod ocsf;
mod parquet;

use recount_event::CorruptLine;
use recount_store::StoredEvent;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use gzip::gzip;
pub use ocsf::{OcsfClass, OcsfVersion, class_of};
pub use parquet::{ocsf_parquet, recount_parquet};

use crate::destinations::{Report, Trace, Verdict};

/// A format, as streams name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Format {
    /// The event as the API serves it.
    #[serde(rename = "recount")]
    Recount,
    /// The Open Cybersecurity Schema Framework, version 1.8.0.
    #[serde(rename = "ocsf")]
    Ocsf18,
    /// The same, version 1.1.0, for consumers that lag.
    #[serde(rename = "ocsf-1.1.0")]
    Ocsf11,
    /// ArcSight's Common Event Format, version 0.
    #[serde(rename = "cef")]
    Cef,
}

impl Format {
    /// OCSF at the newest version that is written.
    pub const OCSF: Self = Self::Ocsf18;
    /// OCSF at the version that Security Lake's consumers know longest.
    pub const OCSF_1_1: Self = Self::Ocsf11;

    /// All formats.
    pub const ALL: &'static [Self] = &[Self::Recount, Self::Ocsf18, Self::Ocsf11, Self::Cef];

    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recount => "recount",
            Self::Ocsf18 => "ocsf",
            Self::Ocsf11 => "ocsf-1.1.0",
            Self::Cef => "cef",
        }
    }

    /// The format of that name; `ocsf-1.8.0` stands for `ocsf` too.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let name = if name == "ocsf-1.8.0" { "ocsf" } else { name };
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// Whether an encoded event is a JSON object.
    #[must_use]
    pub fn is_json(self) -> bool {
        self != Self::Cef
    }

    /// Whether it is OCSF, of any version.
    #[must_use]
    pub fn is_ocsf(self) -> bool {
        self.ocsf_version().is_some()
    }

    /// The version of OCSF.
    #[must_use]
    pub fn ocsf_version(self) -> Option<OcsfVersion> {
        match self {
            Self::Ocsf18 => Some(OcsfVersion::V1_8),
            Self::Ocsf11 => Some(OcsfVersion::V1_1),
            Self::Recount | Self::Cef => None,
        }
    }

    /// Appends one event, on one line, without an end of line.
    ///
    /// # Errors
    /// [`EncodeError::Corrupt`] if the stored line is damaged.
    pub fn encode(self, event: &StoredEvent, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Recount => event.write_json(out),
            Self::Ocsf18 => ocsf::write(event, OcsfVersion::V1_8, out)?,
            Self::Ocsf11 => ocsf::write(event, OcsfVersion::V1_1, out)?,
            Self::Cef => cef::write(event, out)?,
        }
        Ok(())
    }
}

/// Why an event can't be put into a format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The stored line is damaged.
    #[error("event {seq} is damaged in the log: {detail}")]
    Corrupt {
        /// The event.
        seq: u64,
        /// Where.
        detail: String,
    },
    /// The destination's protocol bounds a single event.
    #[error("event {seq} has {bytes} bytes as sent; the destination takes {bytes_max}")]
    TooLong {
        /// The event.
        seq: u64,
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// A file format's writer failed.
    #[error("writing parquet: {detail}")]
    Parquet {
        /// What it said.
        detail: String,
    },
}

impl EncodeError {
    pub(crate) fn corrupt(event: &StoredEvent, error: &CorruptLine) -> Self {
        Self::Corrupt { seq: event.seq, detail: error.to_string() }
    }

    /// An encoding that failed condemns one event of the batch: the engine finds it by splitting.
    pub(crate) fn into_report(self) -> Report {
        let reason = self.to_string();
        Report {
            trace: Trace { answer: "not sent".to_owned(), ..Trace::default() },
            verdict: Verdict::Split { reason },
        }
    }
}
