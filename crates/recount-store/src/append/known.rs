//! What this node knows of each tenant: where its log ends and which ids it has.
//!
//! Kept between rounds within a byte budget. Other nodes append too, so what is known may be
//! behind; the transaction notices ([`crate::catalog::tenants::advance`]) and the round is planned
//! again on fresh knowledge.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use recount_event::{TenantId, Timestamp};

use crate::catalog::segments::SegmentMeta;
use crate::catalog::tenants::{TenantAdvance, TenantRow};

/// Beyond this many ids of a tenant, and twice as many as its tail had when they were loaded, they
/// are loaded anew: most of them are in a segment by then.
const IDS_RELOADED_ABOVE: usize = 400_000;
/// Memory of a tenant without ids, roughly: map entry, strings and fields.
const TENANT_BYTES: usize = 320;
/// Memory of one id in the hash table, at its usual load.
const ID_BYTES: usize = 24;
const SEGMENT_BYTES: usize = 320;

/// Ids are hashed already.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are hashed")
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub(super) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

/// What is known of one tenant.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Whether the catalog has a row for it.
    pub(super) exists: bool,
    pub(super) next_seq: u64,
    pub(super) last_received_at: Timestamp,
    /// Loaded only for tenants whose senders give ids.
    pub(super) ids: Option<Ids>,
    /// At least as much as the tail holds.
    pub(super) tail_events: u64,
    /// Appended since the maintainer was last told of this tenant.
    pub(super) unhinted: Unhinted,
    last_used: u64,
}

/// What was appended since the last hint.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unhinted {
    pub(super) batches: u64,
    pub(super) events: u64,
    pub(super) raw_bytes: u64,
}

impl Unhinted {
    pub(super) fn reaches(&self, limit: &Self) -> bool {
        self.batches >= limit.batches || self.events >= limit.events || self.raw_bytes >= limit.raw_bytes
    }
}

/// The ids of a tenant's log, within the window.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    /// Hashes of the ids of all events from some seq on, which no segment below covers.
    tail: ByHash<u64>,
    /// The few whose hash another id of `tail` has too.
    collided: Vec<(u64, u64)>,
    /// How many were loaded from the catalog.
    loaded: usize,
    /// Segments within the window when this was loaded; their filters say what may be in them.
    pub(super) segments: Vec<SegmentMeta>,
}

impl Ids {
    pub(super) fn insert(&mut self, hash: u64, seq: u64) {
        if let Some(other) = self.tail.insert(hash, seq)
            && other != seq
        {
            self.collided.push((hash, other));
        }
    }

    /// Adds a tail row's hashes.
    pub(super) fn insert_row(&mut self, first_seq: u64, hashes: &[u8]) {
        self.tail.reserve(hashes.len() / 8);
        self.loaded += hashes.len() / 8;
        for (hash, seq) in hashes.chunks_exact(8).zip(first_seq..) {
            self.insert(u64::from_le_bytes(hash.try_into().expect("eight bytes")), seq);
        }
    }

    /// Where an id with this hash may be.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = u64> + '_ {
        let first = self.tail.get(&hash).copied();
        let more = self.collided.iter().filter(move |(h, _)| first.is_some() && *h == hash);
        first.into_iter().chain(more.map(|(_, seq)| *seq))
    }

    /// Whether loading them anew would save much memory.
    pub(super) fn is_too_large(&self) -> bool {
        self.tail.len() > IDS_RELOADED_ABOVE.max(self.loaded * 2)
    }
}

impl Known {
    fn of_row(row: &TenantRow) -> Self {
        Self {
            exists: true,
            next_seq: row.next_seq,
            last_received_at: row.last_received_at,
            ids: None,
            tail_events: row.tail_events,
            unhinted: Unhinted {
                batches: row.tail_batches,
                events: row.tail_events,
                raw_bytes: row.tail_bytes,
            },
            last_used: 0,
        }
    }

    pub(super) fn of_new_tenant() -> Self {
        Self {
            exists: false,
            next_seq: 0,
            last_received_at: Timestamp::from_micros(0),
            ids: None,
            tail_events: 0,
            unhinted: Unhinted::default(),
            last_used: 0,
        }
    }

    /// Follows a commit that added events with these ids' hashes.
    pub(super) fn append(&mut self, advance: &TenantAdvance, hashes: &[u64]) {
        if let Some(ids) = &mut self.ids {
            for (hash, seq) in hashes.iter().zip(self.next_seq..) {
                ids.insert(*hash, seq);
            }
        }
        self.exists = true;
        self.next_seq = advance.next_seq;
        self.last_received_at = advance.received_at;
        self.tail_events += advance.events;
        self.unhinted.batches += 1;
        self.unhinted.events += advance.events;
        self.unhinted.raw_bytes += advance.raw_bytes;
    }

    fn bytes(&self) -> usize {
        let ids = self
            .ids
            .as_ref()
            .map_or(0, |ids| ids.tail.capacity() * ID_BYTES + ids.segments.len() * SEGMENT_BYTES);
        TENANT_BYTES + ids
    }
}

/// What is known of the tenants that were appended to lately.
pub(super) struct KnownTenants {
    tenants: HashMap<TenantId, Known>,
    bytes: usize,
    bytes_max: usize,
    round: u64,
}

impl KnownTenants {
    pub(super) fn new(bytes_max: u64) -> Self {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        Self { tenants: HashMap::new(), bytes: 0, bytes_max, round: 0 }
    }

    /// Takes out what is known of a tenant; the caller puts it back when it is current again.
    pub(super) fn take(&mut self, tenant: &TenantId) -> Option<Known> {
        let known = self.tenants.remove(tenant)?;
        self.bytes -= known.bytes();
        Some(known)
    }

    pub(super) fn put(&mut self, tenant: TenantId, mut known: Known) {
        if known.ids.as_ref().is_some_and(Ids::is_too_large) {
            return;
        }
        known.last_used = self.round;
        self.bytes += known.bytes();
        self.tenants.insert(tenant, known);
    }

    /// A round is over: forgets what was not used for longest if there is too much.
    pub(super) fn end_round(&mut self) -> usize {
        self.round += 1;
        if self.bytes > self.bytes_max {
            let mut by_age: Vec<(u64, TenantId)> =
                self.tenants.iter().map(|(tenant, known)| (known.last_used, tenant.clone())).collect();
            by_age.sort_unstable();
            // A fifth at once, so that the sorting is paid for.
            for (_, tenant) in by_age {
                if self.bytes <= self.bytes_max / 5 * 4 {
                    break;
                }
                self.take(&tenant);
            }
        }
        self.bytes
    }
}

impl From<&TenantRow> for Known {
    fn from(row: &TenantRow) -> Self {
        Self::of_row(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_the_same_hash_are_all_candidates() {
        let mut ids = Ids::default();
        ids.insert(7, 1);
        ids.insert(7, 2);
        ids.insert(8, 3);
        let mut found: Vec<u64> = ids.candidates(7).collect();
        found.sort_unstable();
        assert_eq!(found, [1, 2]);
        assert_eq!(ids.candidates(9).count(), 0);
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten_first() {
        let mut known = KnownTenants::new(10 * TENANT_BYTES as u64);
        for n in 0..20 {
            known.put(format!("t{n}").parse().expect("valid"), Known::of_new_tenant());
            known.end_round();
        }
        assert!(known.take(&"t19".parse().expect("valid")).is_some());
        assert!(known.take(&"t0".parse().expect("valid")).is_none());
        assert!(known.bytes <= known.bytes_max);
    }
}
