//! What a tenant needs: its tail sealed or folded, its segments merged, until nothing is due.

use std::time::Duration;

use metrics::{gauge, histogram};
use recount_event::{TenantId, Timestamp};

use super::{WorkError, Workshop};
use crate::catalog::leases::Lease;
use crate::catalog::tenants::{TailDue, TenantRow};
use crate::measure;

/// Tenants read at once while scanning.
const SCAN_PAGE: u32 = 1_000;

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) tails: Vec<TenantId>,
    pub(crate) segments: Vec<TenantId>,
}

/// What tending a tail led to.
#[derive(Debug, Default)]
pub(crate) struct Tended {
    /// There are new segments.
    pub(crate) sealed: bool,
    /// It may have enough small rows to fold.
    pub(crate) is_fold_due: bool,
}

impl Workshop {
    /// Seals what is due of the tenant's tail.
    pub(crate) async fn tend_tail(&self, tenant: &TenantId, lease: &Lease) -> Result<Tended, WorkError> {
        let mut tended = Tended::default();
        loop {
            self.check_cancelled()?;
            let Some(row) = self.catalog.tenant(tenant).await? else { return Ok(tended) };
            if !self.is_seal_due(&row) {
                tended.is_fold_due = row.tail_batches >= self.seal.fold_batches;
                return Ok(tended);
            }
            if !self.seal_one(tenant, lease).await? {
                return Ok(tended);
            }
            tended.sealed = true;
        }
    }

    /// Removes what is kept no longer, and merges the tenant's segments until nothing is due.
    pub(crate) async fn tend_segments(&self, tenant: &TenantId, lease: &Lease) -> Result<(), WorkError> {
        // What keeps events from being removed must not keep segments from being merged.
        let retained = self.retain(tenant, lease).await;
        while self.compact_one(tenant, lease).await? {
            self.check_cancelled()?;
        }
        retained
    }

    pub(super) fn check_cancelled(&self) -> Result<(), WorkError> {
        if self.cancel.is_cancelled() { Err(WorkError::Cancelled) } else { Ok(()) }
    }

    fn before(&self, pause: Duration) -> Timestamp {
        let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.env.now().as_micros().saturating_sub(micros))
    }

    pub(super) fn after(&self, pause: Duration) -> Timestamp {
        let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.env.now().as_micros().saturating_add(micros))
    }

    fn is_seal_due(&self, row: &TenantRow) -> bool {
        let policy = &self.seal;
        row.tail_events >= policy.events
            || row.tail_bytes >= policy.raw_bytes
            || row.tail_batches >= policy.batches
            || (row.tail_events >= policy.worthwhile_events && row.tail_since <= self.before(policy.age))
            || (row.tail_events >= policy.events_min && row.tail_since <= self.before(policy.age_max))
    }

    /// All tenants whose tail is due, and all that have segments to merge.
    pub(crate) async fn find_due(&self) -> Result<Due, WorkError> {
        let policy = &self.seal;
        let due = TailDue {
            events: policy.events,
            raw_bytes: policy.raw_bytes,
            batches: policy.fold_batches,
            worthwhile_events: policy.worthwhile_events,
            worthwhile_since: self.before(policy.age),
            events_min: policy.events_min,
            since_max: self.before(policy.age_max),
        };
        let mut found = Vec::new();
        let mut after = String::new();
        let mut oldest: Option<Timestamp> = None;
        loop {
            self.check_cancelled()?;
            let rows = self.catalog.tenants_due(&due, &after, SCAN_PAGE).await?;
            let Some(last) = rows.last() else { break };
            last.tenant.as_ref().clone_into(&mut after);
            for row in rows {
                if self.is_seal_due(&row) {
                    oldest = Some(oldest.map_or(row.tail_since, |time| time.min(row.tail_since)));
                }
                found.push(row.tenant);
            }
        }
        gauge!(measure::SEAL_LAG_SECONDS).set(self.seconds_since(oldest));
        let oldest = self.catalog.oldest_tail(policy.events_min).await?;
        gauge!(measure::TAIL_AGE_SECONDS).set(self.seconds_since(oldest));
        Ok(Due { tails: found, segments: self.find_mergeable().await? })
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point")]
    fn seconds_since(&self, time: Option<Timestamp>) -> f64 {
        let micros = time.map_or(0, |time| (self.env.now().as_micros() - time.as_micros()).max(0));
        micros as f64 / 1e6
    }

    async fn find_mergeable(&self) -> Result<Vec<TenantId>, WorkError> {
        let mut found = Vec::new();
        let Some(rows_max) = self.compaction.tier_rows.last() else { return Ok(found) };
        let fan_in = self.compaction.fan_in as u64;
        let mut after = String::new();
        loop {
            self.check_cancelled()?;
            let page = self.catalog.tenants_with_small_segments(*rows_max, fan_in, &after, SCAN_PAGE).await?;
            let Some(last) = page.last() else { break };
            last.as_ref().clone_into(&mut after);
            found.extend(page);
        }
        #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point")]
        gauge!(measure::COMPACT_LAG_TENANTS).set(found.len() as f64);
        Ok(found)
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floating-point")]
    pub(super) fn observe_segments(&self, count: usize) {
        histogram!(measure::SEGMENTS_PER_TENANT).record(count as f64);
    }
}
