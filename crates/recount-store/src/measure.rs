//! Names and descriptions of the store's metrics; units are in the names.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(crate) const APPEND_SECONDS: &str = "recount_append_seconds";
pub(crate) const APPEND_EVENTS: &str = "recount_append_events_total";
pub(crate) const APPEND_BYTES: &str = "recount_append_bytes_total";
pub(crate) const APPEND_DUPLICATES: &str = "recount_append_duplicates_total";
pub(crate) const APPEND_REFUSED: &str = "recount_append_refused_total";
pub(crate) const APPEND_BUSY: &str = "recount_append_busy_total";
pub(crate) const QUEUE_EVENTS: &str = "recount_append_queue_events";
pub(crate) const QUEUE_BYTES: &str = "recount_append_queue_bytes";
pub(crate) const COMMIT_SECONDS: &str = "recount_commit_seconds";
pub(crate) const COMMIT_EVENTS: &str = "recount_commit_events";
pub(crate) const COMMIT_TENANTS: &str = "recount_commit_tenants";
pub(crate) const COMMIT_RETRIES: &str = "recount_commit_retries_total";
pub(crate) const DEDUP_STATE_BYTES: &str = "recount_dedup_state_bytes";
pub(crate) const SEALED_EVENTS: &str = "recount_sealed_events_total";
pub(crate) const SEALED_BYTES: &str = "recount_sealed_bytes_total";
pub(crate) const SEAL_SECONDS: &str = "recount_seal_seconds";
pub(crate) const TAIL_AGE_SECONDS: &str = "recount_tail_age_seconds";
pub(crate) const SEAL_LAG_SECONDS: &str = "recount_seal_lag_seconds";
pub(crate) const FOLDED_BATCHES: &str = "recount_folded_batches_total";
pub(crate) const COMPACTED_EVENTS: &str = "recount_compacted_events_total";
pub(crate) const COMPACTED_BYTES: &str = "recount_compacted_bytes_total";
pub(crate) const COMPACT_SECONDS: &str = "recount_compact_seconds";
pub(crate) const COMPACT_LAG_TENANTS: &str = "recount_compact_lag_tenants";
pub(crate) const SEGMENTS_PER_TENANT: &str = "recount_segments_per_tenant";
pub(crate) const REMOVED_EVENTS: &str = "recount_removed_events_total";
pub(crate) const GARBAGE_DELETED: &str = "recount_garbage_deleted_total";
pub(crate) const MAINTENANCE_FAILURES: &str = "recount_maintenance_failures_total";
pub(crate) const LEASES_HELD: &str = "recount_leases_held";
pub(crate) const READ_SECONDS: &str = "recount_read_seconds";
pub(crate) const READ_EXAMINED_BYTES: &str = "recount_read_examined_bytes_total";
pub(crate) const READ_REPLANS: &str = "recount_read_replans_total";
pub(crate) const READ_CACHE: &str = "recount_read_cache_total";
pub(crate) const CHECKPOINT_SECONDS: &str = "recount_sqlite_checkpoint_seconds";
pub(crate) const WAL_BYTES: &str = "recount_sqlite_wal_bytes";

/// Describes all metrics to the installed recorder, if there is one.
pub(crate) fn describe() {
    describe_histogram!(APPEND_SECONDS, Unit::Seconds, "Time from an append's arrival to its durable answer");
    describe_counter!(APPEND_EVENTS, Unit::Count, "Events stored");
    describe_counter!(APPEND_BYTES, Unit::Bytes, "Bytes of stored events' lines");
    describe_counter!(APPEND_DUPLICATES, Unit::Count, "Events recognised as duplicates");
    describe_counter!(APPEND_REFUSED, Unit::Count, "Events refused by the store");
    describe_counter!(APPEND_BUSY, Unit::Count, "Appends refused because the queue was full");
    describe_gauge!(QUEUE_EVENTS, Unit::Count, "Events that wait for the committer");
    describe_gauge!(QUEUE_BYTES, Unit::Bytes, "Bytes that wait for the committer");
    describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "Time of one group commit, duplicate check included");
    describe_histogram!(COMMIT_EVENTS, Unit::Count, "Events in one group commit");
    describe_histogram!(COMMIT_TENANTS, Unit::Count, "Tenants in one group commit");
    describe_counter!(COMMIT_RETRIES, Unit::Count, "Group commits tried again, by reason");
    describe_gauge!(DEDUP_STATE_BYTES, Unit::Bytes, "Memory of the duplicate check");
    describe_counter!(SEALED_EVENTS, Unit::Count, "Events moved from the tail to segments");
    describe_counter!(
        SEALED_BYTES,
        Unit::Bytes,
        "Bytes of sealed segments; compacted bytes over these is the write amplification"
    );
    describe_histogram!(SEAL_SECONDS, Unit::Seconds, "Time to seal one segment");
    describe_gauge!(
        TAIL_AGE_SECONDS,
        Unit::Seconds,
        "Age of the oldest event in a tail that is large enough to be sealed one day"
    );
    describe_gauge!(SEAL_LAG_SECONDS, Unit::Seconds, "Age of the oldest tail that is due for sealing");
    describe_counter!(FOLDED_BATCHES, Unit::Count, "Small tail rows folded into larger ones");
    describe_counter!(COMPACTED_EVENTS, Unit::Count, "Events rewritten by compaction");
    describe_counter!(COMPACTED_BYTES, Unit::Bytes, "Bytes written by compaction");
    describe_histogram!(COMPACT_SECONDS, Unit::Seconds, "Time of one merge");
    describe_gauge!(COMPACT_LAG_TENANTS, Unit::Count, "Tenants that have segments to merge");
    describe_histogram!(SEGMENTS_PER_TENANT, Unit::Count, "Segments of a tenant when it was last looked at");
    describe_counter!(REMOVED_EVENTS, Unit::Count, "Events removed by retention");
    describe_counter!(GARBAGE_DELETED, Unit::Count, "Unreferenced objects deleted");
    describe_counter!(MAINTENANCE_FAILURES, Unit::Count, "Seals, merges and collections that failed");
    describe_gauge!(LEASES_HELD, Unit::Count, "Maintenance shards that this node holds");
    describe_histogram!(
        READ_SECONDS,
        Unit::Seconds,
        "Time of a read, by kind, waiting included; a feed's wait for news is not"
    );
    describe_counter!(
        READ_EXAMINED_BYTES,
        Unit::Bytes,
        "Bytes of decoded columns and lines that reads examined, from a cache or not"
    );
    describe_counter!(
        READ_REPLANS,
        Unit::Count,
        "Reads that began anew because what they were reading was sealed or merged"
    );
    describe_counter!(READ_CACHE, Unit::Count, "Looks into the readers' caches, by cache and result");
    describe_histogram!(
        CHECKPOINT_SECONDS,
        Unit::Seconds,
        "Time of a checkpoint of the SQLite write-ahead log"
    );
    describe_gauge!(WAL_BYTES, Unit::Bytes, "Size of the SQLite write-ahead log");
}
