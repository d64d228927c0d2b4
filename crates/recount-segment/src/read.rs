//! Reading a segment: the footer first, then only the parts that a query needs.

use std::mem::size_of;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use recount_event::Timestamp;

use crate::column::{ColumnId, ColumnSet};
use crate::columns::RowGroupColumns;
use crate::error::SegmentError;
use crate::id_filter::IdFilter;
use crate::line::Line;
use crate::schema::Part;
use crate::token_filter::TokenFilters;
use crate::write::SegmentStats;

mod columns;
mod find;
mod lines;
mod open;
mod pages;
mod read_at;
mod rle;
mod times;
mod verify;

pub use columns::FetchedColumns;
pub use lines::FetchedLines;
use pages::ColumnLayout;
pub use read_at::ReadAt;
use read_at::{read_range, read_ranges};

/// A row group's place and extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroup {
    /// Rows, at most [`ROW_GROUP_ROWS_MAX`](crate::ROW_GROUP_ROWS_MAX).
    pub rows: u32,
    /// Earliest `occurred_at`.
    pub min_occurred: Timestamp,
    /// Latest `occurred_at`.
    pub max_occurred: Timestamp,
    /// Lowest seq.
    pub min_seq: u64,
    /// Highest seq.
    pub max_seq: u64,
    /// Bytes of the lines as stored, for work estimates.
    pub line_bytes_compressed: u64,
    /// Bytes of the lines, uncompressed.
    pub line_bytes: u64,
}

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowAddress {
    /// Index into [`Segment::row_groups`].
    pub row_group: u32,
    /// Row within it.
    pub row: u32,
}

/// A row found by seq or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeqRow {
    /// Its seq.
    pub seq: u64,
    /// Its `received_at`.
    pub received_at: Timestamp,
    /// Where it is.
    pub address: RowAddress,
}

/// An opened segment: footer, statistics and page index. Cheap to clone; parts are read on demand and not cached here.
///
/// Row groups are named by their index into [`row_groups`](Self::row_groups), rows by their number within the row
/// group; others panic.
///
/// Every part is verified by CRC-32 when it is read; damage is [`SegmentError::Corrupt`] with the segment's name.
#[derive(Clone)]
pub struct Segment {
    inner: Arc<Inner>,
}

struct Inner {
    name: Arc<str>,
    source: Arc<dyn ReadAt>,
    tenant: Arc<str>,
    stats: SegmentStats,
    groups: Vec<RowGroup>,
    layouts: Vec<GroupLayout>,
    id_filter: Part,
}

/// Where the parts of a row group are.
struct GroupLayout {
    /// In file order, the lines last.
    columns: Vec<ColumnLayout>,
    token_filters: Part,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("name", &self.inner.name)
            .field("stats", &self.inner.stats)
            .finish_non_exhaustive()
    }
}

impl Segment {
    /// Reads and checks the footer: one read of up to 256 KiB, a second one if the page index is larger.
    ///
    /// # Errors
    /// [`SegmentError`] as documented on its variants.
    pub async fn open(source: Arc<dyn ReadAt>, name: impl Into<Arc<str>>) -> Result<Self, SegmentError> {
        let inner = open::open(source, name.into()).await?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The name given on opening.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The name given on opening, shared: for the keys of caches.
    pub fn shared_name(&self) -> &Arc<str> {
        &self.inner.name
    }

    /// The tenant whose events these are.
    pub fn tenant(&self) -> &str {
        &self.inner.tenant
    }

    pub(crate) fn shared_tenant(&self) -> &Arc<str> {
        &self.inner.tenant
    }

    /// What the segment holds.
    pub fn stats(&self) -> &SegmentStats {
        &self.inner.stats
    }

    /// The row groups, newest first.
    pub fn row_groups(&self) -> &[RowGroup] {
        &self.inner.groups
    }

    /// Memory held by the opened segment, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let layouts = self.inner.layouts.iter().flat_map(|layout| &layout.columns);
        size_of::<Inner>()
            + self.inner.groups.len() * (size_of::<RowGroup>() + size_of::<GroupLayout>())
            + layouts.map(ColumnLayout::heap_bytes).sum::<usize>()
    }

    /// The smallest run of whole blocks that covers `rows` of a row group.
    pub fn page_aligned(&self, row_group: usize, rows: Range<u32>) -> Range<u32> {
        columns::block_aligned(rows, self.inner.groups[row_group].rows)
    }

    /// The rows of a row group among which is the first one that happened before `time`, by page statistics, without
    /// reading anything: those of one page, or an empty range that starts at that row if statistics tell. All rows
    /// before the range happened at `time` or later, all behind it earlier.
    pub fn rows_around(&self, row_group: usize, time: Timestamp) -> Range<u32> {
        let occurred_at = &self.inner.layouts[row_group].columns[ColumnId::OccurredAt.index()];
        times::rows_around(occurred_at, self.inner.groups[row_group].rows, time.as_micros())
    }

    /// Fetches the pages of `columns` that hold `rows` of a row group (I/O only; decode where CPU work is fine).
    ///
    /// `rows` is widened to whole pages ([`Self::page_aligned`]). `None` is the whole row group: do that for what goes into a cache.
    ///
    /// # Errors
    /// [`SegmentError::Read`].
    pub async fn fetch_columns(
        &self,
        row_group: usize,
        columns: ColumnSet,
        rows: Option<Range<u32>>,
    ) -> Result<FetchedColumns, SegmentError> {
        columns::fetch(self, row_group, columns, rows).await
    }

    /// [`Self::fetch_columns`] and [`FetchedColumns::decode`] in one.
    ///
    /// # Errors
    /// As theirs.
    pub async fn columns(
        &self,
        row_group: usize,
        columns: ColumnSet,
        rows: Option<Range<u32>>,
    ) -> Result<RowGroupColumns, SegmentError> {
        self.fetch_columns(row_group, columns, rows).await?.decode()
    }

    /// Fetches the pages that hold the lines of `rows` (ascending, within the row group). I/O only.
    ///
    /// # Errors
    /// [`SegmentError::Read`].
    pub async fn fetch_lines(&self, row_group: usize, rows: &[u32]) -> Result<FetchedLines, SegmentError> {
        lines::fetch(self, row_group, rows).await
    }

    /// [`Self::fetch_lines`] and [`FetchedLines::decode`] in one.
    ///
    /// # Errors
    /// As theirs.
    pub async fn lines(&self, row_group: usize, rows: &[u32]) -> Result<Vec<Line>, SegmentError> {
        self.fetch_lines(row_group, rows).await?.decode()
    }

    /// Bytes that [`Self::fetch_lines`] of these rows would read, for work bounds.
    pub fn line_pages_bytes(&self, row_group: usize, rows: &[u32]) -> u64 {
        lines::bytes_to_fetch(self, row_group, rows)
    }

    /// Bytes that [`Self::fetch_columns`] of a whole row group would read.
    pub fn columns_bytes(&self, row_group: usize, columns: ColumnSet) -> u64 {
        let layout = &self.inner.layouts[row_group];
        columns.iter().map(|id| layout.columns[id.index()].bytes()).sum()
    }

    /// Bytes that [`Self::token_filters`] would read.
    pub fn token_filters_bytes(&self, row_group: usize) -> u64 {
        self.inner.layouts[row_group].token_filters.length
    }

    /// Reads a row group's token filters (about 5 bytes an event).
    ///
    /// # Errors
    /// [`SegmentError::Read`], [`SegmentError::Corrupt`].
    pub async fn token_filters(&self, row_group: usize) -> Result<TokenFilters, SegmentError> {
        let what = || format!("token filters of row group {row_group}");
        let bytes = self.read_part(self.inner.layouts[row_group].token_filters, what).await?;
        TokenFilters::decode(bytes).map_err(|error| self.corrupt(format!("{}: {error}", what())))
    }

    /// Reads the segment's id filter (about 2.25 bytes an event).
    ///
    /// # Errors
    /// [`SegmentError::Read`], [`SegmentError::Corrupt`].
    pub async fn id_filter(&self) -> Result<IdFilter, SegmentError> {
        let what = || "id filter".to_owned();
        let bytes = self.read_part(self.inner.id_filter, what).await?;
        IdFilter::decode(bytes).map_err(|error| self.corrupt(format!("{}: {error}", what())))
    }

    /// Finds events by id, exactly; ask the id filter first. One result per id, in order.
    ///
    /// Reads 3 bytes an event of the segment, and the pages of lines of the hits.
    ///
    /// # Errors
    /// [`SegmentError::Read`], [`SegmentError::Corrupt`].
    pub async fn find_ids(&self, ids: &[&str]) -> Result<Vec<Option<SeqRow>>, SegmentError> {
        find::ids(self, ids).await
    }

    /// The rows with a seq in `seqs`, in ascending seq order, at most `limit` (the lowest): for the feed.
    ///
    /// # Errors
    /// [`SegmentError::Read`], [`SegmentError::Corrupt`].
    pub async fn rows_in_seq_order(
        &self,
        seqs: Range<u64>,
        limit: usize,
    ) -> Result<Vec<SeqRow>, SegmentError> {
        find::rows_in_seq_order(self, seqs, limit).await
    }

    /// Reads and checks every byte and what must hold between the parts: order, ranges, filters against lines.
    ///
    /// # Errors
    /// [`SegmentError::Read`], [`SegmentError::Corrupt`].
    pub async fn verify(&self) -> Result<(), SegmentError> {
        verify::verify(self).await
    }

    pub(crate) async fn read(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, SegmentError> {
        read_ranges(&*self.inner.source, &self.inner.name, ranges).await
    }

    async fn read_part(&self, part: Part, what: impl Fn() -> String) -> Result<Bytes, SegmentError> {
        let range = part.offset..part.offset + part.length;
        let bytes = read_range(&*self.inner.source, &self.inner.name, range).await?;
        if crc32fast::hash(&bytes) == part.crc32 {
            Ok(bytes)
        } else {
            Err(self.corrupt(format!("{} fails its checksum", what())))
        }
    }

    pub(crate) fn corrupt(&self, what: impl Into<String>) -> SegmentError {
        SegmentError::corrupt(&self.inner.name, what)
    }
}
