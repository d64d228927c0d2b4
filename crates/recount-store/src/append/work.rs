//! One round's state over its attempts, and why an attempt may have to be repeated.

use std::collections::HashMap;
use std::sync::Arc;

use recount_event::TenantId;
use recount_segment::IdFilter;
use tokio::time::Instant;

use super::Appended;
use super::known::{Known, KnownTenants};
use super::plan::{GroupPlan, Round, Suspect, Verdicts};
use super::verify::Question;
use crate::catalog::tenants::TenantRow;
use crate::catalog::{CatalogError, CatalogTx, tail};

/// Above this, work on a round is moved off the async threads (about half a millisecond).
pub(super) const INLINE_BYTES_MAX: usize = 64 * 1024;
/// The same for what is left of a round that is compressed. Moving it would take longer: under load, a thread that
/// wakes up waits some milliseconds for a processor.
const PACKED_INLINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Tenants of a round that is planned where it is: each makes a row, some allocations.
const GROUPS_INLINE_MAX: usize = 1_000;
/// Lookups in filters, at some 10 ns each.
const LOOKUPS_INLINE_MAX: usize = 64 * 1024;

/// Why an attempt at a round did not succeed.
#[derive(Debug)]
pub(super) enum Setback {
    /// Another node appended to one of the tenants.
    Moved,
    /// What is known of these groups' tenants must be loaded anew.
    Stale(Vec<usize>),
    /// The commit got no answer; this is where it would have put the events.
    Unknown(CatalogError, Vec<Vec<Option<u64>>>),
    /// Nothing was committed.
    Failed(String),
}

impl From<CatalogError> for Setback {
    fn from(error: CatalogError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Setback {
    /// For metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Stale(_) => "stale",
            Self::Unknown(..) => "unknown",
            Self::Failed(_) => "failed",
        }
    }

    /// What senders are told when it is given up.
    pub(super) fn detail(self) -> String {
        match self {
            Self::Moved | Self::Stale(_) => "other nodes append to the same tenants too fast".to_owned(),
            Self::Unknown(error, _) => format!("{error}; the events may have been stored"),
            Self::Failed(detail) => detail,
        }
    }
}

/// One round's state over its attempts; vectors are indexed by group.
pub(super) struct Work {
    pub(super) round: Arc<Round>,
    pub(super) known: Vec<Option<Known>>,
    pub(super) verdicts: Vec<Verdicts>,
    /// Whether the tenant's ids and segments were read from the catalog in this round.
    pub(super) fresh: Vec<bool>,
    /// Until when the round waits for objects.
    pub(super) deadline: Instant,
    /// Rows are locked before planning.
    pub(super) locked: bool,
    /// Assigned ids are checked too.
    pub(super) check_all: bool,
    /// Where commits of unknown outcome would have put the events; empty if there was none.
    pub(super) planned: Vec<Vec<Option<u64>>>,
}

impl Work {
    pub(super) fn new(round: Arc<Round>, known: &mut KnownTenants, deadline: Instant) -> Self {
        let known = round.groups.iter().map(|group| known.take(&group.tenant)).collect();
        let verdicts = round.groups.iter().map(|_| Verdicts::new()).collect();
        let fresh = vec![false; round.groups.len()];
        let planned = Vec::new();
        Self { round, known, verdicts, fresh, deadline, locked: false, check_all: false, planned }
    }

    /// What is asked about a group's ids.
    pub(super) fn question(&self, group: usize) -> Question<'_> {
        let known = self.known[group].as_ref().expect("loaded");
        Question { round: &self.round, group, known, fresh: self.fresh[group], deadline: self.deadline }
    }

    pub(super) fn forget(&mut self, group: usize) {
        self.known[group] = None;
        self.verdicts[group] = Verdicts::new();
    }

    pub(super) fn forget_all(&mut self) {
        (0..self.known.len()).for_each(|group| self.forget(group));
    }

    /// Whether duplicates of the group's events are possible.
    pub(super) fn is_checked(&self, group: usize) -> bool {
        self.round.groups[group].has_sender_ids || self.check_all
    }

    /// A commit got no answer: from now on every id is checked, under locks.
    pub(super) fn expect_surprise(&mut self, planned: Vec<Vec<Option<u64>>>) {
        self.locked = true;
        self.check_all = true;
        if self.planned.is_empty() {
            self.planned = planned;
        } else {
            // Several commits got no answer; any of them may have happened.
            for (old, new) in self.planned.iter_mut().flatten().zip(planned.into_iter().flatten()) {
                *old = new.or(*old);
            }
        }
        self.forget_all();
    }

    /// Events of a lost commit that had happened after all are no duplicates.
    pub(super) fn clear_surprises(&self, plans: &mut [GroupPlan]) {
        for (plan, planned) in plans.iter_mut().zip(&self.planned) {
            for (result, planned) in plan.results.iter_mut().zip(planned) {
                if let (Ok(appended), Some(seq)) = (result, planned)
                    && appended.seq == *seq
                {
                    appended.duplicate = false;
                }
            }
        }
    }

    /// Whether planning takes long: a group with duplicates is compressed anew.
    pub(super) fn is_planned_long(&self) -> bool {
        let groups = &self.round.groups;
        let is_packed = groups.len() <= GROUPS_INLINE_MAX
            && groups.iter().all(|group| group.packed.is_some() && !group.repeats)
            && self.verdicts.iter().all(Verdicts::is_empty);
        self.round.bytes > if is_packed { PACKED_INLINE_BYTES_MAX } else { INLINE_BYTES_MAX }
    }

    /// Looks for the ids of these groups in hashes and in their filters, for all at once and off the async threads
    /// when it is long.
    pub(super) async fn suspects(
        &mut self,
        groups: Vec<(usize, Vec<Arc<IdFilter>>)>,
    ) -> Vec<(usize, Vec<Suspect>)> {
        let (round, check_all) = (Arc::clone(&self.round), self.check_all);
        let lookups: usize = groups.iter().map(|(group, filters)| round.len_of(*group) * filters.len()).sum();
        let is_long =
            !groups.is_empty() && (round.bytes > PACKED_INLINE_BYTES_MAX || lookups > LOOKUPS_INLINE_MAX);
        let known = std::mem::take(&mut self.known);
        let look = move || {
            let suspects = groups
                .into_iter()
                .map(|(group, filters)| {
                    let known = known[group].as_ref().expect("loaded");
                    (group, round.suspects(group, known, &filters, check_all, 0))
                })
                .collect();
            (suspects, known)
        };
        let (suspects, known) = if is_long {
            tokio::task::spawn_blocking(look).await.expect("looking does not panic")
        } else {
            look()
        };
        self.known = known;
        suspects
    }

    /// Brings what is known to the locked rows; returns the groups that others had appended to,
    /// and from which seq on.
    pub(super) async fn catch_up(
        &mut self,
        tx: &mut CatalogTx,
        rows: &[TenantRow],
    ) -> Result<Vec<(usize, u64)>, Setback> {
        let rows: HashMap<&TenantId, &TenantRow> = rows.iter().map(|row| (&row.tenant, row)).collect();
        let (mut caught_up, mut stale) = (Vec::new(), Vec::new());
        for (group, known) in self.known.iter_mut().enumerate() {
            let tenant = &self.round.groups[group].tenant;
            let known = known.as_mut().expect("loaded");
            let Some(row) = rows.get(tenant) else { continue };
            known.exists = true;
            let from = known.next_seq;
            if from == row.next_seq {
                continue;
            }
            if let Some(ids) = &mut known.ids {
                let mut next = from;
                for (first_seq, hashes) in tail::id_hashes_since(tx, tenant, from).await? {
                    if first_seq != next {
                        break;
                    }
                    ids.insert_row(first_seq, &hashes);
                    next += hashes.len() as u64 / 8;
                }
                // Folded or sealed meanwhile: the whole tail and the segments must be looked at.
                if next != row.next_seq {
                    stale.push(group);
                    continue;
                }
            }
            known.next_seq = row.next_seq;
            known.last_received_at = row.last_received_at;
            known.tail_events = row.tail_events;
            caught_up.push((group, from));
        }
        if stale.is_empty() { Ok(caught_up) } else { Err(Setback::Stale(stale)) }
    }
}

/// Where a plan puts each new event, per group.
pub(super) fn planned_seqs(plans: &[GroupPlan]) -> Vec<Vec<Option<u64>>> {
    let new = |result: &Result<Appended, _>| match result {
        Ok(appended) if !appended.duplicate => Some(appended.seq),
        _ => None,
    };
    plans.iter().map(|plan| plan.results.iter().map(new).collect()).collect()
}
