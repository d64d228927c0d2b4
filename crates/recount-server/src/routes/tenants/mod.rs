//! Tenants, for the vendor's side; a tenant's credential sees its own.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;

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
    /// Events in its log.
    events: u64,
    /// `seq` of the first of them; earlier events were removed by retention.
    first_seq: u64,
    /// `seq` of the next event.
    next_seq: u64,
    /// When its last event came; null before the first.
    #[schema(format = DateTime)]
    last_received_at: Option<String>,
    /// For how many days events are kept after they were received; null for ever.
    retention_days: Option<u32>,
    /// Who says so: `tenant` if it was set for this tenant, `deployment` if it is so for all.
    #[schema(pattern = "^(tenant|deployment)$")]
    retention_from: &'static str,
}

impl From<TenantSummary> for Tenant {
    fn from(summary: TenantSummary) -> Self {
        Self {
            id: summary.tenant.to_string(),
            created_at: summary.created_at.to_string(),
            events: summary.next_seq - summary.first_seq,
            first_seq: summary.first_seq,
            next_seq: summary.next_seq,
            last_received_at: summary.last_received_at.map(|time| time.to_string()),
            retention_days: summary.retention.map(recount_store::Retention::days),
            retention_from: if summary.retention_is_own { "tenant" } else { "deployment" },
        }
    }
}
