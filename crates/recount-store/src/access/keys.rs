//! Making, listing and revoking API keys, each within the rights of who does it.

use recount_event::{TenantId, Timestamp};

use super::credential::{Credential, CredentialKind};
use super::error::AccessError;
use super::key_text::{KeyHash, NewKeyText, OPERATOR_KEY_CHARS_MIN, TextKind};
use super::scope::{Scope, ScopeSet};
use crate::Store;
use crate::catalog::CatalogError;
use crate::catalog::keys::{KeyRow, NO_TENANT};

/// The longest life of a key that a person makes in the portal, in days. The person's own session
/// is much shorter; its `keys:manage` scope is the vendor's leave to make keys that outlive it.
const PORTAL_KEY_DAYS_MAX: i64 = 366;
/// The life of such a key if no end is named, in days.
const PORTAL_KEY_DAYS_DEFAULT: i64 = 90;
/// Who made the operator key that came from the environment.
const FROM_ENVIRONMENT: &str = "environment";
/// Who made the operator key of an empty catalog.
const FROM_FIRST_START: &str = "first-start";

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// A name for people.
    pub name: String,
    /// The tenant to bind it to. A tenant's credential can name only its own, or none.
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub scopes: ScopeSet,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A key as it is listed: everything but its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its public id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What sort of credential it is.
    pub kind: CredentialKind,
    /// The tenant that it is bound to.
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub scopes: ScopeSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it: `key/<id>`, `session/<id>`, `environment`, `first-start`.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A key that was just made. `text` is shown once and stored nowhere.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key as it will be listed.
    pub info: KeyInfo,
    /// The key's text.
    pub text: NewKeyText,
}

impl Store {
    /// Makes a key. Its record is in the tenant's log before the key works.
    ///
    /// # Errors
    /// [`AccessError`]: `Forbidden` without `keys:manage`, `ExceedsCreator` for more rights or a
    /// later end than the creator may give, `Invalid`, `NotFound` for another's tenant.
    pub async fn create_key(&self, creator: &Credential, new: NewKey) -> Result<CreatedKey, AccessError> {
        creator.require(Scope::KeysManage)?;
        let tenant = match (creator.tenant(), &new.tenant) {
            (None, None) => None,
            (_, named) => Some(creator.tenant_for(named.as_ref())?),
        };
        check_scopes(creator, &new, tenant.as_ref())?;
        let now = self.env().now();
        let expires_at = key_end(creator, new.expires_at, now)?;
        if let Some(tenant) = &tenant {
            self.ensure_tenant(tenant).await?;
        }
        let kind = match (&tenant, new.scopes.is_only(Scope::EventsWrite)) {
            (_, true) => TextKind::Ingest,
            (Some(_), false) => TextKind::Tenant,
            (None, false) => TextKind::Operator,
        };
        let text = NewKeyText::generate(kind, &*self.env().entropy);
        let row = KeyRow {
            id: text.id.clone(),
            tenant: tenant.as_ref().map_or(NO_TENANT, AsRef::as_ref).to_owned(),
            kind: kind.tag().to_owned(),
            name: new.name,
            scopes: new.scopes.to_string(),
            created_at: now.as_micros(),
            created_by: creator.reference(),
            expires_at: expires_at.map(Timestamp::as_micros),
            revoked_at: None,
            last_used_at: None,
        };
        if let Some(tenant) = &tenant {
            self.record_key_change(creator, tenant, "recount.key.created", &row).await?;
        }
        self.catalog().insert_key(&row, text.hash().as_bytes()).await?;
        tracing::info!(
            key.id = row.id,
            key.kind = row.kind,
            tenant = row.tenant,
            by = row.created_by,
            "key created"
        );
        Ok(CreatedKey { info: info(row)?, text })
    }

    /// Keys created before `before` (`created_at` and id of the last one seen), newest first; those
    /// that were revoked only if `revoked`.
    ///
    /// A tenant's credential sees its tenant's; the vendor's side sees those of `tenant`, or all.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without `keys:manage`, `NotFound` for another's tenant.
    pub async fn list_keys(
        &self,
        viewer: &Credential,
        tenant: Option<&TenantId>,
        before: Option<(Timestamp, &str)>,
        revoked: bool,
        limit: usize,
    ) -> Result<Vec<KeyInfo>, AccessError> {
        viewer.require(Scope::KeysManage)?;
        let tenant = match (viewer.tenant(), tenant) {
            (None, None) => None,
            (_, named) => Some(viewer.tenant_for(named)?),
        };
        let before = before.map_or((i64::MAX, ""), |(at, id)| (at.as_micros(), id));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            self.catalog().keys_before(tenant.as_ref().map(AsRef::as_ref), before, revoked, limit).await?;
        rows.into_iter().map(|row| info(row).map_err(Into::into)).collect()
    }

    /// One key that the viewer may see.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without `keys:manage`, `NotFound`.
    pub async fn key(&self, viewer: &Credential, id: &str) -> Result<KeyInfo, AccessError> {
        viewer.require(Scope::KeysManage)?;
        let row = self.catalog().key_by_id(id).await?.ok_or(AccessError::NotFound)?;
        if viewer.tenant().is_some_and(|own| own.as_ref() != row.tenant) {
            return Err(AccessError::NotFound);
        }
        Ok(info(row)?)
    }

    /// Revokes a key; one that is revoked already stays so.
    ///
    /// # Errors
    /// As [`key`](Self::key), and `ExceedsCreator` if the key can do more than who wants to revoke
    /// it: a tenant can't stop the ingest key by which the vendor writes its log, say. The vendor's
    /// side may revoke every tenant's keys, whatever its own rights are.
    pub async fn revoke_key(&self, by: &Credential, id: &str) -> Result<(), AccessError> {
        let key = self.key(by, id).await?;
        let vendor_over_tenant = by.is_vendor() && key.tenant.is_some();
        if !vendor_over_tenant && !by.scopes().allows_all(key.scopes) {
            return Err(AccessError::ExceedsCreator {
                detail: format!("key {id} can do more than this credential, which can't revoke it"),
            });
        }
        if key.revoked_at.is_some() {
            return Ok(());
        }
        let now = self.env().now();
        if let Some(tenant) = &key.tenant {
            let row = self.catalog().key_by_id(id).await?.ok_or(AccessError::NotFound)?;
            self.record_key_change(by, tenant, "recount.key.revoked", &row).await?;
        }
        self.catalog().revoke_key(id, now.as_micros()).await?;
        self.access().forget_credentials();
        tracing::info!(key.id = id, by = by.reference(), "key revoked");
        Ok(())
    }

    /// Makes sure that somebody can operate this deployment.
    ///
    /// `given` (from `RECOUNT_OPERATOR_KEY`) becomes the operator key, in place of the one given
    /// before. Without it, a catalog that has no operator key gets one, and its text is returned,
    /// to be shown once.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] if `given` is too short.
    pub async fn ensure_operator_key(&self, given: Option<&str>) -> Result<Option<NewKeyText>, AccessError> {
        let now = self.env().now();
        let row = |id: String, created_by: &str, name: &str| KeyRow {
            id,
            tenant: NO_TENANT.to_owned(),
            kind: TextKind::Operator.tag().to_owned(),
            name: name.to_owned(),
            scopes: ScopeSet::operator().to_string(),
            created_at: now.as_micros(),
            created_by: created_by.to_owned(),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        if let Some(given) = given {
            if given.chars().count() < OPERATOR_KEY_CHARS_MIN {
                return Err(AccessError::Invalid {
                    pointer: "",
                    detail: format!(
                        "RECOUNT_OPERATOR_KEY has fewer than {OPERATOR_KEY_CHARS_MIN} characters; use a longer random secret"
                    ),
                });
            }
            let hash = KeyHash::of(given);
            let id = format!("env{}", &hex::encode(hash.as_bytes())[..9]);
            self.catalog()
                .install_key(&row(id, FROM_ENVIRONMENT, "operator key from the environment"), hash.as_bytes())
                .await?;
            self.access().forget_credentials();
            return Ok(None);
        }
        if self.catalog().has_operator_key(now.as_micros()).await? {
            return Ok(None);
        }
        let text = NewKeyText::generate(TextKind::Operator, &*self.env().entropy);
        let row = row(text.id.clone(), FROM_FIRST_START, "first operator key");
        self.catalog().insert_key(&row, text.hash().as_bytes()).await?;
        Ok(Some(text))
    }
}

fn check_scopes(creator: &Credential, new: &NewKey, tenant: Option<&TenantId>) -> Result<(), AccessError> {
    if new.scopes.is_empty() {
        return Err(AccessError::Invalid {
            pointer: "/scopes",
            detail: "name at least one scope".to_owned(),
        });
    }
    if let Some(scope) = new.scopes.iter().find(|scope| !creator.scopes().allows(*scope)) {
        return Err(AccessError::ExceedsCreator {
            detail: format!("this credential lacks {scope}, so it can't give it"),
        });
    }
    if let (Some(tenant), Some(scope)) = (tenant, new.scopes.iter().find(|scope| scope.is_vendor_only())) {
        return Err(AccessError::Invalid {
            pointer: "/scopes",
            detail: format!(
                "{scope} is a right of the vendor's side; a key of tenant {tenant} can't have it"
            ),
        });
    }
    Ok(())
}

/// When the new key ends: as wished, but not after the creator may let it.
fn key_end(
    creator: &Credential,
    wished: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, AccessError> {
    if wished.is_some_and(|end| end <= now) {
        return Err(AccessError::Invalid {
            pointer: "/expires_at",
            detail: "the end of the key is in the past".to_owned(),
        });
    }
    let in_days = |days: i64| Timestamp::from_micros(now.as_micros() + days * Timestamp::MICROS_PER_DAY);
    let (latest, default) = match (creator.session(), creator.expires_at()) {
        (Some(_), _) => (in_days(PORTAL_KEY_DAYS_MAX), in_days(PORTAL_KEY_DAYS_DEFAULT)),
        (None, Some(end)) => (end, end),
        (None, None) => return Ok(wished),
    };
    match wished {
        Some(end) if end > latest => Err(AccessError::ExceedsCreator {
            detail: format!("this credential can't make keys that work after {latest}"),
        }),
        wished => Ok(Some(wished.unwrap_or(default))),
    }
}

fn info(row: KeyRow) -> Result<KeyInfo, CatalogError> {
    let corrupt =
        |what: &str| CatalogError::Corrupt { object: format!("key {}", row.id), what: what.to_owned() };
    Ok(KeyInfo {
        kind: match row.kind.as_str() {
            "op" => CredentialKind::Operator,
            "in" => CredentialKind::Ingest,
            "tn" => CredentialKind::Tenant,
            _ => return Err(corrupt("unknown kind")),
        },
        tenant: match row.tenant.as_str() {
            NO_TENANT => None,
            tenant => Some(tenant.parse().map_err(|_| corrupt("tenant is not a tenant id"))?),
        },
        scopes: ScopeSet::parse(&row.scopes).map_err(|_| corrupt("unknown scope"))?,
        created_at: Timestamp::from_micros(row.created_at),
        expires_at: row.expires_at.map(Timestamp::from_micros),
        revoked_at: row.revoked_at.map(Timestamp::from_micros),
        last_used_at: row.last_used_at.map(Timestamp::from_micros),
        id: row.id,
        name: row.name,
        created_by: row.created_by,
    })
}
