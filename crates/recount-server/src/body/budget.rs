//! The bound on ingest bytes in flight.
//!
//! Bytes are reserved before they are read, and given back when the request's answer is made, so
//! the memory of ingest is bounded whatever the number of connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Problem, ProblemCode};

/// The grain of the budget, in bytes.
const UNIT_BYTES: usize = 4 * 1024;
/// What clients are told to wait when the budget is spent.
const PAUSE: Duration = Duration::from_secs(1);

/// The bytes that ingest bodies may occupy at once.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget {
    units: Arc<Semaphore>,
    wait: Duration,
}

/// A share of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyPermit {
    units: Arc<Semaphore>,
    held: OwnedSemaphorePermit,
}

impl BodyBudget {
    pub(crate) fn new(bytes: usize, wait: Duration) -> Self {
        Self { units: Arc::new(Semaphore::new(bytes.div_ceil(UNIT_BYTES))), wait }
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
        let budget = BodyBudget::new(64 * 1024, Duration::ZERO);
        let mut first = budget.reserve(32 * 1024).await.expect("free");
        first.grow_to(64 * 1024).expect("free");
        assert_eq!(budget.reserve(1).await.expect_err("spent").code(), "busy");
        assert_eq!(first.grow_to(65 * 1024).expect_err("spent").code(), "busy");
        drop(first);
        assert!(budget.reserve(64 * 1024).await.is_ok());
    }
}
