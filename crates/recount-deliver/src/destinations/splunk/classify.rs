//! HEC's answers: an HTTP status and, in the body, a code of its own that says more.
//!
//! Codes from Splunk's "HTTP Event Collector troubleshooting" table.

use serde::Deserialize;

use crate::{
    destinations::{Verdict, exchange},
    egress::Answer,
};

/// The body of every answer of the collector.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HecAnswer {
    pub(super) code: Option<i64>,
    #[serde(rename = "ackId")]
    pub(super) ack_id: Option<u64>,
}

impl HecAnswer {
    pub(super) fn read(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }
}

pub(super) fn classify(answer: &Answer) -> Verdict {
    let reason = exchange::reason(answer);
    let after = exchange::retry_after(&answer.headers);
    match (answer.status.as_u16(), HecAnswer::read(answer).code) {
        (200, Some(0)) => Verdict::Accepted,
        // A proxy's friendly page is no collector.
        (200, _) => Verdict::Misconfigured { reason: format!("the answer is not a collector's: {reason}") },
        // No data, invalid data format, event missing, event blank, error in indexed fields.
        (_, Some(5 | 6 | 12 | 13 | 15)) => Verdict::Split { reason },
        // Token disabled, required, malformed, unknown; wrong index; channel missing or invalid;
        // acknowledgement disabled; query-string authorisation disabled.
        (_, Some(1 | 2 | 3 | 4 | 7 | 10 | 11 | 14 | 16)) => Verdict::Misconfigured { reason },
        // Internal error, busy, shutting down, queue or acknowledgement channel full.
        (_, Some(8 | 9 | 18..=27)) => Verdict::Retry { reason, after },
        _ => exchange::by_status(answer),
    }
}
