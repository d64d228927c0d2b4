//! Recount's own events: what is done with a log is written to that log.

use recount_event::{EventError, NewEvent, Outcome, ParseContext, TenantId, Timestamp, parse_event};
use serde_json::{Map, Value, json};

use crate::env::Env;

/// Who did something, as the event names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnActor {
    /// The actor's type, such as `key`, `user` or `system`.
    pub kind: String,
    /// The actor's id.
    pub id: String,
    /// The actor's name, for people.
    pub name: Option<String>,
}

impl OwnActor {
    /// Recount itself, of its own accord.
    pub fn recount() -> Self {
        Self { kind: "system".to_owned(), id: "recount".to_owned(), name: Some("Recount".to_owned()) }
    }
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTarget {
    /// The target's type, such as `stream` or `export`.
    pub kind: String,
    /// The target's id.
    pub id: String,
    /// The target's name, for people.
    pub name: Option<String>,
}

/// An event of Recount's own; its action is under `recount.` and its source is `recount`.
#[derive(Debug, Clone)]
pub struct OwnEvent {
    /// What happened, such as `recount.export.taken`.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who did it.
    pub actor: OwnActor,
    /// What it was done to.
    pub targets: Vec<OwnTarget>,
    /// From which address, if it came over the network.
    pub ip: Option<String>,
    /// One sentence, for people.
    pub description: Option<String>,
    /// Why, if somebody gave a reason.
    pub reason: Option<String>,
    /// Further members.
    pub metadata: Map<String, Value>,
    /// Events of a tenant with the same action and the same key are recorded once.
    pub once_key: Option<String>,
}

impl OwnEvent {
    /// A successful event without targets.
    pub fn new(action: impl Into<String>, actor: OwnActor) -> Self {
        Self {
            action: action.into(),
            outcome: Outcome::Success,
            actor,
            targets: Vec::new(),
            ip: None,
            description: None,
            reason: None,
            metadata: Map::new(),
            once_key: None,
        }
    }

    /// The event in its normal form, with this id or one that is assigned.
    ///
    /// # Errors
    /// If it is not a valid event, which is a mistake in Recount.
    pub(crate) fn to_event(
        &self,
        tenant: &TenantId,
        env: &Env,
        id: Option<&str>,
    ) -> Result<NewEvent, EventError> {
        let context = ParseContext { tenant: Some(tenant), allow_own_actions: true };
        parse_event(&self.to_json(tenant, env.now(), id), &context, &mut || env.uuid_v7())
    }

    fn to_json(&self, tenant: &TenantId, now: Timestamp, id: Option<&str>) -> String {
        let named = |kind: &str, id: &str, name: &Option<String>| {
            let mut member = json!({ "type": kind, "id": id });
            if let Some(name) = name {
                member["name"] = name.as_str().into();
            }
            member
        };
        let mut event = json!({
            "tenant": tenant.as_ref(),
            "occurred_at": now.to_string(),
            "action": self.action,
            "outcome": match self.outcome {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
                Outcome::Denied => "denied",
            },
            "source": "recount",
            "actor": named(&self.actor.kind, &self.actor.id, &self.actor.name),
        });
        if let Some(id) = id {
            event["id"] = id.into();
        }
        if !self.targets.is_empty() {
            event["targets"] =
                self.targets.iter().map(|target| named(&target.kind, &target.id, &target.name)).collect();
        }
        if let Some(ip) = &self.ip {
            event["context"] = json!({ "ip": ip });
        }
        for (member, text) in [("description", &self.description), ("reason", &self.reason)] {
            if let Some(text) = text {
                event[member] = text.as_str().into();
            }
        }
        if !self.metadata.is_empty() {
            event["metadata"] = Value::Object(self.metadata.clone());
        }
        event.to_string()
    }
}

/// The id of a tenant's event that is recorded once: the same for the same action and key.
///
/// It depends on a secret of the deployment. A sender who could tell it beforehand could send an event
/// of its own with that id first, and so make the record a duplicate that is not stored.
pub(crate) fn once_id(secret: &[u8; 32], tenant: &TenantId, action: &str, key: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = <Hmac<sha2::Sha256>>::new_from_slice(secret).expect("HMAC takes a key of any length");
    for part in [tenant.as_ref(), action, key] {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    format!("recount-{}", hex::encode(&mac.finalize().into_bytes()[..16]))
}
