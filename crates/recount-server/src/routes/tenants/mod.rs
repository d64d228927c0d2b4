//! Tenants, for the vendor's side; a tenant's credential sees its own.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;

use recount_store::TenantSummary;
use serde::Serialize;

/// A tenant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tenant {
    /// Its id.
    id: String,
    /// When it was created, or its first event came.
    #[schema(format = DateTime)]
    created_at: String,
    /// Events in its log; also the `seq` of the next one.
    events: u64,
    /// When its last event came; null while the log is empty.
    #[schema(format = DateTime)]
    last_received_at: Option<String>,
}

impl From<TenantSummary> for Tenant {
    fn from(summary: TenantSummary) -> Self {
        Self {
            id: summary.tenant.to_string(),
            created_at: summary.created_at.to_string(),
            events: summary.events,
            last_received_at: summary.last_received_at.map(|time| time.to_string()),
        }
    }
}
