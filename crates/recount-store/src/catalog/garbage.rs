//! Objects that nothing refers to.
//!
//! A writer inserts an *intent* before it puts an object and takes it away in the transaction that
//! refers to the object. So whatever goes wrong between leaves a row here, and the collector
//! deletes the object. A collector *claims* a row before it deletes the object: from then on the
//! writer's transaction fails, so an object can't be deleted and referred to.

use recount_event::Timestamp;

use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};

impl Catalog {
    /// Says that `object` is about to be put, and garbage if not committed by `delete_after`.
    pub(crate) async fn intend_object(
        &self,
        object: &str,
        delete_after: Timestamp,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        discard(&mut tx, object, delete_after).await?;
        self.commit(tx, CommitPoint::Intent).await
    }

    /// Claims up to `limit` objects that are due for deletion and names them.
    pub(crate) async fn claim_garbage(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, CatalogError> {
        let due: Vec<(String,)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT object FROM garbage WHERE delete_after <= $1 ORDER BY delete_after LIMIT $2",
            )
            .bind(now.as_micros())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let mut claimed = Vec::with_capacity(due.len());
        for (object,) in due {
            let rows = on_tx!(tx, |db| {
                sqlx::query("UPDATE garbage SET claimed = 1 WHERE object = $1 AND delete_after <= $2")
                    .bind(object.as_str())
                    .bind(now.as_micros())
                    .execute(db)
                    .await?
                    .rows_affected()
            });
            if rows == 1 {
                claimed.push(object);
            }
        }
        self.commit(tx, CommitPoint::Garbage).await?;
        Ok(claimed)
    }

    /// Forgets objects that were deleted.
    pub(crate) async fn forget_garbage(&self, objects: &[String]) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        for object in objects {
            on_tx!(tx, |db| {
                sqlx::query("DELETE FROM garbage WHERE object = $1 AND claimed = 1")
                    .bind(object.as_str())
                    .execute(db)
                    .await?;
            });
        }
        self.commit(tx, CommitPoint::Garbage).await
    }
}

/// Marks `object` for deletion after a moment, in the transaction that stops referring to it.
pub(crate) async fn discard(
    tx: &mut CatalogTx,
    object: &str,
    delete_after: Timestamp,
) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query("INSERT INTO garbage (object, delete_after, claimed) VALUES ($1, $2, 0)")
            .bind(object)
            .bind(delete_after.as_micros())
            .execute(db)
            .await?;
    });
    Ok(())
}

/// Takes back the intent for `object` in the transaction that refers to it.
///
/// # Errors
/// [`CatalogError::Conflict`] if the collector was faster: the object may be gone.
pub(crate) async fn take_intent(tx: &mut CatalogTx, object: &str) -> Result<(), CatalogError> {
    let taken = on_tx!(*tx, |db| {
        sqlx::query("DELETE FROM garbage WHERE object = $1 AND claimed = 0")
            .bind(object)
            .execute(db)
            .await?
            .rows_affected()
    });
    if taken == 1 { Ok(()) } else { Err(CatalogError::Conflict { object: object.to_owned() }) }
}
