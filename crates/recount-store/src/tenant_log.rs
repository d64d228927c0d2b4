//! [`TenantLog`]: the only way to a tenant's data. `read/` adds the reading methods.

use recount_event::TenantId;
use tokio::sync::watch;

use crate::ReadError;
use crate::append::IngestAccess;
use crate::error::{AppendError, EventRefused};
use crate::own_event::{OwnEvent, once_id};
use crate::retention::Retention;
use crate::store::Store;

/// The deployment's secret behind the ids of events that are recorded once.
const ONCE_SECRET: &str = "own-events";

/// Where a log begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogExtent {
    /// The first event's `seq`; earlier ones were removed by retention.
    pub first_seq: u64,
    /// The next event's `seq`.
    pub next_seq: u64,
    /// How long events are kept; `None` for ever.
    pub retention: Option<Retention>,
}

/// One tenant's log, as a credential opened it. Cheap to clone.
///
/// There is no other way to a tenant's events, and none to several tenants' at once.
#[derive(Clone)]
pub struct TenantLog {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
}

impl TenantLog {
    /// Only `access/` (from a credential) and `streams/` (from a stream's lease) call this.
    pub(crate) fn new(store: Store, tenant: TenantId) -> Self {
        Self { store, tenant }
    }

    /// The tenant whose log this is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The next event's `seq`; 0 for an unknown tenant.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] if the catalog does not answer.
    pub async fn head(&self) -> Result<u64, ReadError> {
        let version = self.store.inner.catalog.layout_version(&self.tenant).await?;
        let head = version.map_or(0, |(next_seq, _)| next_seq);
        self.store.inner.heads.announce([(&self.tenant, head)]);
        Ok(head)
    }

    /// Where the log begins and ends, and how long it keeps events.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] if the catalog does not answer.
    pub async fn extent(&self) -> Result<LogExtent, ReadError> {
        let row = self.store.inner.catalog.tenant(&self.tenant).await?;
        let own_days = row.as_ref().and_then(|row| row.retention_days);
        let retention = self.store.inner.config.retention().of_tenant(own_days);
        let (first_seq, next_seq) = row.map_or((0, 0), |row| (row.first_seq, row.next_seq));
        Ok(LogExtent { first_seq, next_seq, retention })
    }

    /// Changes to the next `seq` when events are appended, by this node at once, by others within
    /// some 200 ms. Its first value may be behind: subscribe, then call [`head`](Self::head), then wait.
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.store.inner.heads.watch(&self.tenant)
    }

    /// Writes an event of Recount's own to the log. Durable when it returns.
    ///
    /// # Errors
    /// As [`Store::append`]; repeating it with a `once_key` is safe.
    pub async fn record(&self, own: OwnEvent) -> Result<(), AppendError> {
        let id = match &own.once_key {
            Some(key) => {
                let secret = self.store.deployment_secret(ONCE_SECRET).await?;
                Some(once_id(&secret, &self.tenant, &own.action, key))
            }
            None => None,
        };
        let mut refused = self.append_own(&own, id.as_deref()).await?;
        // Recorded twice is better than not at all, which is what damage would lead to.
        if matches!(refused, Some(EventRefused::Unverified { .. } | EventRefused::Damaged { .. })) {
            refused = self.append_own(&own, None).await?;
        }
        refused.map_or(Ok(()), |refused| Err(AppendError::Unavailable { detail: refused.to_string() }))
    }

    async fn append_own(
        &self,
        own: &OwnEvent,
        id: Option<&str>,
    ) -> Result<Option<EventRefused>, AppendError> {
        let event = own.to_event(&self.tenant, &self.store.inner.env, id).map_err(|error| {
            AppendError::Unavailable {
                detail: format!("own event {} is malformed: {}", own.action, error.detail),
            }
        })?;
        let access = IngestAccess::of_tenant(self.tenant.clone());
        let results = self.store.append(&access, vec![event]).await?;
        Ok(results.into_iter().find_map(Result::err))
    }
}

impl std::fmt::Debug for TenantLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TenantLog").field("tenant", &self.tenant.as_ref()).finish_non_exhaustive()
    }
}
