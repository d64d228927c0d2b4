//! What a read asks of every part of its plan.

use std::sync::Arc;

use recount_event::{Filter, TenantId, Timestamp};
use recount_segment::{Bounds, Predicate};

use super::error::ReadError;
use super::fault::Fault;
use super::meter::Meter;
use super::state::ReadState;
use crate::catalog::segments::SegmentMeta;
use crate::{Order, Position};

/// Everything that stays the same while one read goes on.
pub(crate) struct Question {
    pub(crate) state: Arc<ReadState>,
    pub(crate) tenant: TenantId,
    /// `None` selects every event.
    pub(crate) predicate: Option<Predicate>,
    pub(crate) bounds: Bounds,
    pub(crate) order: Order,
    pub(crate) meter: Meter,
}

/// Which events a read is about.
pub(crate) struct Subject<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) filter: &'a Filter,
    pub(crate) order: Order,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) after: Option<Position>,
    pub(crate) pin: u64,
}

impl Question {
    pub(crate) fn new(state: &Arc<ReadState>, subject: &Subject<'_>, meter: Meter) -> Self {
        let after = subject
            .after
            .map(|place| recount_segment::Position { occurred_at: place.occurred_at, seq: place.seq });
        let filter = subject.filter;
        Question {
            state: state.clone(),
            tenant: subject.tenant.clone(),
            predicate: (!filter.terms.is_empty()).then(|| Predicate::compile(filter)),
            bounds: Bounds {
                from: subject.from,
                to: subject.to,
                seq_from: None,
                seq_below: Some(subject.pin),
                older_than: after.filter(|_| subject.order == Order::NewestFirst),
                newer_than: after.filter(|_| subject.order == Order::OldestFirst),
            },
            order: subject.order,
            meter,
        }
    }

    /// Whether lines must be read to know which rows match.
    pub(crate) fn has_residual(&self) -> bool {
        self.predicate.as_ref().is_some_and(Predicate::has_residual)
    }

    /// Whether the segment certainly holds no match, because it has none of the ids asked for.
    pub(crate) async fn excludes(&self, meta: &SegmentMeta) -> Result<bool, Fault> {
        match self.predicate.as_ref().filter(|predicate| predicate.prunes_by_id()) {
            Some(predicate) => Ok(!predicate.may_match_ids(&*self.state.id_filter(meta).await?)),
            None => Ok(false),
        }
    }

    /// Does work of some milliseconds off the async threads, see [`ReadState::compute`].
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        self.state.compute(&self.tenant, work).await
    }
}
