//! What can go wrong while writing or reading a segment, typed by what the caller should do about it.

use std::sync::Arc;

use recount_event::Timestamp;

/// Why encoding a batch or a segment failed. None of these is retryable: the input is at fault.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A stored line isn't an event in normal form: whoever supplied the rows holds damaged data.
    #[error("event with seq {seq} is not a line in normal form: {detail}")]
    CorruptLine {
        /// The row's sequence number.
        seq: u64,
        /// What is wrong with it.
        detail: String,
    },
    /// Rows of different tenants were put together; a segment belongs to exactly one.
    #[error("event with seq {seq} belongs to tenant {found:?}, the batch to {expected:?}")]
    MixedTenants {
        /// The row's sequence number.
        seq: u64,
        /// The batch's tenant.
        expected: Arc<str>,
        /// The row's tenant.
        found: String,
    },
    /// A batch was pushed that doesn't continue the segment's order (newest first, by time and seq).
    #[error(
        "batch starts at {found} (seq {found_seq}), after {last} (seq {last_seq}): push batches newest first"
    )]
    OutOfOrder {
        /// Time of the last row written.
        last: Timestamp,
        /// Sequence number of the last row written.
        last_seq: u64,
        /// Time of the offending row.
        found: Timestamp,
        /// Sequence number of the offending row.
        found_seq: u64,
    },
    /// The sequence numbers aren't one contiguous range.
    #[error("segment has {rows} rows but its sequence numbers run from {first_seq} to {last_seq}")]
    GapInSeq {
        /// Lowest sequence number.
        first_seq: u64,
        /// Highest sequence number.
        last_seq: u64,
        /// Rows written.
        rows: u64,
    },
    /// More bytes of lines than one batch may have (1 GiB), or more rows than a batch or a segment may have.
    #[error("{what} exceeds the limit of {limit}: write smaller batches")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in the unit that `what` names.
        limit: u64,
    },
    /// There was nothing to write.
    #[error("a segment needs at least one event")]
    Empty,
    /// The Parquet library refused to write.
    #[error("parquet could not be written: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}

/// Why a segment couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The bytes are not what was written. Never retry; report the object by name.
    #[error("segment {name} is damaged: {what}")]
    Corrupt {
        /// The segment's name.
        name: Arc<str>,
        /// Which part, and what is wrong with it.
        what: String,
    },
    /// The file is whole but written in a format that this build doesn't read.
    #[error("segment {name} has format version {found}, this build reads version {known}: upgrade recount")]
    UnknownVersion {
        /// The segment's name.
        name: Arc<str>,
        /// The version that the file names.
        found: String,
        /// The version that this build reads.
        known: u32,
    },
    /// The bytes couldn't be fetched.
    #[error("segment {name} could not be read")]
    Read {
        /// The segment's name.
        name: Arc<str>,
        /// The cause; tells a missing object from an unavailable store.
        #[source]
        source: ReadAtError,
    },
}

/// Why a [`ReadAt`](crate::ReadAt) couldn't deliver bytes.
#[derive(Debug, thiserror::Error)]
pub enum ReadAtError {
    /// The object doesn't exist (any more): plan the read again from the catalog.
    #[error("object not found")]
    NotFound,
    /// The object is shorter than asked for.
    #[error("object ends at byte {len}, bytes up to {end} were asked for")]
    OutOfRange {
        /// The object's length in bytes.
        len: u64,
        /// Exclusive end of the range asked for.
        end: u64,
    },
    /// Anything else: the object store is unavailable; retry later.
    #[error("object store failed")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SegmentError {
    pub(crate) fn corrupt(name: &Arc<str>, what: impl Into<String>) -> Self {
        Self::Corrupt { name: Arc::clone(name), what: what.into() }
    }
}
