//! Fetching and decoding the narrow columns.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;

use super::pages::{self, FetchedPage};
use super::{Segment, rle};
use crate::column::{ColumnId, ColumnKind, ColumnSet};
use crate::columns::{ColumnData, RowGroupColumns};
use crate::dictionary::{DictColumn, DictIds, Strings};
use crate::error::SegmentError;
use crate::schema::BLOCK_ROWS;

/// Fetched pages of columns, not decoded yet.
pub struct FetchedColumns {
    segment: Segment,
    row_group: usize,
    rows: Range<u32>,
    columns: Vec<FetchedColumn>,
}

struct FetchedColumn {
    id: ColumnId,
    dictionary: Option<FetchedPage>,
    pages: Vec<FetchedPage>,
}

/// `rows` widened to whole blocks of a row group of `group_rows` rows.
pub(super) fn block_aligned(rows: Range<u32>, group_rows: u32) -> Range<u32> {
    let block = u32::try_from(BLOCK_ROWS).expect("a small constant");
    let end = rows.end.min(group_rows);
    let start = rows.start.min(end);
    start / block * block..end.next_multiple_of(block).min(group_rows)
}

pub(super) async fn fetch(
    segment: &Segment,
    row_group: usize,
    columns: ColumnSet,
    rows: Option<Range<u32>>,
) -> Result<FetchedColumns, SegmentError> {
    let group_rows = segment.inner.groups[row_group].rows;
    let rows = block_aligned(rows.unwrap_or(0..group_rows), group_rows);
    let layout = &segment.inner.layouts[row_group];
    let mut wanted = Vec::new();
    let mut ranges = Vec::new();
    for id in columns.iter().filter(|_| !rows.is_empty()) {
        let column = &layout.columns[id.index()];
        let mut pages = Vec::from_iter(column.dictionary);
        pages.extend_from_slice(&column.pages[column.pages_of(&rows)]);
        ranges.extend(pages::ranges(&pages));
        wanted.push((id, column.dictionary.is_some(), pages));
    }
    let answers = if ranges.is_empty() { Vec::new() } else { segment.read(ranges).await? };
    let mut answers = answers.into_iter();
    let columns = wanted
        .into_iter()
        .map(|(id, has_dictionary, pages)| {
            let mut pages = pages::split(pages, &mut answers);
            let dictionary = has_dictionary.then(|| pages.remove(0));
            FetchedColumn { id, dictionary, pages }
        })
        .collect();
    Ok(FetchedColumns { segment: segment.clone(), row_group, rows, columns })
}

impl FetchedColumns {
    /// Bytes fetched.
    pub fn bytes(&self) -> u64 {
        let pages = self.columns.iter().flat_map(|column| column.dictionary.iter().chain(&column.pages));
        pages.map(|(page, _)| u64::from(page.length)).sum()
    }

    /// Checks, decompresses and decodes. CPU: about 0.5 ms a column of 131,072 rows.
    ///
    /// # Errors
    /// [`SegmentError::Corrupt`].
    pub fn decode(self) -> Result<RowGroupColumns, SegmentError> {
        let mut decoded = RowGroupColumns::new(self.rows.clone());
        for column in &self.columns {
            let id = column.id;
            let data = self.decode_column(column).map_err(|error| {
                let (name, group) = (id.name(), self.row_group);
                self.segment.corrupt(format!("column {name} of row group {group}: {error}"))
            })?;
            decoded.insert(id, data);
        }
        Ok(decoded)
    }

    fn decode_column(&self, column: &FetchedColumn) -> Result<ColumnData, ParquetError> {
        let rows = self.rows.len();
        let index = column.id.index();
        let mut reader = pages::reader(index, column.dictionary.as_ref(), &column.pages, rows)?;
        let data = match column.id.kind() {
            ColumnKind::Dict => {
                let dict = decode_dict(&mut reader, pages::descriptor(index).max_def_level(), rows)?;
                ColumnData::Dict(Arc::new(dict))
            }
            ColumnKind::Int if column.id == ColumnId::IdHash => {
                let hashes = decode_ints::<Int32Type>(index, Box::new(reader), rows)?;
                ColumnData::Ints(Arc::new(hashes.into_iter().map(i64::from).collect()))
            }
            ColumnKind::Int => {
                ColumnData::Ints(Arc::new(decode_ints::<Int64Type>(index, Box::new(reader), rows)?))
            }
        };
        if data.len() == rows { Ok(data) } else { Err(wrong("number of values")) }
    }
}

fn wrong(what: &str) -> ParquetError {
    ParquetError::General(format!("unexpected {what}"))
}

fn decode_ints<T: DataType>(
    index: usize,
    reader: Box<dyn PageReader>,
    rows: usize,
) -> Result<Vec<T::T>, ParquetError> {
    let mut reader = ColumnReaderImpl::<T>::new(pages::descriptor(index), reader);
    let mut values = Vec::with_capacity(rows);
    while values.len() < rows {
        let (_, read, _) = reader.read_records(rows - values.len(), None, None, &mut values)?;
        if read == 0 {
            break;
        }
    }
    Ok(values)
}

fn decode_dict(
    reader: &mut impl PageReader,
    max_def_level: i16,
    rows: usize,
) -> Result<DictColumn, ParquetError> {
    let mut values = Strings::new();
    let mut ids = Vec::with_capacity(rows);
    while let Some(page) = reader.get_next_page()? {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                values = decode_strings(&buf, num_values as usize)
                    .ok_or_else(|| wrong("bytes in the dictionary"))?;
            }
            Page::DataPage { buf, num_values, encoding: Encoding::RLE_DICTIONARY, .. } => {
                decode_ids(&buf, num_values as usize, max_def_level > 0, &mut ids)
                    .ok_or_else(|| wrong("bytes in a page of dictionary indexes"))?;
            }
            _ => return Err(wrong("kind of page")),
        }
    }
    if ids.iter().any(|id| *id as usize > values.len()) {
        return Err(wrong("dictionary index"));
    }
    let id_max = values.len();
    Ok(DictColumn::new(Arc::new(values), DictIds::narrow(ids, id_max)))
}

/// Reads `count` strings in plain encoding.
fn decode_strings(bytes: &[u8], count: usize) -> Option<Strings> {
    let mut rest = bytes;
    let mut text = Vec::with_capacity(bytes.len().saturating_sub(4 * count));
    let mut ends = Vec::with_capacity(count.min(bytes.len() / 4));
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        text.extend_from_slice(value);
        ends.push(u32::try_from(text.len()).ok()?);
        rest = after;
    }
    Strings::from_parts(String::from_utf8(text).ok()?, ends)
}

/// Appends the indexes of a data page, counted from 1, and 0 where the row has no value.
fn decode_ids(bytes: &Bytes, rows: usize, optional: bool, out: &mut Vec<u32>) -> Option<()> {
    let mut bytes: &[u8] = bytes;
    let mut present = Vec::new();
    let mut values = rows;
    if optional {
        let (length, after) = bytes.split_first_chunk::<4>()?;
        let (levels, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rle::decode(levels, 1, rows, &mut present)?;
        values = present.iter().filter(|level| **level == 1).count();
        bytes = after;
    }
    let first = out.len();
    if values > 0 {
        let (width, packed) = bytes.split_first()?;
        rle::decode(packed, u32::from(*width), values, out)?;
    }
    for id in &mut out[first..] {
        *id = id.checked_add(1)?;
    }
    if values < rows {
        // Spread the values over the rows that have one, from the back.
        let mut next = out.len();
        out.resize(first + rows, 0);
        for row in (0..rows).rev() {
            out[first + row] = if present[row] == 1 {
                next -= 1;
                out[next]
            } else {
                0
            };
        }
    }
    Some(())
}
