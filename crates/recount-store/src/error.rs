//! The store's errors, typed by what the caller should do.

use std::time::Duration;

use crate::ReadError;
use crate::catalog::CatalogError;

/// Why a whole append was not accepted. Nothing of it counts as stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Too much is waiting: send the same events again after the pause (429).
    #[error("the append queue is full; try again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The catalog can't be written now: send the same events, with the same ids, again (503).
    ///
    /// An append whose commit got no answer ends here too; repeating it with the same ids is safe.
    #[error("events can't be stored now: {detail}")]
    Unavailable {
        /// What failed.
        detail: String,
    },
}

/// Why one event of an append was refused; the others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventRefused {
    /// The tenant does not exist and tenants are not created on first use.
    #[error("tenant {tenant} does not exist; create it before sending its events")]
    UnknownTenant {
        /// The event's tenant.
        tenant: String,
    },
    /// The credential belongs to another tenant.
    #[error("this credential can't append to tenant {tenant}")]
    WrongTenant {
        /// The event's tenant.
        tenant: String,
    },
    /// Whether the log has this id already could not be found out; send the event again later.
    #[error("it can't be checked now whether the log of tenant {tenant} has this id: {detail}")]
    Unverified {
        /// The event's tenant.
        tenant: String,
        /// What could not be read.
        detail: String,
    },
    /// A part of the tenant's log that could have this id already is damaged or missing. Nothing
    /// with an id of its sender's can be appended to it until that part is restored.
    #[error(
        "the log of tenant {tenant} is damaged ({object}): whether it has this id already can't be \
         checked until that is restored"
    )]
    Damaged {
        /// The event's tenant.
        tenant: String,
        /// The object or row; the server's log says what is wrong with it.
        object: String,
    },
    /// The tenant's tail is full because sealing is stuck; try again later.
    #[error("the log of tenant {tenant} can't take more events until its tail is sealed; try again later")]
    TailFull {
        /// The event's tenant.
        tenant: String,
    },
}

impl From<CatalogError> for ReadError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Corrupt { object, what } => Self::Corrupt { object, what },
            other => Self::Unavailable { what: "catalog", cause: other.to_string() },
        }
    }
}

impl From<CatalogError> for AppendError {
    fn from(error: CatalogError) -> Self {
        Self::Unavailable { detail: error.to_string() }
    }
}

/// Why a store can't be opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the data directory.
    #[error("{path} is in use by another process; stop it or choose another data directory")]
    InUse {
        /// The lock file.
        path: String,
    },
    /// A newer version of Recount has migrated the catalog.
    #[error(
        "the catalog is at version {found}, this binary knows versions up to {known}; \
         run a newer binary"
    )]
    CatalogNewer {
        /// The catalog's version.
        found: i64,
        /// The newest version that this binary knows.
        known: i64,
    },
    /// The catalog can't be opened.
    #[error("can't open the catalog {place}: {detail}")]
    Catalog {
        /// Path, or URL without password.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// The object store can't be opened.
    #[error("can't open the object store {place}: {detail}")]
    Objects {
        /// Folder or bucket.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// The key for stored secrets can't be used.
    #[error("can't use the secret key: {detail}")]
    SecretKey {
        /// What is wrong.
        detail: String,
    },
}

/// Why a store is not ready to serve.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not ready: {detail}")]
pub struct NotReady {
    /// What is wrong.
    pub detail: String,
}
