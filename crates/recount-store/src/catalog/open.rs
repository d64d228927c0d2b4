//! Opens either database with the settings that durability and latency need.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, PgPool};

use super::{Catalog, Pool};
use crate::config::{CatalogLocation, StoreConfig};
use crate::error::OpenError;

/// Pages of 8 KiB: blobs chain through half as many pages as with SQLite's default.
const SQLITE_PAGE_BYTES: u32 = 8_192;
/// How long SQLite waits for another connection of this process.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Rows that SQLite's thread may be ahead of the task that reads them: with sqlx's 50 the two wait for each other
/// again and again while a tail is read.
const SQLITE_ROWS_BUFFERED: usize = 512;
/// Prepared statements kept per connection.
const STATEMENTS_CACHED: usize = 256;
/// How long a task waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);
/// Transactions at once: the committer's, background work's, and those of credentials and streams.
const POSTGRES_WRITERS: u32 = 6;
/// PostgreSQL gives up on a statement after this long,
const STATEMENT_TIMEOUT_MS: u64 = 30_000;
/// on a row lock after this long,
const LOCK_TIMEOUT_MS: u64 = 10_000;
/// and on a transaction whose client is silent after this long.
const IDLE_IN_TRANSACTION_TIMEOUT_MS: u64 = 30_000;

impl Catalog {
    /// Opens and migrates the catalog that `config` names.
    ///
    /// # Errors
    /// [`OpenError`] says what to do.
    pub(crate) async fn open(config: &StoreConfig) -> Result<Self, OpenError> {
        let (pool, lock) = match &config.catalog {
            CatalogLocation::Sqlite(path) => {
                let (pool, lock) = open_sqlite(path, config.catalog_connections).await?;
                (pool, Some(Arc::new(lock)))
            }
            CatalogLocation::Postgres(url) => (open_postgres(url, config).await?, None),
        };
        let catalog = Self {
            pool,
            process_lock: lock,
            #[cfg(feature = "testing")]
            faults: crate::testing::Faults::default(),
        };
        let place = config.catalog.to_string();
        catalog.migrate(&place).await?;
        if !catalog.is_shared() {
            // The lock on the file proves that whoever held leases is gone, killed perhaps: nobody
            // need wait until they expire.
            let freed = catalog.free_leases().await;
            freed.map_err(|error| OpenError::Catalog { place, detail: error.to_string() })?;
        }
        Ok(catalog)
    }

    /// Closes all connections. On SQLite the write-ahead log is emptied into the file first.
    pub(crate) async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { read, write, .. } => {
                read.close().await;
                // Closing the last connection checkpoints and removes the write-ahead log.
                write.close().await;
            }
            Pool::Postgres { read, write } => {
                read.close().await;
                write.close().await;
            }
        }
        if let Some(lock) = &self.process_lock {
            // Clones of the handle may live on, but none of them can write any more.
            let _ = lock.unlock();
        }
    }
}

async fn open_sqlite(path: &Path, readers: u32) -> Result<(Pool, File), OpenError> {
    let failed = |detail: String| OpenError::Catalog { place: path.display().to_string(), detail };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| failed(format!("can't create the folder: {error}")))?;
    }
    let lock = lock_exclusively(&path.with_extension("lock"))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(SQLITE_PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_CACHED)
        .row_buffer_size(SQLITE_ROWS_BUFFERED)
        // Checkpoints run in the background (`maintain/checkpoint.rs`): a commit must not pay for one.
        .pragma("wal_autocheckpoint", "0")
        .pragma("cache_size", "-16000")
        .pragma("temp_store", "memory")
        .foreign_keys(false)
        .disable_statement_logging();
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
        .map_err(|error| failed(error.to_string()))?;
    let read = SqlitePoolOptions::new()
        .max_connections(readers.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.pragma("query_only", "1"))
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok((Pool::Sqlite { read, write, path: Arc::new(path.to_owned()) }, lock))
}

/// The caches of the committer hold only while no other process writes, so one process at a time.
fn lock_exclusively(path: &Path) -> Result<File, OpenError> {
    let failed = |error: std::io::Error| OpenError::Catalog {
        place: path.display().to_string(),
        detail: format!("can't create the lock file: {error}"),
    };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

async fn open_postgres(url: &str, config: &StoreConfig) -> Result<Pool, OpenError> {
    let place = config.catalog.to_string();
    let failed = |detail: String| OpenError::Catalog { place: place.clone(), detail };
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| failed(error.to_string()))?
        .application_name("recount")
        .statement_cache_capacity(STATEMENTS_CACHED)
        .options([
            ("statement_timeout", STATEMENT_TIMEOUT_MS.to_string()),
            ("lock_timeout", LOCK_TIMEOUT_MS.to_string()),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT_MS.to_string()),
        ])
        .disable_statement_logging();
    let pool =
        |connections: u32| PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
    let write = pool(POSTGRES_WRITERS)
        .connect_with(options.clone())
        .await
        .map_err(|error| failed(error.to_string()))?;
    require_durable_commits(&write).await.map_err(failed)?;
    let read = pool(config.catalog_connections.max(2)).connect_lazy_with(options);
    Ok(Pool::Postgres { read, write })
}

/// A commit that is answered before it is on disk would break the promise of a 2xx.
async fn require_durable_commits(pool: &PgPool) -> Result<(), String> {
    let (commit,): (String,) = sqlx::query_as("SELECT current_setting('synchronous_commit')")
        .fetch_one(pool)
        .await
        .map_err(|error| error.to_string())?;
    if !matches!(commit.as_str(), "on" | "remote_apply" | "local" | "remote_write") {
        return Err(format!(
            "synchronous_commit is {commit}; set it to on for this database or user, \
             or acknowledged events could be lost"
        ));
    }
    let (fsync,): (String,) = sqlx::query_as("SELECT current_setting('fsync')")
        .fetch_one(pool)
        .await
        .map_err(|error| error.to_string())?;
    if fsync != "on" {
        tracing::warn!("PostgreSQL runs with fsync = {fsync}: acknowledged events can be lost in a crash");
    }
    Ok(())
}

impl std::fmt::Display for CatalogLocation {
    /// The path, or the URL without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => match url::Url::parse(url) {
                Ok(url) => write!(
                    f,
                    "{}://{}{}{}",
                    url.scheme(),
                    url.host_str().unwrap_or(""),
                    url.port().map(|port| format!(":{port}")).unwrap_or_default(),
                    url.path()
                ),
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}
