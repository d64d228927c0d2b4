//! Fixtures: places for stores, events, and checks that every test makes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use recount_event::{NewEvent, ParseContext, TenantId, Timestamp, parse_event};
use recount_store::env::{Env, ManualClock, SeededEntropy};
use recount_store::testing::{self, Tender};
use recount_store::{
    Appended, CatalogLocation, EventRefused, ObjectsLocation, S3Location, Store, StoreConfig, StoredEvent,
};
use sqlx::Connection as _;
use uuid::Uuid;

/// 2026-11-23T00:00:00Z, when tests begin.
pub(crate) const BEGIN: Timestamp = Timestamp::from_micros(1_795_392_000_000_000);
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// Makes a test of `$name` for each catalog, in modules `sqlite` and `postgres`.
macro_rules! on_both_catalogs {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::Place::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(place) = $crate::support::Place::postgres(stringify!($name)).await {
                    super::$name(place).await;
                }
            })*
        }
    };
}
pub(crate) use on_both_catalogs;

/// Makes a test of `$name` for each object store, in modules `folder` and `s3`.
macro_rules! on_both_object_stores {
    ($($name:ident),* $(,)?) => {
        mod folder {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::Place::sqlite()).await;
            })*
        }
        mod s3 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(place) = $crate::support::Place::s3(stringify!($name)) {
                    super::$name(place).await;
                }
            })*
        }
    };
}
pub(crate) use on_both_object_stores;

/// Where the stores of one test live; also its clock.
pub(crate) struct Place {
    pub(crate) config: StoreConfig,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) env: Env,
    dir: tempfile::TempDir,
}

/// What `variable` says of a server that a test needs; without it the test does not run, which
/// `RECOUNT_TEST_REQUIRED` makes a failure.
fn test_server(variable: &str, test: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        let required = std::env::var("RECOUNT_TEST_REQUIRED").is_ok_and(|required| required == "1");
        assert!(!required, "{test} needs {variable}, which is not set");
        eprintln!("NOT RUN: {test}, because {variable} is not set");
    }
    found
}

fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let config = StoreConfig::embedded(dir.path());
        Self::new(config, dir)
    }

    /// A new database on the test server, or `None` with a line that says what is not run.
    ///
    /// The database orders text as people do, not by bytes, which is what most servers are set up for.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let server = test_server("RECOUNT_TEST_POSTGRES", test)?;
        let name = format!("recount_test_{}_{}", std::process::id(), unique());
        let mut admin = sqlx::PgConnection::connect(&server).await.expect("the test server answers");
        let create = format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        );
        for sql in [format!("DROP DATABASE IF EXISTS {name}"), create] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.expect("a new database");
        }
        let mut url = url::Url::parse(&server).expect("a URL");
        url.set_path(&name);
        let dir = tempfile::tempdir().expect("temporary folder");
        let objects = ObjectsLocation::Folder(dir.path().join("objects"));
        Some(Self::new(StoreConfig::at(CatalogLocation::Postgres(url.into()), objects), dir))
    }

    /// SQLite with objects in the test bucket, below a prefix of its own.
    pub(crate) fn s3(test: &str) -> Option<Self> {
        let endpoint = test_server("RECOUNT_TEST_S3_ENDPOINT", test)?;
        let bucket = test_server("RECOUNT_TEST_S3_BUCKET", test)?;
        let key = test_server("AWS_ACCESS_KEY_ID", test)?;
        let secret = test_server("AWS_SECRET_ACCESS_KEY", test)?;
        let dir = tempfile::tempdir().expect("temporary folder");
        let random = dir.path().file_name().expect("a name").to_string_lossy().replace('.', "");
        let objects = ObjectsLocation::S3(S3Location {
            bucket,
            prefix: format!("test-{random}"),
            endpoint: Some(endpoint),
            region: Some("us-east-1".to_owned()),
            access_key_id: Some(key),
            secret_access_key: Some(secret),
        });
        let catalog = CatalogLocation::Sqlite(dir.path().join("catalog.db"));
        Some(Self::new(StoreConfig::at(catalog, objects), dir))
    }

    /// Small thresholds and no background work: tests say when it happens.
    fn new(mut config: StoreConfig, dir: tempfile::TempDir) -> Self {
        config.maintain = false;
        // No test but one depends on how fast the machine is.
        config.object_wait = std::time::Duration::from_secs(600);
        config.seal.events = 100;
        config.seal.fold_batches = 4;
        config.seal.fold_wait = std::time::Duration::from_millis(1);
        config.compaction.fan_in = 3;
        config.compaction.tier_rows = vec![500, 5_000];
        config.compaction.rows_max = 5_000;
        let clock = Arc::new(ManualClock::new(BEGIN));
        let env = Env { clock: clock.clone(), entropy: Arc::new(SeededEntropy::new(u64::from(unique()))) };
        Self { config, clock, env, dir }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(self.config.clone(), self.env.clone()).await.expect("the store opens")
    }

    /// Whether the catalog is PostgreSQL.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.config.catalog, CatalogLocation::Postgres(_))
    }

    pub(crate) fn objects_folder(&self) -> PathBuf {
        self.dir.path().join("objects")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }
}

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant's name")
}

/// An event as a sender would give it, with `id` or without.
pub(crate) fn event(tenant: &TenantId, id: Option<&str>, n: u64) -> NewEvent {
    let id = id.map(|id| format!(r#""id":"{id}","#)).unwrap_or_default();
    // Later events happened earlier every third time: senders are not in order.
    let occurred = BEGIN.as_micros() - DAY + i64::try_from(n ^ (n % 3)).expect("small") * SECOND;
    let text = format!(
        r#"{{{id}"tenant":"{tenant}","action":"user.login","occurred_at":"{}","actor":{{"type":"user","id":"u_{}"}},"metadata":{{"n":{n}}}}}"#,
        Timestamp::from_micros(occurred),
        n % 7,
    );
    let mut assign = || Uuid::from_u128(u128::from(n) << 64 | u128::from(unique()));
    parse_event(&text, &ParseContext::default(), &mut assign).expect("a good event")
}

/// Events `range`, each with an id made of `prefix` and its number.
pub(crate) fn events(tenant: &TenantId, prefix: &str, range: std::ops::Range<u64>) -> Vec<NewEvent> {
    range.map(|n| event(tenant, Some(&format!("{prefix}{n}")), n)).collect()
}

pub(crate) async fn append(store: &Store, events: Vec<NewEvent>) -> Vec<Result<Appended, EventRefused>> {
    store.append(&testing::ingest(), events).await.expect("the append is answered")
}

/// Appends events that must all be accepted; returns `(seq, duplicate)`.
pub(crate) async fn accepted(store: &Store, events: Vec<NewEvent>) -> Vec<(u64, bool)> {
    let results = append(store, events).await;
    results.into_iter().map(|r| r.expect("accepted")).map(|a| (a.seq, a.duplicate)).collect()
}

/// Does what is due for the tenant, as the one node.
pub(crate) async fn tend(store: &Store, tenant: &TenantId) {
    let tender = Tender::new(store, "maintain/test", "test").await.expect("the lease is free");
    tender.tend(tenant).await.expect("background work succeeds");
}

/// Reads the whole log and checks what must hold of every log; returns the ids in seq order.
pub(crate) async fn checked_log(store: &Store, tenant: &TenantId) -> Vec<String> {
    let log = testing::read_log(store, tenant).await.expect("the log is whole");
    check_invariants(&log);
    let layout = testing::layout(store, tenant).await.expect("the log is whole");
    assert_eq!(log.first().map_or(layout.next_seq, |event| event.seq), layout.first_seq);
    log.iter().map(id_of).collect()
}

pub(crate) fn check_invariants(log: &[StoredEvent]) {
    let first = log.first().map_or(0, |event| event.seq);
    for (event, seq) in log.iter().zip(first..) {
        assert_eq!(event.seq, seq, "seq is dense");
    }
    assert!(log.is_sorted_by_key(|event| event.received_at), "received_at never decreases along seq");
    let mut ids = HashSet::new();
    for event in log {
        assert!(ids.insert(id_of(event)), "event {} is stored twice", id_of(event));
    }
}

pub(crate) fn id_of(event: &StoredEvent) -> String {
    recount_event::read_fields(&event.line).expect("a stored line").id.into_owned()
}
