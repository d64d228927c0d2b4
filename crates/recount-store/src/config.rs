//! What a store is opened with: where the catalog and the objects are, and the policies.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::retention::RetentionPolicy;

const MIB: u64 = 1024 * 1024;

/// Where the SQL catalog lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogLocation {
    /// The path of a SQLite file, created when missing. One process at a time can open it.
    Sqlite(PathBuf),
    /// A `postgres://` URL. Any number of nodes can share it.
    Postgres(String),
}

/// Where segments and exports live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectsLocation {
    /// A local folder, created when missing.
    Folder(PathBuf),
    /// A bucket of an S3-compatible service.
    S3(S3Location),
}

/// A bucket; credentials, region and endpoint come from the usual `AWS_*` variables unless given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Location {
    /// The bucket's name.
    pub bucket: String,
    /// Put before every object's name; empty for none, no slash at either end.
    pub prefix: String,
    /// The service's URL (`AWS_ENDPOINT_URL`). A plain `http://` URL is allowed.
    pub endpoint: Option<String>,
    /// The region (`AWS_REGION`).
    pub region: Option<String>,
    /// The access key's id (`AWS_ACCESS_KEY_ID`).
    pub access_key_id: Option<String>,
    /// The access key's secret (`AWS_SECRET_ACCESS_KEY`).
    pub secret_access_key: Option<String>,
}

/// Where the key that encrypts stored secrets comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretKeySource {
    /// 64 hexadecimal digits or 44 characters of base64.
    Value(String),
    /// A file that holds such a text.
    File(PathBuf),
    /// Such a file, created with mode 0600 and a random key if it does not exist.
    FileOrGenerate(PathBuf),
}

impl std::fmt::Debug for SecretKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(…)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::FileOrGenerate(path) => f.debug_tuple("FileOrGenerate").field(path).finish(),
        }
    }
}

/// When a tenant's tail becomes a segment.
///
/// A tail is sealed at once when it is large. A smaller one waits until a segment is worth a file:
/// otherwise 100,000 tenants with one event each would leave 100,000 tiny objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealPolicy {
    /// A tail of this many events is sealed at once.
    pub events: u64,
    /// A tail of this many bytes of lines is sealed at once.
    pub raw_bytes: u64,
    /// A tail of this many rows (after folding) is sealed at once.
    pub batches: u64,
    /// A tail of at least `worthwhile_events` is sealed when its oldest event is this old.
    pub age: Duration,
    /// Fewer events than this wait for `age_max`.
    pub worthwhile_events: u64,
    /// A tail of at least `events_min` is sealed when its oldest event is this old.
    pub age_max: Duration,
    /// Fewer events than this stay in the catalog, however old they are.
    pub events_min: u64,
    /// This many small batches of a tail are folded into one row, so that reading stays cheap.
    pub fold_batches: u64,
    /// How long they wait, at least, to be folded together with other tenants'; not zero.
    pub fold_wait: Duration,
    /// Appends to a tenant answer busy while its tail holds this many events (sealing is stuck).
    pub tail_events_max: u64,
}

impl Default for SealPolicy {
    fn default() -> Self {
        Self {
            events: 131_072,
            raw_bytes: 64 * MIB,
            batches: 512,
            age: Duration::from_secs(15 * 60),
            worthwhile_events: 1_000,
            age_max: Duration::from_secs(24 * 3600),
            events_min: 256,
            fold_batches: 128,
            fold_wait: Duration::from_millis(100),
            tail_events_max: 8_388_608,
        }
    }
}

/// How segments of a tenant are merged, level by level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionPolicy {
    /// This many adjacent segments of one tier are merged into one.
    pub fan_in: usize,
    /// Upper bounds, in rows, of the tiers; segments at or above the last are left alone.
    pub tier_rows: Vec<u64>,
    /// A merge never makes a segment of more rows.
    pub rows_max: u64,
}

impl Default for CompactionPolicy {
    fn default() -> Self {
        Self { fan_in: 8, tier_rows: vec![16_384, 131_072, 1_048_576], rows_max: 1_048_576 }
    }
}

/// Everything a [`crate::Store`] is opened with.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Where the SQL catalog lives.
    pub catalog: CatalogLocation,
    /// Where segments and exports live.
    pub objects: ObjectsLocation,
    /// Where the key for stored secrets comes from; `None` makes storing a secret an error.
    pub secret_key: Option<SecretKeySource>,
    /// Whether the first event of an unknown tenant creates it.
    pub create_tenants: bool,
    /// For how many days a sender's event id is recognised again.
    pub dedup_window_days: u32,
    /// For how many days events are kept of tenants that have no retention of their own; `None` for
    /// ever. Events are kept for `dedup_window_days` at least.
    pub retention_days: Option<u32>,
    /// When tails become segments.
    pub seal: SealPolicy,
    /// How segments are merged.
    pub compaction: CompactionPolicy,
    /// Whether this node seals, compacts and collects garbage.
    pub maintain: bool,
    /// Events that may wait for the committer.
    pub append_queue_events_max: usize,
    /// Bytes of lines that may wait for the committer.
    pub append_queue_bytes_max: usize,
    /// How long a commit waits, in all, for objects that the duplicate check needs. All tenants' events
    /// wait with it; what depends on a slower object is refused and sent again later.
    pub object_wait: Duration,
    /// Budget of the duplicate check's per-tenant state.
    pub dedup_cache_bytes: u64,
    /// Budget of opened segments' footers.
    pub segment_cache_bytes: u64,
    /// Budget of segments' id filters, 2.25 bytes an event. The duplicate check reads the filters of
    /// all events within the window, so more events than fit make appends slow. Id columns, which
    /// sort out the filters' mistakes, get half as much again.
    pub id_filter_cache_bytes: u64,
    /// Budget of what readers keep: decoded columns, tail batches, pages of lines, windows of the feed.
    pub column_cache_bytes: u64,
    /// Queries that may run at once for one tenant.
    pub read_concurrency_per_tenant: usize,
    /// Bytes of decoded columns and lines that one list, histogram or facets query may examine,
    /// unless it says otherwise.
    pub read_scan_bytes_max: u64,
    /// Bytes of lines that one scan (an export) reads ahead of its reader, about.
    pub read_ahead_bytes: u64,
    /// Connections to PostgreSQL, or SQLite's readers.
    pub catalog_connections: u32,
    /// This node's name, for people; leases add random digits of their own.
    pub node_name: String,
}

impl StoreConfig {
    pub(crate) fn retention(&self) -> RetentionPolicy {
        RetentionPolicy { default_days: self.retention_days, days_min: self.dedup_window_days }
    }

    /// The embedded default: SQLite and folders below `data_dir`.
    pub fn embedded(data_dir: &Path) -> Self {
        Self {
            secret_key: Some(SecretKeySource::FileOrGenerate(data_dir.join("secret.key"))),
            ..Self::at(
                CatalogLocation::Sqlite(data_dir.join("catalog.db")),
                ObjectsLocation::Folder(data_dir.join("objects")),
            )
        }
    }

    /// The defaults at the given places; without a key for secrets.
    pub fn at(catalog: CatalogLocation, objects: ObjectsLocation) -> Self {
        Self {
            catalog,
            objects,
            secret_key: None,
            create_tenants: true,
            dedup_window_days: 30,
            retention_days: None,
            seal: SealPolicy::default(),
            compaction: CompactionPolicy::default(),
            maintain: true,
            append_queue_events_max: 200_000,
            append_queue_bytes_max: 128 * 1024 * 1024,
            object_wait: Duration::from_secs(5),
            dedup_cache_bytes: 256 * MIB,
            segment_cache_bytes: 64 * MIB,
            id_filter_cache_bytes: 256 * MIB,
            column_cache_bytes: 512 * MIB,
            read_concurrency_per_tenant: 4,
            read_scan_bytes_max: 4 * 1024 * MIB,
            read_ahead_bytes: 12 * MIB,
            catalog_connections: 8,
            node_name: "recount".to_owned(),
        }
    }
}
