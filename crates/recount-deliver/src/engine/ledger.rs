//! Group commit of what came of attempts: one transaction for all streams that finished meanwhile.

use recount_store::streams::{Deliveries, SettleError, Settlement, StreamId};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Settlements that wait; more make streams wait.
const QUEUE_MAX: usize = 1_024;

/// Settlements of one transaction.
const GROUP_MAX: usize = 256;

type Entry = (Settlement, oneshot::Sender<Result<(), SettleError>>);

/// Takes settlements and says when they are durable. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ledger {
    queue: mpsc::Sender<Entry>,
    deliveries: Deliveries,
}

impl Ledger {
    /// The ledger, and the task that must run for it.
    pub(super) fn new(deliveries: Deliveries, stop: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let (queue, entries) = mpsc::channel(QUEUE_MAX);
        (Self { queue, deliveries: deliveries.clone() }, write(deliveries, entries, stop))
    }

    /// Durable once this returns `Ok`.
    pub(super) async fn settle(&self, settlement: Settlement) -> Result<(), SettleError> {
        let stopped = || SettleError::Unavailable("the delivery engine is stopping".to_owned());
        let (done, result) = oneshot::channel();
        self.queue.send((settlement, done)).await.map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())?
    }

    /// How many dead letters of a stream are kept now; people take some off the list.
    pub(super) async fn dead_letters(&self, stream: &StreamId) -> Option<u64> {
        let loaded = self.deliveries.load(stream).await.ok()?;
        loaded.map(|stream| stream.dead_letters)
    }
}

async fn write(deliveries: Deliveries, mut entries: mpsc::Receiver<Entry>, stop: CancellationToken) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    loop {
        let received = tokio::select! {
            received = entries.recv_many(&mut group, GROUP_MAX) => received,
            () = stop.cancelled() => {
                // What was sent is worth writing down: else it is sent again.
                entries.close();
                entries.recv_many(&mut group, GROUP_MAX).await
            }
        };
        if received == 0 {
            return;
        }
        let (settlements, waiting): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        let results = deliveries.settle(&settlements).await;
        for (waiter, result) in waiting.into_iter().zip(results) {
            // Whoever does not wait any more will load the stream anew.
            let _ = waiter.send(result);
        }
    }
}
