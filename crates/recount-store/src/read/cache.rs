//! What readers keep in memory, each kind within a budget of bytes.
//!
//! Nothing here can become stale: segments and tail batches never change, their keys are never
//! reused, and a layout is asked for again by its version.

use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use recount_event::TenantId;
use recount_segment::{ColumnData, ColumnId, EventBatch, Segment, TokenFilters};

use super::feed::Window;
use crate::StoreConfig;
use crate::catalog::tail::LogLayout;

/// Budget of the layouts of tenants that were read lately.
const LAYOUT_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Rough size of a cache's own record of an entry.
const ENTRY_BYTES: usize = 200;

/// A row group of a segment.
pub(crate) type GroupKey = (Arc<str>, usize);
/// A stretch of a tail: tenant, first seq, end seq.
pub(crate) type TailKey = (TenantId, u64, u64);

/// Rows of a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ColumnKey {
    segment: Arc<str>,
    group: usize,
    rows: Range<u32>,
    column: ColumnId,
}

impl ColumnKey {
    pub(crate) fn new(segment: &Segment, group: usize, rows: &Range<u32>, column: ColumnId) -> Self {
        ColumnKey { segment: segment.shared_name().clone(), group, rows: rows.clone(), column }
    }
}

/// The caches of one node.
pub(crate) struct Caches {
    /// Where a tenant's events were at the last look.
    pub(crate) layouts: Cache<TenantId, Arc<LogLayout>>,
    /// Word filters of row groups.
    pub(crate) token_filters: moka::future::Cache<GroupKey, Arc<TokenFilters>>,
    /// Decoded columns of row groups, whole or of some blocks.
    pub(crate) columns: Cache<ColumnKey, ColumnData>,
    /// Decoded runs of tails.
    pub(crate) tail: Cache<TailKey, Arc<EventBatch>>,
    /// Stretches of segments in seq order, for the feed. Many readers of one stretch decode it once.
    pub(crate) windows: moka::future::Cache<(Arc<str>, u64), Arc<Window>>,
}

impl Caches {
    pub(crate) fn new(config: &StoreConfig) -> Self {
        // Two sixteenths are for pages of lines; those, opened segments and id filters are in the
        // segment cache, which the writers share.
        let sixteenth = config.column_cache_bytes / 16;
        Caches {
            layouts: recent(LAYOUT_BYTES_MAX, |layout: &Arc<LogLayout>| {
                (layout.segments.len() + layout.tail.len()) * 160
            }),
            token_filters: moka::future::Cache::builder()
                .max_capacity(sixteenth * 2)
                .weigher(|_, filters: &Arc<TokenFilters>| weight(filters.heap_bytes()))
                .build(),
            columns: bounded(sixteenth * 6, ColumnData::heap_bytes),
            tail: recent(sixteenth * 4, |batch: &Arc<EventBatch>| batch.heap_bytes()),
            windows: moka::future::Cache::builder()
                .max_capacity(sixteenth * 2)
                .weigher(|_, window: &Arc<Window>| weight(window.heap_bytes()))
                .eviction_policy(EvictionPolicy::lru())
                .build(),
        }
    }
}

/// A cache that holds about `bytes_max`: what is used often stays, and passing scans don't push it out.
pub(crate) fn bounded<K, V>(
    bytes_max: u64,
    heap_bytes: impl Fn(&V) -> usize + Send + Sync + 'static,
) -> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(bytes_max).weigher(move |_, value| weight(heap_bytes(value))).build()
}

/// A cache that holds about `bytes_max`: what is new always gets in, because it is what is read next.
fn recent<K, V>(bytes_max: u64, heap_bytes: impl Fn(&V) -> usize + Send + Sync + 'static) -> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(bytes_max)
        .weigher(move |_, value| weight(heap_bytes(value)))
        .eviction_policy(EvictionPolicy::lru())
        .build()
}

fn weight(bytes: usize) -> u32 {
    u32::try_from(bytes + ENTRY_BYTES).unwrap_or(u32::MAX)
}

/// Counts a look into a cache for `/metrics`.
pub(crate) fn looked(cache: &'static str, hit: bool) {
    let result = if hit { "hit" } else { "miss" };
    metrics::counter!(crate::measure::READ_CACHE, "cache" => cache, "result" => result).increment(1);
}
