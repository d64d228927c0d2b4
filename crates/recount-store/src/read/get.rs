//! One event by its id.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use recount_event::{Field, Filter, Matcher, Pattern, TenantId, Term};
use recount_segment::{Line, Segment, id_hash};

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
        let term = Term {
            negated: false,
            matcher: Matcher::Field { field: Field::Id, any: vec![Pattern::Exact(id.to_owned())] },
        };
        let question = Arc::new(Question::all(self, tenant, &Filter { terms: vec![term] }));
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
    /// All events of a tenant that match, without a bound on work, for readers that know which few they want.
    pub(crate) fn all(state: &Arc<ReadState>, tenant: &TenantId, filter: &Filter) -> Self {
        let subject = Subject {
            tenant,
            filter,
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
        if let Some(event) = in_segment(question, &segment).await? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// The later of the events with this id in a segment.
async fn in_segment(question: &Question, segment: &Segment) -> Result<Option<StoredEvent>, Fault> {
    let mut latest: Option<StoredEvent> = None;
    for group in 0..segment.row_groups().len() {
        let unit = Unit::Group(segment.clone(), group);
        let Some(mut selection) = unit.select(question).await? else { continue };
        let rows = selection.take(Order::NewestFirst, usize::MAX);
        let keep = |row, line: &Line| (row, Arc::<str>::from(line.as_str()));
        let found = unit.matching_lines(question, rows, keep).await?;
        let rows: Vec<u32> = found.iter().map(|(row, _)| *row).collect();
        let stamps = unit.stamps(question, &rows).await?;
        let found = found.into_iter().zip(stamps);
        let found = found.map(|((_, line), stamp)| stamp.event(line));
        latest = latest.into_iter().chain(found).max_by_key(|event| event.seq);
    }
    Ok(latest)
}
