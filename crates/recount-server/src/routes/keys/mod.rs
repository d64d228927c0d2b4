//! API keys: made, listed and revoked within the rights of who does it.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod revoke;

use recount_store::access::KeyInfo;
use serde::Serialize;

/// A key, without its text.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Key {
    /// Its public id.
    id: String,
    /// A name for people.
    name: String,
    /// `operator`, `ingest` or `tenant`.
    kind: &'static str,
    /// The tenant that it is bound to; null for the vendor's side.
    tenant: Option<String>,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Who made it: `key/<id>`, `session/<id>`, `environment`, `first-start`.
    created_by: String,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

impl From<KeyInfo> for Key {
    fn from(info: KeyInfo) -> Self {
        Self {
            kind: info.kind.as_str(),
            tenant: info.tenant.map(|tenant| tenant.to_string()),
            scopes: info.scopes.iter().map(|scope| scope.as_str()).collect(),
            created_at: info.created_at.to_string(),
            expires_at: info.expires_at.map(|time| time.to_string()),
            revoked_at: info.revoked_at.map(|time| time.to_string()),
            last_used_at: info.last_used_at.map(|time| time.to_string()),
            id: info.id,
            name: info.name,
            created_by: info.created_by,
        }
    }
}
