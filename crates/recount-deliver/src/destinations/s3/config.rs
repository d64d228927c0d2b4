//! What a tenant sets up for a bucket.

use serde::{Deserialize, Serialize};

/// The public members; `secret_access_key` is the secret one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The bucket.
    pub(super) bucket: String,
    /// The region, as `eu-central-1`.
    #[serde(default = "region")]
    pub(super) region: String,
    /// The URL of another S3-compatible service; Amazon's if absent.
    #[serde(default)]
    pub(super) endpoint: Option<String>,
    /// Whether the bucket goes into the path and not into the host name. Always so with `endpoint`
    /// unless set to false.
    #[serde(default)]
    pub(super) path_style: Option<bool>,
    /// The folder of each object: a template.
    #[serde(default)]
    pub(super) prefix: Option<String>,
    /// How objects are laid out.
    #[serde(default)]
    pub(super) layout: Layout,
    /// What an object holds.
    #[serde(default)]
    pub(super) file: File,
    /// A static key; its secret is `secret_access_key`.
    #[serde(default)]
    pub(super) access_key_id: Option<String>,
    /// The role to assume instead.
    #[serde(default)]
    pub(super) role_arn: Option<String>,
    /// The external id that the role's trust policy must ask for. Assigned; taken only if it is right.
    #[serde(default)]
    pub(super) external_id: Option<String>,
    /// The URL of another security token service; Amazon's if absent.
    #[serde(default)]
    pub(super) sts_endpoint: Option<String>,
    /// The account of the events, for the Security Lake layout.
    #[serde(default)]
    pub(super) account_id: Option<String>,
    /// The name of the custom source, for the Security Lake layout.
    #[serde(default)]
    pub(super) source: Option<String>,
}

/// How objects are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Layout {
    /// By `prefix`.
    #[default]
    Partitioned,
    /// Amazon Security Lake's, for custom sources: OCSF Parquet, one class per prefix.
    SecurityLake,
}

/// What an object holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum File {
    /// One event per line, gzip.
    #[default]
    #[serde(rename = "ndjson.gz")]
    NdjsonGz,
    /// Parquet, zstd.
    #[serde(rename = "parquet")]
    Parquet,
}

/// The folder unless set.
pub(super) const PREFIX: &str = "recount/tenant={tenant}/dt={dt}/hour={hour}";

/// Placeholders of `prefix`.
pub(super) const PLACEHOLDERS: &[&str] = &["tenant", "stream", "dt", "year", "month", "day", "hour", "class"];

fn region() -> String {
    "us-east-1".to_owned()
}
