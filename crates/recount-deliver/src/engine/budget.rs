//! How much memory batches in flight may hold, so that no destination that stalls starves others.
//!
//! Streams whose last attempt failed share a pool of their own and send small batches until one
//! passes; and no tenant gets more than a quarter of a pool.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use recount_event::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Kibibytes that batches of sound streams may hold.
const SOUND_KIB: usize = 256 * 1024;

/// Kibibytes that batches of streams in trouble may hold.
const TROUBLE_KIB: usize = 64 * 1024;

/// The part of a pool that one tenant can have.
const TENANT_SHARE: usize = 4;

/// Bytes of a batch of a stream in trouble.
pub(super) const PROBE_BYTES_MAX: usize = 256 * 1024;

/// Events of a batch of a stream in trouble.
pub(super) const PROBE_EVENTS_MAX: usize = 200;

/// Bytes that an event is taken for before it is read.
const EVENT_BYTES_GUESS: u64 = 1_024;

/// The two pools.
pub(super) struct Budget {
    sound: Pool,
    trouble: Pool,
}

struct Pool {
    all: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, Weak<Semaphore>>>,
    tenant_kib: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { sound: Pool::new(SOUND_KIB), trouble: Pool::new(TROUBLE_KIB) }
    }
}

impl Budget {
    /// Waits for room for a batch of up to `bytes_max` with up to `events` events.
    pub(super) async fn room(
        &self,
        tenant: &TenantId,
        in_trouble: bool,
        bytes_max: usize,
        events: u64,
    ) -> Vec<OwnedSemaphorePermit> {
        let pool = if in_trouble { &self.trouble } else { &self.sound };
        let guess = usize::try_from(events.saturating_mul(EVENT_BYTES_GUESS)).unwrap_or(usize::MAX);
        let kib = guess.min(bytes_max).div_ceil(1_024).clamp(1, pool.tenant_kib);
        let kib = u32::try_from(kib).expect("a pool is smaller");
        let tenant = pool.tenant(tenant);
        let mut permits = Vec::with_capacity(2);
        for semaphore in [tenant, Arc::clone(&pool.all)] {
            permits.push(semaphore.acquire_many_owned(kib).await.expect("never closed"));
        }
        permits
    }
}

impl Pool {
    fn new(kib: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(kib)), tenants: Mutex::default(), tenant_kib: kib / TENANT_SHARE }
    }

    fn tenant(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tenants.get(tenant).and_then(Weak::upgrade) {
            return known;
        }
        // Permits keep a tenant's semaphore alive; those without any can go.
        if tenants.len() == tenants.capacity() {
            tenants.retain(|_, semaphore| semaphore.strong_count() > 0);
        }
        let fresh = Arc::new(Semaphore::new(self.tenant_kib));
        tenants.insert(tenant.clone(), Arc::downgrade(&fresh));
        fresh
    }
}
