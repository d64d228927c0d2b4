//! Segments: a tenant's events as Parquet bytes, and everything that reads them fast.
//!
//! A *segment* is one Parquet file with one contiguous range of one tenant's sequence numbers, sorted by
//! (`occurred_at`, `seq`) descending. This crate turns rows into such bytes ([`EventBatch`],
//! [`SegmentWriter`], [`merge`]), reads parts of them back ([`Segment`]) and evaluates filters over what it
//! read ([`Predicate`], [`Bounds`], [`count`]). It does no I/O of its own: bytes come through [`ReadAt`].
//!
//! The file format is described in `docs/formats/segment.md`.
//!
//! # Reading, cheapest first
//! 1. [`Segment::open`] reads the footer; [`Bounds::overlap`] against [`Segment::stats`] and
//!    [`Segment::row_groups`] drops what lies outside a time or seq range.
//! 2. [`Predicate::surviving_blocks`] asks a row group's [`TokenFilters`] which blocks of
//!    [`BLOCK_ROWS`] rows can hold the words searched for.
//! 3. [`Segment::rows_around`] tells by page statistics where in a row group a time is.
//! 4. [`Segment::fetch_columns`] (I/O) and [`FetchedColumns::decode`] (CPU) load the columns that
//!    [`Predicate::columns_needed`] names; the result is made of `Arc`s to be cached.
//! 5. [`Predicate::evaluate`] gives a bitmap of rows that match as far as columns can tell.
//! 6. [`Segment::fetch_lines`] and [`FetchedLines::decode_where`] load lines of selected rows, of pages that
//!    [`Predicate::may_match_line_in`] lets pass, and [`Predicate::matches_line`] decides what columns couldn't
//!    ([`Predicate::has_residual`]).
//! 7. [`ColumnSet::ORDER`](ColumnSet::ORDER) places what is left: needed only now, for the blocks of those rows.
//!
//! The tail goes the same way: an [`EventBatch`] has the same [`RowGroupColumns`] and lines.

mod batch;
mod bounds;
mod column;
mod columns;
pub mod count;
mod dictionary;
mod error;
mod fuse;
mod id_filter;
pub mod joined;
mod line;
mod merge;
mod predicate;
mod read;
mod schema;
mod token_filter;
mod write;

pub use batch::{EventBatch, Row};
pub use bounds::{Bounds, Position};
pub use column::{ColumnId, ColumnSet};
pub use columns::{ColumnData, RowGroupColumns};
pub use dictionary::{DictColumn, DictIds, Strings};
pub use error::{EncodeError, ReadAtError, SegmentError};
pub use id_filter::{IdFilter, id_hash, id_hash_column};
pub use line::{Line, NotUtf8};
pub use merge::{merge, merge_from};
pub use predicate::Predicate;
pub use read::{FetchedColumns, FetchedLines, ReadAt, RowAddress, RowGroup, Segment, SeqRow};
pub use schema::{BLOCK_ROWS, FORMAT_VERSION, ROW_GROUP_ROWS_MAX, SEGMENT_ROWS_MAX};
pub use token_filter::{BlockSet, TokenFilters, TokenKey, token_hash};
pub use write::{EncodedSegment, SegmentOptions, SegmentStats, SegmentWriter};
