//! Portal sessions: people of a tenant, let in by the vendor's backend.

pub(crate) mod create;
pub(crate) mod exchange;
pub(crate) mod refresh;
pub(crate) mod revoke;

use recount_store::access::SessionToken;
use serde::Serialize;

/// A token of a portal session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Token {
    /// The bearer token. Shown once; keep it in memory only.
    token: String,
    /// When the token ends.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When the session ends; no refresh goes further.
    #[schema(format = DateTime)]
    session_expires_at: String,
}

impl From<SessionToken> for Token {
    fn from(token: SessionToken) -> Self {
        Self {
            token: token.text.text,
            expires_at: token.expires_at.to_string(),
            session_expires_at: token.session_expires_at.to_string(),
        }
    }
}
