//! SQL of export jobs.

use recount_event::Timestamp;

use super::garbage::{discard, take_intent};
use super::{Catalog, CatalogError, CommitPoint, on_read, on_tx};

/// One row of `exports`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ExportRow {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_by: String,
    pub(crate) actor: String,
    pub(crate) format: String,
    pub(crate) options: Option<String>,
    pub(crate) filter: String,
    pub(crate) from_us: Option<i64>,
    pub(crate) to_us: Option<i64>,
    pub(crate) ascending: i64,
    pub(crate) state: String,
    pub(crate) pin: i64,
    pub(crate) rows_done: i64,
    pub(crate) bytes: i64,
    pub(crate) sha256: Option<String>,
    pub(crate) object: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) expires_at: i64,
    pub(crate) attempts: i64,
}

macro_rules! columns {
    () => {
        "tenant, id, name, created_by, actor, format, filter, from_us, to_us, ascending, state, pin, rows_done, bytes, \
         sha256, object, error, created_at, started_at, finished_at, expires_at, attempts, options"
    };
}

/// Reads the columns in that order from a row of either database.
macro_rules! export_row {
    ($row:expr) => {{
        use sqlx::Row as _;
        let row = $row;
        Ok::<ExportRow, sqlx::Error>(ExportRow {
            tenant: row.try_get(0)?,
            id: row.try_get(1)?,
            name: row.try_get(2)?,
            created_by: row.try_get(3)?,
            actor: row.try_get(4)?,
            format: row.try_get(5)?,
            filter: row.try_get(6)?,
            from_us: row.try_get(7)?,
            to_us: row.try_get(8)?,
            ascending: row.try_get(9)?,
            state: row.try_get(10)?,
            pin: row.try_get(11)?,
            rows_done: row.try_get(12)?,
            bytes: row.try_get(13)?,
            sha256: row.try_get(14)?,
            object: row.try_get(15)?,
            error: row.try_get(16)?,
            created_at: row.try_get(17)?,
            started_at: row.try_get(18)?,
            finished_at: row.try_get(19)?,
            expires_at: row.try_get(20)?,
            attempts: row.try_get(21)?,
            options: row.try_get(22)?,
        })
    }};
}

impl Catalog {
    /// Stores a new job.
    pub(crate) async fn insert_export(&self, row: &ExportRow) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query(
                "INSERT INTO exports (tenant, id, name, created_by, actor, format, filter, from_us, to_us, ascending, \
                 state, pin, rows_done, bytes, created_at, expires_at, holder_until, attempts, options) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11, 0, 0, $12, $13, 0, 0, $14)",
            )
            .bind(&row.tenant)
            .bind(&row.id)
            .bind(&row.name)
            .bind(&row.created_by)
            .bind(&row.actor)
            .bind(&row.format)
            .bind(&row.filter)
            .bind(row.from_us)
            .bind(row.to_us)
            .bind(row.ascending)
            .bind(row.pin)
            .bind(row.created_at)
            .bind(row.expires_at)
            .bind(&row.options)
            .execute(db)
            .await
            .map(drop)?;
        });
        self.commit(tx, CommitPoint::Access).await
    }

    /// One job of a tenant.
    pub(crate) async fn export(&self, tenant: &str, id: &str) -> Result<Option<ExportRow>, CatalogError> {
        Ok(on_read!(self, |db| {
            sqlx::query(concat!("SELECT ", columns!(), " FROM exports WHERE tenant = $1 AND id = $2"))
                .bind(tenant)
                .bind(id)
                .fetch_optional(db)
                .await?
                .map(|row| export_row!(row))
                .transpose()?
        }))
    }

    /// Up to `limit` jobs of a tenant before the given place, newest first (ids grow with time).
    pub(crate) async fn exports_before(
        &self,
        tenant: &str,
        before: &str,
        limit: i64,
    ) -> Result<Vec<ExportRow>, CatalogError> {
        Ok(on_read!(self, |db| {
            sqlx::query(concat!(
                "SELECT ",
                columns!(),
                " FROM exports WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
            ))
            .bind(tenant)
            .bind(before)
            .bind(limit)
            .fetch_all(db)
            .await?
            .into_iter()
            .map(|row| export_row!(row))
            .collect::<Result<Vec<_>, _>>()?
        }))
    }

    /// How many jobs of a tenant are waiting or running.
    pub(crate) async fn open_exports_count(&self, tenant: &str) -> Result<i64, CatalogError> {
        let (count,): (i64,) = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT COUNT(*) FROM exports WHERE tenant = $1 AND state IN ('queued', 'running')",
            )
            .bind(tenant)
            .fetch_one(db)
            .await?
        });
        Ok(count)
    }

    /// Takes one waiting job, or one whose holder has gone silent, for `holder` until `until`.
    pub(crate) async fn claim_export(
        &self,
        holder: &str,
        now: i64,
        until: i64,
    ) -> Result<Option<ExportRow>, CatalogError> {
        let waiting: Option<(String, String)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT tenant, id FROM exports WHERE state IN ('queued', 'running') AND holder_until < $1 \
                 ORDER BY created_at, id LIMIT 1",
            )
            .bind(now)
            .fetch_optional(db)
            .await?
        });
        let Some((tenant, id)) = waiting else { return Ok(None) };
        let mut tx = self.begin().await?;
        let taken = on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE exports SET state = 'running', holder = $1, holder_until = $2, started_at = $3, rows_done = 0, \
                 bytes = 0, attempts = attempts + 1 \
                 WHERE tenant = $4 AND id = $5 AND state IN ('queued', 'running') AND holder_until < $3",
            )
            .bind(holder)
            .bind(until)
            .bind(now)
            .bind(&tenant)
            .bind(&id)
            .execute(db)
            .await?
            .rows_affected()
        });
        self.commit(tx, CommitPoint::Access).await?;
        if taken == 0 {
            return Ok(None);
        }
        self.export(&tenant, &id).await
    }

    /// Notes progress and keeps the claim; `false` if the job is no longer the holder's.
    pub(crate) async fn renew_export(
        &self,
        holder: &str,
        until: i64,
        row: &ExportRow,
    ) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        let kept = on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE exports SET holder_until = $1, rows_done = $2, bytes = $3 \
                 WHERE tenant = $4 AND id = $5 AND holder = $6 AND state = 'running'",
            )
            .bind(until)
            .bind(row.rows_done)
            .bind(row.bytes)
            .bind(&row.tenant)
            .bind(&row.id)
            .bind(holder)
            .execute(db)
            .await?
            .rows_affected()
        });
        self.commit(tx, CommitPoint::Access).await?;
        Ok(kept > 0)
    }

    /// Ends a job as the row says (`ready` or `failed`); `false` if it is no longer the holder's.
    /// The intent for its file is taken back in the same transaction.
    pub(crate) async fn finish_export(&self, holder: &str, row: &ExportRow) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        if let Some(object) = &row.object {
            take_intent(&mut tx, object).await?;
        }
        let done = on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE exports SET state = $1, rows_done = $2, bytes = $3, sha256 = $4, object = $5, error = $6, \
                 finished_at = $7, expires_at = $8, holder_until = 0 \
                 WHERE tenant = $9 AND id = $10 AND holder = $11 AND state = 'running'",
            )
            .bind(&row.state)
            .bind(row.rows_done)
            .bind(row.bytes)
            .bind(&row.sha256)
            .bind(&row.object)
            .bind(&row.error)
            .bind(row.finished_at)
            .bind(row.expires_at)
            .bind(&row.tenant)
            .bind(&row.id)
            .bind(holder)
            .execute(db)
            .await?
            .rows_affected()
        });
        if done == 0 {
            return Ok(false);
        }
        self.commit(tx, CommitPoint::Access).await?;
        Ok(true)
    }

    /// Gives a claimed job back, to be taken again at once (a node that stops).
    pub(crate) async fn release_export(
        &self,
        holder: &str,
        tenant: &str,
        id: &str,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE exports SET state = 'queued', holder_until = 0, attempts = attempts - 1 \
                 WHERE tenant = $1 AND id = $2 AND holder = $3 AND state = 'running'",
            )
            .bind(tenant)
            .bind(id)
            .bind(holder)
            .execute(db)
            .await
            .map(drop)?;
        });
        self.commit(tx, CommitPoint::Access).await
    }

    /// Up to `limit` ready jobs whose file is past its time.
    pub(crate) async fn expired_exports(&self, now: i64, limit: i64) -> Result<Vec<ExportRow>, CatalogError> {
        Ok(on_read!(self, |db| {
            sqlx::query(concat!(
                "SELECT ",
                columns!(),
                " FROM exports WHERE state = 'ready' AND expires_at < $1 ORDER BY created_at LIMIT $2"
            ))
            .bind(now)
            .bind(limit)
            .fetch_all(db)
            .await?
            .into_iter()
            .map(|row| export_row!(row))
            .collect::<Result<Vec<_>, _>>()?
        }))
    }

    /// Marks a job's file as past its time; the file is collected after `delete_after`.
    pub(crate) async fn expire_export(
        &self,
        row: &ExportRow,
        delete_after: Timestamp,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        let changed = on_tx!(tx, |db| {
            sqlx::query("UPDATE exports SET state = 'expired', object = NULL WHERE tenant = $1 AND id = $2 AND state = 'ready'")
                .bind(&row.tenant)
                .bind(&row.id)
                .execute(db)
                .await?
                .rows_affected()
        });
        self.let_go(tx, row, changed, delete_after).await
    }

    /// Removes a job and its file; whoever runs it notices at its next renewal.
    pub(crate) async fn delete_export(
        &self,
        row: &ExportRow,
        delete_after: Timestamp,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        let gone = on_tx!(tx, |db| {
            sqlx::query("DELETE FROM exports WHERE tenant = $1 AND id = $2")
                .bind(&row.tenant)
                .bind(&row.id)
                .execute(db)
                .await?
                .rows_affected()
        });
        self.let_go(tx, row, gone, delete_after).await
    }

    async fn let_go(
        &self,
        mut tx: super::CatalogTx,
        row: &ExportRow,
        changed: u64,
        delete_after: Timestamp,
    ) -> Result<(), CatalogError> {
        if let (Some(object), 1) = (&row.object, changed) {
            discard(&mut tx, object, delete_after).await?;
        }
        self.commit(tx, CommitPoint::Access).await
    }
}
