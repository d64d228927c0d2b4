//! The log store: one append-only log per tenant over a SQL catalog and an object store.
//!
//! Writers call [`Store::append`]; readers go through [`TenantLog`], which only a credential
//! yields. Background tasks turn each tenant's tail (rows in the catalog) into Parquet segments,
//! merge segments, and delete what is no longer referenced. The SQL transaction is the only commit
//! point: objects are durable before they are referenced and deleted after they no longer are.
//!
//! Where to look: `append/` is the way in, `read/` the way out, `catalog/` all SQL, `objects/` all
//! files, `maintain/` what runs in the background, `access/` who may do what.

pub mod access;
mod append;
pub(crate) mod catalog;
mod config;
pub mod env;
mod error;
mod heads;
mod maintain;
mod measure;
mod objects;
mod own_event;
mod query;
mod read;
mod retention;
mod secrets;
mod segment_cache;
mod store;
pub mod streams;
mod tail_batch;
mod tenant_log;
#[cfg(feature = "testing")]
pub mod testing;

pub use append::{Appended, IngestAccess};
pub use catalog::CatalogError;
pub use config::{
    CatalogLocation, CompactionPolicy, ObjectsLocation, S3Location, SealPolicy, SecretKeySource, StoreConfig,
};
pub use env::Env;
pub use error::{AppendError, EventRefused, NotReady, OpenError};
pub use own_event::{OwnActor, OwnEvent, OwnTarget};
pub use query::{
    FACET_FIELDS_MAX, FACET_VALUES_DEFAULT, FACET_VALUES_MAX, FEED_EVENTS_MAX, FEED_WAIT_SECONDS_MAX,
    FacetCounts, FacetValue, Facets, FacetsQuery, FeedPage, HISTOGRAM_BUCKETS_MAX, Histogram,
    HistogramBucket, HistogramQuery, LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX, ListQuery, Order, Page, Position,
    ScanQuery, StoredEvent,
};
pub use read::ReadError;
pub use retention::{RETENTION_DAYS_MAX, Retention};
pub use secrets::{OpenSecretError, SECRET_KEY_BYTES, SecretKey, SecretKeyError, SecretPlace};
pub use store::{Store, TenantSummary};
pub use tenant_log::{LogExtent, TenantLog};
