//! Before planning: load what is not known of a round's tenants, and find its duplicates.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use recount_event::{TenantId, Timestamp};
use recount_segment::IdFilter;

use super::known::{Ids, Known};
use super::plan::{Verdict, Verdicts};
use super::verify::{Verifier, VerifyError};
use super::work::{Setback, Work};
use crate::catalog::Catalog;
use crate::catalog::tenants::TenantRow;
use crate::env::Env;

/// Id filters read at once: a round of many tenants must not read them one after the other.
const FILTERS_AT_ONCE: usize = 32;
/// Filters held at once for a round, besides those in the cache.
const FILTERS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Loads and checks for the committer.
pub(super) struct Loader {
    pub(super) env: Env,
    pub(super) catalog: Catalog,
    pub(super) verifier: Verifier,
    pub(super) dedup_window: Duration,
}

impl Loader {
    /// Loads what is not known of the round's tenants.
    pub(super) async fn load(&self, work: &mut Work) -> Result<(), Setback> {
        let groups = &work.round.groups;
        let missing: Vec<usize> = (0..groups.len()).filter(|group| work.known[*group].is_none()).collect();
        if !missing.is_empty() {
            let names: Vec<TenantId> = missing.iter().map(|group| groups[*group].tenant.clone()).collect();
            let rows = self.catalog.tenants_among(&names).await?;
            let rows: HashMap<&TenantId, &TenantRow> = rows.iter().map(|row| (&row.tenant, row)).collect();
            for group in missing {
                let row = rows.get(&groups[group].tenant);
                work.known[group] = Some(row.map_or_else(Known::of_new_tenant, |row| Known::from(*row)));
            }
        }
        let without_ids: Vec<usize> = (0..groups.len())
            .filter(|group| work.is_checked(*group))
            .filter(|group| work.known[*group].as_ref().is_some_and(|known| known.ids.is_none()))
            .collect();
        if !without_ids.is_empty() {
            self.load_ids(work, without_ids).await?;
        }
        Ok(())
    }

    async fn load_ids(&self, work: &mut Work, groups: Vec<usize>) -> Result<(), Setback> {
        let name = |group: &usize| work.round.groups[*group].tenant.clone();
        let exists = |group: &&usize| work.known[**group].as_ref().is_some_and(|known| known.exists);
        let names: Vec<TenantId> = groups.iter().filter(exists).map(name).collect();
        let mut ids: HashMap<String, Ids> = HashMap::new();
        // The tail first: what is sealed between the two reads is seen twice, not missed.
        for (tenant, first_seq, hashes) in self.catalog.tail_id_hashes(&names).await? {
            ids.entry(tenant).or_default().insert_row(first_seq, &hashes);
        }
        for (tenant, segment) in self.catalog.segments_of(&names, self.window_begin()).await? {
            ids.entry(tenant).or_default().segments.push(segment);
        }
        for group in groups {
            let loaded = ids.remove(work.round.groups[group].tenant.as_ref()).unwrap_or_default();
            work.known[group].as_mut().expect("loaded before").ids = Some(loaded);
            work.fresh[group] = true;
        }
        Ok(())
    }

    fn window_begin(&self) -> Timestamp {
        let window = i64::try_from(self.dedup_window.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.env.now().as_micros().saturating_sub(window))
    }

    /// Fills in the verdicts on the round's events, from scratch.
    pub(super) async fn find_duplicates(&self, work: &mut Work) -> Result<(), Setback> {
        let mut stale = Vec::new();
        self.warm_filters(work).await;
        let (mut to_look_at, mut bytes) = (Vec::new(), 0);
        for group in 0..work.round.groups.len() {
            let known = work.known[group].as_ref().expect("loaded");
            if !work.is_checked(group) || known.ids.is_none() || !known.exists {
                continue;
            }
            match self.verifier.filters(&work.question(group)).await {
                Ok(Ok(filters)) => {
                    bytes += filters.iter().map(|filter| filter.heap_bytes()).sum::<usize>();
                    to_look_at.push((group, filters));
                }
                Ok(Err(refused)) => {
                    let positions = work.round.checked_positions(group, work.check_all);
                    work.verdicts[group] =
                        positions.map(|at| (at, Verdict::Unverified(refused.clone()))).collect();
                }
                Err(VerifyError::Stale) => stale.push(group),
                Err(VerifyError::Catalog(error)) => return Err(error.into()),
            }
            if bytes > FILTERS_BYTES_MAX {
                self.look(work, std::mem::take(&mut to_look_at), &mut stale).await?;
                bytes = 0;
            }
        }
        self.look(work, to_look_at, &mut stale).await?;
        if stale.is_empty() { Ok(()) } else { Err(Setback::Stale(stale)) }
    }

    /// Fills in the verdicts on these groups' events, given their filters; adds groups to `stale`.
    async fn look(
        &self,
        work: &mut Work,
        groups: Vec<(usize, Vec<Arc<IdFilter>>)>,
        stale: &mut Vec<usize>,
    ) -> Result<(), Setback> {
        for (group, suspects) in work.suspects(groups).await {
            let mut verdicts = Verdicts::new();
            match self.verifier.verify(&work.question(group), &suspects, &mut verdicts).await {
                Ok(()) => work.verdicts[group] = verdicts,
                Err(VerifyError::Stale) => stale.push(group),
                Err(VerifyError::Catalog(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads all filters that the round needs into the cache, several at once, within its time.
    async fn warm_filters(&self, work: &Work) {
        let cache = &self.verifier.segments;
        let checked = (0..work.known.len()).filter(|group| work.is_checked(*group));
        let ids = checked.filter_map(|group| work.known[group].as_ref()?.ids.as_ref());
        let cold = ids.flat_map(|ids| &ids.segments).filter(|segment| !cache.has_id_filter(segment));
        let cold: Vec<_> = cold.cloned().collect();
        futures::stream::iter(cold)
            .for_each_concurrent(FILTERS_AT_ONCE, |segment| self.verifier.warm_filter(segment, work.deadline))
            .await;
    }
}
