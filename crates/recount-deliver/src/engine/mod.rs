//! The delivery engine: moves every stream's cursor along its tenant's log.
//!
//! ```text
//!  heads of logs ─┐
//!  people's changes ─▶ supervisor ─▶ run (one per stream that has something to do)
//!  due times ─────┘        ▲            cut ─▶ deliver ─▶ settle ─┐
//!  delivery leases ────────┘            └───────── ledger ◀───────┘ group commit, fenced
//! ```
//!
//! What holds, whatever a destination does:
//! - **At least once, in order.** A cursor moves only over what was accepted or is a dead letter, in
//!   a transaction that checks lease, revision and the cursor's own place.
//! - **Nothing is skipped.** A destination that fails makes the stream wait; one event that is
//!   refused becomes a dead letter with its reason; a destination that refuses everything does not.
//! - **Nobody waits for another.** Each stream has its own run; memory is shared, and who finds little
//!   of it left sends smaller batches.
//! - **The same again.** What failed is tried again as the same batch, on whichever node, so that a
//!   destination can recognise it; smaller only if it was too large, too slow, or memory is short.
//! - **Idle costs nothing.** One task waits for all heads; a stream without news has no task, no
//!   connection and no timer.

mod backoff;
mod budget;
mod cut;
mod cut_off;
mod fit;
mod ledger;
pub(crate) mod outcome;
pub(crate) mod prepare;
mod progress;
mod run;
mod supervisor;

use std::{sync::Arc, time::Duration};

use recount_store::{Env, SecretKey, Store, streams::Stream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use backoff::Backoff;

use self::{budget::Budget, ledger::Ledger, prepare::Prepared, supervisor::Supervisor};
use crate::destinations::Surroundings;

/// How long batches in flight may take to finish when the engine stops; later ones are cut off and
/// sent again by the next holder.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// What an engine is started with.
#[derive(Debug, Clone, Copy)]
pub struct EngineConfig {
    /// Bounds of the pauses after failures.
    pub backoff: Backoff,
    /// Bytes of memory that batches in flight may hold, beside a small one of each stream.
    pub memory_bytes_max: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { backoff: Backoff::default(), memory_bytes_max: 512 * 1024 * 1024 }
    }
}

/// What all runs of a node share.
pub(crate) struct Shared {
    env: Env,
    key: Option<SecretKey>,
    surroundings: Surroundings,
    backoff: Backoff,
    budget: Budget,
    ledger: Ledger,
}

impl Shared {
    fn prepare(&self, stream: &Stream) -> Result<Prepared, String> {
        prepare::prepare(stream, self.key.as_ref(), &self.surroundings)
    }
}

/// A running engine. Dropping it without [`shutdown`](Self::shutdown) abandons what is in flight.
pub struct Engine {
    stop: CancellationToken,
    supervisor: JoinHandle<()>,
}

impl Engine {
    /// Starts delivering the streams whose leases this node gets. Call it within a tokio runtime.
    #[must_use]
    pub fn start(store: &Store, surroundings: Surroundings, config: EngineConfig) -> Self {
        let stop = CancellationToken::new();
        let deliveries = store.deliveries();
        let ledger_stop = CancellationToken::new();
        let (ledger, writing) = Ledger::new(deliveries.clone(), ledger_stop.clone());
        let shared = Arc::new(Shared {
            env: store.env().clone(),
            key: store.secret_key().cloned(),
            surroundings,
            backoff: config.backoff,
            budget: Budget::new(config.memory_bytes_max),
            ledger,
        });
        let supervisor = Supervisor::new(shared, deliveries.clone(), stop.clone());
        let supervisor = tokio::spawn(async move {
            let writing = tokio::spawn(writing);
            supervisor.run().await;
            ledger_stop.cancel();
            // A ledger that panicked has said so.
            let _ = writing.await;
            if let Err(error) = deliveries.release().await {
                tracing::warn!(error = %error, "delivery leases were not given back; they end by themselves");
            }
        });
        Self { stop, supervisor }
    }

    /// Stops: batches in flight are finished and written down, leases are given back.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.supervisor.await {
            tracing::error!(error = %error, "the delivery engine did not stop in order");
        }
    }
}
