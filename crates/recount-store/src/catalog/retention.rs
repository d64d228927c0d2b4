//! How long each tenant's events are kept, and where its log begins.

use recount_event::{TenantId, Timestamp};

use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};
use crate::retention::RetentionPolicy;

impl Catalog {
    /// Tenants after `after` whose oldest event was received too many days before `midnight`.
    pub(crate) async fn tenants_to_trim(
        &self,
        policy: RetentionPolicy,
        midnight: Timestamp,
        after: &str,
        limit: u32,
    ) -> Result<Vec<TenantId>, CatalogError> {
        let rows: Vec<(String,)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT tenant FROM tenants WHERE tenant > $1 AND first_seq < next_seq \
                 AND COALESCE(retention_days, $2) IS NOT NULL \
                 AND COALESCE((SELECT min_received FROM segments WHERE segments.tenant = tenants.tenant \
                     ORDER BY segments.first_seq LIMIT 1), tail_since) \
                     < $3 - $4 * CASE WHEN COALESCE(retention_days, $2) < $5 THEN $5 \
                         ELSE COALESCE(retention_days, $2) END \
                 ORDER BY tenant LIMIT $6",
            )
            .bind(after)
            .bind(policy.default_days.map(i64::from))
            .bind(midnight.as_micros())
            .bind(Timestamp::MICROS_PER_DAY)
            .bind(i64::from(policy.days_min))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(|(name,)| super::tenants::stored_id(&name)).collect()
    }

    /// Sets for how many days the tenant's events are kept; `None` for the deployment's retention.
    /// Says whether the tenant exists.
    pub(crate) async fn set_retention(
        &self,
        tenant: &TenantId,
        days: Option<u32>,
    ) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        let rows = on_tx!(tx, |db| {
            sqlx::query("UPDATE tenants SET retention_days = $2 WHERE tenant = $1")
                .bind(tenant.as_ref())
                .bind(days.map(i64::from))
                .execute(db)
                .await?
                .rows_affected()
        });
        self.commit(tx, CommitPoint::Tenants).await?;
        Ok(rows == 1)
    }
}

/// Moves the beginning of the tenant's log, whose row must be locked, and takes the events before it off
/// the lists of dead letters: they can't be sent again.
pub(crate) async fn move_first_seq(
    tx: &mut CatalogTx,
    tenant: &TenantId,
    first_seq: u64,
) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query("UPDATE tenants SET first_seq = $2 WHERE tenant = $1")
            .bind(tenant.as_ref())
            .bind(first_seq.cast_signed())
            .execute(db)
            .await?;
    });
    // The streams' rows first, as deliveries lock them.
    for sql in [
        "UPDATE streams SET dead_letters = (SELECT COUNT(*) FROM dead_letters \
             WHERE stream = streams.id AND seq >= $2) \
         WHERE tenant = $1 AND dead_letters > 0",
        "DELETE FROM dead_letters WHERE seq < $2 AND stream IN (SELECT id FROM streams WHERE tenant = $1)",
    ] {
        on_tx!(*tx, |db| {
            sqlx::query(sql).bind(tenant.as_ref()).bind(first_seq.cast_signed()).execute(db).await?;
        });
    }
    Ok(())
}
