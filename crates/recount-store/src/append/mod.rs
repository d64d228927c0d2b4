//! The way in: from a request's events to a durable commit.
//!
//! [`Queue`] takes requests and bounds what waits. The [`Committer`] is one task per node: it takes
//! everything that has arrived, as one *round*, compresses it ([`pack`]) and commits it in one
//! transaction over all tenants ([`committer`]). Duplicates are found with what is known of each tenant's ids ([`known`]) before
//! the transaction begins; the transaction checks that this knowledge was current.

mod committer;
mod known;
mod load;
mod pack;
mod plan;
mod queue;
mod reads;
mod verify;
mod work;

pub(crate) use committer::Committer;
pub(crate) use queue::Queue;

use recount_event::TenantId;

/// The right to append events: of one tenant, or of any.
#[derive(Debug, Clone)]
pub struct IngestAccess {
    tenant: Option<TenantId>,
}

impl IngestAccess {
    /// Only `access/` calls this.
    pub(crate) fn of_tenant(tenant: TenantId) -> Self {
        Self { tenant: Some(tenant) }
    }

    /// Only `access/` calls this.
    pub(crate) fn of_any_tenant() -> Self {
        Self { tenant: None }
    }

    /// The only tenant that events may belong to; `None` for any. Parsing uses it as the default.
    pub fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }
}

/// Where an accepted event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the tenant's log.
    pub seq: u64,
    /// Whether the log had it already.
    pub duplicate: bool,
}
