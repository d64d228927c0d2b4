//! Counts by the values of fields.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use recount_event::{Field, TenantId, read_fields};
use recount_segment::count::{facet, facet_columns, facet_line};
use recount_segment::{ColumnSet, Line, RowGroupColumns};

use super::counts::{Tally, count, plan_and_pin};
use super::error::ReadError;
use super::meter::Timed;
use super::question::Subject;
use super::state::ReadState;
use crate::query::{FACET_FIELDS_MAX, FACET_VALUES_DEFAULT, FACET_VALUES_MAX};
use crate::{FacetCounts, FacetValue, Facets, FacetsQuery, Order};

/// Most different values of one field that are counted.
const DISTINCT_VALUES_MAX: usize = 1_000_000;

/// One worker's counts, field by field.
struct ByValue {
    fields: Arc<[Field]>,
    counts: Vec<HashMap<Box<str>, u64>>,
    events: u64,
}

impl Tally for ByValue {
    fn columns(&self) -> ColumnSet {
        let columns = self.fields.iter().filter_map(facet_columns);
        columns.fold(ColumnSet::EMPTY, ColumnSet::union)
    }

    fn count(
        &mut self,
        columns: &RowGroupColumns,
        selected: &BooleanBuffer,
        lines: &[Line],
    ) -> Result<(), ReadError> {
        self.events += selected.count_set_bits() as u64;
        for (field, counts) in self.fields.iter().zip(&mut self.counts) {
            if facet_columns(field).is_some() {
                facet(columns, selected, field, counts);
            }
        }
        if self.needs_lines() {
            for line in lines {
                self.count_line(line)?;
            }
        }
        self.check()
    }

    fn needs_lines(&self) -> bool {
        self.fields.iter().any(|field| facet_columns(field).is_none())
    }

    fn add(&mut self, other: Self) -> Result<(), ReadError> {
        self.events += other.events;
        for (mine, others) in self.counts.iter_mut().zip(other.counts) {
            // The smaller map goes into the larger one.
            let (mut large, small) = if mine.len() < others.len() {
                (others, std::mem::take(mine))
            } else {
                (std::mem::take(mine), others)
            };
            for (value, count) in small {
                *large.entry(value).or_default() += count;
            }
            *mine = large;
        }
        self.check()
    }
}

impl ByValue {
    fn new(fields: Arc<[Field]>) -> Self {
        let counts = fields.iter().map(|_| HashMap::new()).collect();
        ByValue { fields, counts, events: 0 }
    }

    fn count_line(&mut self, line: &Line) -> Result<(), ReadError> {
        let fields = read_fields(line.as_str())
            .map_err(|error| ReadError::Corrupt { object: "an event".into(), what: error.to_string() })?;
        for (field, counts) in self.fields.iter().zip(&mut self.counts) {
            if facet_columns(field).is_none() {
                facet_line(&fields, field, counts);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ReadError> {
        match self.fields.iter().zip(&self.counts).find(|(_, counts)| counts.len() > DISTINCT_VALUES_MAX) {
            None => Ok(()),
            Some((field, _)) => Err(ReadError::TooExpensive {
                detail: format!(
                    "{field} has more than {DISTINCT_VALUES_MAX} different values among these events: \
                     give a shorter time range (from, to) or a filter that selects fewer events, \
                     or count another field"
                ),
            }),
        }
    }
}

impl ReadState {
    /// See [`TenantLog::facets`](crate::TenantLog::facets).
    pub(crate) async fn facets(
        self: &Arc<Self>,
        tenant: &TenantId,
        query: &FacetsQuery,
    ) -> Result<Facets, ReadError> {
        if query.fields.is_empty() || query.fields.len() > FACET_FIELDS_MAX {
            return Err(ReadError::Invalid {
                detail: format!("name 1 to {FACET_FIELDS_MAX} fields to count, not {}", query.fields.len()),
            });
        }
        let values_max = match query.limit {
            0 => FACET_VALUES_DEFAULT,
            limit => limit.min(FACET_VALUES_MAX),
        };
        let _timed = Timed::new("facets");
        let _admitted = self.queries.enter(tenant).await?;
        let (plan, pin) = plan_and_pin(self, tenant, query.pin).await?;
        let fields: Arc<[Field]> = query.fields.as_slice().into();
        let bytes_max = query.max_scan_bytes.unwrap_or(self.scan_bytes_max);
        let counted = self
            .with_plan(tenant, plan, |plan| {
                let fields = fields.clone();
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
                    count(self, &subject, &plan, bytes_max, || ByValue::new(fields.clone())).await
                }
            })
            .await?;
        let tally = counted.tally;
        Ok(Facets {
            fields: fields
                .iter()
                .zip(tally.counts)
                .map(|(field, counts)| most_frequent(field, counts, values_max))
                .collect(),
            events: tally.events,
            pin,
            exact: counted.covered_from.is_none(),
            covered_from: counted.covered_from,
        })
    }
}

fn most_frequent(field: &Field, counts: HashMap<Box<str>, u64>, values_max: usize) -> FacetCounts {
    let distinct = counts.len();
    let mut values: Vec<(Box<str>, u64)> = counts.into_iter().collect();
    let by_rank = |a: &(Box<str>, u64), b: &(Box<str>, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
    if values.len() > values_max {
        values.select_nth_unstable_by(values_max - 1, by_rank);
        values.truncate(values_max);
    }
    values.sort_unstable_by(by_rank);
    FacetCounts {
        field: field.clone(),
        other_values: (distinct - values.len()) as u64,
        values: values.into_iter().map(|(value, count)| FacetValue { value: value.into(), count }).collect(),
    }
}
