//! What reads cost: the bound on what one may examine, and how long each took, for `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use recount_event::Timestamp;

use crate::ReadError;
use crate::measure::{READ_EXAMINED_BYTES, READ_SECONDS};

const MIB: u64 = 1024 * 1024;

/// Counts what a read examines, whether it came from a cache or not, so that the same question
/// is refused or answered alike whatever was asked before (it may examine less while caches are
/// cold and word filters stand in for columns). Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    examined: Arc<AtomicU64>,
    bytes_max: u64,
}

impl Meter {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Meter { examined: Arc::default(), bytes_max }
    }

    /// Counts `bytes` more, found at the time `at`.
    ///
    /// # Errors
    /// `TooExpensive` once the bound is passed.
    pub(crate) fn add(&self, bytes: usize, at: Timestamp) -> Result<(), ReadError> {
        let bytes = bytes as u64;
        metrics::counter!(READ_EXAMINED_BYTES).increment(bytes);
        let examined = self.examined.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if examined <= self.bytes_max {
            return Ok(());
        }
        Err(ReadError::TooExpensive {
            detail: format!(
                "the answer needs more than the {} MiB of events that one read may examine; it had come to {at}. \
                 Give a shorter time range (from, to) or add a term that selects fewer events, \
                 such as action:, actor: or target:",
                self.bytes_max.div_ceil(MIB),
            ),
        })
    }
}

/// Records how long a read took when it is dropped, whether it answered, failed or was dropped itself.
pub(crate) struct Timed {
    kind: &'static str,
    began: Instant,
}

impl Timed {
    pub(crate) fn new(kind: &'static str) -> Self {
        Timed { kind, began: Instant::now() }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        metrics::histogram!(READ_SECONDS, "kind" => self.kind).record(self.began.elapsed());
    }
}
