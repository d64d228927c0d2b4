//! Rows picked from several sets of columns into a new batch, without parsing anything again.

use std::sync::Arc;

use crate::batch::EventBatch;
use crate::column::{ColumnId, ColumnKind};
use crate::columns::{ColumnData, RowGroupColumns};
use crate::dictionary::{DictBuilder, DictColumn};
use crate::line::Line;

/// Collects rows of several sources; each source's dictionaries are looked up once per value, not per row.
pub(crate) struct Gather {
    tenant: Arc<str>,
    ints: [Vec<i64>; ColumnId::COUNT],
    dicts: [DictBuilder; ColumnId::COUNT],
    /// Per source and column: the new index of each of the source's dictionary indexes, once it is known.
    known: Vec<[Vec<u32>; ColumnId::COUNT]>,
    lines: Vec<Line>,
}

/// The new index isn't known yet. No dictionary has that many values.
const UNKNOWN: u32 = u32::MAX;

impl Gather {
    pub(crate) fn new(tenant: Arc<str>) -> Self {
        Self {
            tenant,
            ints: std::array::from_fn(|_| Vec::new()),
            dicts: std::array::from_fn(|_| DictBuilder::default()),
            known: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Registers a source, whose number [`Self::push`] takes.
    pub(crate) fn add_source(&mut self, columns: &RowGroupColumns) -> usize {
        self.known.push(std::array::from_fn(|at| unknown(columns, ColumnId::ALL[at])));
        self.known.len() - 1
    }

    /// Tells that source `source` goes on with other columns.
    pub(crate) fn replace_source(&mut self, source: usize, columns: &RowGroupColumns) {
        self.known[source] = std::array::from_fn(|at| unknown(columns, ColumnId::ALL[at]));
    }

    /// Adds row `row` of `columns`, which are those of source `source`.
    pub(crate) fn push(&mut self, source: usize, columns: &RowGroupColumns, row: usize, line: Line) {
        for id in ColumnId::ALL {
            let at = id.index();
            match columns.column(id) {
                Some(ColumnData::Ints(values)) => self.ints[at].push(values[row]),
                Some(ColumnData::Dict(column)) => {
                    let old = column.ids().get(row);
                    let new = &mut self.known[source][at][old as usize];
                    if *new == UNKNOWN {
                        *new = self.dicts[at].intern(column.values().get(old as usize - 1));
                    }
                    self.dicts[at].push_id(*new);
                }
                None => unreachable!("sources have all columns"),
            }
        }
        self.lines.push(line);
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The rows gathered so far as a batch. Sources stay registered.
    pub(crate) fn take(&mut self) -> EventBatch {
        let rows = u32::try_from(self.lines.len()).expect("batches are bounded");
        let mut columns = RowGroupColumns::new(0..rows);
        for id in ColumnId::ALL {
            let at = id.index();
            let data = match id.kind() {
                ColumnKind::Int => ColumnData::Ints(Arc::new(std::mem::take(&mut self.ints[at]))),
                ColumnKind::Dict => ColumnData::Dict(Arc::new(std::mem::take(&mut self.dicts[at]).finish())),
            };
            columns.insert(id, data);
        }
        for source in &mut self.known {
            for ids in source {
                ids[1..].fill(UNKNOWN);
            }
        }
        EventBatch::from_parts(Arc::clone(&self.tenant), columns, std::mem::take(&mut self.lines))
    }

    pub(crate) fn finish(mut self) -> EventBatch {
        self.take()
    }
}

/// Index 0, "absent", stays; all others aren't known yet.
fn unknown(columns: &RowGroupColumns, id: ColumnId) -> Vec<u32> {
    let values = match columns.column(id) {
        Some(ColumnData::Dict(column)) => DictColumn::values(column).len(),
        _ => 0,
    };
    let mut ids = vec![UNKNOWN; values + 1];
    ids[0] = 0;
    ids
}
