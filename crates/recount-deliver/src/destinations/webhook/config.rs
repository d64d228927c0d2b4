//! What a tenant sets up for a webhook.

use serde::{Deserialize, Serialize};

/// The public members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Where to post.
    pub(super) url: String,
    /// One event per request, or all of the batch.
    #[serde(default)]
    pub(super) payload: Payload,
}

/// The shape of a request's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Payload {
    /// `data` is an array of events.
    #[default]
    Batch,
    /// `data` is one event; the batch's requests go out one after the other.
    Single,
}
