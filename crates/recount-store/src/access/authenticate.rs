//! From a bearer text to a [`Credential`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use recount_event::Timestamp;

use super::credential::{Actor, Credential, CredentialKind, Inner, SessionInfo};
use super::key_text::{KeyHash, TextKind, parse_key_text};
use super::scope::ScopeSet;
use crate::Store;
use crate::catalog::CatalogError;
use crate::catalog::keys::{HashedKeyRow, NO_TENANT};
use crate::catalog::portal_sessions::SessionRow;

/// How long a checked credential is believed without asking the catalog: the longest that a key
/// revoked on another node goes on working here.
const CACHE_TTL: Duration = Duration::from_secs(5);
/// Credentials held at once.
const CACHED_CREDENTIALS_MAX: u64 = 50_000;
/// `last_used_at` is kept to this grain.
const LAST_USED_GRAIN_MICROS: i64 = 60 * 1_000_000;
/// Looks that are known to be recorded.
const CACHED_LOOKS_MAX: u64 = 200_000;
/// A look is recorded once a day, so nothing older is worth knowing.
const LOOKS_TTL: Duration = Duration::from_secs(25 * 3600);

/// Why a bearer text was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// It is unknown, expired or revoked; which of these is not said.
    #[error("the credential is unknown, expired or revoked")]
    Refused,
    /// The catalog did not answer.
    #[error(transparent)]
    Unavailable(#[from] CatalogError),
}

/// The credentials' shared state of one store: short-lived caches.
pub(crate) struct AccessState {
    /// Each with the generation in which its look-up began.
    credentials: Cache<KeyHash, (u64, Credential)>,
    /// Goes up when a credential was revoked here: what was looked up before counts no more, nor
    /// does a look-up that is under way and may have read the credential as it was.
    generation: AtomicU64,
    pub(super) looks: Cache<String, ()>,
}

impl AccessState {
    pub(crate) fn new(_config: &crate::StoreConfig) -> Self {
        Self {
            credentials: Cache::builder()
                .max_capacity(CACHED_CREDENTIALS_MAX)
                .time_to_live(CACHE_TTL)
                .build(),
            generation: AtomicU64::new(0),
            looks: Cache::builder().max_capacity(CACHED_LOOKS_MAX).time_to_live(LOOKS_TTL).build(),
        }
    }

    /// Asks the catalog again for every credential; after one was revoked here.
    pub(super) fn forget_credentials(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.credentials.invalidate_all();
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn credential(&self, hash: &KeyHash) -> Option<Credential> {
        let (generation, credential) = self.credentials.get(hash)?;
        (generation == self.generation()).then_some(credential)
    }

    /// Keeps what a look-up found that began in `generation`.
    fn keep(&self, hash: KeyHash, generation: u64, credential: Credential) {
        self.credentials.insert(hash, (generation, credential));
    }
}

impl Store {
    /// Checks a bearer text: a key or a portal session's token.
    ///
    /// A revoked key stops working at once on this node, on others within five seconds.
    ///
    /// # Errors
    /// [`AuthError::Refused`], or `Unavailable` if the catalog did not answer.
    pub async fn authenticate(&self, bearer: &str) -> Result<Credential, AuthError> {
        let now = self.env().now();
        let hash = KeyHash::of(bearer);
        let credential = match self.access().credential(&hash) {
            Some(credential) => credential,
            None => {
                let generation = self.access().generation();
                let credential = self.look_up(bearer, hash, now).await?;
                self.access().keep(hash, generation, credential.clone());
                credential
            }
        };
        if credential.expires_at().is_some_and(|end| end <= now) {
            return Err(AuthError::Refused);
        }
        Ok(credential)
    }

    async fn look_up(&self, bearer: &str, hash: KeyHash, now: Timestamp) -> Result<Credential, AuthError> {
        let parsed = parse_key_text(bearer);
        // A mistyped key of ours needs no question to the catalog; an operator key from outside has any form.
        if parsed.is_none() && bearer.starts_with("rk_") {
            return Err(AuthError::Refused);
        }
        match parsed.map(|parsed| parsed.kind) {
            Some(TextKind::LinkCode) => Err(AuthError::Refused),
            Some(TextKind::SessionToken) => {
                let found = self.catalog().session_by_token(hash.as_bytes()).await?;
                let (row, token_expires_at) = found.ok_or(AuthError::Refused)?;
                session_credential(row, token_expires_at)
            }
            _ => {
                let found = self.catalog().key_by_hash(hash.as_bytes()).await?;
                let found = found.filter(|found| hash.matches(&found.hash)).ok_or(AuthError::Refused)?;
                self.note_use(&found, now);
                key_credential(found)
            }
        }
    }

    /// Writes `last_used_at` behind the request's back, at most once a minute a key and node.
    fn note_use(&self, found: &HashedKeyRow, now: Timestamp) {
        let last = found.row.last_used_at.unwrap_or(0);
        if now.as_micros() - last < LAST_USED_GRAIN_MICROS || found.row.revoked_at.is_some() {
            return;
        }
        let (catalog, id) = (self.catalog().clone(), found.row.id.clone());
        tokio::spawn(async move {
            if let Err(error) = catalog.touch_key(&id, now.as_micros()).await {
                tracing::debug!(key = id, %error, "the time of a key's last use was not kept");
            }
        });
    }
}

fn key_credential(found: HashedKeyRow) -> Result<Credential, AuthError> {
    let row = found.row;
    if row.revoked_at.is_some() {
        return Err(AuthError::Refused);
    }
    let corrupt =
        |what: &str| CatalogError::Corrupt { object: format!("key {}", row.id), what: what.to_owned() };
    let kind = match row.kind.as_str() {
        "op" => CredentialKind::Operator,
        "in" => CredentialKind::Ingest,
        "tn" => CredentialKind::Tenant,
        _ => return Err(corrupt("unknown kind").into()),
    };
    let tenant = match row.tenant.as_str() {
        NO_TENANT => None,
        tenant => Some(tenant.parse().map_err(|_| corrupt("tenant is not a tenant id"))?),
    };
    if kind == CredentialKind::Tenant && tenant.is_none() {
        return Err(corrupt("a tenant's key without a tenant").into());
    }
    Ok(Credential::new(Inner {
        kind,
        tenant,
        scopes: ScopeSet::parse(&row.scopes).map_err(|_| corrupt("unknown scope"))?,
        expires_at: row.expires_at.map(Timestamp::from_micros),
        session: None,
        id: row.id,
        name: row.name,
    }))
}

fn session_credential(row: SessionRow, token_expires_at: i64) -> Result<Credential, AuthError> {
    if row.revoked_at.is_some() {
        return Err(AuthError::Refused);
    }
    let corrupt = |what: &str| CatalogError::Corrupt {
        object: format!("portal session {}", row.id),
        what: what.to_owned(),
    };
    let actor: Actor = serde_json::from_str(&row.actor).map_err(|_| corrupt("actor is not readable"))?;
    let session = SessionInfo {
        origins: serde_json::from_str(&row.origins).map_err(|_| corrupt("origins are not readable"))?,
        locale: row.locale.clone(),
        return_url: row.return_url.clone(),
        tenant_name: row.tenant_name.clone(),
        session_expires_at: Timestamp::from_micros(row.expires_at),
        token_ttl_micros: row.ttl_us,
        actor,
    };
    Ok(Credential::new(Inner {
        kind: CredentialKind::Session,
        tenant: Some(row.tenant.parse().map_err(|_| corrupt("tenant is not a tenant id"))?),
        scopes: ScopeSet::parse(&row.scopes).map_err(|_| corrupt("unknown scope"))?,
        expires_at: Some(Timestamp::from_micros(token_expires_at.min(row.expires_at))),
        name: session.actor.name.clone().unwrap_or_else(|| session.actor.id.clone()),
        id: row.id,
        session: Some(session),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Credential {
        Credential::new(Inner {
            kind: CredentialKind::Operator,
            id: id.to_owned(),
            name: id.to_owned(),
            tenant: None,
            scopes: ScopeSet::operator(),
            expires_at: None,
            session: None,
        })
    }

    #[test]
    fn a_look_up_that_began_before_a_revocation_is_not_believed_afterwards() {
        let place = std::path::Path::new("nowhere");
        let access = AccessState::new(&crate::StoreConfig::embedded(place));
        let hash = KeyHash::of("a key");
        let began = access.generation();
        access.forget_credentials();
        access.keep(hash, began, key("revoked meanwhile"));
        assert!(access.credential(&hash).is_none());
        access.keep(hash, access.generation(), key("read afterwards"));
        assert!(access.credential(&hash).is_some());
    }
}
