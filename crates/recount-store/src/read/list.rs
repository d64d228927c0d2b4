//! Pages in the order of time.

use std::collections::BTreeMap;
use std::sync::Arc;

use recount_event::TenantId;

use super::error::ReadError;
use super::fault::Fault;
use super::lane::Hit;
use super::meter::{Meter, Timed};
use super::plan::Plan;
use super::question::{Question, Subject};
use super::scanner::{Purpose, Scanner};
use super::state::ReadState;
use super::unit::Unit;
use crate::query::{LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX};
use crate::{ListQuery, Page, Position, StoredEvent};

impl ReadState {
    pub(crate) async fn list(
        self: &Arc<Self>,
        tenant: &TenantId,
        query: &ListQuery,
    ) -> Result<Page, ReadError> {
        let limit = match query.limit {
            0 => LIST_EVENTS_DEFAULT,
            limit => limit.min(LIST_EVENTS_MAX),
        };
        let _timed = Timed::new("list");
        let _admitted = self.queries.enter(tenant).await?;
        let plan = self.first_plan(tenant).await?;
        let pin = query.pin.unwrap_or(plan.end_seq());
        let subject = Subject {
            tenant,
            filter: &query.filter,
            order: query.order,
            from: query.from,
            to: query.to,
            after: query.after,
            pin,
        };
        let bytes_max = query.max_scan_bytes.unwrap_or(self.scan_bytes_max);
        let (events, next) = self
            .with_plan(tenant, plan, |plan| {
                // Each plan is answered from its beginning, so each has the whole allowance.
                let question = Arc::new(Question::new(self, &subject, Meter::new(bytes_max)));
                async move { page(&question, &plan, limit).await }
            })
            .await?;
        Ok(Page { events, next, pin })
    }
}

async fn page(
    question: &Arc<Question>,
    plan: &Plan,
    limit: usize,
) -> Result<(Vec<StoredEvent>, Option<Position>), Fault> {
    let mut scanner = Scanner::new(question.clone(), plan, Purpose::First(limit));
    let mut hits = Vec::new();
    while hits.len() < limit {
        match scanner.next().await? {
            Some(hit) => hits.push(hit),
            None => break,
        }
    }
    let last = hits.last().filter(|_| hits.len() == limit && scanner.may_have_more());
    let next = last.map(|(_, hit)| hit.place.position(question.order));
    let events = with_lines(question, &scanner, hits).await?;
    Ok((events, next))
}

/// Fetches the lines that the scan didn't need.
async fn with_lines(
    question: &Arc<Question>,
    scanner: &Scanner,
    mut hits: Vec<(usize, Hit)>,
) -> Result<Vec<StoredEvent>, Fault> {
    // Per lane, the rows without a line and where in the page they belong.
    let mut missing: BTreeMap<usize, Vec<(u32, usize)>> = BTreeMap::new();
    for (index, (lane, hit)) in hits.iter().enumerate() {
        if hit.line.is_none() {
            missing.entry(*lane).or_default().push((hit.row, index));
        }
    }
    let fetches = missing.into_iter().map(|(lane, mut rows)| {
        rows.sort_unstable();
        fetch(question, scanner.unit(lane), rows)
    });
    for (index, line) in futures::future::try_join_all(fetches).await?.into_iter().flatten() {
        hits[index].1.line = Some(line);
    }
    Ok(hits.into_iter().map(|(_, hit)| hit.into_event().expect("every line was fetched")).collect())
}

async fn fetch(
    question: &Question,
    unit: &Unit,
    rows: Vec<(u32, usize)>,
) -> Result<Vec<(usize, Arc<str>)>, Fault> {
    let numbers = rows.iter().map(|(row, _)| *row).collect();
    let lines = unit.lines(question, numbers, |_, line| Arc::<str>::from(line.as_str()));
    let lines = lines.await?;
    Ok(rows.into_iter().map(|(_, index)| index).zip(lines).collect())
}
