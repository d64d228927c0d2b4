//! An authenticated credential and what it yields.

use std::fmt;
use std::sync::Arc;

use recount_event::{EventError, ParseContext, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::AccessError;
use super::scope::{Scope, ScopeSet};
use crate::{IngestAccess, Store, TenantLog};

/// Who does something, as events name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// What kind of actor: `user`, `api_key`, `operator_key`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id among those of its kind.
    pub id: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
}

impl Actor {
    /// Checks that an event can name this actor: the actions of its sessions are recorded under it.
    ///
    /// # Errors
    /// What is wrong, by the event's own rules, with a pointer that begins with `/actor`.
    pub fn check(&self) -> Result<(), EventError> {
        let probe = serde_json::json!({
            "tenant": "probe", "occurred_at": "2000-01-01T00:00:00Z", "action": "probe", "actor": self,
        });
        let text = probe.to_string();
        recount_event::parse_event(&text, &ParseContext::default(), &mut || uuid::Uuid::nil()).map(drop)
    }
}

/// What sort of credential it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A key of the vendor's side.
    Operator,
    /// A key that can only append.
    Ingest,
    /// A key of one tenant.
    Tenant,
    /// A portal session's token.
    Session,
    /// A token that the vendor itself signed (JWT).
    HostToken,
}

impl CredentialKind {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Ingest => "ingest",
            Self::Tenant => "tenant",
            Self::Session => "session",
            Self::HostToken => "jwt",
        }
    }
}

/// What a portal session or host token knows of its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// The person.
    pub actor: Actor,
    /// Origins from which a browser may use the token.
    pub origins: Vec<String>,
    /// The language to talk in (BCP 47).
    pub locale: Option<String>,
    /// Where the portal's way back leads.
    pub return_url: Option<String>,
    /// What the tenant is called.
    pub tenant_name: Option<String>,
    /// When the whole session ends; no refresh goes further.
    pub session_expires_at: Timestamp,
    /// Life of one token, in microseconds.
    pub token_ttl_micros: i64,
}

/// A credential that was checked. Cheap to clone; `Debug` shows nothing secret.
///
/// It is good for the request in hand: hold on to it no longer than that, since it may be revoked.
#[derive(Clone)]
pub struct Credential(Arc<Inner>);

pub(super) struct Inner {
    pub(super) kind: CredentialKind,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) tenant: Option<TenantId>,
    pub(super) scopes: ScopeSet,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) session: Option<SessionInfo>,
}

/// What a verified host token says. See [`Credential::from_host_token`].
#[derive(Debug, Clone)]
pub struct HostIdentity {
    /// The tenant that the token is for.
    pub tenant: TenantId,
    /// The person.
    pub actor: Actor,
    /// What it may do; vendor-only scopes are dropped.
    pub scopes: ScopeSet,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// Origins from which a browser may use it.
    pub origins: Vec<String>,
    /// The language to talk in.
    pub locale: Option<String>,
}

impl Credential {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The credential of a host token whose signature, issuer, audience and time the caller has
    /// verified. It is always bound to its tenant and never has a right of the vendor's side.
    pub fn from_host_token(identity: HostIdentity) -> Self {
        let scopes = identity.scopes.iter().filter(|scope| !scope.is_vendor_only()).collect();
        Self::new(Inner {
            kind: CredentialKind::HostToken,
            id: format!("{}/{}", identity.actor.kind, identity.actor.id),
            name: identity.actor.name.clone().unwrap_or_else(|| identity.actor.id.clone()),
            tenant: Some(identity.tenant),
            scopes,
            expires_at: Some(identity.expires_at),
            session: Some(SessionInfo {
                actor: identity.actor,
                origins: identity.origins,
                locale: identity.locale,
                return_url: None,
                tenant_name: None,
                session_expires_at: identity.expires_at,
                token_ttl_micros: 0,
            }),
        })
    }

    /// What sort of credential it is.
    pub fn kind(&self) -> CredentialKind {
        self.0.kind
    }

    /// Its public id.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it may do.
    pub fn scopes(&self) -> ScopeSet {
        self.0.scopes
    }

    /// The tenant that it is bound to; `None` for the vendor's side.
    pub fn tenant(&self) -> Option<&TenantId> {
        self.0.tenant.as_ref()
    }

    /// When it ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// The person behind a session's or host's token.
    pub fn session(&self) -> Option<&SessionInfo> {
        self.0.session.as_ref()
    }

    /// Whether it is of the vendor's side, not of a tenant's.
    pub fn is_vendor(&self) -> bool {
        self.0.tenant.is_none()
    }

    /// Who acts with it, as an event names it.
    pub fn actor(&self) -> Actor {
        if let Some(session) = &self.0.session {
            return session.actor.clone();
        }
        let kind = if self.is_vendor() { "operator_key" } else { "api_key" };
        Actor { kind: kind.to_owned(), id: self.0.id.clone(), name: Some(self.0.name.clone()), email: None }
    }

    /// How rows name who made them: `key/<id>` or `session/<id>` or `jwt/<actor>`.
    pub fn reference(&self) -> String {
        let kind = match self.0.kind {
            CredentialKind::Session => "session",
            CredentialKind::HostToken => "jwt",
            _ => "key",
        };
        format!("{kind}/{}", self.0.id)
    }

    /// Who owns what this credential saves: the person over all its sessions, or the key.
    pub fn owner(&self) -> String {
        match &self.0.session {
            Some(session) => format!("actor/{}/{}", session.actor.kind, session.actor.id),
            None => format!("key/{}", self.0.id),
        }
    }

    /// # Errors
    /// [`AccessError::Forbidden`] without the right.
    pub fn require(&self, scope: Scope) -> Result<(), AccessError> {
        if self.0.scopes.allows(scope) { Ok(()) } else { Err(AccessError::Forbidden { needed: scope }) }
    }

    /// The tenant that the request is about: the credential's own, or the one that a vendor names.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] if a tenant's credential names another one, whether that exists or
    /// not; [`AccessError::TenantRequired`] if a vendor's names none.
    pub fn tenant_for(&self, named: Option<&TenantId>) -> Result<TenantId, AccessError> {
        match (&self.0.tenant, named) {
            (Some(own), Some(named)) if own != named => Err(AccessError::NotFound),
            (Some(own), _) => Ok(own.clone()),
            (None, Some(named)) => Ok(named.clone()),
            (None, None) => Err(AccessError::TenantRequired),
        }
    }

    /// The right to append, to the credential's tenant or, for the vendor's side, to any.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without `events:write`.
    pub fn ingest(&self) -> Result<IngestAccess, AccessError> {
        self.require(Scope::EventsWrite)?;
        Ok(match &self.0.tenant {
            Some(tenant) => IngestAccess::of_tenant(tenant.clone()),
            None => IngestAccess::of_any_tenant(),
        })
    }

    /// The way to a tenant's log, for one purpose. A look of the vendor's side, and the first use
    /// of a portal session, are in that log before this returns.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without the scope; `TenantRequired`, `NotFound` as in
    /// [`tenant_for`](Self::tenant_for); `NotRecorded` if the look could not be recorded.
    pub async fn tenant_log(
        &self,
        store: &Store,
        named: Option<&TenantId>,
        scope: Scope,
    ) -> Result<TenantLog, AccessError> {
        self.require(scope)?;
        let tenant = self.tenant_for(named)?;
        if self.is_vendor() && !store.knows_tenant(&tenant).await? {
            return Err(AccessError::NotFound);
        }
        let log = TenantLog::new(store.clone(), tenant);
        store.record_look(self, &log).await?;
        Ok(log)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("kind", &self.0.kind)
            .field("id", &self.0.id)
            .field("tenant", &self.0.tenant)
            .field("scopes", &self.0.scopes)
            .finish_non_exhaustive()
    }
}
