//! What a tenant sets up for Splunk.

use serde::{Deserialize, Serialize};

/// The public members; `token` is the secret one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Scheme, host and port of the collector, without the path.
    pub(super) url: String,
    /// The index; the token's default if absent.
    #[serde(default)]
    pub(super) index: Option<String>,
    /// `source` of each event.
    #[serde(default = "source")]
    pub(super) source: String,
    /// `sourcetype` of each event.
    #[serde(default = "sourcetype")]
    pub(super) sourcetype: String,
    /// `host` of each event.
    #[serde(default = "source")]
    pub(super) host: String,
    /// Whether to wait until the indexers have acknowledged a batch. The token must have
    /// acknowledgement switched on; Splunk Cloud's tokens don't.
    #[serde(default)]
    pub(super) acknowledge: bool,
}

fn source() -> String {
    "recount".to_owned()
}

fn sourcetype() -> String {
    "recount:audit".to_owned()
}
