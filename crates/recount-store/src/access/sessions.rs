//! Portal sessions: a person of a tenant, let in by the vendor's backend.
//!
//! A session is made with a one-time link and a first token. The link's code is exchanged, once,
//! for a token; a token can be refreshed until the session ends. No refresh goes past that end.

use std::time::Duration;

use recount_event::{TenantId, Timestamp};

use super::credential::{Actor, Credential, CredentialKind};
use super::error::AccessError;
use super::key_text::{KeyHash, NewKeyText, TextKind, parse_key_text};
use super::scope::{Scope, ScopeSet};
use crate::catalog::portal_sessions::{SessionRow, TokenRow};
use crate::{OwnEvent, OwnTarget, Store, TenantLog};

/// How long a link can be used.
pub const LINK_CODE_TTL: Duration = Duration::from_secs(600);
/// Life of a token if none is named.
pub const SESSION_TTL_DEFAULT: Duration = Duration::from_secs(900);
/// The longest life of a token, and of a session with all its refreshes.
pub const SESSION_TTL_MAX: Duration = Duration::from_secs(12 * 3600);
/// How long a session can be kept up by refreshing, if its tokens don't live longer anyway.
const SESSION_REFRESHABLE: Duration = Duration::from_secs(8 * 3600);

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The tenant whose log it opens.
    pub tenant: Option<TenantId>,
    /// The person.
    pub actor: Actor,
    /// What it may do: any of a tenant's rights but `events:write`. Empty: `events:read exports:write`.
    pub scopes: ScopeSet,
    /// Life of one token.
    pub ttl: Duration,
    /// Origins from which a browser may use its tokens.
    pub origins: Vec<String>,
    /// The language to talk in (BCP 47).
    pub locale: Option<String>,
    /// Where the portal's way back leads.
    pub return_url: Option<String>,
    /// What the tenant is called; its id if absent.
    pub tenant_name: Option<String>,
}

/// A token of a session.
#[derive(Debug)]
pub struct SessionToken {
    /// The bearer text; shown once.
    pub text: NewKeyText,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When the session ends; no refresh goes further.
    pub session_expires_at: Timestamp,
}

/// A session that was just made.
#[derive(Debug)]
pub struct CreatedSession {
    /// Its id.
    pub id: String,
    /// The link's one-time code; shown once.
    pub code: NewKeyText,
    /// Its first token.
    pub token: SessionToken,
}

impl Store {
    /// Lets a person into a tenant's portal.
    ///
    /// # Errors
    /// [`AccessError`]: `Forbidden` without `sessions:create`, `Invalid`, `NotFound`.
    pub async fn create_portal_session(
        &self,
        creator: &Credential,
        new: NewSession,
    ) -> Result<CreatedSession, AccessError> {
        creator.require(Scope::SessionsCreate)?;
        let tenant = creator.tenant_for(new.tenant.as_ref())?;
        let scopes = session_scopes(new.scopes)?;
        if new.ttl.is_zero() || new.ttl > SESSION_TTL_MAX {
            return Err(AccessError::Invalid {
                pointer: "/ttl_seconds",
                detail: format!("a token lives 1 to {} seconds", SESSION_TTL_MAX.as_secs()),
            });
        }
        if let Err(error) = new.actor.check() {
            return Err(AccessError::Invalid { pointer: "/actor", detail: error.detail });
        }
        self.ensure_tenant(&tenant).await?;
        let env = self.env();
        let now = env.now();
        let session_end = after(now, new.ttl.max(SESSION_REFRESHABLE));
        // A key that ends takes the sessions that it made with it.
        let session_end = creator.expires_at().map_or(session_end, |end| end.min(session_end));
        let token = SessionToken {
            text: NewKeyText::generate(TextKind::SessionToken, &*env.entropy),
            expires_at: after(now, new.ttl).min(session_end),
            session_expires_at: session_end,
        };
        let code = NewKeyText::generate(TextKind::LinkCode, &*env.entropy);
        let row = SessionRow {
            id: env.uuid_v7().to_string(),
            tenant: tenant.to_string(),
            actor: serde_json::to_string(&new.actor).expect("an actor has string members only"),
            scopes: scopes.to_string(),
            origins: serde_json::to_string(&new.origins).expect("origins are strings"),
            locale: new.locale,
            return_url: new.return_url,
            tenant_name: new.tenant_name,
            ttl_us: micros(new.ttl),
            created_at: now.as_micros(),
            created_by: creator.reference(),
            expires_at: session_end.as_micros(),
            revoked_at: None,
        };
        self.record_session_created(creator, &tenant, &row, &new.actor).await?;
        let token_hash = token.text.hash();
        let token_row = TokenRow {
            hash: token_hash.as_bytes(),
            session: &row.id,
            expires_at: token.expires_at.as_micros(),
        };
        let code_end = after(now, LINK_CODE_TTL).min(session_end).as_micros();
        self.catalog().insert_session(&row, code.hash().as_bytes(), code_end, token_row).await?;
        Ok(CreatedSession { id: row.id, code, token })
    }

    /// Exchanges a link's code for a token. It works once.
    ///
    /// # Errors
    /// [`AccessError::LinkUsedOrExpired`] for every other code, whatever is wrong with it.
    pub async fn exchange_link_code(&self, code: &str) -> Result<SessionToken, AccessError> {
        if parse_key_text(code).is_none_or(|parsed| parsed.kind != TextKind::LinkCode) {
            return Err(AccessError::LinkUsedOrExpired);
        }
        let hash = KeyHash::of(code);
        let now = self.env().now();
        let row = self.catalog().session_by_code(hash.as_bytes(), now.as_micros()).await?;
        let row = row.ok_or(AccessError::LinkUsedOrExpired)?;
        let token = self.session_token(row.ttl_us, Timestamp::from_micros(row.expires_at), now);
        let token_hash = token.text.hash();
        let token_row = TokenRow {
            hash: token_hash.as_bytes(),
            session: &row.id,
            expires_at: token.expires_at.as_micros(),
        };
        if self.catalog().use_code(hash.as_bytes(), now.as_micros(), token_row).await? {
            Ok(token)
        } else {
            Err(AccessError::LinkUsedOrExpired)
        }
    }

    /// A further token for a session, from one that still works.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] for a credential that is not a portal session's.
    pub async fn refresh_portal_session(&self, credential: &Credential) -> Result<SessionToken, AccessError> {
        let session = credential.session().filter(|_| credential.kind() == CredentialKind::Session);
        let session = session.ok_or(AccessError::NotFound)?;
        let token =
            self.session_token(session.token_ttl_micros, session.session_expires_at, self.env().now());
        let token_hash = token.text.hash();
        let token_row = TokenRow {
            hash: token_hash.as_bytes(),
            session: credential.id(),
            expires_at: token.expires_at.as_micros(),
        };
        self.catalog().insert_session_token(token_row).await?;
        Ok(token)
    }

    /// Ends a session: by the vendor's side, or by itself.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] for a session that the credential has nothing to do with.
    pub async fn revoke_portal_session(&self, by: &Credential, id: &str) -> Result<(), AccessError> {
        let own = by.kind() == CredentialKind::Session && by.id() == id;
        if !own {
            by.require(Scope::SessionsCreate)?;
        }
        let row = self.catalog().session_by_id(id).await?.ok_or(AccessError::NotFound)?;
        if by.tenant().is_some_and(|tenant| tenant.as_ref() != row.tenant) {
            return Err(AccessError::NotFound);
        }
        self.catalog().revoke_session(id, self.env().now().as_micros()).await?;
        self.access().forget_credentials();
        Ok(())
    }

    /// Removes what has ended, a bounded number of rows; says how many.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn remove_ended_portal_sessions(&self) -> Result<u64, AccessError> {
        Ok(self.catalog().remove_ended_sessions(self.env().now().as_micros()).await?)
    }

    fn session_token(&self, ttl_micros: i64, session_end: Timestamp, now: Timestamp) -> SessionToken {
        let end = Timestamp::from_micros(now.as_micros().saturating_add(ttl_micros));
        SessionToken {
            text: NewKeyText::generate(TextKind::SessionToken, &*self.env().entropy),
            expires_at: end.min(session_end),
            session_expires_at: session_end,
        }
    }

    async fn record_session_created(
        &self,
        creator: &Credential,
        tenant: &TenantId,
        row: &SessionRow,
        actor: &Actor,
    ) -> Result<(), AccessError> {
        let person = actor.name.as_deref().unwrap_or(&actor.id);
        let mut event = OwnEvent::new("recount.portal_session.created", creator.actor().into());
        event.description = Some(format!("{} let {person} into the portal", creator.name()));
        event.targets =
            vec![OwnTarget { kind: actor.kind.clone(), id: actor.id.clone(), name: actor.name.clone() }];
        event.metadata.insert("session".to_owned(), row.id.as_str().into());
        event.metadata.insert("scopes".to_owned(), row.scopes.as_str().into());
        event.once_key = Some(row.id.clone());
        TenantLog::new(self.clone(), tenant.clone()).record(event).await?;
        Ok(())
    }
}

fn session_scopes(wanted: ScopeSet) -> Result<ScopeSet, AccessError> {
    if wanted.is_empty() {
        return Ok([Scope::EventsRead, Scope::ExportsWrite].into_iter().collect());
    }
    match wanted.iter().find(|scope| scope.is_vendor_only() || *scope == Scope::EventsWrite) {
        None => Ok(wanted),
        Some(scope) => Err(AccessError::Invalid {
            pointer: "/scopes",
            detail: format!("a portal session can't have the scope {scope}"),
        }),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    Timestamp::from_micros(now.as_micros().saturating_add(micros(duration)))
}
