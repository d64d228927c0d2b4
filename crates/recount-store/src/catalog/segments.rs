//! Segments: which Parquet object holds which stretch of a tenant's log.

use recount_event::{TenantId, Timestamp};

use super::{Catalog, CatalogError, CatalogTx, on_read, on_tx};

/// A segment's row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SegmentMeta {
    pub(crate) first_seq: u64,
    /// Inclusive.
    pub(crate) last_seq: u64,
    /// The object's name; never used again for other bytes.
    pub(crate) object: String,
    /// The object's size.
    pub(crate) bytes: u64,
    pub(crate) min_occurred: Timestamp,
    pub(crate) max_occurred: Timestamp,
    pub(crate) min_received: Timestamp,
    pub(crate) max_received: Timestamp,
}

impl SegmentMeta {
    /// How many events it holds.
    pub(crate) fn rows(&self) -> u64 {
        self.last_seq + 1 - self.first_seq
    }
}

type Columns = (i64, i64, String, i64, i64, i64, i64, i64);
type TenantColumns = (String, i64, i64, String, i64, i64, i64, i64, i64);

fn meta(columns: Columns) -> SegmentMeta {
    SegmentMeta {
        first_seq: columns.0.cast_unsigned(),
        last_seq: columns.1.cast_unsigned(),
        object: columns.2,
        bytes: columns.3.cast_unsigned(),
        min_occurred: Timestamp::from_micros(columns.4),
        max_occurred: Timestamp::from_micros(columns.5),
        min_received: Timestamp::from_micros(columns.6),
        max_received: Timestamp::from_micros(columns.7),
    }
}

impl Catalog {
    /// The tenant's segments with events received at or after `since`, in seq order.
    pub(crate) async fn segments(
        &self,
        tenant: &TenantId,
        since: Timestamp,
    ) -> Result<Vec<SegmentMeta>, CatalogError> {
        let rows: Vec<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT first_seq, last_seq, object, bytes, min_occurred, max_occurred, \
                 min_received, max_received FROM segments \
                 WHERE tenant = $1 AND max_received >= $2 ORDER BY first_seq",
            )
            .bind(tenant.as_ref())
            .bind(since.as_micros())
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(meta).collect())
    }

    /// Those of `tenants` that have segments, with the segments received at or after `since`.
    pub(crate) async fn segments_of(
        &self,
        tenants: &[TenantId],
        since: Timestamp,
    ) -> Result<Vec<(String, SegmentMeta)>, CatalogError> {
        let mut out = Vec::new();
        for part in super::bulk::chunks(tenants) {
            let sql = super::bulk::select_in(
                self.pool().placeholders(),
                "SELECT tenant, first_seq, last_seq, object, bytes, min_occurred, max_occurred, \
                 min_received, max_received FROM segments WHERE tenant IN ",
                part.len(),
                " ORDER BY tenant, first_seq",
            );
            let rows: Vec<TenantColumns> = on_read!(self, |db| {
                let mut query = sqlx::query_as(sql);
                for tenant in part {
                    query = query.bind(tenant.as_ref());
                }
                query.fetch_all(db).await?
            });
            out.extend(
                rows.into_iter()
                    .map(|(t, a, b, c, d, e, f, g, h)| (t, meta((a, b, c, d, e, f, g, h))))
                    .filter(|(_, segment)| segment.max_received >= since),
            );
        }
        Ok(out)
    }

    /// Tenants after `after` with at least `count` segments of fewer than `rows_max` rows.
    pub(crate) async fn tenants_with_small_segments(
        &self,
        rows_max: u64,
        count: u64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<TenantId>, CatalogError> {
        let rows: Vec<(String,)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT tenant FROM segments WHERE tenant > $1 AND last_seq - first_seq + 1 < $2 \
                 GROUP BY tenant HAVING COUNT(*) >= $3 ORDER BY tenant LIMIT $4",
            )
            .bind(after)
            .bind(rows_max.cast_signed())
            .bind(count.cast_signed())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(|(name,)| super::tenants::stored_id(&name)).collect()
    }
}

/// Inserts a segment's row.
pub(crate) async fn insert(
    tx: &mut CatalogTx,
    tenant: &TenantId,
    segment: &SegmentMeta,
    now: Timestamp,
) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query(
            "INSERT INTO segments (tenant, first_seq, last_seq, object, bytes, min_occurred, \
             max_occurred, min_received, max_received, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(tenant.as_ref())
        .bind(segment.first_seq.cast_signed())
        .bind(segment.last_seq.cast_signed())
        .bind(segment.object.as_str())
        .bind(segment.bytes.cast_signed())
        .bind(segment.min_occurred.as_micros())
        .bind(segment.max_occurred.as_micros())
        .bind(segment.min_received.as_micros())
        .bind(segment.max_received.as_micros())
        .bind(now.as_micros())
        .execute(db)
        .await?;
    });
    Ok(())
}

/// Deletes the row of `segment`.
///
/// # Errors
/// [`CatalogError::Conflict`] if it is not there any more.
pub(crate) async fn delete(
    tx: &mut CatalogTx,
    tenant: &TenantId,
    segment: &SegmentMeta,
) -> Result<(), CatalogError> {
    let deleted = on_tx!(*tx, |db| {
        sqlx::query("DELETE FROM segments WHERE tenant = $1 AND first_seq = $2 AND object = $3")
            .bind(tenant.as_ref())
            .bind(segment.first_seq.cast_signed())
            .bind(segment.object.as_str())
            .execute(db)
            .await?
            .rows_affected()
    });
    if deleted == 1 { Ok(()) } else { Err(CatalogError::Conflict { object: segment.object.clone() }) }
}
