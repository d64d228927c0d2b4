//! The bound on ingest bytes in flight.
//!
//! Bytes are reserved before they are read, and given back when the request's answer is made, so
//! the memory of ingest is bounded whatever the number of connections.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Problem, ProblemCode};

/// The grain of the budget, in bytes.
const UNIT_BYTES: usize = 4 * 1024;
/// What clients are told to wait when the budget is spent.
const PAUSE: Duration = Duration::from_secs(1);
/// Bodies that are being decompressed grow into this part of the budget at most, 1 in so many, so
/// that those under way always find the room to end.
const DECOMPRESSED_PART: usize = 2;

/// The bytes that ingest bodies may occupy at once.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget {
    units: Arc<Semaphore>,
    /// Turns at decompressing: all at once, large bodies would take each other's room and none would end.
    turns: Arc<Semaphore>,
    wait: Duration,
}

/// The right to decompress one body; given back when dropped.
#[derive(Debug)]
pub(crate) struct DecompressionTurn(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyPermit {
    units: Arc<Semaphore>,
    held: OwnedSemaphorePermit,
}

impl BodyBudget {
    /// A budget of `bytes`, for bodies of at most `body_bytes_max` after decompression.
    pub(crate) fn new(bytes: usize, body_bytes_max: usize, wait: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let turns = (bytes / DECOMPRESSED_PART / body_bytes_max).clamp(1, cores);
        Self {
            units: Arc::new(Semaphore::new(bytes.div_ceil(UNIT_BYTES))),
            turns: Arc::new(Semaphore::new(turns)),
            wait,
        }
    }

    /// Reserves `bytes`, waiting a little for others to finish.
    ///
    /// # Errors
    /// A `busy` problem when the budget stays spent.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<BodyPermit, Problem> {
        let wanted = units(bytes);
        let acquire = Arc::clone(&self.units).acquire_many_owned(wanted);
        match tokio::time::timeout(self.wait, acquire).await {
            Ok(Ok(held)) => Ok(BodyPermit { units: Arc::clone(&self.units), held }),
            _ => Err(busy()),
        }
    }

    /// Waits a little for a turn at decompressing.
    ///
    /// # Errors
    /// A `busy` problem when others take too long.
    pub(crate) async fn decompression_turn(&self) -> Result<DecompressionTurn, Problem> {
        match tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(DecompressionTurn(turn)),
            _ => Err(busy()),
        }
    }
}

impl BodyPermit {
    /// Reserves more until the share covers `bytes`, without waiting: it may run on a blocking
    /// thread, and two bodies that wait for each other's bytes would never end.
    ///
    /// # Errors
    /// A `busy` problem when the budget is spent.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), Problem> {
        let held = u32::try_from(self.held.num_permits()).unwrap_or(u32::MAX);
        let more = units(bytes).saturating_sub(held);
        if more > 0 {
            let added = Arc::clone(&self.units).try_acquire_many_owned(more).map_err(|_| busy())?;
            self.held.merge(added);
        }
        Ok(())
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

fn busy() -> Problem {
    Problem::new(
        ProblemCode::Busy,
        "too many bytes of events are on their way in; send the same events again",
    )
    .retry_after(PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_budget_is_a_bound_and_comes_back() {
        let budget = BodyBudget::new(64 * 1024, 64 * 1024, Duration::ZERO);
        let mut first = budget.reserve(32 * 1024).await.expect("free");
        first.grow_to(64 * 1024).expect("free");
        assert_eq!(budget.reserve(1).await.expect_err("spent").code(), "busy");
        assert_eq!(first.grow_to(65 * 1024).expect_err("spent").code(), "busy");
        drop(first);
        assert!(budget.reserve(64 * 1024).await.is_ok());
    }
    #[tokio::test]
    async fn there_is_always_one_turn_and_room_for_all_turns() {
        let small = BodyBudget::new(1024, 64 * 1024, Duration::ZERO);
        let turn = small.decompression_turn().await.expect("free");
        assert_eq!(small.decompression_turn().await.expect_err("taken").code(), "busy");
        drop(turn);
        assert!(small.decompression_turn().await.is_ok());
        let large = BodyBudget::new(1 << 30, 1 << 20, Duration::ZERO);
        assert!(large.turns.available_permits() <= (1 << 30) / DECOMPRESSED_PART / (1 << 20));
    }
}
