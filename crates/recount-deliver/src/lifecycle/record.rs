//! What is done with a stream is an event of the tenant's own log.

use recount_store::{OwnEvent, OwnTarget, TenantLog, streams::StreamId};
use serde_json::{Map, Value};

use super::{By, LifecycleError};

/// An event to be.
pub(super) struct Record<'a> {
    /// The action after `recount.stream.`.
    pub(super) action: &'a str,
    /// The stream.
    pub(super) stream: (&'a StreamId, &'a str),
    /// One sentence.
    pub(super) description: String,
    /// Why, if somebody gave a reason.
    pub(super) reason: Option<String>,
    /// What else belongs to it. Never a secret.
    pub(super) metadata: Map<String, Value>,
}

/// Writes the event.
pub(super) async fn record(log: &TenantLog, by: &By, record: Record<'_>) -> Result<(), LifecycleError> {
    let (id, name) = record.stream;
    let mut event = OwnEvent::new(format!("recount.stream.{}", record.action), by.actor.clone());
    event.targets.push(OwnTarget {
        kind: "stream".to_owned(),
        id: id.to_string(),
        name: Some(name.to_owned()),
    });
    event.ip.clone_from(&by.ip);
    event.description = Some(record.description);
    event.reason = record.reason;
    event.metadata = record.metadata;
    log.record(event).await?;
    Ok(())
}

/// Members of `metadata`.
pub(super) fn metadata<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
