//! What the tests stand on: a store, an engine, a receiver of ours, and the peers.

pub(crate) mod peers;
pub(crate) mod receiver;
pub(crate) mod world;

use std::time::Duration;

/// How long anything is waited for. Nothing takes so long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` gives something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: impl std::fmt::Display,
    mut condition: impl FnMut() -> F,
) -> T {
    let waiting = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            if let Some(value) = condition().await {
                return value;
            }
        }
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(value) => value,
        Err(_) => panic!("still waiting for: {what}"),
    }
}
