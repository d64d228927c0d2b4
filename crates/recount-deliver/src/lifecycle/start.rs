//! Where a stream begins, and where a replay goes back to.

use std::{ops::Range, time::Duration};

use recount_event::Timestamp;
use recount_store::{LogExtent, TenantLog};
use serde::{Deserialize, Serialize};

use super::LifecycleError;

/// A place in a log, as people name it: `"beginning"`, `"now"`, `{"seq":42}` or
/// `{"time":"2026-11-23T00:00:00Z"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The first event that there is.
    Beginning,
    /// The next event that comes.
    #[default]
    Now,
    /// The event with this `seq`.
    Seq(u64),
    /// The first event that was received at this time or later (RFC 3339).
    Time(String),
}

impl Start {
    /// The place as a `seq`.
    ///
    /// # Errors
    /// `Invalid` for a time that is none or a `seq` that is not there yet, or no longer.
    pub(super) async fn resolve(&self, log: &TenantLog, pointer: &str) -> Result<u64, LifecycleError> {
        let LogExtent { first_seq: first, next_seq: head, .. } = log.extent().await?;
        match self {
            Self::Beginning => Ok(first),
            Self::Now => Ok(head),
            Self::Seq(seq) if *seq > head => Err(LifecycleError::invalid(
                pointer,
                format!("seq {seq} is not there yet; the next event has {head}"),
            )),
            Self::Seq(seq) if *seq < first => Err(LifecycleError::invalid(
                pointer,
                format!("retention has removed the event with seq {seq}; the log begins with seq {first}"),
            )),
            Self::Seq(seq) => Ok(*seq),
            Self::Time(text) => {
                let time = Timestamp::parse_rfc3339(text)
                    .map_err(|error| LifecycleError::invalid(pointer, error.to_string()))?;
                first_received_at(log, first..head, time).await
            }
        }
    }
}

/// The first event received at `time` or later: `received_at` never decreases along `seq`.
async fn first_received_at(
    log: &TenantLog,
    seqs: Range<u64>,
    time: Timestamp,
) -> Result<u64, LifecycleError> {
    let (mut low, mut high) = (seqs.start, seqs.end);
    while low < high {
        let middle = low + (high - low) / 2;
        let page = log.feed(middle, 1, Duration::ZERO).await?;
        match page.events.first() {
            Some(event) if event.received_at < time => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
