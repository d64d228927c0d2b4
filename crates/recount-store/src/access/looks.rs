//! What a look leaves in the tenant's own log, before anything is shown.

use recount_event::{TenantId, Timestamp};
use serde_json::json;

use super::credential::{Actor, Credential, CredentialKind};
use super::error::AccessError;
use crate::catalog::keys::KeyRow;
use crate::{OwnActor, OwnEvent, OwnTarget, Store, TenantLog};

impl From<Actor> for OwnActor {
    fn from(actor: Actor) -> Self {
        Self { kind: actor.kind, id: actor.id, name: actor.name }
    }
}

impl Store {
    /// Records that the vendor's side looks (once per key, tenant and UTC day), or that a portal
    /// session is used for the first time. Nothing for a tenant's own keys.
    pub(super) async fn record_look(
        &self,
        credential: &Credential,
        log: &TenantLog,
    ) -> Result<(), AccessError> {
        let day = self.env().now().as_micros().div_euclid(Timestamp::MICROS_PER_DAY);
        let (action, once_key, description) = match credential.kind() {
            CredentialKind::Operator | CredentialKind::Ingest if credential.is_vendor() => {
                let description = format!("The vendor looked at this log with key {}", credential.name());
                ("recount.operator.viewed", format!("{}/{day}", credential.reference()), description)
            }
            CredentialKind::Session => {
                let description = format!("{} opened the portal", credential.name());
                ("recount.portal_session.opened", credential.reference(), description)
            }
            CredentialKind::HostToken => {
                let description = format!("{} opened the portal", credential.name());
                ("recount.portal_session.opened", format!("{}/{day}", credential.reference()), description)
            }
            _ => return Ok(()),
        };
        let known = format!("{}/{once_key}", log.tenant());
        if self.access().looks.contains_key(&known) {
            return Ok(());
        }
        let mut event = OwnEvent::new(action, credential.actor().into());
        event.description = Some(description);
        event.once_key = Some(once_key);
        event.targets = vec![log_target(log.tenant())];
        log.record(event).await?;
        self.access().looks.insert(known, ());
        Ok(())
    }

    /// Records that a key of a tenant is made or revoked.
    pub(super) async fn record_key_change(
        &self,
        by: &Credential,
        tenant: &TenantId,
        action: &str,
        key: &KeyRow,
    ) -> Result<(), AccessError> {
        let mut event = OwnEvent::new(action, by.actor().into());
        let done = if action.ends_with("revoked") { "revoked" } else { "created" };
        event.description = Some(format!("{} {done} API key {}", by.name(), key.name));
        event.targets =
            vec![OwnTarget { kind: "api_key".to_owned(), id: key.id.clone(), name: Some(key.name.clone()) }];
        event.metadata.insert("scopes".to_owned(), json!(key.scopes));
        event.once_key = Some(key.id.clone());
        TenantLog::new(self.clone(), tenant.clone()).record(event).await?;
        Ok(())
    }
}

impl Store {
    /// Records that the vendor's side changed for how many days a tenant's events are kept.
    pub(super) async fn record_retention_change(
        &self,
        by: &Credential,
        tenant: &TenantId,
        (before, after): (Option<u32>, Option<u32>),
    ) -> Result<(), AccessError> {
        let mut event = OwnEvent::new("recount.retention.changed", by.actor().into());
        let kept = match after.or(self.config().retention_days) {
            Some(days) => format!("for {days} days"),
            None => "for ever".to_owned(),
        };
        event.description = Some(format!("{} set that events are kept {kept}", by.name()));
        event.targets = vec![log_target(tenant)];
        event.metadata.insert("before_days".to_owned(), json!(before));
        event.metadata.insert("after_days".to_owned(), json!(after));
        TenantLog::new(self.clone(), tenant.clone()).record(event).await?;
        Ok(())
    }
}

fn log_target(tenant: &TenantId) -> OwnTarget {
    OwnTarget { kind: "log".to_owned(), id: tenant.to_string(), name: None }
}
