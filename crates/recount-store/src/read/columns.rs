//! Decoded columns and word filters of row groups, through the caches. What several readers want
//! at the same time is read and decoded once.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use recount_event::TenantId;
use recount_segment::{ColumnId, ColumnSet, RowGroupColumns, Segment, TokenFilters};

use super::cache::{ColumnKey, looked};
use super::fault::Fault;
use super::state::ReadState;

/// Loads that are under way, so that who wants the same waits for them.
#[derive(Default)]
pub(crate) struct Loads(Mutex<HashMap<LoadKey, WeakShared<Load>>>);

type Load = BoxFuture<'static, Result<RowGroupColumns, Fault>>;
type LoadKey = (Arc<str>, usize, Range<u32>, ColumnSet);

impl ReadState {
    /// Columns of a row group that cover at least `rows`: the whole of it, or only the blocks of
    /// `rows` if those are the smaller part and the whole isn't at hand.
    pub(crate) async fn columns(
        self: &Arc<Self>,
        tenant: &TenantId,
        segment: &Segment,
        group: usize,
        wanted: ColumnSet,
        rows: Range<u32>,
    ) -> Result<RowGroupColumns, Fault> {
        let all = 0..segment.row_groups()[group].rows;
        let blocks = segment.page_aligned(group, rows);
        let (mut columns, mut missing) = self.cached(segment, group, wanted, &all);
        if !missing.is_empty() && blocks.len() <= all.len() / 2 {
            (columns, missing) = self.cached(segment, group, wanted, &blocks);
        }
        looked("columns", missing.is_empty());
        if missing.is_empty() {
            return Ok(columns);
        }
        let loaded = self.load(tenant, segment, group, missing, columns.rows()).await?;
        for id in missing.iter() {
            columns.insert(id, loaded.column(id).expect("all missing columns were loaded").clone());
        }
        Ok(columns)
    }

    /// What the cache has of the columns of exactly `rows`, and which it lacks.
    fn cached(
        &self,
        segment: &Segment,
        group: usize,
        wanted: ColumnSet,
        rows: &Range<u32>,
    ) -> (RowGroupColumns, ColumnSet) {
        let mut columns = RowGroupColumns::new(rows.clone());
        let mut missing = ColumnSet::EMPTY;
        for id in wanted.iter() {
            match self.caches().columns.get(&ColumnKey::new(segment, group, rows, id)) {
                Some(data) => columns.insert(id, data),
                None => missing = missing.with(id),
            }
        }
        (columns, missing)
    }

    /// Whether a column of a whole row group is at hand.
    pub(crate) fn has_column(&self, segment: &Segment, group: usize, id: ColumnId) -> bool {
        let all = 0..segment.row_groups()[group].rows;
        self.caches().columns.contains_key(&ColumnKey::new(segment, group, &all, id))
    }

    /// Reads and decodes columns into the cache, or waits for another reader who does.
    async fn load(
        self: &Arc<Self>,
        tenant: &TenantId,
        segment: &Segment,
        group: usize,
        wanted: ColumnSet,
        rows: Range<u32>,
    ) -> Result<RowGroupColumns, Fault> {
        let (state, tenant, source) = (self.clone(), tenant.clone(), segment.clone());
        let key = (segment.shared_name().clone(), group, rows.clone(), wanted);
        let load = async move {
            let fetched = source.fetch_columns(group, wanted, Some(rows.clone())).await?;
            let decoded = state.compute(&tenant, move || fetched.decode()).await??;
            for id in wanted.iter() {
                let data = decoded.column(id).expect("a decoded row group has the columns asked for");
                state.caches().columns.insert(ColumnKey::new(&source, group, &rows, id), data.clone());
            }
            Ok(decoded)
        };
        let load = self.loads.join(&key, load.boxed());
        let loaded = load.await;
        self.loads.end(&key);
        loaded
    }

    /// The token filters of a row group.
    pub(crate) async fn token_filters(
        &self,
        segment: &Segment,
        group: usize,
    ) -> Result<Arc<TokenFilters>, Fault> {
        let key = (segment.shared_name().clone(), group);
        let mut hit = true;
        let filters = self.caches().token_filters.try_get_with(key, async {
            hit = false;
            segment.token_filters(group).await.map(Arc::new).map_err(Fault::from)
        });
        let filters = filters.await;
        looked("token_filters", hit);
        filters.map_err(|fault| Fault::clone(&fault))
    }

    /// Whether the token filters of a row group are at hand.
    pub(crate) fn has_token_filters(&self, segment: &Segment, group: usize) -> bool {
        self.caches().token_filters.contains_key(&(segment.shared_name().clone(), group))
    }
}

impl Loads {
    /// The load of `key` that is under way, or `load` as the one that others join.
    fn join(&self, key: &LoadKey, load: Load) -> Shared<Load> {
        let mut loads = self.loads();
        if let Some(other) = loads.get(key).and_then(WeakShared::upgrade) {
            return other;
        }
        // Loads that all their readers left are forgotten whenever the map has doubled.
        if loads.len() >= 64 && loads.len().is_power_of_two() {
            loads.retain(|_, load| load.upgrade().is_some());
        }
        let load = load.shared();
        if let Some(weak) = load.downgrade() {
            loads.insert(key.clone(), weak);
        }
        load
    }

    fn end(&self, key: &LoadKey) {
        self.loads().remove(key);
    }

    fn loads(&self) -> MutexGuard<'_, HashMap<LoadKey, WeakShared<Load>>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}
