//! SQL of saved views.

use super::{Catalog, CatalogError, CommitPoint, on_read, on_tx};

/// One row of `saved_views`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SavedViewRow {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) shared: bool,
    pub(crate) is_default: bool,
    pub(crate) view: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

type Columns = (String, String, String, String, i64, i64, String, i64, i64);

impl From<Columns> for SavedViewRow {
    fn from(row: Columns) -> Self {
        let (tenant, id, owner, name, shared, is_default, view, created_at, updated_at) = row;
        Self {
            tenant,
            id,
            owner,
            name,
            shared: shared != 0,
            is_default: is_default != 0,
            view,
            created_at,
            updated_at,
        }
    }
}

impl Catalog {
    /// The views of a tenant that `owner` sees: its own and the shared ones, by name.
    pub(crate) async fn saved_views(
        &self,
        tenant: &str,
        owner: &str,
        limit: i64,
    ) -> Result<Vec<SavedViewRow>, CatalogError> {
        let rows: Vec<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT tenant, id, owner, name, shared, is_default, view, created_at, updated_at FROM saved_views \
                 WHERE tenant = $1 AND (owner = $2 OR shared = 1) ORDER BY name, id LIMIT $3",
            )
            .bind(tenant)
            .bind(owner)
            .bind(limit)
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// How many views a tenant has.
    pub(crate) async fn saved_views_count(&self, tenant: &str) -> Result<i64, CatalogError> {
        let (count,): (i64,) = on_read!(self, |db| {
            sqlx::query_as("SELECT COUNT(*) FROM saved_views WHERE tenant = $1")
                .bind(tenant)
                .fetch_one(db)
                .await?
        });
        Ok(count)
    }

    /// One view, whoever owns it.
    pub(crate) async fn saved_view(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<SavedViewRow>, CatalogError> {
        let row: Option<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT tenant, id, owner, name, shared, is_default, view, created_at, updated_at FROM saved_views \
                 WHERE tenant = $1 AND id = $2",
            )
            .bind(tenant)
            .bind(id)
            .fetch_optional(db)
            .await?
        });
        Ok(row.map(Into::into))
    }

    /// Stores a view, new or changed. A default takes that place from the owner's other views.
    pub(crate) async fn put_saved_view(&self, row: &SavedViewRow) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        if row.is_default {
            on_tx!(tx, |db| {
                sqlx::query("UPDATE saved_views SET is_default = 0 WHERE tenant = $1 AND owner = $2 AND is_default = 1")
                    .bind(&row.tenant)
                    .bind(&row.owner)
                    .execute(db)
                    .await
                    .map(drop)?;
            });
        }
        on_tx!(tx, |db| {
            sqlx::query(
                "INSERT INTO saved_views (tenant, id, owner, name, shared, is_default, view, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, id) DO UPDATE SET \
                 name = excluded.name, shared = excluded.shared, is_default = excluded.is_default, \
                 view = excluded.view, updated_at = excluded.updated_at",
            )
            .bind(&row.tenant)
            .bind(&row.id)
            .bind(&row.owner)
            .bind(&row.name)
            .bind(i64::from(row.shared))
            .bind(i64::from(row.is_default))
            .bind(&row.view)
            .bind(row.created_at)
            .bind(row.updated_at)
            .execute(db)
            .await
            .map(drop)?;
        });
        self.commit(tx, CommitPoint::Access).await
    }

    /// Removes a view.
    pub(crate) async fn delete_saved_view(&self, tenant: &str, id: &str) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        on_tx!(tx, |db| {
            sqlx::query("DELETE FROM saved_views WHERE tenant = $1 AND id = $2")
                .bind(tenant)
                .bind(id)
                .execute(db)
                .await
                .map(drop)?;
        });
        self.commit(tx, CommitPoint::Access).await
    }
}
