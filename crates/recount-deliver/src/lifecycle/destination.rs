//! The `destination` member of requests and answers: public members, secret ones apart.

use recount_event::TenantId;
use recount_store::streams::StreamId;
use serde_json::{Map, Value, json};

use super::LifecycleError;
use crate::{
    destinations::{self, BatchSettings, ConfigError, Kind, Secrets, Surroundings, Verdict},
    engine::prepare,
    formats::Format,
};

/// A destination as a request has it.
pub(super) struct Given {
    pub(super) kind: &'static Kind,
    /// Public members, without `type`.
    pub(super) config: Map<String, Value>,
    /// Secret members; null takes one away.
    pub(super) secrets: Map<String, Value>,
}

impl Given {
    /// Splits a request's object.
    pub(super) fn read(destination: &Value) -> Result<Self, LifecycleError> {
        let Value::Object(members) = destination else {
            return Err(LifecycleError::invalid("/destination", "a destination is an object with a type"));
        };
        let name = members.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some(kind) = destinations::kind(name) else {
            let names: Vec<&str> = destinations::KINDS.iter().map(|kind| kind.name).collect();
            return Err(LifecycleError::invalid(
                "/destination/type",
                format!("{name:?} is no destination; one of {}", names.join(", ")),
            ));
        };
        let mut given = Self { kind, config: Map::new(), secrets: Map::new() };
        for (name, value) in members {
            if kind.internal_members.contains(&name.as_str()) {
                return Err(LifecycleError::invalid(
                    &format!("/destination/{name}"),
                    "this member can't be set",
                ));
            }
            if kind.secret_members.contains(&name.as_str()) {
                if !is_shown(value) {
                    given.secrets.insert(name.clone(), value.clone());
                }
            } else if name != "type" {
                given.config.insert(name.clone(), value.clone());
            }
        }
        Ok(given)
    }

    /// The secrets that result from those stored.
    pub(super) fn merged(&self, stored: &Secrets) -> Secrets {
        let mut merged = stored.clone();
        for (name, value) in &self.secrets {
            if value.is_null() {
                merged.members_mut().remove(name);
            } else {
                merged.members_mut().insert(name.clone(), value.clone());
            }
        }
        merged
    }

    /// Refuses to send stored secrets to an address that was not theirs: else who may change a
    /// stream could read its secrets.
    pub(super) fn check_same_address(
        &self,
        stored: &Map<String, Value>,
        secrets: &Secrets,
    ) -> Result<(), LifecycleError> {
        let moved =
            self.kind.address_members.iter().find(|name| stored.get(**name) != self.config.get(**name));
        let kept = secrets.members().keys().find(|name| !self.secrets.contains_key(*name));
        match (moved, kept) {
            (Some(moved), Some(kept)) => Err(LifecycleError::invalid(
                &format!("/destination/{kept}"),
                format!("{moved} has changed, so {kept} must be given again"),
            )),
            _ => Ok(()),
        }
    }
}

/// What [`shown`] gives in the place of a secret: a client may send back what it was shown.
fn is_shown(value: &Value) -> bool {
    matches!(value.as_object(), Some(members) if members.len() == 1 && members.get("set").is_some_and(Value::is_boolean))
}

/// Checks a whole configuration by building it.
pub(super) fn check(
    kind: &'static Kind,
    config: &Map<String, Value>,
    secrets: &Secrets,
    format: Format,
    owner: (&TenantId, &StreamId),
    surroundings: &Surroundings,
) -> Result<(), LifecycleError> {
    if !kind.formats.contains(&format) {
        let names: Vec<&str> = kind.formats.iter().map(|format| format.name()).collect();
        return Err(LifecycleError::invalid(
            "/format",
            format!("{} takes {}, not {}", kind.name, names.join(", "), format.name()),
        ));
    }
    prepare::build(kind, config, secrets, format, owner, surroundings)
        .map(|_| ())
        .map_err(LifecycleError::destination)
}

/// The destination as it is shown: a secret says only whether it is set.
pub(super) fn shown(kind: &Kind, config: &Map<String, Value>, secrets: &Secrets, tenant: &TenantId) -> Value {
    let mut members = Map::new();
    members.insert("type".to_owned(), kind.name.into());
    members.extend(config.clone());
    for name in kind.secret_members {
        members.insert((*name).to_owned(), json!({ "set": secrets.members().contains_key(*name) }));
    }
    members.extend((kind.assigned)(tenant));
    Value::Object(members)
}

/// Checks the settings of batches.
pub(super) fn check_batch(kind: &Kind, settings: &BatchSettings) -> Result<(), LifecycleError> {
    kind.limits
        .policy(settings)
        .map(|_| ())
        .map_err(|(name, detail)| LifecycleError::invalid(&format!("/batch/{name}"), detail))
}

/// Whether a verdict passes a test.
pub(super) fn passed(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Accepted => true,
        Verdict::Items(items) => items.iter().all(|item| *item == destinations::Item::Accepted),
        _ => false,
    }
}

impl From<ConfigError> for LifecycleError {
    fn from(error: ConfigError) -> Self {
        Self::destination(error)
    }
}
