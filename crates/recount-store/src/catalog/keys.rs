//! SQL of API keys.

use super::{Catalog, CatalogError, CommitPoint, on_read, on_tx};

/// The tenant column of a key of the vendor's side.
pub(crate) const NO_TENANT: &str = "";

/// One row of `keys`, without the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
}

type Columns = (String, String, String, String, String, i64, String, Option<i64>, Option<i64>, Option<i64>);

type HashedColumns =
    (String, String, String, String, String, i64, String, Option<i64>, Option<i64>, Option<i64>, Vec<u8>);

impl From<Columns> for KeyRow {
    fn from(row: Columns) -> Self {
        let (id, tenant, kind, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at) =
            row;
        Self { id, tenant, kind, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at }
    }
}

/// A key's row with the hash of its text.
#[derive(Debug)]
pub(crate) struct HashedKeyRow {
    pub(crate) row: KeyRow,
    pub(crate) hash: Vec<u8>,
}

impl Catalog {
    /// Stores a new key.
    pub(crate) async fn insert_key(&self, row: &KeyRow, hash: &[u8]) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        insert(&mut tx, row, hash).await?;
        self.commit(tx, CommitPoint::Access).await
    }

    /// The key whose text has this hash, revoked and expired ones included.
    pub(crate) async fn key_by_hash(&self, hash: &[u8]) -> Result<Option<HashedKeyRow>, CatalogError> {
        let found: Option<HashedColumns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT id, tenant, kind, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at, hash \
                 FROM keys WHERE hash = $1",
            )
            .bind(hash)
            .fetch_optional(db)
            .await?
        });
        Ok(found.map(
            |(
                id,
                tenant,
                kind,
                name,
                scopes,
                created_at,
                created_by,
                expires_at,
                revoked_at,
                last_used_at,
                hash,
            )| {
                let columns = (
                    id,
                    tenant,
                    kind,
                    name,
                    scopes,
                    created_at,
                    created_by,
                    expires_at,
                    revoked_at,
                    last_used_at,
                );
                HashedKeyRow { row: columns.into(), hash }
            },
        ))
    }

    /// The key with this id.
    pub(crate) async fn key_by_id(&self, id: &str) -> Result<Option<KeyRow>, CatalogError> {
        let row: Option<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT id, tenant, kind, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at \
                 FROM keys WHERE id = $1",
            )
            .bind(id)
            .fetch_optional(db)
            .await?
        });
        Ok(row.map(Into::into))
    }

    /// Up to `limit` keys created before the given place, newest first; of one tenant or of all, with
    /// those that were revoked or without.
    pub(crate) async fn keys_before(
        &self,
        tenant: Option<&str>,
        before: (i64, &str),
        revoked: bool,
        limit: i64,
    ) -> Result<Vec<KeyRow>, CatalogError> {
        let rows: Vec<Columns> = match tenant {
            Some(tenant) => on_read!(self, |db| {
                sqlx::query_as(
                    "SELECT id, tenant, kind, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at \
                     FROM keys WHERE tenant = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3)) \
                     AND ($4 <> 0 OR revoked_at IS NULL) ORDER BY created_at DESC, id DESC LIMIT $5",
                )
                .bind(tenant)
                .bind(before.0)
                .bind(before.1)
                .bind(i64::from(revoked))
                .bind(limit)
                .fetch_all(db)
                .await?
            }),
            None => on_read!(self, |db| {
                sqlx::query_as(
                    "SELECT id, tenant, kind, name, scopes, created_at, created_by, expires_at, revoked_at, last_used_at \
                     FROM keys WHERE (created_at < $1 OR (created_at = $1 AND id < $2)) \
                     AND ($3 <> 0 OR revoked_at IS NULL) ORDER BY created_at DESC, id DESC LIMIT $4",
                )
                .bind(before.0)
                .bind(before.1)
                .bind(i64::from(revoked))
                .bind(limit)
                .fetch_all(db)
                .await?
            }),
        };
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Revokes a key; `false` if it was revoked before or does not exist.
    pub(crate) async fn revoke_key(&self, id: &str, now: i64) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        let changed = on_tx!(tx, |db| {
            sqlx::query("UPDATE keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
                .bind(now)
                .bind(id)
                .execute(db)
                .await?
                .rows_affected()
        });
        self.commit(tx, CommitPoint::Access).await?;
        Ok(changed > 0)
    }

    /// Notes that a key was used.
    pub(crate) async fn touch_key(&self, id: &str, now: i64) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("UPDATE keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)")
                .bind(now)
                .bind(id)
                .execute(db)
                .await
                .map(drop)?;
        });
        self.commit(tx, CommitPoint::Access).await
    }

    /// Whether some operator key could still be used.
    pub(crate) async fn has_operator_key(&self, now: i64) -> Result<bool, CatalogError> {
        let (count,): (i64,) = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT COUNT(*) FROM keys WHERE kind = 'op' AND tenant = '' AND revoked_at IS NULL \
                 AND (expires_at IS NULL OR expires_at > $1) AND scopes LIKE '%operator%'",
            )
            .bind(now)
            .fetch_one(db)
            .await?
        });
        Ok(count > 0)
    }

    /// Makes `row` the only usable key that `created_by` names, in one transaction.
    ///
    /// Nodes that start together with the same text all succeed.
    pub(crate) async fn install_key(&self, row: &KeyRow, hash: &[u8]) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE keys SET revoked_at = $1 WHERE created_by = $2 AND hash <> $3 AND revoked_at IS NULL",
            )
            .bind(row.created_at)
            .bind(&row.created_by)
            .bind(hash)
            .execute(db)
            .await
            .map(drop)?;
        });
        let known = on_tx!(tx, |db| {
            sqlx::query("UPDATE keys SET revoked_at = NULL WHERE created_by = $1 AND hash = $2")
                .bind(&row.created_by)
                .bind(hash)
                .execute(db)
                .await?
                .rows_affected()
        });
        if known == 0 {
            insert(&mut tx, row, hash).await?;
        }
        self.commit(tx, CommitPoint::Access).await
    }
}

async fn insert(tx: &mut super::CatalogTx, row: &KeyRow, hash: &[u8]) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query(
            "INSERT INTO keys (id, tenant, kind, name, hash, scopes, created_at, created_by, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(&row.id)
        .bind(&row.tenant)
        .bind(&row.kind)
        .bind(&row.name)
        .bind(hash)
        .bind(&row.scopes)
        .bind(row.created_at)
        .bind(&row.created_by)
        .bind(row.expires_at)
        .execute(db)
        .await
        .map(drop)?;
    });
    Ok(())
}
