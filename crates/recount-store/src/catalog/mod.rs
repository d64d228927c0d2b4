//! The SQL catalog: one schema on SQLite and PostgreSQL.
//!
//! Every noun has its own file with an `impl Catalog` block. SQL text is the same for both
//! databases: `$1` placeholders (but see [`bulk`]), `BIGINT`, `TEXT` and `BYTEA` columns, times in
//! microseconds. The two are different types to sqlx, so [`on_read!`] and [`on_tx!`] compile the same expression
//! twice, once for each.
//!
//! ```ignore
//! let row: Option<(i64,)> = on_read!(self, |db| {
//!     sqlx::query_as("SELECT next_seq FROM tenants WHERE tenant = $1")
//!         .bind(tenant.as_ref()).fetch_optional(db).await?
//! });
//! let mut tx = self.begin().await?;
//! on_tx!(tx, |db| sqlx::query("DELETE FROM settings WHERE name = $1").bind(name).execute(db).await?.rows_affected());
//! self.commit(tx, CommitPoint::Settings).await?;
//! ```
//!
//! Rules: no network I/O other than SQL inside a transaction; lock tenant rows in sorted order;
//! what follows from a change commits with it.

pub(crate) mod bulk;
pub(crate) mod exports;
pub(crate) mod garbage;
mod heads;
pub(crate) mod keys;
pub(crate) mod leases;
mod migrate;
mod open;
pub(crate) mod portal_sessions;
pub(crate) mod retention;
pub(crate) mod saved_views;
pub(crate) mod segments;
mod settings;
mod stream_records;
pub(crate) mod streams;
pub(crate) mod tail;
pub(crate) mod tenants;

use std::sync::Arc;

use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};

/// A handle on the catalog. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Catalog {
    pool: Pool,
    /// Held while the process uses a SQLite catalog.
    process_lock: Option<Arc<std::fs::File>>,
    #[cfg(feature = "testing")]
    pub(crate) faults: crate::testing::Faults,
}

/// Connections to one of the two databases.
#[derive(Clone)]
pub(crate) enum Pool {
    /// Readers see the last commit; the one writer is handed out in turn.
    Sqlite {
        /// Several connections that only read.
        read: SqlitePool,
        /// The one connection that writes.
        write: SqlitePool,
        /// The database file; its write-ahead log is beside it.
        path: Arc<std::path::PathBuf>,
    },
    /// Readers can't keep writers waiting for a connection.
    Postgres {
        /// For single statements that read.
        read: PgPool,
        /// For transactions.
        write: PgPool,
    },
}

/// An open write transaction; dropping it rolls back.
pub(crate) enum CatalogTx {
    /// Holds the only writer (`BEGIN IMMEDIATE`).
    Sqlite(Transaction<'static, Sqlite>),
    /// `READ COMMITTED`.
    Postgres(Transaction<'static, Postgres>),
}

/// Which of the store's transactions commits: names it in errors and for fault tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CommitPoint {
    Append,
    Fold,
    Intent,
    Seal,
    Compact,
    Retain,
    Garbage,
    Lease,
    Tenants,
    Access,
    Streams,
}

impl CommitPoint {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Fold => "fold",
            Self::Intent => "intent",
            Self::Seal => "seal",
            Self::Compact => "compact",
            Self::Retain => "retain",
            Self::Garbage => "garbage",
            Self::Lease => "lease",
            Self::Tenants => "tenants",
            Self::Access => "access",
            Self::Streams => "streams",
        }
    }
}

/// What went wrong in the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The database did not answer as it should; trying again later can help.
    #[error("catalog: {0}")]
    Database(#[from] sqlx::Error),
    /// A commit got no answer: it may or may not have happened.
    #[error("catalog: the commit got no answer: {0}")]
    UnknownOutcome(sqlx::Error),
    /// The lease under which the work was done is someone else's now; drop the work.
    #[error("lease {name} was lost to another node")]
    Fenced {
        /// The lease.
        name: String,
    },
    /// What the work was based on has changed meanwhile; drop the work.
    #[error("{object} was changed meanwhile by another node")]
    Conflict {
        /// What has changed.
        object: String,
    },
    /// A row does not hold what it must.
    #[error("{object} is damaged: {what}")]
    Corrupt {
        /// The row.
        object: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Pool {
    fn placeholders(&self) -> bulk::Placeholders {
        match self {
            Self::Sqlite { .. } => bulk::Placeholders::Plain,
            Self::Postgres { .. } => bulk::Placeholders::Numbered,
        }
    }
}

impl CatalogTx {
    fn placeholders(&self) -> bulk::Placeholders {
        match self {
            Self::Sqlite(_) => bulk::Placeholders::Plain,
            Self::Postgres(_) => bulk::Placeholders::Numbered,
        }
    }
}

/// Evaluates an expression with `$db` bound to the pool to read from.
macro_rules! on_read {
    ($catalog:expr, |$db:ident| $body:expr) => {
        match $catalog.pool() {
            $crate::catalog::Pool::Sqlite { read: $db, .. } => $body,
            $crate::catalog::Pool::Postgres { read: $db, .. } => $body,
        }
    };
}

/// Evaluates an expression with `$db` bound to the connection of an open transaction.
macro_rules! on_tx {
    ($tx:expr, |$db:ident| $body:expr) => {
        match &mut $tx {
            $crate::catalog::CatalogTx::Sqlite(tx) => {
                let $db = &mut **tx;
                $body
            }
            $crate::catalog::CatalogTx::Postgres(tx) => {
                let $db = &mut **tx;
                $body
            }
        }
    };
}

pub(crate) use {on_read, on_tx};

/// After a write error (a full disk) SQLite has ended the transaction by itself. The rollback of sqlx
/// then fails, the connection counts as within a transaction for ever, and only another one helps.
async fn begin_sqlite(write: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    match write.begin_with(BEGIN).await {
        Err(sqlx::Error::InvalidSavePointStatement) => {
            write.acquire().await?.close().await?;
            write.begin_with(BEGIN).await
        }
        begun => begun,
    }
}

impl Catalog {
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Whether other nodes can write to this catalog too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.pool, Pool::Postgres { .. })
    }

    /// Begins a write transaction. On SQLite this waits for the only writer.
    pub(crate) async fn begin(&self) -> Result<CatalogTx, CatalogError> {
        #[cfg(feature = "testing")]
        if self.faults.at(crate::testing::FaultPoint::Begin).is_some() {
            return Err(crate::testing::lost_connection());
        }
        Ok(match &self.pool {
            Pool::Sqlite { write, .. } => CatalogTx::Sqlite(begin_sqlite(write).await?),
            Pool::Postgres { write, .. } => CatalogTx::Postgres(write.begin().await?),
        })
    }

    /// Commits durably.
    ///
    /// # Errors
    /// [`CatalogError::UnknownOutcome`]: the caller must find out by reading, under the same row
    /// locks, whether it happened.
    pub(crate) async fn commit(&self, tx: CatalogTx, point: CommitPoint) -> Result<(), CatalogError> {
        #[cfg(feature = "testing")]
        let fault = self.faults.at_commit(point);
        #[cfg(feature = "testing")]
        if fault == Some(crate::testing::Fault::NotDone) {
            return Err(crate::testing::lost_connection());
        }
        let committed = match tx {
            CatalogTx::Sqlite(tx) => tx.commit().await,
            CatalogTx::Postgres(tx) => tx.commit().await,
        };
        committed.map_err(|error| {
            tracing::warn!(point = point.name(), error = %error, "a commit got no answer");
            CatalogError::UnknownOutcome(error)
        })?;
        #[cfg(feature = "testing")]
        if fault == Some(crate::testing::Fault::DoneAnyway) {
            return Err(crate::testing::lost_connection());
        }
        Ok(())
    }

    /// Whether the catalog answers.
    pub(crate) async fn ping(&self) -> Result<(), CatalogError> {
        let _: (i64,) =
            on_read!(self, |db| { sqlx::query_as("SELECT COUNT(*) FROM settings").fetch_one(db).await? });
        Ok(())
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let database = if self.is_shared() { "postgres" } else { "sqlite" };
        f.debug_struct("Catalog").field("database", &database).finish_non_exhaustive()
    }
}
