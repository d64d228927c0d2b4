//! The column of lines while it is written.
//!
//! It is nine tenths of a segment's bytes and of the work of writing one, so its pages are made here: their lines are
//! copied once, and zstd is told more than a level. All other columns are written by the `parquet` crate.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;
use zstd::zstd_safe::{self, CParameter};

use super::SegmentOptions;
use super::page_header::PageHeader;
use super::row_group::page_lengths;
use crate::line::Line;
use crate::schema::LINE_PAGE_BYTES;

/// Shorter repetitions than this many bytes aren't looked for. Lines repeat whole members: fewer and longer
/// repetitions decompress up to a fifth faster and take no more bytes.
const MIN_MATCH: u32 = 7;

/// Takes the lines of one row group.
pub(super) struct LinesWriter {
    compressor: Compressor<'static>,
    level: ZstdLevel,
    /// The pages so far, end to end.
    chunk: Vec<u8>,
    pages: OffsetIndexBuilder,
    page: OpenPage,
    /// Where a page is compressed to.
    compressed: Vec<u8>,
    rows: u64,
    uncompressed_bytes: usize,
}

/// Lines in plain encoding, each with its length before it.
#[derive(Default)]
struct OpenPage {
    bytes: Vec<u8>,
    rows: u32,
}

impl LinesWriter {
    pub(super) fn new(options: SegmentOptions) -> Result<Self, ParquetError> {
        let mut compressor = Compressor::new(options.zstd_level)?;
        compressor.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
        Ok(Self {
            compressor,
            level: ZstdLevel::try_new(options.zstd_level)?,
            chunk: Vec::new(),
            pages: OffsetIndexBuilder::new(),
            page: OpenPage::default(),
            compressed: Vec::new(),
            rows: 0,
            uncompressed_bytes: 0,
        })
    }

    /// Adds lines, compressing each page that becomes full.
    pub(super) fn push(&mut self, lines: &[Line]) -> Result<(), ParquetError> {
        for line in lines {
            let length = u32::try_from(line.len()).map_err(too_long)?;
            self.page.bytes.extend_from_slice(&length.to_le_bytes());
            self.page.bytes.extend_from_slice(line.as_bytes());
            self.page.rows += 1;
            if self.page.bytes.len() >= LINE_PAGE_BYTES {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), ParquetError> {
        if self.page.rows == 0 {
            return Ok(());
        }
        self.compressed.clear();
        self.compressed.reserve(zstd_safe::compress_bound(self.page.bytes.len()));
        self.compressor.compress_to_buffer(&self.page.bytes, &mut self.compressed)?;
        let start = self.chunk.len();
        PageHeader::of_required_plain(self.page.bytes.len(), &self.compressed, self.page.rows)
            .map_err(too_long)?
            .write(&mut self.chunk);
        let header_bytes = self.chunk.len() - start;
        self.chunk.extend_from_slice(&self.compressed);
        self.pages.append_row_count(i64::from(self.page.rows));
        self.pages.append_offset_and_size(
            i64::try_from(start).map_err(too_long)?,
            i32::try_from(self.chunk.len() - start).map_err(too_long)?,
        );
        self.rows += u64::from(self.page.rows);
        self.uncompressed_bytes += header_bytes + self.page.bytes.len();
        self.page.bytes.clear();
        self.page.rows = 0;
        Ok(())
    }

    /// Appends the column to the row group, whose last one it is; returns the length of each page with its header.
    pub(super) fn close(
        mut self,
        descriptor: ColumnDescPtr,
        row_group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    ) -> Result<Vec<usize>, ParquetError> {
        self.end_page()?;
        let chunk = Bytes::from(self.chunk);
        let pages = self.pages.build();
        let lengths = page_lengths(&pages);
        let metadata = ColumnChunkMetaData::builder(descriptor)
            .set_compression(Compression::ZSTD(self.level))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values(self.rows.cast_signed())
            .set_total_compressed_size(i64::try_from(chunk.len()).map_err(too_long)?)
            .set_total_uncompressed_size(i64::try_from(self.uncompressed_bytes).map_err(too_long)?)
            .set_data_page_offset(0)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: chunk.len() as u64,
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(pages),
        };
        row_group.append_column(&chunk, close)?;
        Ok(lengths)
    }
}

fn too_long(error: std::num::TryFromIntError) -> ParquetError {
    ParquetError::External(error.into())
}
