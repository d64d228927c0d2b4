//! Pages: where they are, their checksums, and handing their bytes to the Parquet decoder.

use std::mem::size_of;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use crate::schema::parquet_schema;

/// One page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRef {
    /// Where its header starts in the file.
    pub(super) offset: u64,
    /// Bytes, header included.
    pub(super) length: u32,
    /// Its first row within the row group.
    pub(super) first_row: u32,
    /// CRC-32 of its bytes, header included.
    pub(super) crc32: u32,
}

impl PageRef {
    pub(super) fn range(&self) -> Range<u64> {
        self.offset..self.offset + u64::from(self.length)
    }
}

/// The pages of one column of a row group.
#[derive(Debug)]
pub(super) struct ColumnLayout {
    pub(super) dictionary: Option<PageRef>,
    pub(super) pages: Vec<PageRef>,
    /// Smallest and largest value of each page; only for columns with page statistics.
    pub(super) bounds: Vec<(i64, i64)>,
}

impl ColumnLayout {
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>()
            + self.pages.capacity() * size_of::<PageRef>()
            + self.bounds.capacity() * size_of::<(i64, i64)>()
    }

    /// Bytes of all pages.
    pub(super) fn bytes(&self) -> u64 {
        self.dictionary.iter().chain(&self.pages).map(|page| u64::from(page.length)).sum()
    }

    /// The index of the page that holds `row`.
    pub(super) fn page_of(&self, row: u32) -> usize {
        self.pages.partition_point(|page| page.first_row <= row).saturating_sub(1)
    }

    /// The pages that hold rows of `rows`, which isn't empty.
    pub(super) fn pages_of(&self, rows: &Range<u32>) -> Range<usize> {
        self.page_of(rows.start)..self.page_of(rows.end - 1) + 1
    }

    /// Rows of page `page`, of a row group of `rows` rows.
    pub(super) fn rows_of(&self, page: usize, rows: u32) -> Range<u32> {
        let end = self.pages.get(page + 1).map_or(rows, |next| next.first_row);
        self.pages[page].first_row..end
    }
}

/// A page with its bytes.
pub(super) type FetchedPage = (PageRef, Bytes);

/// Joins neighbouring pages into the ranges to read, in order.
pub(super) fn ranges(pages: &[PageRef]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for page in pages {
        match ranges.last_mut() {
            Some(last) if last.end == page.offset => last.end = page.range().end,
            _ => ranges.push(page.range()),
        }
    }
    ranges
}

/// Cuts the answers to [`ranges`] into pages again.
pub(super) fn split(pages: Vec<PageRef>, answers: &mut impl Iterator<Item = Bytes>) -> Vec<FetchedPage> {
    let mut current = Bytes::new();
    let mut fetched = Vec::with_capacity(pages.len());
    for page in pages {
        if current.is_empty() {
            current = answers.next().expect("one answer per range");
        }
        let bytes = current.split_to(page.length as usize);
        fetched.push((page, bytes));
    }
    fetched
}

/// The descriptor of the column at `index` in the file.
pub(super) fn descriptor(index: usize) -> ColumnDescPtr {
    static SCHEMA: LazyLock<SchemaDescriptor> = LazyLock::new(|| SchemaDescriptor::new(parquet_schema()));
    SCHEMA.column(index)
}

/// A decoder over `pages` of the column at `index`: a dictionary, if there is one, then data pages.
///
/// Fails if a page's bytes don't have its checksum.
pub(super) fn reader(
    index: usize,
    dictionary: Option<&FetchedPage>,
    pages: &[FetchedPage],
    rows: usize,
) -> Result<SerializedPageReader<FetchedPages>, ParquetError> {
    // The decoder finds pages by offset. These pages aren't neighbours in the file, so they get offsets of their own.
    let mut fetched = FetchedPages::default();
    if let Some(page) = dictionary {
        fetched.add(page)?;
    }
    let data_start = fetched.len;
    let mut locations = Vec::with_capacity(pages.len());
    // The decoder only needs the rows to ascend: it is never asked to skip any.
    for (page, first_row_index) in pages.iter().zip(0..) {
        locations.push(PageLocation {
            offset: fetched.len.cast_signed(),
            compressed_page_size: page.0.length.cast_signed(),
            first_row_index,
        });
        fetched.add(page)?;
    }
    let metadata = ColumnChunkMetaData::builder(descriptor(index))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_num_values(i64::try_from(rows).unwrap_or(i64::MAX))
        .set_data_page_offset(data_start.cast_signed())
        .set_dictionary_page_offset(dictionary.map(|_| 0))
        .set_total_compressed_size(fetched.len.cast_signed())
        .build()?;
    SerializedPageReader::new(Arc::new(fetched), &metadata, rows, Some(locations))
}

/// Checked pages, laid end to end.
#[derive(Default)]
pub(super) struct FetchedPages {
    /// Each page's start and its bytes.
    pages: Vec<(u64, Bytes)>,
    len: u64,
}

impl FetchedPages {
    fn add(&mut self, (page, bytes): &FetchedPage) -> Result<(), ParquetError> {
        if crc32fast::hash(bytes) != page.crc32 {
            let at = page.offset;
            return Err(ParquetError::General(format!("page at byte {at} fails its checksum")));
        }
        self.pages.push((self.len, bytes.clone()));
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let page = self.pages.partition_point(|(at, _)| *at <= start).checked_sub(1);
        let found = page.and_then(|page| {
            let (at, bytes) = &self.pages[page];
            let skip = usize::try_from(start - at).ok()?;
            (skip <= bytes.len()).then(|| bytes.slice(skip..))
        });
        found.ok_or_else(|| ParquetError::EOF(format!("no page at {start}")))
    }
}

impl Length for FetchedPages {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for FetchedPages {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if length <= bytes.len() {
            Ok(bytes.slice(..length))
        } else {
            Err(ParquetError::EOF(format!("page at {start} has fewer than {length} bytes")))
        }
    }
}
