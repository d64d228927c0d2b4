//! The events that travel together, and how many those may be.

use std::sync::Arc;

use recount_event::{TenantId, Timestamp};
use recount_store::StoredEvent;
use serde::{Deserialize, Serialize};

/// Events on their way out, in `seq` order, not empty.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose events they are.
    pub tenant: TenantId,
    /// The stream that carries them.
    pub stream: Arc<str>,
    /// The events.
    pub events: Vec<StoredEvent>,
    /// Whether this is a test of the destination and not part of the log.
    pub test: bool,
}

impl Batch {
    /// `seq` of the first event.
    #[must_use]
    pub fn first_seq(&self) -> u64 {
        self.events.first().map_or(0, |event| event.seq)
    }

    /// `seq` of the last event.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// When the log took the last event.
    #[must_use]
    pub fn last_received_at(&self) -> Timestamp {
        self.events.last().map_or(Timestamp::MIN, |event| event.received_at)
    }

    /// A name of the batch that is the same each time that it is sent.
    #[must_use]
    pub fn id(&self) -> String {
        let test = if self.test { "test-" } else { "" };
        format!("{}-{test}{}-{}", self.stream, self.first_seq(), self.last_seq())
    }
}

/// How large batches get and how long their first event waits. Absent members take the
/// destination's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchSettings {
    /// Most events in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_max: Option<u32>,
    /// Most bytes of events in a batch, before encoding and compression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u32>,
    /// How long, in seconds, a batch that is not full waits for more events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds_max: Option<u32>,
}

/// What a kind of destination allows and prefers.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Events per batch: default and most.
    pub events: (u32, u32),
    /// Bytes per batch: default and most.
    pub bytes: (u32, u32),
    /// Age in seconds: default and most.
    pub age_seconds: (u32, u32),
}

/// What holds for one stream's batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchPolicy {
    pub(crate) events_max: usize,
    pub(crate) bytes_max: usize,
    pub(crate) age_max: std::time::Duration,
}

impl BatchLimits {
    /// Resolves the settings of a stream.
    ///
    /// # Errors
    /// The member and the bound that it breaks.
    pub(crate) fn policy(&self, settings: &BatchSettings) -> Result<BatchPolicy, (&'static str, String)> {
        let pick = |name, given: Option<u32>, (default, most): (u32, u32), least: u32| match given {
            None => Ok(default),
            Some(value) if (least..=most).contains(&value) => Ok(value),
            Some(value) => {
                Err((name, format!("{name} is {value}; this destination takes {least} to {most}")))
            }
        };
        Ok(BatchPolicy {
            events_max: pick("events_max", settings.events_max, self.events, 1)? as usize,
            bytes_max: pick("bytes_max", settings.bytes_max, self.bytes, 1)? as usize,
            age_max: std::time::Duration::from_secs(
                pick("age_seconds_max", settings.age_seconds_max, self.age_seconds, 0)?.into(),
            ),
        })
    }
}
