//! Counting selected rows: facets by value and histograms by time and outcome.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow_buffer::BooleanBuffer;
use recount_event::{Field, Fields, Outcome, Timestamp, field_values, tag_value};

use crate::column::{ColumnId, ColumnSet};
use crate::columns::RowGroupColumns;
use crate::dictionary::{DictColumn, DictIds};
use crate::joined;
use crate::predicate::column_of;

/// Counts by outcome: success, failure, denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeCounts {
    /// Events with outcome `success`.
    pub success: u64,
    /// Events with outcome `failure`.
    pub failure: u64,
    /// Events with outcome `denied`.
    pub denied: u64,
}

impl OutcomeCounts {
    fn of(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Success => &mut self.success,
            Outcome::Failure => &mut self.failure,
            Outcome::Denied => &mut self.denied,
        }
    }

    /// Events with any outcome.
    pub fn total(&self) -> u64 {
        self.success + self.failure + self.denied
    }
}

/// The columns that [`histogram`] needs.
pub fn histogram_columns() -> ColumnSet {
    ColumnSet::EMPTY.with(ColumnId::OccurredAt).with(ColumnId::Outcome)
}

/// Adds the selected rows to `counts`, one entry per interval between neighbouring `edges`.
///
/// `edges` ascend; interval `i` is `edges[i] .. edges[i + 1]`, so `counts` has one entry fewer. Rows outside are not counted.
///
/// # Panics
/// If a column of [`histogram_columns`] isn't loaded.
pub fn histogram(
    columns: &RowGroupColumns,
    selected: &BooleanBuffer,
    edges: &[Timestamp],
    counts: &mut [OutcomeCounts],
) {
    let times = columns.ints(ColumnId::OccurredAt);
    let outcomes = columns.dict(ColumnId::Outcome);
    let known: Vec<Outcome> = std::iter::once("success")
        .chain(outcomes.values().iter())
        .map(|value| value.parse().unwrap_or(Outcome::Success))
        .collect();
    // Rows are sorted by time, so an interval is a run of rows.
    let first_before = |edge: &Timestamp| times.partition_point(|time| *time >= edge.as_micros());
    for (interval, count) in edges.windows(2).zip(counts) {
        let (start, end) = (first_before(&interval[1]), first_before(&interval[0]));
        if start >= end {
            continue;
        }
        let by_id = count_ids(outcomes.ids(), known.len(), &selected.slice(start, end - start), start);
        for (outcome, rows) in known.iter().zip(by_id) {
            *count.of(*outcome) += rows;
        }
    }
}

/// The columns that [`facet`] needs for `field`, or `None` if its values are only in the lines ([`facet_line`]).
pub fn facet_columns(field: &Field) -> Option<ColumnSet> {
    column_of(field).map(|column| ColumnSet::EMPTY.with(column))
}

/// Adds the selected rows to `counts`, by the field's value. An event with several values (targets) counts once for
/// each distinct one. Actors and targets count as `type/id`.
///
/// # Panics
/// If `field` has no columns ([`facet_columns`] is `None`) or they aren't loaded.
pub fn facet(
    columns: &RowGroupColumns,
    selected: &BooleanBuffer,
    field: &Field,
    counts: &mut HashMap<Box<str>, u64>,
) {
    let column = column_of(field).expect("facet_columns gave columns for the field");
    let column: &DictColumn = columns.dict(column);
    let values = column.values();
    let by_id = count_ids(column.ids(), values.len() + 1, selected, 0);
    for (value, rows) in values.iter().zip(&by_id[1..]).filter(|(_, rows)| **rows > 0) {
        each_value(field, value, &mut |value| add(counts, value, *rows));
    }
}

/// Adds one event to `counts`, by the field's value: as [`facet`] does, for fields that have no column.
pub fn facet_line(fields: &Fields<'_>, field: &Field, counts: &mut HashMap<Box<str>, u64>) {
    let mut values: Vec<String> = Vec::new();
    field_values(field, fields, &mut |value| {
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    });
    for value in values {
        add(counts, &value, 1);
    }
}

fn add(counts: &mut HashMap<Box<str>, u64>, value: &str, rows: u64) {
    match counts.get_mut(value) {
        Some(count) => *count += rows,
        None => {
            counts.insert(value.into(), rows);
        }
    }
}

/// Calls `found` with each distinct value of `field` in a column's value.
fn each_value(field: &Field, value: &str, found: &mut dyn FnMut(&str)) {
    let entities = || joined::entities(value);
    match field {
        Field::Actor | Field::Target => distinct(joined::references(value), found),
        Field::ActorId => found(&joined::entity(value).id),
        Field::ActorType => found(&joined::entity(value).kind),
        Field::ActorName => joined::entity(value).name.iter().for_each(|name| found(name)),
        Field::ActorEmail => joined::entity(value).email.iter().for_each(|email| found(email)),
        Field::TargetId => distinct(entities().map(|target| target.id), found),
        Field::TargetType => distinct(entities().map(|target| target.kind), found),
        Field::TargetName => distinct(entities().filter_map(|target| target.name), found),
        Field::Tag(name) => tag_value(value, name, found),
        _ => found(value),
    }
}

fn distinct<'a>(mut parts: impl Iterator<Item = Cow<'a, str>>, found: &mut dyn FnMut(&str)) {
    let Some(first) = parts.next() else { return };
    found(&first);
    // Most events have one target.
    let mut seen = vec![first];
    for part in parts {
        if !seen.contains(&part) {
            found(&part);
            seen.push(part);
        }
    }
}

/// Selected rows by dictionary index. `selected` starts at row `start` of `ids`.
fn count_ids(ids: &DictIds, values: usize, selected: &BooleanBuffer, start: usize) -> Vec<u64> {
    let mut counts = vec![0; values];
    match ids {
        DictIds::U8(ids) => count(&ids[start..], selected, &mut counts),
        DictIds::U16(ids) => count(&ids[start..], selected, &mut counts),
        DictIds::U32(ids) => count(&ids[start..], selected, &mut counts),
    }
    counts
}

/// Neighbouring rows are counted apart, as they often are of the same value and each count waits for the last one.
const LANES: usize = 4;

fn count<T: Copy>(ids: &[T], selected: &BooleanBuffer, counts: &mut [u64])
where
    usize: TryFrom<T>,
{
    let index = |id: T| usize::try_from(id).ok().expect("dictionary indexes are in memory");
    if counts.len() > LANED_VALUES_MAX {
        for (start, end) in selected.set_slices() {
            ids[start..end].iter().for_each(|id| counts[index(*id)] += 1);
        }
        return;
    }
    let mut lanes = [[0_u32; LANED_VALUES_MAX]; LANES];
    for (start, end) in selected.set_slices() {
        let mut groups = ids[start..end].chunks_exact(LANES);
        for group in &mut groups {
            for (lane, id) in lanes.iter_mut().zip(group) {
                lane[index(*id)] += 1;
            }
        }
        groups.remainder().iter().for_each(|id| lanes[0][index(*id)] += 1);
    }
    for lane in lanes {
        for (count, rows) in counts.iter_mut().zip(lane) {
            *count += u64::from(rows);
        }
    }
}

/// Values up to which rows are counted in lanes: 4 KiB of counts.
const LANED_VALUES_MAX: usize = 256;
