//! Leases: work that one node does at a time.
//!
//! A holder renews its lease well before it expires. Because clocks and pauses can't be trusted,
//! holding is not what protects the data: every transaction of leased work calls [`check`], which
//! compares the *epoch*, so a late holder can't commit after another has taken over.

use std::time::Duration;

use recount_event::Timestamp;

use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};

/// A lease as taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) name: String,
    pub(crate) holder: String,
    /// Goes up whenever the holder changes, and whenever a holder takes it anew.
    pub(crate) epoch: i64,
    /// By the clock of the node that took it.
    pub(crate) expires_at: Timestamp,
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    Timestamp::from_micros(
        now.as_micros().saturating_add(i64::try_from(pause.as_micros()).unwrap_or(i64::MAX)),
    )
}

impl Catalog {
    /// Takes the lease if it is free, expired, or already `holder`'s; `None` if someone else holds it.
    pub(crate) async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        length: Duration,
    ) -> Result<Option<Lease>, CatalogError> {
        let expires_at = after(now, length);
        let mut tx = self.begin().await?;
        let epoch: Option<(i64,)> = on_tx!(tx, |db| {
            sqlx::query_as(
                "INSERT INTO leases (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $3) \
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, \
                 epoch = leases.epoch + 1, expires_at = excluded.expires_at \
                 WHERE leases.expires_at <= $4 OR leases.holder = excluded.holder \
                 RETURNING epoch",
            )
            .bind(name)
            .bind(holder)
            .bind(expires_at.as_micros())
            .bind(now.as_micros())
            .fetch_optional(db)
            .await?
        });
        self.commit(tx, CommitPoint::Lease).await?;
        Ok(epoch.map(|(epoch,)| Lease {
            name: name.to_owned(),
            holder: holder.to_owned(),
            epoch,
            expires_at,
        }))
    }

    /// Prolongs leases, in one transaction; `None` for those that were lost.
    pub(crate) async fn renew_leases(
        &self,
        leases: &[Lease],
        now: Timestamp,
        length: Duration,
    ) -> Result<Vec<Option<Lease>>, CatalogError> {
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        let expires_at = after(now, length);
        let mut renewed = Vec::with_capacity(leases.len());
        let mut tx = self.begin().await?;
        for lease in leases {
            let rows = on_tx!(tx, |db| {
                sqlx::query(
                    "UPDATE leases SET expires_at = $1 WHERE name = $2 AND holder = $3 AND epoch = $4",
                )
                .bind(expires_at.as_micros())
                .bind(lease.name.as_str())
                .bind(lease.holder.as_str())
                .bind(lease.epoch)
                .execute(db)
                .await?
                .rows_affected()
            });
            renewed.push((rows == 1).then(|| Lease { expires_at, ..lease.clone() }));
        }
        self.commit(tx, CommitPoint::Lease).await?;
        Ok(renewed)
    }

    /// How many leases whose name starts with `prefix` are in force.
    pub(crate) async fn leases_in_force(&self, prefix: &str, now: Timestamp) -> Result<u64, CatalogError> {
        Ok(self.lease_names_in_force(prefix, now).await?.len() as u64)
    }

    /// Names of leases in force that start with `prefix`.
    pub(crate) async fn lease_names_in_force(
        &self,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Vec<String>, CatalogError> {
        let rows: Vec<(String,)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT name FROM leases WHERE substr(name, 1, length($1)) = $1 AND expires_at > $2",
            )
            .bind(prefix)
            .bind(now.as_micros())
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }

    /// Gives the lease back, so that another node need not wait until it expires. The epoch moves, so
    /// that what was begun under it can no longer commit.
    pub(crate) async fn release_lease(&self, lease: &Lease) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("UPDATE leases SET expires_at = 0, epoch = epoch + 1 WHERE name = $1 AND holder = $2 AND epoch = $3")
                .bind(lease.name.as_str())
                .bind(lease.holder.as_str())
                .bind(lease.epoch)
                .execute(db)
                .await?;
        });
        self.commit(tx, CommitPoint::Lease).await
    }

    /// Frees all leases, as if their holders had given them back.
    pub(super) async fn free_leases(&self) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("UPDATE leases SET expires_at = 0, epoch = epoch + 1").execute(db).await?;
        });
        self.commit(tx, CommitPoint::Lease).await
    }

    /// Forgets expired leases whose name starts with `prefix` (nodes that are gone).
    pub(crate) async fn forget_leases(&self, prefix: &str, before: Timestamp) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("DELETE FROM leases WHERE substr(name, 1, length($1)) = $1 AND expires_at < $2")
                .bind(prefix)
                .bind(before.as_micros())
                .execute(db)
                .await?;
        });
        self.commit(tx, CommitPoint::Lease).await
    }
}

/// Fails the transaction unless the lease is still the holder's. Call it first.
///
/// # Errors
/// [`CatalogError::Fenced`] if another holder took it: drop the work.
pub(crate) async fn check(tx: &mut CatalogTx, lease: &Lease) -> Result<(), CatalogError> {
    const SQLITE: &str = "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3";
    // Taking over waits for the transactions that have checked.
    const POSTGRES: &str =
        "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3 FOR SHARE";
    let sql = if matches!(tx, CatalogTx::Postgres(_)) { POSTGRES } else { SQLITE };
    let held: Option<(i64,)> = on_tx!(*tx, |db| {
        sqlx::query_as(sql)
            .bind(lease.name.as_str())
            .bind(lease.holder.as_str())
            .bind(lease.epoch)
            .fetch_optional(db)
            .await?
    });
    match held {
        Some(_) => Ok(()),
        None => Err(CatalogError::Fenced { name: lease.name.clone() }),
    }
}
