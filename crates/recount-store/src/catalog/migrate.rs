//! Applies `migrations/*.sql` in order, each in its own transaction.
//!
//! Migrations expand and contract: a release adds what its code needs and only a later one removes
//! what no running release uses, so that old and new nodes can share a catalog while they are
//! exchanged. The text is PostgreSQL's; [`text_for`] says how SQLite gets it.

use sqlx::AssertSqlSafe;

use super::{Catalog, CatalogError, CatalogTx, on_read, on_tx};
use crate::error::OpenError;

struct Migration {
    version: i64,
    text: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, text: include_str!("../../migrations/0001_log.sql") },
    Migration { version: 2, text: include_str!("../../migrations/0002_access.sql") },
    Migration { version: 3, text: include_str!("../../migrations/0003_streams.sql") },
    Migration { version: 4, text: include_str!("../../migrations/0004_stream_stretches.sql") },
    Migration { version: 5, text: include_str!("../../migrations/0005_portal.sql") },
    Migration { version: 6, text: include_str!("../../migrations/0006_retention.sql") },
];

/// Nodes that start together migrate one after the other (an arbitrary constant).
const POSTGRES_MIGRATION_LOCK: i64 = 0x7265_636f_756e_7400;
/// Lines that start with these run on one of the databases only.
const POSTGRES_ONLY: &str = "-- postgres:";
const SQLITE_ONLY: &str = "-- sqlite:";

impl Catalog {
    /// Brings the catalog to this binary's version.
    pub(super) async fn migrate(&self, place: &str) -> Result<(), OpenError> {
        let failed = |error: CatalogError| OpenError::Catalog {
            place: place.to_owned(),
            detail: format!("can't migrate: {error}"),
        };
        let known = MIGRATIONS.last().map_or(0, |migration| migration.version);
        self.create_version_table().await.map_err(failed)?;
        loop {
            let mut tx = self.begin().await.map_err(failed)?;
            let found = locked_version(&mut tx).await.map_err(failed)?;
            if found > known {
                return Err(OpenError::CatalogNewer { found, known });
            }
            let Some(next) = MIGRATIONS.iter().find(|migration| migration.version > found) else {
                return Ok(());
            };
            self.apply(tx, next).await.map_err(failed)?;
            tracing::info!(version = next.version, "migrated the catalog");
        }
    }

    async fn create_version_table(&self) -> Result<(), CatalogError> {
        const TABLE: &str =
            "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT NOT NULL PRIMARY KEY)";
        let exists = on_read!(self, |db| {
            sqlx::query("SELECT 1 FROM schema_versions LIMIT 1").fetch_optional(db).await.is_ok()
        });
        if exists {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        lock_migrations(&mut tx).await?;
        on_tx!(tx, |db| {
            sqlx::raw_sql(TABLE).execute(db).await?;
        });
        commit(tx).await
    }

    async fn apply(&self, mut tx: CatalogTx, migration: &Migration) -> Result<(), CatalogError> {
        let text = text_for(migration.text, self.is_shared());
        on_tx!(tx, |db| {
            sqlx::raw_sql(AssertSqlSafe(text)).execute(db).await?;
        });
        on_tx!(tx, |db| {
            sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)")
                .bind(migration.version)
                .execute(db)
                .await?;
        });
        commit(tx).await
    }
}

async fn commit(tx: CatalogTx) -> Result<(), CatalogError> {
    match tx {
        CatalogTx::Sqlite(tx) => tx.commit().await?,
        CatalogTx::Postgres(tx) => tx.commit().await?,
    }
    Ok(())
}

async fn lock_migrations(tx: &mut CatalogTx) -> Result<(), CatalogError> {
    if let CatalogTx::Postgres(tx) = tx {
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(POSTGRES_MIGRATION_LOCK)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn locked_version(tx: &mut CatalogTx) -> Result<i64, CatalogError> {
    lock_migrations(tx).await?;
    let (version,): (Option<i64>,) =
        on_tx!(*tx, |db| sqlx::query_as("SELECT MAX(version) FROM schema_versions").fetch_one(db).await?);
    Ok(version.unwrap_or(0))
}

/// The migration's text in the database's dialect.
fn text_for(text: &str, postgres: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let start = line.trim_start();
        match (start.strip_prefix(POSTGRES_ONLY), start.strip_prefix(SQLITE_ONLY)) {
            (Some(statement), _) if postgres => out.push_str(statement),
            (_, Some(statement)) if !postgres => out.push_str(statement),
            // Text is compared and ordered by its bytes, as SQLite and Rust do, whatever locale the
            // database has: rows are locked and pages continue in that order.
            (None, None) if postgres => out.push_str(&line.replace(" TEXT", " TEXT COLLATE \"C\"")),
            (None, None) => out.push_str(&line.replace("BYTEA", "BLOB")),
            _ => {}
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dense_from_one() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        let dense: Vec<i64> = (1..).take(versions.len()).collect();
        assert_eq!(versions, dense);
    }

    #[test]
    fn sqlite_gets_blobs_and_no_postgres_lines() {
        let text = "CREATE TABLE t (b BYTEA);\n-- postgres: ALTER TABLE t SET (fillfactor = 70);\n";
        assert_eq!(text_for(text, false), "CREATE TABLE t (b BLOB);\n\n");
        assert_eq!(text_for(")\n-- sqlite: WITHOUT ROWID\n;", false), ")\n WITHOUT ROWID\n;\n");
        assert!(text_for(text, true).contains("\n ALTER TABLE t SET (fillfactor = 70);"));
    }

    #[test]
    fn postgres_orders_text_by_its_bytes() {
        let text = "CREATE TABLE t (a TEXT   NOT NULL, b TEXT);\n";
        let there = "CREATE TABLE t (a TEXT COLLATE \"C\"   NOT NULL, b TEXT COLLATE \"C\");\n";
        assert_eq!((text_for(text, true), text_for(text, false)), (there.to_owned(), text.to_owned()));
    }
}
