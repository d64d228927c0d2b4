//! How many reads of one tenant may be under way at a time. What is over the limit waits in
//! a bounded queue for a bounded time, then is told to come back: a tenant that fires a
//! thousand searches slows only its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recount_event::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ReadError;

/// How long a read waits for its tenant's others to end.
const ADMISSION_WAIT_MAX: Duration = Duration::from_secs(10);
/// What a refused reader is told.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The limit on one kind of read.
pub(crate) struct Admission {
    running_max: usize,
    waiting_max: usize,
    tenants: Mutex<HashMap<TenantId, Arc<Slots>>>,
}

struct Slots {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

/// The right to read, until dropped.
pub(crate) struct Admitted {
    _running: OwnedSemaphorePermit,
}

impl Admission {
    pub(crate) fn new(running_max: usize, waiting_max: usize) -> Self {
        Admission { running_max: running_max.max(1), waiting_max, tenants: Mutex::default() }
    }

    /// Waits until the tenant may start another read.
    ///
    /// # Errors
    /// `Busy` if too many wait already or the wait took too long.
    pub(crate) async fn enter(&self, tenant: &TenantId) -> Result<Admitted, ReadError> {
        let slots = self.slots(tenant);
        if let Ok(running) = slots.running.clone().try_acquire_owned() {
            return Ok(Admitted { _running: running });
        }
        let busy = ReadError::Busy { retry_after: RETRY_AFTER };
        let Ok(_place) = slots.waiting.try_acquire() else { return Err(busy) };
        match tokio::time::timeout(ADMISSION_WAIT_MAX, slots.running.clone().acquire_owned()).await {
            Ok(Ok(running)) => Ok(Admitted { _running: running }),
            Ok(Err(_)) => Err(ReadError::Cancelled),
            Err(_) => Err(busy),
        }
    }

    fn slots(&self, tenant: &TenantId) -> Arc<Slots> {
        let mut tenants = self.tenants.lock().expect("no code panics while it holds this lock");
        if let Some(slots) = tenants.get(tenant) {
            return slots.clone();
        }
        // Tenants without a read under way are forgotten whenever the map has doubled.
        if tenants.len() >= 1024 && tenants.len().is_power_of_two() {
            tenants.retain(|_, slots| {
                Arc::strong_count(slots) > 1 || slots.running.available_permits() < self.running_max
            });
        }
        let slots = Arc::new(Slots {
            running: Arc::new(Semaphore::new(self.running_max)),
            waiting: Semaphore::new(self.waiting_max),
        });
        tenants.insert(tenant.clone(), slots.clone());
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn one_tenants_limit_does_not_bind_another() {
        let admission = Admission::new(2, 1);
        let (heavy, light): (TenantId, TenantId) =
            ("heavy".parse().expect("valid"), "light".parse().expect("valid"));
        let first = admission.enter(&heavy).await.expect("free");
        let _second = admission.enter(&heavy).await.expect("free");
        let mut third = Box::pin(admission.enter(&heavy));
        assert!((&mut third).now_or_never().is_none(), "the third waits");
        assert!(matches!(admission.enter(&heavy).await, Err(ReadError::Busy { .. })));
        assert!(admission.enter(&light).await.is_ok());
        drop(first);
        assert!(third.await.is_ok());
    }
}
