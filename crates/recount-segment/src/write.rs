//! Writing a segment.

use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use recount_event::Timestamp;

use crate::batch::EventBatch;
use crate::bounds::Position;
use crate::error::EncodeError;
use crate::id_filter::{IdFilter, id_hash, line_id};
use crate::schema::{
    self, Description, FORMAT_VERSION, KEY_DESCRIPTION, KEY_SEAL, KEY_VERSION, Part, RowGroupDescription,
    SEAL_DIGITS, SEGMENT_ROWS_MAX,
};

mod extent;
mod lines;
mod page_header;
mod row_group;
mod seal;

pub(crate) use extent::Extent;
use row_group::OpenRowGroup;
pub(crate) use seal::{Seal, find_seal};

/// How to write a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentOptions {
    /// zstd level, 1 to 22. Low for fresh segments, higher for merges.
    pub zstd_level: i32,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self::FRESH
    }
}

impl SegmentOptions {
    /// For segments written straight from the tail, which will be merged soon.
    pub const FRESH: Self = Self { zstd_level: 1 };
    /// For merged segments, which are written seldom and stay.
    pub const MERGED: Self = Self { zstd_level: 7 };
}

/// What a segment holds, for the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentStats {
    /// Lowest seq.
    pub first_seq: u64,
    /// Highest seq; the range is contiguous, so `rows` is `last_seq - first_seq + 1`.
    pub last_seq: u64,
    /// Events.
    pub rows: u64,
    /// Earliest `occurred_at`.
    pub min_occurred: Timestamp,
    /// Latest `occurred_at`.
    pub max_occurred: Timestamp,
    /// Earliest `received_at`.
    pub min_received: Timestamp,
    /// Latest `received_at`.
    pub max_received: Timestamp,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// A finished segment.
#[derive(Debug, Clone)]
pub struct EncodedSegment {
    /// The file.
    pub bytes: Bytes,
    /// What it holds.
    pub stats: SegmentStats,
}

/// Writes one segment from batches in order. CPU only: run it where that is fine.
///
/// Holds the compressed file, which grows to its final size, and the compressed pages of one row group.
pub struct SegmentWriter {
    options: SegmentOptions,
    file: SerializedFileWriter<Vec<u8>>,
    factory: ArrowRowGroupWriterFactory,
    open: Option<OpenRowGroup>,
    tenant: Option<Arc<str>>,
    last: Option<Position>,
    extent: Option<Extent>,
    id_hashes: Vec<u64>,
    /// CRC-32 of every page, in file order.
    checksums: Vec<u8>,
    row_groups: Vec<RowGroupDescription>,
}

impl SegmentWriter {
    /// A writer with nothing written.
    pub fn new(options: SegmentOptions) -> Self {
        let properties = Arc::new(schema::writer_properties(options.zstd_level));
        let file = SerializedFileWriter::new(Vec::new(), schema::parquet_schema(), properties)
            .expect("writing to memory doesn't fail");
        let factory = ArrowRowGroupWriterFactory::new(&file, schema::arrow_schema());
        Self {
            options,
            file,
            factory,
            open: None,
            tenant: None,
            last: None,
            extent: None,
            id_hashes: Vec::new(),
            checksums: Vec::new(),
            row_groups: Vec::new(),
        }
    }

    /// Adds rows, all of which must come after those already written (newest first).
    ///
    /// # Errors
    /// [`EncodeError::OutOfOrder`], [`EncodeError::MixedTenants`], [`EncodeError::TooLarge`].
    pub fn push(&mut self, batch: &EventBatch) -> Result<(), EncodeError> {
        if batch.is_empty() {
            return Ok(());
        }
        self.check(batch)?;
        for line in batch.lines() {
            let id = line_id(line).ok_or_else(|| EncodeError::CorruptLine {
                seq: batch.columns().seq(0),
                detail: "no id".to_owned(),
            })?;
            self.id_hashes.push(id_hash(&id));
        }
        let mut columns = row_group::arrays(batch);
        let mut start = 0;
        while start < batch.len() {
            let group = match &mut self.open {
                Some(group) => group,
                None => {
                    self.open.insert(OpenRowGroup::new(&self.factory, self.row_groups.len(), self.options)?)
                }
            };
            start = group.push(batch, &mut columns, start)?;
            if group.is_full() {
                self.close_row_group()?;
            }
        }
        Ok(())
    }

    /// Completes the file.
    ///
    /// # Errors
    /// [`EncodeError::Empty`], [`EncodeError::GapInSeq`].
    pub fn finish(mut self) -> Result<EncodedSegment, EncodeError> {
        self.close_row_group()?;
        let (Some(extent), Some(tenant)) = (self.extent, self.tenant.take()) else {
            return Err(EncodeError::Empty);
        };
        let rows = self.id_hashes.len() as u64;
        if extent.last_seq - extent.first_seq + 1 != rows {
            return Err(EncodeError::GapInSeq {
                first_seq: extent.first_seq,
                last_seq: extent.last_seq,
                rows,
            });
        }
        let id_filter = IdFilter::encode(std::mem::take(&mut self.id_hashes));
        let id_filter = self.write_part(&id_filter)?;
        let seal_start = self.file.bytes_written() as u64;
        let checksums = std::mem::take(&mut self.checksums);
        let description = Description {
            tenant: tenant.to_string(),
            rows,
            first_seq: extent.first_seq,
            last_seq: extent.last_seq,
            min_occurred_at: extent.min_occurred,
            max_occurred_at: extent.max_occurred,
            min_received_at: extent.min_received,
            max_received_at: extent.max_received,
            id_filter,
            checksums: self.write_part(&checksums)?,
            row_groups: std::mem::take(&mut self.row_groups),
        };
        let json = serde_json::to_string(&description).expect("plain data serialises");
        for (key, value) in [
            (KEY_VERSION, FORMAT_VERSION.to_string()),
            (KEY_DESCRIPTION, json),
            (KEY_SEAL, "0".repeat(SEAL_DIGITS)),
        ] {
            self.file.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        let mut bytes = self.file.into_inner()?;
        seal::apply(&mut bytes, seal_start);
        let stats = extent.stats(rows, bytes.len() as u64);
        Ok(EncodedSegment { bytes: Bytes::from(bytes), stats })
    }

    /// Checks that `batch` may follow what was written, and notes its extent.
    fn check(&mut self, batch: &EventBatch) -> Result<(), EncodeError> {
        let columns = batch.columns();
        let place = |row: usize| Position { occurred_at: columns.occurred_at(row), seq: columns.seq(row) };
        match &self.tenant {
            None => self.tenant = Some(Arc::clone(batch.shared_tenant())),
            Some(tenant) if **tenant == *batch.tenant() => {}
            Some(tenant) => {
                return Err(EncodeError::MixedTenants {
                    seq: columns.seq(0),
                    expected: Arc::clone(tenant),
                    found: batch.tenant().to_owned(),
                });
            }
        }
        if let Some(last) = self.last.filter(|last| *last <= place(0)) {
            return Err(EncodeError::OutOfOrder {
                last: last.occurred_at,
                last_seq: last.seq,
                found: columns.occurred_at(0),
                found_seq: columns.seq(0),
            });
        }
        if (self.id_hashes.len() + batch.len()) as u64 > SEGMENT_ROWS_MAX {
            return Err(EncodeError::TooLarge { what: "rows of a segment", limit: SEGMENT_ROWS_MAX });
        }
        self.last = Some(place(batch.len() - 1));
        let extent = Extent::of(batch);
        self.extent = Some(self.extent.map_or(extent, |before| before.union(extent)));
        Ok(())
    }

    fn close_row_group(&mut self) -> Result<(), EncodeError> {
        let Some(group) = self.open.take() else {
            return Ok(());
        };
        let closed = group.close(&mut self.file)?;
        self.file.flush().map_err(ParquetError::from)?;
        closed.checksum_pages(self.file.inner(), &mut self.checksums);
        let token_filters = self.write_part(&closed.token_filters)?;
        self.row_groups.push(RowGroupDescription {
            min_occurred_at: closed.extent.min_occurred,
            max_occurred_at: closed.extent.max_occurred,
            min_seq: closed.extent.first_seq,
            max_seq: closed.extent.last_seq,
            line_bytes: closed.line_bytes,
            token_filters,
        });
        Ok(())
    }

    /// Writes bytes that Parquet doesn't know at the current end of the file.
    fn write_part(&mut self, bytes: &[u8]) -> Result<Part, EncodeError> {
        let part = Part {
            offset: self.file.bytes_written() as u64,
            length: bytes.len() as u64,
            crc32: crc32fast::hash(bytes),
        };
        self.file.write_all(bytes).map_err(ParquetError::from)?;
        Ok(part)
    }
}
