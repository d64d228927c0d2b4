//! How much memory batches in flight may hold, so that no destination that stalls starves others.
//!
//! Nobody waits for memory: who asks gets a part of what is free, and cuts a smaller batch. So what
//! stalled streams hold shrinks the batches of the others, less with each that comes, and never
//! stops them: the first batch of a run may always be a small one. Streams whose last attempt
//! failed have a pool of their own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use recount_event::TenantId;

/// Bytes of a batch that every stream may have in flight, whatever the others hold: one event of
/// the largest size.
pub(super) const SMALL_BYTES: usize = 64 * 1024;

/// What a byte of an event costs while it is sent: itself, and what it is encoded to.
const COST: usize = 2;

/// The part of what is free that one batch can have: of a sound stream, and of one in trouble, whose
/// batch is to be tried again as large as it was.
const SOUND_SHARE: usize = 4;
const TROUBLE_SHARE: usize = 2;

/// The part of a pool that one tenant can have.
const TENANT_SHARE: usize = 2;

/// The two pools.
pub(super) struct Budget {
    sound: Arc<Pool>,
    trouble: Arc<Pool>,
}

struct Pool {
    bytes: usize,
    /// The part of what is free that one batch can have.
    share: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: usize,
    tenants: HashMap<TenantId, usize>,
}

/// Memory for one batch, given back when it is dropped.
pub(super) struct Room {
    /// Bytes of events that the batch may have.
    pub(super) bytes: usize,
    held: Option<(Arc<Pool>, TenantId, usize)>,
}

impl Budget {
    /// Two thirds of `bytes` are for sound streams, one for those in trouble.
    pub(super) fn new(bytes: usize) -> Self {
        let pool = |bytes, share| Arc::new(Pool { bytes, share, held: Mutex::default() });
        Self { sound: pool(bytes / 3 * 2, SOUND_SHARE), trouble: pool(bytes / 3, TROUBLE_SHARE) }
    }

    /// Room for a batch of up to `wanted` bytes of events; as much of it as there is.
    pub(super) fn room(&self, tenant: &TenantId, in_trouble: bool, wanted: usize) -> Room {
        let pool = if in_trouble { &self.trouble } else { &self.sound };
        pool.take(tenant, wanted)
    }
}

impl Pool {
    fn take(self: &Arc<Self>, tenant: &TenantId, wanted: usize) -> Room {
        if wanted <= SMALL_BYTES {
            return Room { bytes: wanted, held: None };
        }
        let mut held = self.lock();
        let tenants = held.tenants.get(tenant).copied().unwrap_or(0);
        let free = (self.bytes - held.all) / self.share;
        let cost = (wanted.saturating_mul(COST)).min(free).min(self.bytes / TENANT_SHARE - tenants);
        if cost / COST <= SMALL_BYTES {
            return Room { bytes: SMALL_BYTES, held: None };
        }
        held.all += cost;
        *held.tenants.entry(tenant.clone()).or_default() += cost;
        Room { bytes: cost / COST, held: Some((Arc::clone(self), tenant.clone(), cost)) }
    }

    fn give_back(&self, tenant: &TenantId, cost: usize) {
        let mut held = self.lock();
        held.all -= cost;
        if let Some(tenants) = held.tenants.get_mut(tenant) {
            *tenants -= cost;
            if *tenants == 0 {
                held.tenants.remove(tenant);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Whether nothing was left, so that there is only what every stream may have.
    pub(super) fn is_small(&self) -> bool {
        self.held.is_none()
    }

    /// Gives back what the batch came not to need.
    pub(super) fn shrink(&mut self, bytes: usize) {
        if let Some((pool, tenant, cost)) = &mut self.held {
            let needed = bytes.saturating_mul(COST).min(*cost);
            pool.give_back(tenant, *cost - needed);
            *cost = needed;
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some((pool, tenant, cost)) = &self.held {
            pool.give_back(tenant, *cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn tenant(number: usize) -> TenantId {
        format!("t{number}").parse().expect("a tenant's name")
    }

    #[test]
    fn many_that_hold_their_room_leave_some_to_whoever_comes() {
        let budget = Budget::new(384 * MIB);
        let rooms: Vec<Room> =
            (0..1_000).map(|number| budget.room(&tenant(number), false, 32 * MIB)).collect();
        assert_eq!(rooms[0].bytes, 32 * MIB, "alone, it has all that it wants");
        let taken: usize = rooms.iter().filter(|room| !room.is_small()).map(|room| room.bytes).sum();
        assert!(taken * COST <= 256 * MIB, "{taken}");
        assert!(rooms.iter().all(|room| room.bytes >= SMALL_BYTES), "nobody is left without any");
        drop(rooms);
        assert_eq!(budget.room(&tenant(0), false, 32 * MIB).bytes, 32 * MIB, "all of it came back");
    }

    #[test]
    fn one_tenant_leaves_half_of_it_to_the_others() {
        let budget = Budget::new(384 * MIB);
        let _rooms: Vec<Room> = (0..200).map(|_| budget.room(&tenant(1), false, 32 * MIB)).collect();
        assert_eq!(budget.room(&tenant(2), false, 32 * MIB).bytes, 16 * MIB);
        assert_eq!(budget.room(&tenant(3), true, 16 * MIB).bytes, 16 * MIB, "trouble has a pool of its own");
    }

    #[test]
    fn what_a_batch_came_not_to_need_is_there_for_others() {
        let budget = Budget::new(384 * MIB);
        let mut rooms: Vec<Room> = Vec::new();
        for number in 0..100 {
            let mut room = budget.room(&tenant(number), false, 32 * MIB);
            room.shrink(MIB / 4);
            rooms.push(room);
        }
        assert!(rooms.iter().all(|room| !room.is_small()));
    }
}
