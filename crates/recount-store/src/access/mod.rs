//! Credentials: who may do what, and the only ways to a tenant's log.
//!
//! A request's bearer text becomes a [`Credential`] ([`Store::authenticate`](crate::Store::authenticate)).
//! A credential yields an [`IngestAccess`](crate::IngestAccess) to append with and a
//! [`TenantLog`](crate::TenantLog) to read with, after the checks and after the record that the look
//! leaves in the tenant's own log. Nothing else in the workspace can make either.
//!
//! - `key_text`: what a key looks like. `scope`: what it may do.
//! - `authenticate`, `credential`: from text to rights.
//! - `keys`, `sessions`: making and ending credentials, each within its creator's rights.
//! - `looks`: what is recorded before data is shown.
//! - `saved_views`, `exports`: what people keep beside the log, by tenant. `export_claim`: making the file.

mod authenticate;
mod credential;
mod error;
mod export_claim;
mod exports;
mod key_text;
mod keys;
mod looks;
mod saved_views;
mod scope;
mod sessions;
mod tenants;

pub(crate) use authenticate::AccessState;
pub use authenticate::AuthError;
pub use credential::{Actor, Credential, CredentialKind, HostIdentity, SessionInfo};
pub use error::AccessError;
pub use export_claim::{ExportClaim, ExportOutcome};
pub use exports::{ExportInfo, ExportState, NewExport};
pub use key_text::{KeyHash, NewKeyText, OPERATOR_KEY_CHARS_MIN, ParsedKeyText, TextKind, parse_key_text};
pub use keys::{CreatedKey, KeyInfo, NewKey};
pub use saved_views::{SavedView, SavedViewDraft};
pub use scope::{Scope, ScopeSet, UnknownScope};
pub use sessions::{
    CreatedSession, LINK_CODE_TTL, NewSession, SESSION_TTL_DEFAULT, SESSION_TTL_MAX, SessionToken,
};
