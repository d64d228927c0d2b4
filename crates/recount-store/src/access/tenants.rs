//! Tenants as the vendor's side manages them, and short names for the store's parts.

use recount_event::TenantId;

use super::authenticate::AccessState;
use super::credential::Credential;
use super::error::AccessError;
use super::scope::Scope;
use crate::catalog::{Catalog, CatalogError};
use crate::objects::Objects;
use crate::{RETENTION_DAYS_MAX, Retention, Store, TenantSummary};

impl Store {
    /// Creates a tenant; says whether it was new.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without `tenants:manage`.
    pub async fn add_tenant(&self, by: &Credential, tenant: &TenantId) -> Result<bool, AccessError> {
        by.require(Scope::TenantsManage)?;
        Ok(self.create_tenant(tenant).await?)
    }

    /// Up to `limit` tenants in the order of their names, after `after`.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without `tenants:manage`.
    pub async fn list_tenants(
        &self,
        by: &Credential,
        after: Option<&TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantSummary>, AccessError> {
        by.require(Scope::TenantsManage)?;
        Ok(self.tenants(after, limit).await?)
    }

    /// One tenant: any for the vendor's side, its own for a tenant's credential.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; `Forbidden` for the vendor's side without `tenants:manage`.
    pub async fn tenant(&self, by: &Credential, tenant: &TenantId) -> Result<TenantSummary, AccessError> {
        if by.is_vendor() {
            by.require(Scope::TenantsManage)?;
        }
        let tenant = by.tenant_for(Some(tenant))?;
        let row = self.catalog().tenant(&tenant).await?;
        row.map(|row| self.summary(row)).ok_or(AccessError::NotFound)
    }

    /// Sets for how many days the tenant's events are kept; `None` for as long as the deployment keeps
    /// those of others. The record is in the tenant's log before it takes effect.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] without `tenants:manage`, `NotFound`, `Invalid` for days that are more
    /// than [`RETENTION_DAYS_MAX`] or fewer than those for which ids are recognised.
    pub async fn set_retention(
        &self,
        by: &Credential,
        tenant: &TenantId,
        days: Option<u32>,
    ) -> Result<TenantSummary, AccessError> {
        by.require(Scope::TenantsManage)?;
        let before = self.tenant(by, tenant).await?;
        let days_min = self.config().dedup_window_days;
        if let Some(days) = days.filter(|days| !(days_min..=RETENTION_DAYS_MAX).contains(days)) {
            return Err(AccessError::Invalid {
                pointer: "/retention_days",
                detail: format!(
                    "{days} days can't be kept: at least {days_min}, for which ids are recognised \
                     (dedup_window_days), and at most {RETENTION_DAYS_MAX}"
                ),
            });
        }
        let own_before = before.retention.filter(|_| before.retention_is_own).map(Retention::days);
        if days != own_before {
            self.record_retention_change(by, tenant, (own_before, days)).await?;
            self.catalog().set_retention(tenant, days).await?;
        }
        self.tenant(by, tenant).await
    }

    /// Whether the tenant exists.
    pub(super) async fn knows_tenant(&self, tenant: &TenantId) -> Result<bool, CatalogError> {
        Ok(self.catalog().tenant(tenant).await?.is_some())
    }

    /// Creates the tenant if tenants are created on first use.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] if they are not.
    pub(super) async fn ensure_tenant(&self, tenant: &TenantId) -> Result<(), AccessError> {
        if self.knows_tenant(tenant).await? {
            return Ok(());
        }
        if !self.config().create_tenants {
            return Err(AccessError::NotFound);
        }
        self.create_tenant(tenant).await?;
        Ok(())
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    pub(super) fn access(&self) -> &AccessState {
        &self.inner.access
    }

    /// A secret of the whole deployment, made by the first node that asks for it.
    ///
    /// # Errors
    /// If the catalog does not answer, or holds something else under the name.
    pub async fn deployment_secret(&self, name: &str) -> Result<[u8; 32], CatalogError> {
        let setting = format!("secret.{name}");
        let text = match self.catalog().setting(&setting).await? {
            Some(text) => text,
            None => {
                let mut fresh = [0; 32];
                self.env().entropy.fill(&mut fresh);
                self.catalog().setting_or(&setting, &hex::encode(fresh)).await?
            }
        };
        let bytes = hex::decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.ok_or_else(|| CatalogError::Corrupt {
            object: format!("setting {setting}"),
            what: "it is not 32 bytes of hex".to_owned(),
        })
    }
}
