//! Why a credential did not get what it asked for.

use super::scope::Scope;
use crate::catalog::CatalogError;
use crate::error::AppendError;

/// Why an action of a credential was refused, by what the caller should do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The credential lacks a right.
    #[error("this credential lacks the scope {needed}")]
    Forbidden {
        /// The right that it would need.
        needed: Scope,
    },
    /// A credential of the vendor's side must name the tenant that it means.
    #[error("this credential is not bound to a tenant: name one with the query parameter tenant")]
    TenantRequired,
    /// There is no such thing, or not for this credential; the two are not told apart.
    #[error("not found")]
    NotFound,
    /// More rights or a later end than the creator may give.
    #[error("{detail}")]
    ExceedsCreator {
        /// What is too much.
        detail: String,
    },
    /// A value can't be used.
    #[error("{detail}")]
    Invalid {
        /// JSON pointer to the value in the request.
        pointer: &'static str,
        /// What is wrong and what is expected.
        detail: String,
    },
    /// The tenant has as many of these as it may.
    #[error("{detail}")]
    TooMany {
        /// What there is too much of, and what to do.
        detail: String,
    },
    /// The thing is in another state than the request needs.
    #[error("{detail}")]
    WrongState {
        /// The state, and what to wait for.
        detail: String,
    },
    /// The link was used before, or is too old.
    #[error("this link was used before or is too old; ask for a new one")]
    LinkUsedOrExpired,
    /// The record of the action could not be written, so the action did not happen.
    #[error("the action could not be recorded: {0}")]
    NotRecorded(#[from] AppendError),
    /// The log or the object store did not answer.
    #[error("{detail}")]
    Unavailable {
        /// What did not answer.
        detail: String,
    },
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}
