//! The collector: deletes objects that nothing refers to.

use metrics::counter;

use super::{WorkError, Workshop};
use crate::catalog::leases::Lease;
use crate::measure;

/// Objects claimed at once.
const CLAIM_MAX: u32 = 100;

impl Workshop {
    /// Deletes what is due. The lease only saves work: claims make it safe for two to collect.
    pub(crate) async fn collect(&self, lease: &Lease) -> Result<(), WorkError> {
        while self.env.now() < lease.expires_at && !self.cancel.is_cancelled() {
            let claimed = self.catalog.claim_garbage(self.env.now(), CLAIM_MAX).await?;
            if claimed.is_empty() {
                break;
            }
            for object in &claimed {
                self.objects.delete(object).await?;
            }
            self.catalog.forget_garbage(&claimed).await?;
            counter!(measure::GARBAGE_DELETED).increment(claimed.len() as u64);
        }
        Ok(())
    }
}
