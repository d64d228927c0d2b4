//! One event by its id.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use recount_event::{Filter, TenantId, Timestamp};
use recount_segment::{Segment, id_hash};

use super::error::ReadError;
use super::fault::Fault;
use super::meter::{Meter, Timed};
use super::plan::Plan;
use super::question::{Question, Subject};
use super::state::ReadState;
use super::unit::Unit;
use crate::catalog::segments::SegmentMeta;
use crate::{Order, StoredEvent};

/// How many segments' id filters are asked at a time.
const FILTERS_AT_A_TIME: usize = 8;

impl ReadState {
    /// The event with this id. Should an id occur twice (its first use had left the window in
    /// which duplicates are recognised), it is the later event.
    pub(crate) async fn get(
        self: &Arc<Self>,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<StoredEvent>, ReadError> {
        let _timed = Timed::new("get");
        let _admitted = self.queries.enter(tenant).await?;
        let plan = self.first_plan(tenant).await?;
        let question = Arc::new(Question::everything(self, tenant));
        self.with_plan(tenant, plan, |plan| {
            let question = question.clone();
            async move {
                match in_tail(&question, &plan, id).await? {
                    Some(event) => Ok(Some(event)),
                    None => in_segments(&question, &plan, id).await,
                }
            }
        })
        .await
    }
}

impl Question {
    /// Any event of a tenant, for readers that know which ones they want.
    pub(crate) fn everything(state: &Arc<ReadState>, tenant: &TenantId) -> Self {
        let subject = Subject {
            tenant,
            filter: &Filter::default(),
            order: Order::OldestFirst,
            from: None,
            to: None,
            after: None,
            pin: u64::MAX,
        };
        Question::new(state, &subject, Meter::new(u64::MAX))
    }
}

async fn in_tail(question: &Question, plan: &Plan, id: &str) -> Result<Option<StoredEvent>, Fault> {
    for run in plan.runs().iter().rev() {
        let batch = question.state.tail_run(&question.tenant, run).await?;
        if let Some(row) = batch.find_id(id) {
            let (columns, row) = (batch.columns(), row as usize);
            return Ok(Some(StoredEvent {
                seq: columns.seq(row),
                received_at: columns.received_at(row),
                line: batch.line(row).as_str().into(),
            }));
        }
    }
    Ok(None)
}

async fn in_segments(question: &Arc<Question>, plan: &Plan, id: &str) -> Result<Option<StoredEvent>, Fault> {
    let hash = id_hash(id);
    let newest_first: Vec<SegmentMeta> = plan.segments().iter().rev().cloned().collect();
    let mut candidates = futures::stream::iter(newest_first)
        .map(|meta| {
            let question = question.clone();
            async move {
                let filter = question.state.id_filter(&meta).await?;
                if !filter.may_contain(hash) {
                    return Ok::<_, Fault>(None);
                }
                Ok(Some(question.state.segment(&meta).await?))
            }
        })
        .buffered(FILTERS_AT_A_TIME);
    while let Some(candidate) = candidates.try_next().await? {
        let Some(segment) = candidate else { continue };
        if let Some(event) = in_segment(question, &segment, id).await? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

async fn in_segment(question: &Question, segment: &Segment, id: &str) -> Result<Option<StoredEvent>, Fault> {
    let Some(found) = segment.find_ids(&[id]).await?.pop().flatten() else { return Ok(None) };
    let unit = Unit::Group(segment.clone(), found.address.row_group as usize);
    let keep = |_, line: &recount_segment::Line| Some(Arc::<str>::from(line.as_str()));
    let lines = unit.lines(question, vec![found.address.row], keep).await?;
    let received_at: Timestamp = found.received_at;
    Ok(lines.into_iter().next().map(|line| StoredEvent { seq: found.seq, received_at, line }))
}
