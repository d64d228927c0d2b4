//! Cutting batches out of a log: what is read, what the filter lets through, when a batch is full.

use std::{collections::BTreeSet, time::Duration};

use recount_event::{Filter, read_fields};
use recount_store::{ReadError, StoredEvent, TenantLog};

use super::budget::Room;
use crate::destinations::BatchPolicy;

/// Events that are looked at for one batch; with a rare filter the cursor still moves on.
const LOOKED_AT_MAX: u64 = 100_000;

/// Events that are read at once.
const PAGE_EVENTS_MAX: usize = 5_000;

/// A stretch of the log that is ready to go.
pub(super) struct Cut {
    /// The first `seq` of the stretch.
    pub(super) from: u64,
    /// The `seq` after the stretch.
    pub(super) upto: u64,
    /// What the filter let through.
    pub(super) events: Vec<StoredEvent>,
    /// Whether the batch is as large as it may be.
    pub(super) full: bool,
    /// The memory that it holds until it has been sent.
    pub(super) room: Room,
}

/// Reads from `from` up to `end`, as much as one batch takes. `skip` is what has arrived already.
pub(super) async fn cut(
    log: &TenantLog,
    filter: &Filter,
    policy: BatchPolicy,
    (from, end): (u64, u64),
    skip: &BTreeSet<u64>,
    room: Room,
) -> Result<Cut, ReadError> {
    let bytes_max = policy.bytes_max.min(room.bytes);
    let mut cut = Cut { from, upto: from, events: Vec::new(), full: false, room };
    let mut bytes = 0;
    while !cut.full && cut.upto < end && cut.upto - from < LOOKED_AT_MAX {
        let missing = policy.events_max - cut.events.len();
        let left = usize::try_from(end - cut.upto).unwrap_or(usize::MAX);
        // A filter lets little through, so pages are as large as they may be.
        let limit = if filter.terms.is_empty() { missing.min(PAGE_EVENTS_MAX) } else { PAGE_EVENTS_MAX };
        let page = log.feed(cut.upto, limit.min(left), Duration::ZERO).await?;
        if page.events.is_empty() {
            break;
        }
        for event in page.events {
            if !skip.contains(&event.seq) && passes(filter, &event) {
                let size = event.line.len();
                if !cut.events.is_empty()
                    && (bytes + size > bytes_max || cut.events.len() == policy.events_max)
                {
                    cut.full = true;
                    break;
                }
                bytes += size;
                cut.upto = event.seq + 1;
                cut.events.push(event);
            } else {
                cut.upto = event.seq + 1;
            }
        }
        cut.full |= cut.events.len() == policy.events_max;
    }
    cut.room.shrink(bytes);
    Ok(cut)
}

/// Whether the stream carries the event. A damaged line is carried: it must not vanish silently.
fn passes(filter: &Filter, event: &StoredEvent) -> bool {
    if filter.terms.is_empty() {
        return true;
    }
    match read_fields(&event.line) {
        Ok(fields) => filter.terms.iter().all(|term| term.matches_fields(&fields)),
        Err(_) => true,
    }
}
