//! Finding rows by id and by seq.

use std::ops::Range;

use super::{RowAddress, Segment, SeqRow};
use crate::column::{ColumnId, ColumnSet};
use crate::columns::RowGroupColumns;
use crate::error::SegmentError;
use crate::id_filter::{id_hash, id_hash_column, line_id};

/// Bits of the bitmap that most rows fail at when many ids are looked for.
const SIEVE_BITS: usize = 1 << 16;

/// Ids that are still looked for, by the part of their hash that the segment keeps per row.
struct Wanted<'a> {
    ids: &'a [&'a str],
    /// Sorted by hash.
    by_hash: Vec<(i64, usize)>,
    sieve: Vec<u64>,
}

impl<'a> Wanted<'a> {
    fn new(ids: &'a [&'a str]) -> Self {
        let mut by_hash: Vec<(i64, usize)> =
            ids.iter().enumerate().map(|(index, id)| (id_hash_column(id_hash(id)), index)).collect();
        by_hash.sort_unstable();
        let mut sieve = vec![0; SIEVE_BITS / 64];
        for (hash, _) in &by_hash {
            let (word, bit) = Self::sieve_bit(*hash);
            sieve[word] |= bit;
        }
        Self { ids, by_hash, sieve }
    }

    fn sieve_bit(hash: i64) -> (usize, u64) {
        let bit = usize::try_from(hash).unwrap_or(0) % SIEVE_BITS;
        (bit / 64, 1 << (bit % 64))
    }

    /// The wanted ids with this hash.
    fn with_hash(&self, hash: i64) -> &[(i64, usize)] {
        let (word, bit) = Self::sieve_bit(hash);
        if self.sieve[word] & bit == 0 {
            return &[];
        }
        let start = self.by_hash.partition_point(|(other, _)| *other < hash);
        let end = self.by_hash.partition_point(|(other, _)| *other <= hash);
        &self.by_hash[start..end]
    }
}

pub(super) async fn ids(segment: &Segment, ids: &[&str]) -> Result<Vec<Option<SeqRow>>, SegmentError> {
    let wanted = Wanted::new(ids);
    let mut found: Vec<Option<SeqRow>> = vec![None; ids.len()];
    for group in 0..segment.row_groups().len() {
        if found.iter().all(Option::is_some) {
            break;
        }
        let hashes = segment.columns(group, ColumnSet::EMPTY.with(ColumnId::IdHash), None).await?;
        let rows: Vec<u32> = hashes
            .ints(ColumnId::IdHash)
            .iter()
            .zip(0_u32..)
            .filter(|(hash, _)| !wanted.with_hash(**hash).is_empty())
            .map(|(_, row)| row)
            .collect();
        if rows.is_empty() {
            continue;
        }
        let mut hits = Vec::new();
        for (row, line) in rows.iter().zip(segment.lines(group, &rows).await?) {
            let Some(id) = line_id(&line) else {
                return Err(segment.corrupt(format!("row {row} of row group {group} has no id")));
            };
            let hash = id_hash_column(id_hash(&id));
            let same = wanted.with_hash(hash).iter().filter(|(_, index)| wanted.ids[*index] == id);
            hits.extend(same.map(|(_, index)| (*index, *row)));
        }
        let (Some(first), Some(last)) =
            (hits.iter().map(|hit| hit.1).min(), hits.iter().map(|hit| hit.1).max())
        else {
            continue;
        };
        let columns = segment.columns(group, ColumnSet::ORDER, Some(first..last + 1)).await?;
        for (index, row) in hits {
            // Should two rows have one id, the first one stored is the event.
            let row = seq_row(&columns, group, row);
            if found[index].is_none_or(|before: SeqRow| row.seq < before.seq) {
                found[index] = Some(row);
            }
        }
    }
    Ok(found)
}

pub(super) async fn rows_in_seq_order(
    segment: &Segment,
    seqs: Range<u64>,
    limit: usize,
) -> Result<Vec<SeqRow>, SegmentError> {
    // A segment's seqs are dense, so the lowest `limit` rows are the lowest `limit` seqs.
    let stats = segment.stats();
    let start = seqs.start.max(stats.first_seq);
    let end = seqs.end.min(stats.last_seq + 1).min(start.saturating_add(limit as u64));
    let mut found = Vec::new();
    for (index, group) in segment.row_groups().iter().enumerate() {
        if start >= end || group.max_seq < start || group.min_seq >= end {
            continue;
        }
        let layout = &segment.inner.layouts[index].columns[ColumnId::Seq.index()];
        let overlaps = |(min, max): &(i64, i64)| max.cast_unsigned() >= start && min.cast_unsigned() < end;
        let (Some(first), Some(last)) =
            (layout.bounds.iter().position(overlaps), layout.bounds.iter().rposition(overlaps))
        else {
            continue;
        };
        let rows = layout.rows_of(first, group.rows).start..layout.rows_of(last, group.rows).end;
        let columns = ColumnSet::EMPTY.with(ColumnId::Seq).with(ColumnId::ReceivedAt);
        let columns = segment.columns(index, columns, Some(rows)).await?;
        found.extend(
            columns
                .rows()
                .map(|row| seq_row(&columns, index, row))
                .filter(|row| (start..end).contains(&row.seq)),
        );
    }
    found.sort_unstable_by_key(|row| row.seq);
    let complete = found.len() as u64 == end.saturating_sub(start)
        && found.iter().zip(start..).all(|(row, seq)| row.seq == seq);
    if complete { Ok(found) } else { Err(segment.corrupt(format!("seqs {start}..{end} aren't all there"))) }
}

/// Row `row` of row group `group`, which `columns` covers.
fn seq_row(columns: &RowGroupColumns, group: usize, row: u32) -> SeqRow {
    let index = (row - columns.rows().start) as usize;
    SeqRow {
        seq: columns.seq(index),
        received_at: columns.received_at(index),
        address: RowAddress { row_group: u32::try_from(group).unwrap_or(u32::MAX), row },
    }
}
