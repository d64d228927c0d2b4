//! Streams: what leaves a tenant's log continuously, and how far each has come.
//!
//! Here is what is durable about them: the rows, the leases under which a node delivers, the
//! fenced step of a cursor, the bounded record of attempts, the dead letters. What a destination
//! is and when something is sent is decided in `recount-deliver`.
//!
//! Two sides use it. People reach a tenant's streams through [`TenantLog::streams`]; the engine
//! reaches all streams of the shards that its node holds through [`Store::deliveries`].
//!
//! [`TenantLog::streams`]: crate::TenantLog::streams
//! [`Store::deliveries`]: crate::Store::deliveries

mod deliveries;
mod settle;
mod stream;
mod tenant_streams;

pub use deliveries::{Deliveries, SHARDS, Shard, StreamLease};
pub use settle::{Attempt, AttemptRing, DeadLetter, Progress, SettleError, Settlement};
pub use stream::{NewStream, Stream, StreamChange, StreamHealth, StreamId, StreamStatus};
pub use tenant_streams::{StreamError, TenantStreams};

/// Most streams of one tenant.
pub const STREAMS_PER_TENANT_MAX: u32 = 50;

/// Attempts that are kept of each stream and kind (passed, failed, test).
pub const ATTEMPTS_KEPT: u64 = 100;

/// Dead letters that are kept of each stream; a stream that has so many stops.
pub const DEAD_LETTERS_MAX: u64 = 10_000;
