//! Views of the log that people keep: private to one person or key, or shared in the tenant.

use recount_event::Timestamp;
use serde_json::{Map, Value};

use super::credential::Credential;
use super::error::AccessError;
use crate::catalog::CatalogError;
use crate::catalog::saved_views::SavedViewRow;
use crate::{Store, TenantLog};

/// Views that a tenant may have.
const SAVED_VIEWS_MAX: usize = 500;

/// A view as one credential sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedView {
    /// Its id.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Whether everybody of the tenant sees it.
    pub shared: bool,
    /// Whether its owner starts with it.
    pub is_default: bool,
    /// Whether it is the looking credential's own, to change or remove.
    pub owned: bool,
    /// What the portal keeps in it.
    pub view: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a view is made or changed to.
#[derive(Debug, Clone)]
pub struct SavedViewDraft {
    /// A name for people.
    pub name: String,
    /// Whether everybody of the tenant sees it.
    pub shared: bool,
    /// Whether its owner starts with it.
    pub is_default: bool,
    /// What the portal keeps in it.
    pub view: Map<String, Value>,
}

impl Store {
    /// All views of the log's tenant that the credential sees, by name.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn saved_views(
        &self,
        log: &TenantLog,
        viewer: &Credential,
    ) -> Result<Vec<SavedView>, AccessError> {
        let limit = i64::try_from(SAVED_VIEWS_MAX).unwrap_or(i64::MAX);
        let rows = self.catalog().saved_views(log.tenant().as_ref(), &viewer.owner(), limit).await?;
        rows.into_iter().map(|row| Ok(seen_by(row, viewer)?)).collect()
    }

    /// One view.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], for another's private view too.
    pub async fn saved_view(
        &self,
        log: &TenantLog,
        viewer: &Credential,
        id: &str,
    ) -> Result<SavedView, AccessError> {
        Ok(seen_by(self.visible_view(log, viewer, id).await?, viewer)?)
    }

    /// Keeps a new view, owned by the credential's person or key.
    ///
    /// # Errors
    /// [`AccessError::TooMany`] if the tenant has no room.
    pub async fn create_saved_view(
        &self,
        log: &TenantLog,
        owner: &Credential,
        draft: SavedViewDraft,
    ) -> Result<SavedView, AccessError> {
        let count = self.catalog().saved_views_count(log.tenant().as_ref()).await?;
        if usize::try_from(count).is_ok_and(|count| count >= SAVED_VIEWS_MAX) {
            return Err(AccessError::TooMany {
                detail: format!("this tenant has {SAVED_VIEWS_MAX} saved views; remove some first"),
            });
        }
        let now = self.env().now().as_micros();
        let row = SavedViewRow {
            tenant: log.tenant().to_string(),
            id: self.env().uuid_v7().to_string(),
            owner: owner.owner(),
            name: draft.name,
            shared: draft.shared,
            is_default: draft.is_default,
            view: Value::Object(draft.view).to_string(),
            created_at: now,
            updated_at: now,
        };
        self.catalog().put_saved_view(&row).await?;
        Ok(seen_by(row, owner)?)
    }

    /// Changes a view of the credential's own.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; `WrongState` for a shared view of somebody else.
    pub async fn replace_saved_view(
        &self,
        log: &TenantLog,
        owner: &Credential,
        id: &str,
        draft: SavedViewDraft,
    ) -> Result<SavedView, AccessError> {
        let old = self.own_view(log, owner, id).await?;
        let row = SavedViewRow {
            name: draft.name,
            shared: draft.shared,
            is_default: draft.is_default,
            view: Value::Object(draft.view).to_string(),
            updated_at: self.env().now().as_micros(),
            ..old
        };
        self.catalog().put_saved_view(&row).await?;
        Ok(seen_by(row, owner)?)
    }

    /// Removes a view of the credential's own.
    ///
    /// # Errors
    /// As [`replace_saved_view`](Self::replace_saved_view).
    pub async fn delete_saved_view(
        &self,
        log: &TenantLog,
        owner: &Credential,
        id: &str,
    ) -> Result<(), AccessError> {
        let row = self.own_view(log, owner, id).await?;
        Ok(self.catalog().delete_saved_view(&row.tenant, &row.id).await?)
    }

    async fn visible_view(
        &self,
        log: &TenantLog,
        viewer: &Credential,
        id: &str,
    ) -> Result<SavedViewRow, AccessError> {
        let row = self.catalog().saved_view(log.tenant().as_ref(), id).await?;
        row.filter(|row| row.shared || row.owner == viewer.owner()).ok_or(AccessError::NotFound)
    }

    async fn own_view(
        &self,
        log: &TenantLog,
        owner: &Credential,
        id: &str,
    ) -> Result<SavedViewRow, AccessError> {
        let row = self.visible_view(log, owner, id).await?;
        if row.owner != owner.owner() {
            return Err(AccessError::WrongState {
                detail: "this view is somebody else's; save a copy of it under your own name".to_owned(),
            });
        }
        Ok(row)
    }
}

fn seen_by(row: SavedViewRow, viewer: &Credential) -> Result<SavedView, CatalogError> {
    let owned = row.owner == viewer.owner();
    let view = serde_json::from_str(&row.view).map_err(|_| CatalogError::Corrupt {
        object: format!("saved view {}", row.id),
        what: "the view is not a JSON object".to_owned(),
    })?;
    Ok(SavedView {
        owned,
        view,
        is_default: row.is_default && owned,
        id: row.id,
        name: row.name,
        shared: row.shared,
        created_at: Timestamp::from_micros(row.created_at),
        updated_at: Timestamp::from_micros(row.updated_at),
    })
}
