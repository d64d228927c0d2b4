//! What the engine writes down after an attempt, in one step: cursor, health, attempt, dead letters.

use recount_event::Timestamp;

use super::stream::{StreamHealth, StreamStatus};
use super::{StreamId, StreamLease};

/// How far a stream has come after an attempt.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The first event not yet delivered.
    pub cursor: u64,
    /// Where the batches end that were under way when it failed; see [`Stream`](super::Stream).
    pub stretches: Vec<u64>,
    /// What people, or now the destination, want of it.
    pub status: StreamStatus,
    /// Why it is halted.
    pub status_reason: String,
    /// How it is doing.
    pub health: StreamHealth,
    /// Failed attempts in a row.
    pub failures: u32,
    /// Dead letters in a row.
    pub refusals: u32,
    /// No attempt before this.
    pub retry_at: Option<Timestamp>,
    /// Attempts since creation.
    pub attempts: u64,
    /// Events accepted since creation.
    pub delivered: u64,
    /// When an attempt passed last.
    pub last_success_at: Option<Timestamp>,
    /// When an attempt failed last.
    pub last_error_at: Option<Timestamp>,
    /// What it said.
    pub last_error: String,
}

/// One step of a stream. Takes effect as a whole or not at all.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// The stream.
    pub stream: StreamId,
    /// Under which lease it was worked on.
    pub lease: StreamLease,
    /// The revision that was worked with.
    pub revision: i64,
    /// Where the cursor was.
    pub from: u64,
    /// How far it has come.
    pub progress: Progress,
    /// What was tried, if anything.
    pub attempts: Vec<Attempt>,
    /// What was refused for good.
    pub dead_letters: Vec<DeadLetter>,
}

/// Which of the kept attempts one belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptRing {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// A person asked for it (a test, a dead letter sent again).
    Manual,
}

impl AttemptRing {
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Manual => 2,
        }
    }

    pub(crate) fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Passed,
            1 => Self::Failed,
            _ => Self::Manual,
        }
    }
}

/// One attempt, as it is kept.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Which of the kept ones it belongs to.
    pub ring: AttemptRing,
    /// Counts the stream's attempts.
    pub number: u64,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// `seq` of its first event.
    pub first_seq: u64,
    /// `seq` of its last event.
    pub last_seq: u64,
    /// How many events it carried.
    pub events: u64,
    /// What came of it, in a word.
    pub outcome: String,
    /// Request, status, answer and reason: a JSON object without secrets.
    pub detail: String,
}

/// An event that a destination refused for good.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The event's `seq`.
    pub seq: u64,
    /// The event's id.
    pub event_id: String,
    /// When it was refused.
    pub at: Timestamp,
    /// What the destination said.
    pub reason: String,
    /// How often it was sent again by a person.
    pub replays: u32,
}

/// Why a settlement did not take effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// The lease is another node's now: drop the work.
    #[error("the delivery lease was lost to another node")]
    Fenced,
    /// A person has changed or deleted the stream meanwhile: load it again.
    #[error("the stream was changed meanwhile")]
    Changed,
    /// The catalog did not answer; what was sent will be sent again.
    #[error("{0}")]
    Unavailable(String),
}
