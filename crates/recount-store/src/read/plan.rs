//! Where a tenant's events are at one moment, and which of those places a question concerns.

use std::sync::Arc;

use recount_event::TenantId;
use recount_segment::Bounds;

use super::error::ReadError;
use super::fault::{Fault, Part};
use super::state::ReadState;
use crate::catalog::Catalog;
use crate::catalog::segments::SegmentMeta;
use crate::catalog::tail::{LogLayout, TailBatchMeta};

/// Small adjacent tail batches are read as one run of up to this many, so that a tail of many
/// tiny batches costs what one of few does. Runs start at fixed places, so that appends leave
/// the earlier ones, and what is cached of them, as they are.
const RUN_BATCHES: usize = 16;
/// How often one read starts anew because what it was reading has been sealed or compacted.
pub(crate) const PLANS_MAX: usize = 16;
/// A run holds at most this many events.
const RUN_EVENTS_MAX: u64 = 16_384;

/// A tenant's log at one moment: `segments` and `tail` cover `first_seq..end_seq` without gap or overlap.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    layout: Arc<LogLayout>,
}

/// Adjacent batches of the tail that are decoded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TailRun {
    pub(crate) batches: Vec<TailBatchMeta>,
}

impl TailRun {
    pub(crate) fn first_seq(&self) -> u64 {
        self.batches[0].first_seq
    }

    pub(crate) fn end_seq(&self) -> u64 {
        self.batches[self.batches.len() - 1].end_seq()
    }

    /// Earliest and latest `occurred_at`, microseconds.
    pub(crate) fn times(&self) -> (i64, i64) {
        let min = self.batches.iter().map(|batch| batch.min_occurred).min();
        let max = self.batches.iter().map(|batch| batch.max_occurred).max();
        let micros =
            |time: Option<recount_event::Timestamp>| time.expect("a run has at least one batch").as_micros();
        (micros(min), micros(max))
    }
}

impl Plan {
    /// The first event's seq; earlier ones were removed.
    pub(crate) fn first_seq(&self) -> u64 {
        self.layout.first_seq
    }

    /// The log's end: every event has a seq below it.
    pub(crate) fn end_seq(&self) -> u64 {
        self.layout.next_seq
    }

    /// All segments, in seq order.
    pub(crate) fn segments(&self) -> &[SegmentMeta] {
        &self.layout.segments
    }

    /// The segments that can hold an event within `bounds`.
    pub(crate) fn segments_within(&self, bounds: &Bounds) -> impl Iterator<Item = &SegmentMeta> {
        self.layout.segments.iter().filter(|segment| {
            bounds.overlap_ranges(
                segment.min_occurred,
                segment.max_occurred,
                segment.first_seq,
                segment.last_seq,
            )
        })
    }

    /// The runs of the tail, in seq order.
    pub(crate) fn runs(&self) -> Vec<TailRun> {
        let mut runs = Vec::new();
        for group in self.layout.tail.chunks(RUN_BATCHES) {
            let events: u64 = group.iter().map(|batch| batch.events).sum();
            // The last group grows with every append: merged only once it is complete.
            if group.len() == RUN_BATCHES && events <= RUN_EVENTS_MAX {
                runs.push(TailRun { batches: group.to_vec() });
            } else {
                runs.extend(group.iter().map(|batch| TailRun { batches: vec![batch.clone()] }));
            }
        }
        runs
    }

    /// The runs of the tail that can hold an event within `bounds`.
    pub(crate) fn runs_within(&self, bounds: &Bounds) -> Vec<TailRun> {
        let mut runs = self.runs();
        runs.retain(|run| {
            let (min, max) = run.times();
            bounds.overlap_ranges(
                recount_event::Timestamp::from_micros(min),
                recount_event::Timestamp::from_micros(max),
                run.first_seq(),
                run.end_seq() - 1,
            )
        });
        runs
    }

    /// Earliest and latest `occurred_at` of events that can have a seq below `pin`, microseconds.
    pub(crate) fn times(&self, pin: u64) -> Option<(i64, i64)> {
        let segments = self.layout.segments.iter();
        let segments = segments.map(|s| (s.first_seq, s.min_occurred, s.max_occurred));
        let tail = self.layout.tail.iter().map(|b| (b.first_seq, b.min_occurred, b.max_occurred));
        segments
            .chain(tail)
            .filter(|(first_seq, ..)| *first_seq < pin)
            .map(|(_, min, max)| (min.as_micros(), max.as_micros()))
            .reduce(|(min, max), (low, high)| (min.min(low), max.max(high)))
    }

    /// Whether the plan refers to `part`.
    pub(crate) fn refers_to(&self, part: &Part) -> bool {
        match part {
            Part::Object(name) => self.layout.segments.iter().any(|segment| segment.object == *name),
            Part::TailBatch { first_seq, events } => {
                self.layout.tail.iter().any(|batch| batch.first_seq == *first_seq && batch.events == *events)
            }
        }
    }
}

impl ReadState {
    /// Where the tenant's events are now. The log of an unknown tenant is empty.
    ///
    /// Costs one row from the catalog if only appends, or nothing, happened since the last time.
    pub(crate) async fn plan(&self, tenant: &TenantId) -> Result<Plan, Fault> {
        let Some((next_seq, version)) = self.catalog().layout_version(tenant).await? else {
            return Ok(Plan { layout: Arc::default() });
        };
        let known = self.caches().layouts.get(tenant);
        if let Some(known) = known.filter(|known| known.version == version) {
            // Another reader of this node may have been faster: its later view is as good.
            if known.next_seq >= next_seq {
                return Ok(Plan { layout: known });
            }
            if let Some(layout) = appended(self.catalog(), tenant, &known, next_seq).await? {
                return Ok(self.remember(tenant, layout));
            }
        }
        let layout = self.catalog().layout(tenant).await?.unwrap_or_default();
        Ok(self.remember(tenant, layout))
    }

    /// [`Self::plan`] at the start of a read.
    pub(crate) async fn first_plan(&self, tenant: &TenantId) -> Result<Plan, ReadError> {
        self.plan(tenant).await.map_err(|fault| match fault {
            Fault::Fatal(error) => error,
            Fault::Gone(part) => part.missing(),
        })
    }

    /// A plan that no longer has `gone` in it.
    ///
    /// # Errors
    /// `Corrupt` if the newest plan still refers to it: then it was not moved but lost.
    pub(crate) async fn plan_without(&self, tenant: &TenantId, gone: Part) -> Result<Plan, ReadError> {
        self.count_replan();
        let plan = self.first_plan(tenant).await?;
        if plan.refers_to(&gone) { Err(gone.missing()) } else { Ok(plan) }
    }

    /// Answers with `plan`, or with newer ones as long as parts go away under the reader.
    pub(crate) async fn with_plan<T, F>(
        &self,
        tenant: &TenantId,
        mut plan: Plan,
        answer: impl Fn(Plan) -> F,
    ) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        for _ in 0..PLANS_MAX {
            match answer(plan).await {
                Ok(answer) => return Ok(answer),
                Err(Fault::Fatal(error)) => return Err(error),
                Err(Fault::Gone(gone)) => plan = self.plan_without(tenant, gone).await?,
            }
        }
        Err(ReadError::Unavailable {
            what: "the log",
            cause: "it is being reorganised faster than it can be read; try again".into(),
        })
    }

    fn remember(&self, tenant: &TenantId, layout: LogLayout) -> Plan {
        let layout = Arc::new(layout);
        self.caches().layouts.insert(tenant.clone(), layout.clone());
        Plan { layout }
    }
}

/// The layout after appends that `known` has not seen; `None` if something else happened meanwhile.
async fn appended(
    catalog: &Catalog,
    tenant: &TenantId,
    known: &LogLayout,
    next_seq: u64,
) -> Result<Option<LogLayout>, Fault> {
    let new = catalog.tail_metas(tenant, known.next_seq..next_seq).await?;
    let mut end = known.next_seq;
    for batch in &new {
        if batch.first_seq != end {
            return Ok(None);
        }
        end = batch.end_seq();
    }
    // A fold between the two statements could have put later events into these rows.
    if end != next_seq {
        return Ok(None);
    }
    let mut layout = known.clone();
    layout.next_seq = end;
    layout.tail.extend(new);
    Ok(Some(layout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use recount_event::Timestamp;

    fn plan(batches: usize, events: u64) -> Plan {
        let at = Timestamp::from_micros(0);
        let tail = (0..batches as u64)
            .map(|index| TailBatchMeta {
                first_seq: index * events,
                events,
                raw_bytes: 1,
                min_occurred: at,
                max_occurred: at,
                min_received: at,
                max_received: at,
            })
            .collect();
        let layout = LogLayout { next_seq: batches as u64 * events, tail, ..LogLayout::default() };
        Plan { layout: Arc::new(layout) }
    }

    #[test]
    fn small_batches_are_read_in_runs_that_appends_leave_alone() {
        let (before, after) = (plan(250, 1).runs(), plan(255, 1).runs());
        assert_eq!(before.len(), 15 + 10);
        assert_eq!(before[..15], after[..15]);
        assert_eq!(plan(40, 5_000).runs().len(), 40, "large batches stay alone");
    }
}
