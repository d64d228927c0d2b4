//! What a tenant sets up for Datadog.

use serde::{Deserialize, Serialize};

/// The public members; `api_key` is the secret one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The Datadog site, as `datadoghq.eu`.
    #[serde(default = "site")]
    pub(super) site: String,
    /// The intake's URL, for a proxy of the tenant; made from `site` if absent.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// `service` of each log.
    #[serde(default = "name")]
    pub(super) service: String,
    /// `ddsource` of each log, which chooses Datadog's pipeline.
    #[serde(default = "name")]
    pub(super) source: String,
    /// `hostname` of each log.
    #[serde(default = "name")]
    pub(super) hostname: String,
    /// `key:value` tags of each log.
    #[serde(default)]
    pub(super) tags: Vec<String>,
}

/// Sites that Datadog documents.
pub(super) const SITES: &[&str] = &[
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "datadoghq.eu",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "ddog-gov.com",
];

fn site() -> String {
    SITES[0].to_owned()
}

fn name() -> String {
    "recount".to_owned()
}
