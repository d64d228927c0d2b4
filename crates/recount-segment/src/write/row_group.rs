//! One row group while it is written: column writers, token filters, and the page checksums once it is closed.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaDataPtr;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::writer::SerializedFileWriter;

use super::lines::LinesWriter;
use super::{Extent, SegmentOptions};
use crate::batch::{EventBatch, dict_ids};
use crate::column::ColumnId;
use crate::columns::ColumnData;
use crate::error::EncodeError;
use crate::schema::{
    BLOCK_ROWS, BODY_INDEX, FILE_COLUMNS, ROW_GROUP_LINE_BYTES_MAX, ROW_GROUP_ROWS_MAX, arrow_schema,
};
use crate::token_filter::TokenFiltersBuilder;

/// The dictionary values of a batch's columns as arrays, made once per batch.
pub(super) type DictionaryValues = Vec<Option<Arc<StringArray>>>;

/// The dictionary values of `batch`.
pub(super) fn arrays(batch: &EventBatch) -> DictionaryValues {
    ColumnId::ALL
        .into_iter()
        .map(|id| match batch.columns().column(id) {
            Some(ColumnData::Dict(column)) => {
                Some(Arc::new(StringArray::from_iter_values(column.values().iter())))
            }
            _ => None,
        })
        .collect()
}

/// A row group that takes rows.
pub(super) struct OpenRowGroup {
    schema: SchemaRef,
    /// Of all columns but the lines.
    columns: Vec<ArrowColumnWriter>,
    lines: LinesWriter,
    tokens: TokenFiltersBuilder,
    rows: usize,
    line_bytes: u64,
    extent: Option<Extent>,
}

/// A row group that was written to the file.
pub(super) struct ClosedRowGroup {
    metadata: RowGroupMetaDataPtr,
    /// Per column, the length of each data page with its header.
    page_lengths: Vec<Vec<usize>>,
    pub(super) token_filters: Vec<u8>,
    pub(super) line_bytes: u64,
    pub(super) extent: Extent,
}

impl OpenRowGroup {
    pub(super) fn new(
        factory: &ArrowRowGroupWriterFactory,
        index: usize,
        options: SegmentOptions,
    ) -> Result<Self, EncodeError> {
        let mut columns = factory.create_column_writers(index)?;
        columns.truncate(BODY_INDEX);
        Ok(Self {
            schema: arrow_schema(),
            columns,
            lines: LinesWriter::new(options)?,
            tokens: TokenFiltersBuilder::default(),
            rows: 0,
            line_bytes: 0,
            extent: None,
        })
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROW_GROUP_ROWS_MAX || self.line_bytes >= ROW_GROUP_LINE_BYTES_MAX
    }

    /// Takes rows from `start` on, to the end of the current block at most. Returns the first row not taken.
    pub(super) fn push(
        &mut self,
        batch: &EventBatch,
        dictionaries: &mut DictionaryValues,
        start: usize,
    ) -> Result<usize, EncodeError> {
        let end = batch.len().min(start + BLOCK_ROWS - self.rows % BLOCK_ROWS);
        let rows = start..end;
        for (id, values) in ColumnId::ALL.into_iter().zip(dictionaries.iter()) {
            let array = column_array(batch, id, values.as_ref(), rows.clone())?;
            self.write(id.index(), &array)?;
        }
        let lines = &batch.lines()[rows.clone()];
        self.lines.push(lines)?;
        self.tokens.add(lines);
        self.rows += rows.len();
        self.line_bytes += lines.iter().map(|line| line.len() as u64).sum::<u64>();
        if self.rows.is_multiple_of(BLOCK_ROWS) {
            self.tokens.end_block();
        }
        let extent = Extent::of_rows(batch, rows);
        self.extent = Some(self.extent.map_or(extent, |before| before.union(extent)));
        Ok(end)
    }

    fn write(&mut self, column: usize, array: &ArrayRef) -> Result<(), ParquetError> {
        for leaf in compute_leaves(self.schema.field(column), array)? {
            self.columns[column].write(&leaf)?;
        }
        Ok(())
    }

    /// Writes the row group, which has rows, to the file.
    pub(super) fn close(
        mut self,
        file: &mut SerializedFileWriter<Vec<u8>>,
    ) -> Result<ClosedRowGroup, EncodeError> {
        if !self.rows.is_multiple_of(BLOCK_ROWS) {
            self.tokens.end_block();
        }
        let body = file.schema_descr().column(BODY_INDEX);
        let mut row_group = file.next_row_group()?;
        let mut lengths = Vec::with_capacity(FILE_COLUMNS);
        for writer in self.columns {
            let chunk = writer.close()?;
            let index = chunk.close().offset_index.as_ref().expect("the page index is on");
            lengths.push(page_lengths(index));
            chunk.append_to_row_group(&mut row_group)?;
        }
        lengths.push(self.lines.close(body, &mut row_group)?);
        let metadata = row_group.close()?;
        Ok(ClosedRowGroup {
            metadata,
            page_lengths: lengths,
            token_filters: self.tokens.finish(),
            line_bytes: self.line_bytes,
            extent: self.extent.expect("a row group has rows"),
        })
    }
}

impl ClosedRowGroup {
    /// Appends the CRC-32 of every page to `out`, column by column, the dictionary first where there is one.
    pub(super) fn checksum_pages(&self, file: &[u8], out: &mut Vec<u8>) {
        for (column, lengths) in self.metadata.columns().iter().zip(&self.page_lengths) {
            let (start, length) = column.byte_range();
            let index = |offset: u64| usize::try_from(offset).expect("the file is in memory");
            let mut at = index(start);
            let end = index(start + length);
            let dictionary = end - at - lengths.iter().sum::<usize>();
            for length in std::iter::once(&dictionary).filter(|length| **length > 0).chain(lengths) {
                out.extend(crc32fast::hash(&file[at..at + length]).to_le_bytes());
                at += length;
            }
            debug_assert_eq!(at, end, "pages fill the column chunk");
        }
    }
}

fn column_array(
    batch: &EventBatch,
    id: ColumnId,
    values: Option<&Arc<StringArray>>,
    rows: Range<usize>,
) -> Result<ArrayRef, EncodeError> {
    if let Some(values) = values {
        let ids = dict_ids(batch.columns().dict(id), rows);
        let present = NullBuffer::from_iter(ids.iter().map(|id| *id != 0));
        let nulls = (present.null_count() > 0).then_some(present);
        let keys = ids.iter().map(|id| id.saturating_sub(1).cast_signed()).collect();
        let keys = Int32Array::new(keys, nulls);
        let values = Arc::clone(values) as ArrayRef;
        let array = DictionaryArray::<Int32Type>::try_new(keys, values).map_err(ParquetError::from)?;
        return Ok(Arc::new(array));
    }
    let ints = &batch.columns().ints(id)[rows];
    Ok(match id {
        ColumnId::IdHash => Arc::new(Int32Array::from_iter_values(
            ints.iter().map(|hash| i32::try_from(*hash).expect("24 bits fit")),
        )),
        _ => Arc::new(Int64Array::from_iter_values(ints.iter().copied())),
    })
}

/// The length of each data page with its header.
pub(super) fn page_lengths(index: &OffsetIndexMetaData) -> Vec<usize> {
    let pages = index.page_locations().iter();
    pages.map(|page| usize::try_from(page.compressed_page_size).unwrap_or(0)).collect()
}
