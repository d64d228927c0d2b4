//! Tenants: how long each log is and how much of it is still in the tail.

use recount_event::{TenantId, Timestamp};

use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};
use crate::catalog::bulk;

/// What the catalog knows of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TenantRow {
    pub(crate) tenant: TenantId,
    pub(crate) created_at: Timestamp,
    /// The first event's seq: earlier ones were removed by retention.
    pub(crate) first_seq: u64,
    /// The next event's seq, which is the number of events that there ever were.
    pub(crate) next_seq: u64,
    /// No later event gets an earlier `received_at`.
    pub(crate) last_received_at: Timestamp,
    /// Goes up when tail or segments change in another way than by an append.
    pub(crate) layout: u64,
    pub(crate) tail_batches: u64,
    pub(crate) tail_events: u64,
    pub(crate) tail_bytes: u64,
    /// `received_at` of the tail's first event; meaningless when `tail_events` is 0.
    pub(crate) tail_since: Timestamp,
    /// For how many days events are kept; `None`: as long as the deployment says.
    pub(crate) retention_days: Option<u32>,
}

/// One tenant's part of a commit: what its row goes up by.
#[derive(Debug, Clone)]
pub(crate) struct TenantAdvance {
    pub(crate) tenant: TenantId,
    pub(crate) next_seq: u64,
    pub(crate) events: u64,
    pub(crate) raw_bytes: u64,
    pub(crate) received_at: Timestamp,
}

type Columns = (String, i64, i64, i64, i64, i64, i64, i64, i64, i64, Option<i64>);

macro_rules! select_tenants {
    ($($rest:literal)*) => {
        concat!(
            "SELECT tenant, created_at, next_seq, last_received_at, layout, \
             tail_batches, tail_events, tail_bytes, tail_since, first_seq, retention_days FROM tenants ",
            $($rest),*
        )
    };
}

fn corrupt(name: &str, what: &str) -> CatalogError {
    CatalogError::Corrupt { object: format!("catalog row of tenant {name}"), what: what.to_owned() }
}

/// The tenant that a row of the catalog names.
pub(super) fn stored_id(name: &str) -> Result<TenantId, CatalogError> {
    name.parse().map_err(|_| corrupt(name, "the name is not a tenant's"))
}

fn row(columns: &Columns) -> Result<TenantRow, CatalogError> {
    let corrupt = |what: &str| corrupt(&columns.0, what);
    Ok(TenantRow {
        tenant: stored_id(&columns.0)?,
        created_at: Timestamp::from_micros(columns.1),
        first_seq: u64::try_from(columns.9).map_err(|_| corrupt("first_seq is negative"))?,
        next_seq: u64::try_from(columns.2).map_err(|_| corrupt("next_seq is negative"))?,
        last_received_at: Timestamp::from_micros(columns.3),
        layout: columns.4.max(0).cast_unsigned(),
        tail_batches: columns.5.max(0).cast_unsigned(),
        tail_events: columns.6.max(0).cast_unsigned(),
        tail_bytes: columns.7.max(0).cast_unsigned(),
        tail_since: Timestamp::from_micros(columns.8),
        retention_days: columns.10.map(|days| u32::try_from(days.max(1)).unwrap_or(u32::MAX)),
    })
}

impl Catalog {
    /// The tenant's row, if the tenant exists.
    pub(crate) async fn tenant(&self, tenant: &TenantId) -> Result<Option<TenantRow>, CatalogError> {
        let found: Option<Columns> = on_read!(self, |db| {
            sqlx::query_as(select_tenants!("WHERE tenant = $1"))
                .bind(tenant.as_ref())
                .fetch_optional(db)
                .await?
        });
        found.as_ref().map(row).transpose()
    }

    /// The rows of those of `tenants` that exist, in no particular order.
    pub(crate) async fn tenants_among(&self, tenants: &[TenantId]) -> Result<Vec<TenantRow>, CatalogError> {
        let mut rows = Vec::with_capacity(tenants.len());
        for part in bulk::chunks(tenants) {
            let sql = bulk::select_in(
                self.pool().placeholders(),
                select_tenants!("WHERE tenant IN "),
                part.len(),
                "",
            );
            let found: Vec<Columns> = on_read!(self, |db| {
                let mut query = sqlx::query_as(sql);
                for tenant in part {
                    query = query.bind(tenant.as_ref());
                }
                query.fetch_all(db).await?
            });
            for columns in &found {
                rows.push(row(columns)?);
            }
        }
        Ok(rows)
    }

    /// Up to `limit` tenants in the order of their names, after `after`.
    pub(crate) async fn tenants_page(
        &self,
        after: Option<&TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantRow>, CatalogError> {
        let found: Vec<Columns> = on_read!(self, |db| {
            sqlx::query_as(select_tenants!("WHERE tenant > $1 ORDER BY tenant LIMIT $2"))
                .bind(after.map_or("", AsRef::as_ref))
                .bind(i64::from(limit))
                .fetch_all(db)
                .await?
        });
        found.iter().map(row).collect()
    }

    /// Tenants after `after` whose tail is due: large, old enough, or in many rows.
    pub(crate) async fn tenants_due(
        &self,
        due: &TailDue,
        after: &str,
        limit: u32,
    ) -> Result<Vec<TenantRow>, CatalogError> {
        let found: Vec<Columns> = on_read!(self, |db| {
            sqlx::query_as(select_tenants!(
                "WHERE tenant > $1 AND (tail_events >= $2 OR tail_bytes >= $3 OR tail_batches >= $4 "
                "OR (tail_events >= $5 AND tail_since <= $6) OR (tail_events >= $7 AND tail_since <= $8)) "
                "ORDER BY tenant LIMIT $9"
            ))
            .bind(after)
            .bind(due.events.cast_signed())
            .bind(due.raw_bytes.cast_signed())
            .bind(due.batches.cast_signed())
            .bind(due.worthwhile_events.cast_signed())
            .bind(due.worthwhile_since.as_micros())
            .bind(due.events_min.cast_signed())
            .bind(due.since_max.as_micros())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        found.iter().map(row).collect()
    }

    /// When the oldest event came that is in a tail of at least `events_min` events.
    pub(crate) async fn oldest_tail(&self, events_min: u64) -> Result<Option<Timestamp>, CatalogError> {
        let (oldest,): (Option<i64>,) = on_read!(self, |db| {
            sqlx::query_as("SELECT MIN(tail_since) FROM tenants WHERE tail_events >= $1")
                .bind(events_min.max(1).cast_signed())
                .fetch_one(db)
                .await?
        });
        Ok(oldest.map(Timestamp::from_micros))
    }

    /// Creates the tenant; says whether it was new.
    pub(crate) async fn create_tenant(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        let created = insert_missing(&mut tx, std::slice::from_ref(tenant), now).await?;
        self.commit(tx, CommitPoint::Tenants).await?;
        Ok(created == 1)
    }
}

/// Thresholds of [`Catalog::tenants_due`].
#[derive(Debug, Clone)]
pub(crate) struct TailDue {
    pub(crate) events: u64,
    pub(crate) raw_bytes: u64,
    pub(crate) batches: u64,
    pub(crate) worthwhile_events: u64,
    pub(crate) worthwhile_since: Timestamp,
    pub(crate) events_min: u64,
    pub(crate) since_max: Timestamp,
}

/// Creates those of `tenants` (sorted) that don't exist, with empty logs; returns how many.
pub(crate) async fn insert_missing(
    tx: &mut CatalogTx,
    tenants: &[TenantId],
    now: Timestamp,
) -> Result<u64, CatalogError> {
    let mut created = 0;
    for part in bulk::chunks(tenants) {
        let sql = bulk::insert(
            tx.placeholders(),
            "INSERT INTO tenants (tenant, created_at, next_seq, last_received_at, layout, \
             tail_batches, tail_events, tail_bytes, tail_since) VALUES ",
            9,
            part.len(),
            " ON CONFLICT (tenant) DO NOTHING",
        );
        created += on_tx!(*tx, |db| {
            let mut query = sqlx::query(sql);
            for tenant in part {
                query = query.bind(tenant.as_ref()).bind(now.as_micros());
                for _ in 0..7 {
                    query = query.bind(0_i64);
                }
            }
            query.execute(db).await?.rows_affected()
        });
    }
    Ok(created)
}

/// Locks the rows of `tenants` (sorted, so that two nodes can't deadlock) and reads them.
///
/// After a commit without an answer this waits until the database has decided about it.
pub(crate) async fn lock(tx: &mut CatalogTx, tenants: &[TenantId]) -> Result<Vec<TenantRow>, CatalogError> {
    let lock_clause = match tx {
        CatalogTx::Sqlite(_) => " ORDER BY tenant",
        CatalogTx::Postgres(_) => " ORDER BY tenant FOR UPDATE",
    };
    let mut rows = Vec::with_capacity(tenants.len());
    for part in bulk::chunks(tenants) {
        let sql =
            bulk::select_in(tx.placeholders(), select_tenants!("WHERE tenant IN "), part.len(), lock_clause);
        let found: Vec<Columns> = on_tx!(*tx, |db| {
            let mut query = sqlx::query_as(sql);
            for tenant in part {
                query = query.bind(tenant.as_ref());
            }
            query.fetch_all(db).await?
        });
        for columns in &found {
            rows.push(row(columns)?);
        }
    }
    Ok(rows)
}

/// Locks the rows of tenants (sorted) until the transaction ends. SQLite's only writer holds all rows anyway.
pub(crate) async fn hold(tx: &mut CatalogTx, tenants: &[TenantId]) -> Result<(), CatalogError> {
    if matches!(tx, CatalogTx::Postgres(_)) {
        lock(tx, tenants).await?;
    }
    Ok(())
}

/// Moves each tenant (sorted) on, creating those that don't exist; locks their rows.
///
/// Returns how many were where the caller believed them to be. If that is fewer than
/// `advances.len()`, another node was faster: roll back.
pub(crate) async fn advance(tx: &mut CatalogTx, advances: &[TenantAdvance]) -> Result<u64, CatalogError> {
    let mut moved = 0;
    for part in bulk::chunks(advances) {
        // excluded.next_seq - excluded.tail_events is where the caller believes the log to end.
        let sql = bulk::insert(
            tx.placeholders(),
            "INSERT INTO tenants (tenant, created_at, next_seq, last_received_at, layout, \
             tail_batches, tail_events, tail_bytes, tail_since) VALUES ",
            9,
            part.len(),
            " ON CONFLICT (tenant) DO UPDATE SET next_seq = excluded.next_seq, \
             last_received_at = excluded.last_received_at, \
             tail_batches = tenants.tail_batches + 1, \
             tail_events = tenants.tail_events + excluded.tail_events, \
             tail_bytes = tenants.tail_bytes + excluded.tail_bytes, \
             tail_since = CASE WHEN tenants.tail_events = 0 THEN excluded.tail_since \
                               ELSE tenants.tail_since END \
             WHERE tenants.next_seq = excluded.next_seq - excluded.tail_events",
        );
        moved += on_tx!(*tx, |db| {
            let mut query = sqlx::query(sql);
            for advance in part {
                let received_at = advance.received_at.as_micros();
                query = query
                    .bind(advance.tenant.as_ref())
                    .bind(received_at)
                    .bind(advance.next_seq.cast_signed())
                    .bind(received_at)
                    .bind(0_i64)
                    .bind(1_i64)
                    .bind(advance.events.cast_signed())
                    .bind(advance.raw_bytes.cast_signed())
                    .bind(received_at);
            }
            query.execute(db).await?.rows_affected()
        });
    }
    Ok(moved)
}

/// After rows left the tail (and perhaps others replaced them): counts anew and marks the change.
///
/// The tenant's row must be locked.
pub(crate) async fn tail_changed(
    tx: &mut CatalogTx,
    tenant: &TenantId,
    batches: i64,
    events: i64,
    raw_bytes: i64,
) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query(
            "UPDATE tenants SET layout = layout + 1, tail_batches = tail_batches + $2, \
             tail_events = tail_events + $3, tail_bytes = tail_bytes + $4, \
             tail_since = COALESCE((SELECT min_received FROM tail_batches \
                 WHERE tenant = $1 ORDER BY first_seq LIMIT 1), 0) \
             WHERE tenant = $1",
        )
        .bind(tenant.as_ref())
        .bind(batches)
        .bind(events)
        .bind(raw_bytes)
        .execute(db)
        .await?;
    });
    Ok(())
}
