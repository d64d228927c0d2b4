//! Why a read failed, by what the caller should do about it.

use std::time::Duration;

/// Why a read gave no answer. An answer is whole or it is one of these: what can't be read is
/// never left out silently.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such thing, or not for this credential.
    #[error("not found")]
    NotFound,
    /// The query asks for something that isn't served.
    #[error("{detail}")]
    Invalid {
        /// What is wrong and what would be accepted.
        detail: String,
    },
    /// Answering would examine more than one read may.
    #[error("{detail}")]
    TooExpensive {
        /// What was too much and how to narrow the query.
        detail: String,
    },
    /// Too many reads of this tenant are under way: try again later.
    #[error("too many queries at once; try again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// What was asked for was removed by retention.
    #[error("events before seq {first_seq} were removed by retention; go on from there")]
    Removed {
        /// The first event that is left.
        first_seq: u64,
    },
    /// Stored data is damaged or missing; nothing of it is served. Trying again does not help.
    #[error("{object} is damaged: {what}")]
    Corrupt {
        /// The object's or row's name.
        object: String,
        /// What is wrong with it.
        what: String,
    },
    /// Catalog or objects can't be reached now: try again.
    #[error("{what} is unavailable: {cause}")]
    Unavailable {
        /// The part that did not answer: the catalog, the object store.
        what: &'static str,
        /// Its own words.
        cause: String,
    },
    /// The caller went away or the store is shutting down.
    #[error("cancelled")]
    Cancelled,
}
