//! Lines taken apart into columns, one by one.

use std::sync::Arc;

use recount_event::Fields;

use super::Row;
use crate::column::{ColumnId, ColumnKind};
use crate::columns::{ColumnData, RowGroupColumns};
use crate::dictionary::DictBuilder;
use crate::id_filter::{id_hash, id_hash_column};
use crate::joined;

/// Collects the columns of rows that are parsed one by one.
#[derive(Default)]
pub(super) struct ColumnsBuilder {
    ints: [Vec<i64>; ColumnId::COUNT],
    dicts: [DictBuilder; ColumnId::COUNT],
    joined: String,
    rows: u32,
}

impl ColumnsBuilder {
    pub(super) fn push(&mut self, row: &Row, fields: &Fields<'_>) {
        self.rows += 1;
        let mut int = |id: ColumnId, value: i64| self.ints[id.index()].push(value);
        int(ColumnId::Seq, row.seq.cast_signed());
        int(ColumnId::OccurredAt, fields.occurred_at.as_micros());
        int(ColumnId::ReceivedAt, row.received_at.as_micros());
        int(ColumnId::IdHash, id_hash_column(id_hash(&fields.id)));

        let mut dict = |id: ColumnId, value: Option<&str>| self.dicts[id.index()].push(value);
        dict(ColumnId::Action, Some(&fields.action));
        dict(ColumnId::Outcome, Some(fields.outcome.as_str()));
        dict(ColumnId::Source, fields.source.as_deref());
        dict(ColumnId::Ip, fields.ip.as_deref());
        dict(ColumnId::UserAgent, fields.user_agent.as_deref());
        dict(ColumnId::Location, fields.location.as_deref());
        dict(ColumnId::Tags, fields.tags);

        self.joined.clear();
        joined::push(
            &mut self.joined,
            &fields.actor_type,
            &fields.actor_id,
            fields.actor_name.as_deref(),
            fields.actor_email.as_deref(),
        );
        self.dicts[ColumnId::Actor.index()].push(Some(&self.joined));

        self.joined.clear();
        for (at, target) in fields.targets.iter().enumerate() {
            if at > 0 {
                joined::separate(&mut self.joined);
            }
            joined::push(&mut self.joined, &target.kind, &target.id, target.name.as_deref(), None);
        }
        let targets = (!fields.targets.is_empty()).then_some(self.joined.as_str());
        self.dicts[ColumnId::Target.index()].push(targets);
    }

    pub(super) fn finish(self) -> RowGroupColumns {
        let mut columns = RowGroupColumns::new(0..self.rows);
        for (id, (ints, dict)) in ColumnId::ALL.into_iter().zip(self.ints.into_iter().zip(self.dicts)) {
            let data = match id.kind() {
                ColumnKind::Int => ColumnData::Ints(Arc::new(ints)),
                ColumnKind::Dict => ColumnData::Dict(Arc::new(dict.finish())),
            };
            columns.insert(id, data);
        }
        columns
    }
}
