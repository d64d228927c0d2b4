//! What a tenant sets up for a generic HTTPS intake.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The public members. `secrets` is an object of texts that templates name as `{secret.NAME}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Where to send: a template.
    pub(super) url: String,
    /// `POST` or `PUT`.
    #[serde(default)]
    pub(super) method: Method,
    /// Headers: names, and values that are templates.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// How events are joined.
    #[serde(default)]
    pub(super) body: Body,
    /// The member that the array is put into, if any: `{"logs":[…]}`.
    #[serde(default)]
    pub(super) envelope: Option<String>,
    /// Whether that object is put into an array of its own: `[{"logs":[…]}]`.
    #[serde(default)]
    pub(super) envelope_in_array: bool,
    /// The body's compression.
    #[serde(default)]
    pub(super) compression: Compression,
    /// Statuses that mean success; any 2xx if absent.
    #[serde(default)]
    pub(super) success_statuses: Vec<u16>,
}

/// The request's method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    #[default]
    Post,
    Put,
}

/// How events are joined to a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    /// One event per line.
    #[default]
    Ndjson,
    /// A JSON array.
    Array,
}

/// The body's compression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Compression {
    #[default]
    Gzip,
    None,
}

/// Most headers.
pub(super) const HEADERS_MAX: usize = 30;

/// Headers that the client sets itself, or that would change what is sent where.
pub(super) const RESERVED_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "proxy-authorization",
    "trailer",
    "keep-alive",
];

/// Placeholders of URL and headers, besides `secret.NAME`.
pub(super) const PLACEHOLDERS: &[&str] = &["tenant", "stream", "batch_id", "first_seq", "last_seq", "count"];
