//! Where events go: one folder per destination, and the registry of them.
//!
//! A destination is thin. `config.rs` says what a tenant sets up, `encode.rs` makes bytes of a
//! batch, `send.rs` carries them, `classify.rs` turns the answer into a [`Verdict`]. Retrying,
//! ordering, splitting and remembering are the engine's. `docs/adding-a-destination.md` walks
//! through a new one: a folder here and a line in [`KINDS`].

mod batch;
mod datadog;
mod elasticsearch;
mod exchange;
mod https;
mod report;
mod s3;
mod secrets;
mod splunk;
mod syslog;
mod template;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use recount_event::TenantId;
use recount_store::Env;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;

pub(crate) use batch::BatchPolicy;
pub use batch::{Batch, BatchLimits, BatchSettings};
pub use report::{Item, Report, TRACE_TEXT_BYTES_MAX, Trace, Verdict};
pub use s3::AwsIdentity;
pub use secrets::{Scrubber, Secrets};
pub use webhook::signature;

use crate::{egress::EgressClient, formats::Format};

/// Every destination that there is.
pub static KINDS: &[&Kind] = &[
    &s3::KIND,
    &webhook::KIND,
    &splunk::KIND,
    &elasticsearch::KIND,
    &datadog::KIND,
    &syslog::KIND,
    &https::KIND,
];

/// A kind of destination: what the registry knows about it.
pub struct Kind {
    /// The value of `type` in the API.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// The formats that it can carry, the default first.
    pub formats: &'static [Format],
    /// Members of the configuration that are secret: sealed at rest, never shown again.
    pub secret_members: &'static [&'static str],
    /// Secret members that only Recount sets.
    pub internal_members: &'static [&'static str],
    /// Members that say where secrets are sent to; when one changes, secrets must be given again.
    pub address_members: &'static [&'static str],
    /// Members that are assigned to a tenant and shown to it.
    pub assigned: fn(&TenantId) -> Map<String, Value>,
    /// What one batch may hold.
    pub limits: BatchLimits,
    /// Whether batches must arrive one after the other.
    pub order: Order,
    /// Makes a destination of a configuration, checking all of it.
    pub build: fn(&Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError>,
    /// Secrets that a new stream gets unless its creator brought them.
    pub generate: fn(&Env) -> Map<String, Value>,
}

/// Whether batches of a stream may overtake each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One batch at a time.
    Strict,
    /// The destination orders by the events' own times (or has no order): up to so many at once.
    Any {
        /// The most batches in flight.
        concurrency_max: usize,
    },
}

/// What a destination is made of.
pub struct Setup<'a> {
    /// The public members of the configuration, `type` removed.
    pub config: &'a Map<String, Value>,
    /// The secret members.
    pub secrets: &'a Secrets,
    /// What to write.
    pub format: Format,
    /// Whose stream it is.
    pub tenant: &'a TenantId,
    /// The stream's id, constant over its life.
    pub stream: &'a str,
    /// What the deployment provides.
    pub surroundings: &'a Surroundings,
}

/// What the deployment provides to all destinations.
#[derive(Clone)]
pub struct Surroundings {
    /// The way out.
    pub egress: EgressClient,
    /// Clock and randomness.
    pub env: Env,
    /// The deployment's own identity at AWS, with which tenants' roles are assumed.
    pub aws: Option<Arc<AwsIdentity>>,
}

/// A configuration that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct ConfigError {
    /// The member, as a JSON pointer into the destination's configuration.
    pub pointer: String,
    /// What is wrong and what is expected.
    pub detail: String,
}

impl ConfigError {
    /// An error at the member `name`.
    pub fn at(name: &str, detail: impl Into<String>) -> Self {
        Self { pointer: format!("/{name}"), detail: detail.into() }
    }
}

/// A configured destination. One instance serves all batches of a stream, on one node.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Carries one batch and judges the answer. Takes bounded time; safe to be repeated with the
    /// same batch, and to be cancelled.
    async fn send(&self, batch: &Batch) -> Report;

    /// Texts made of secrets (an encoded user and password, say) that must never be shown.
    fn derived_secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Finds a kind by its name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

impl Setup<'_> {
    /// Reads the public members as `T`.
    ///
    /// # Errors
    /// [`ConfigError`] with serde's words.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        serde_json::from_value(Value::Object(self.config.clone()))
            .map_err(|error| ConfigError { pointer: String::new(), detail: error.to_string() })
    }

    /// A secret that must be there.
    ///
    /// # Errors
    /// [`ConfigError`] if it is absent or empty.
    pub fn secret(&self, name: &str) -> Result<&str, ConfigError> {
        match self.secrets.text(name) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(ConfigError::at(name, format!("{name} is missing"))),
        }
    }

    /// Reads an HTTP(S) URL that egress allows.
    ///
    /// # Errors
    /// [`ConfigError`] at the member `name`.
    pub fn url(&self, name: &str, text: &str) -> Result<url::Url, ConfigError> {
        let url: url::Url =
            text.parse().map_err(|error| ConfigError::at(name, format!("{text:?} is not a url: {error}")))?;
        self.surroundings.egress.check_url(&url).map_err(|error| ConfigError::at(name, error.to_string()))?;
        Ok(url)
    }
}

/// For kinds that assign nothing.
fn nothing_assigned(_: &TenantId) -> Map<String, Value> {
    Map::new()
}

/// For kinds whose secrets always come from the tenant.
fn no_secrets(_: &Env) -> Map<String, Value> {
    Map::new()
}
