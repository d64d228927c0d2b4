//! Whole answers of any size, as a stream at constant memory.

use std::sync::Arc;

use futures::Stream;
use recount_event::TenantId;

use super::error::ReadError;
use super::fault::Fault;
use super::meter::{Meter, Timed};
use super::plan::PLANS_MAX;
use super::question::{Question, Subject};
use super::scanner::{Purpose, Scanner};
use super::state::ReadState;
use crate::{ScanQuery, StoredEvent};

/// Events per item of the stream.
const CHUNK_EVENTS_MAX: usize = 1_024;
/// Bytes of lines per item of the stream; one event always fits.
const CHUNK_BYTES_MAX: usize = 2 * 1024 * 1024;

impl ReadState {
    /// Every event that matches, each once, in order, in chunks that are never empty.
    ///
    /// The answer is that of the moment when the stream is first polled (or of the query's pin),
    /// whatever is appended, sealed or compacted while it is read. If retention removes part of it
    /// before it is read, the stream fails. Dropping the stream ends it.
    pub(crate) fn scan(
        self: &Arc<Self>,
        tenant: &TenantId,
        query: ScanQuery,
    ) -> impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send + use<> {
        let (state, tenant) = (self.clone(), tenant.clone());
        async_stream::try_stream! {
            let _timed = Timed::new("scan");
            let _admitted = state.scans.enter(&tenant).await?;
            let mut plan = state.first_plan(&tenant).await?;
            let pin = query.pin.unwrap_or(plan.end_seq());
            let first_seq = plan.first_seq();
            let meter = Meter::new(query.max_scan_bytes.unwrap_or(u64::MAX));
            let mut after = query.after;
            let mut plans_without_progress = 0;
            loop {
                let subject = Subject {
                    tenant: &tenant,
                    filter: &query.filter,
                    order: query.order,
                    from: query.from,
                    to: query.to,
                    after,
                    pin,
                };
                let question = Arc::new(Question::new(&state, &subject, meter.clone()));
                let mut scanner = Scanner::new(question, &plan, Purpose::Stream);
                let gone = loop {
                    let (events, last, end) = chunk(&mut scanner).await;
                    if let Some(last) = last {
                        after = Some(last.position(query.order));
                        plans_without_progress = 0;
                        yield events;
                    }
                    match end {
                        End::NotYet => {}
                        End::Reached => return,
                        End::Fault(Fault::Gone(gone)) => break gone,
                        End::Fault(Fault::Fatal(error)) => Err(error)?,
                    }
                };
                plans_without_progress += 1;
                if plans_without_progress > PLANS_MAX {
                    Err(ReadError::Unavailable {
                        what: "the log",
                        cause: "it is being reorganised faster than it can be read; try again".into(),
                    })?;
                }
                plan = state.plan_without(&tenant, gone).await?;
                if plan.first_seq() > first_seq && first_seq < pin {
                    Err(ReadError::Removed { first_seq: plan.first_seq() })?;
                }
            }
        }
    }
}

/// How a chunk ended.
enum End {
    NotYet,
    Reached,
    Fault(Fault),
}

/// The next events, the place of the last of them, and whether more follow.
async fn chunk(scanner: &mut Scanner) -> (Vec<StoredEvent>, Option<super::order::Place>, End) {
    let mut events = Vec::with_capacity(CHUNK_EVENTS_MAX);
    let mut last = None;
    let mut bytes = 0;
    while events.len() < CHUNK_EVENTS_MAX && bytes < CHUNK_BYTES_MAX {
        match scanner.next().await {
            Ok(Some((_, hit))) => {
                last = Some(hit.place);
                let event = hit.into_event().expect("rows of a streaming scan carry their lines");
                bytes += event.line.len();
                events.push(event);
            }
            Ok(None) => return (events, last, End::Reached),
            Err(fault) => return (events, last, End::Fault(fault)),
        }
    }
    (events, last, End::NotYet)
}
