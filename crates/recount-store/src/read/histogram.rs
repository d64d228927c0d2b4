//! Counts by time and outcome.

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use jiff::tz::TimeZone;
use recount_event::{TenantId, Timestamp};
use recount_segment::count::{OutcomeCounts, histogram, histogram_columns};
use recount_segment::{ColumnSet, Line, RowGroupColumns};

use super::buckets::Buckets;
use super::counts::{Tally, count, plan_and_pin, range};
use super::error::ReadError;
use super::meter::Timed;
use super::question::Subject;
use super::state::ReadState;
use crate::{Histogram, HistogramBucket, HistogramQuery, Order};

/// One worker's counts, bucket by bucket.
struct ByTime {
    edges: Arc<Vec<Timestamp>>,
    counts: Vec<OutcomeCounts>,
}

impl Tally for ByTime {
    fn columns(&self) -> ColumnSet {
        histogram_columns()
    }

    fn count(
        &mut self,
        columns: &RowGroupColumns,
        selected: &BooleanBuffer,
        _: &[Line],
    ) -> Result<(), ReadError> {
        histogram(columns, selected, &self.edges, &mut self.counts);
        Ok(())
    }

    fn needs_lines(&self) -> bool {
        false
    }

    fn add(&mut self, other: Self) -> Result<(), ReadError> {
        for (mine, others) in self.counts.iter_mut().zip(other.counts) {
            mine.success += others.success;
            mine.failure += others.failure;
            mine.denied += others.denied;
        }
        Ok(())
    }
}

impl ReadState {
    /// See [`TenantLog::histogram`](crate::TenantLog::histogram).
    pub(crate) async fn histogram(
        self: &Arc<Self>,
        tenant: &TenantId,
        query: &HistogramQuery,
    ) -> Result<Histogram, ReadError> {
        let _timed = Timed::new("histogram");
        let _admitted = self.queries.enter(tenant).await?;
        let (plan, pin) = plan_and_pin(self, tenant, query.pin).await?;
        let zone = query.zone.clone().unwrap_or(TimeZone::UTC);
        let Some(range) = range(&plan, pin, query.from, query.to) else {
            let none = Buckets::cover(0..1, query.interval_micros, &zone)?;
            return Ok(Histogram {
                interval_micros: none.length_micros(),
                buckets: Vec::new(),
                events: 0,
                pin,
                exact: true,
                covered_from: None,
            });
        };
        let buckets = Buckets::cover(range, query.interval_micros, &zone)?;
        let interval_micros = buckets.length_micros();
        let edges = Arc::new(buckets.edges());
        let bytes_max = query.max_scan_bytes.unwrap_or(self.scan_bytes_max);
        let counted = self
            .with_plan(tenant, plan, |plan| {
                let edges = edges.clone();
                let buckets = edges.len() - 1;
                async move {
                    let subject = Subject {
                        tenant,
                        filter: &query.filter,
                        order: Order::NewestFirst,
                        from: query.from,
                        to: query.to,
                        after: None,
                        pin,
                    };
                    let tally =
                        || ByTime { edges: edges.clone(), counts: vec![OutcomeCounts::default(); buckets] };
                    count(self, &subject, &plan, bytes_max, tally).await
                }
            })
            .await?;
        let buckets: Vec<HistogramBucket> = edges
            .iter()
            .zip(counted.tally.counts)
            .map(|(start, counts)| HistogramBucket {
                start: *start,
                success: counts.success,
                failure: counts.failure,
                denied: counts.denied,
            })
            .collect();
        Ok(Histogram {
            interval_micros,
            events: buckets.iter().map(HistogramBucket::total).sum(),
            buckets,
            pin,
            exact: counted.covered_from.is_none(),
            covered_from: counted.covered_from,
        })
    }
}
