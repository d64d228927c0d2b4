//! What a tenant sets up for Elasticsearch or OpenSearch.

use serde::{Deserialize, Serialize};

/// The public members; `api_key` or `password` is the secret one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Scheme, host and port of the cluster.
    pub(super) url: String,
    /// Index, alias or data stream; `{tenant}` stands for the tenant's name in lower case.
    #[serde(default = "index")]
    pub(super) index: String,
    /// The user of basic authentication; with an API key it stays out.
    #[serde(default)]
    pub(super) username: Option<String>,
}

fn index() -> String {
    "recount-audit".to_owned()
}

/// Longest index name, in bytes.
const INDEX_BYTES_MAX: usize = 255;

/// What an index can't be called.
pub(super) fn check_index(name: &str) -> Result<(), String> {
    let bad = |c: char| c.is_uppercase() || c.is_whitespace() || "\\/*?\"<>|,#:".contains(c);
    if name.is_empty() || name.len() > INDEX_BYTES_MAX || name == "." || name == ".." {
        return Err(format!("an index name has 1 to {INDEX_BYTES_MAX} bytes"));
    }
    if name.starts_with(['-', '_', '+']) {
        return Err(format!("an index name can't start with -, _ or +: {name:?}"));
    }
    match name.chars().find(|c| bad(*c)) {
        Some(c) => Err(format!("an index name can't have {c:?}: {name:?}")),
        None => Ok(()),
    }
}
