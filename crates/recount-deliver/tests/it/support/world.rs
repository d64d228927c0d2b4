//! A store in a temporary folder, tenants in it, and delivery over it.

use std::{sync::Arc, time::Duration};

use recount_deliver::{
    Delivery, DeliveryConfig,
    destinations::AwsIdentity,
    egress::EgressConfig,
    engine::{Backoff, Engine, EngineConfig},
    lifecycle::{By, CreateStream, CreatedStream, StreamView, Streams},
};
use recount_event::{ParseContext, TenantId, Timestamp, parse_event};
use recount_store::{
    CatalogLocation, Env, ObjectsLocation, OwnActor, SecretKeySource, Store, StoreConfig, TenantLog,
    env::ManualClock,
    testing::{self, Tender},
};
use serde_json::{Value, json};

use super::eventually;

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) delivery: Delivery,
    _folder: Arc<tempfile::TempDir>,
}

/// When a world begins whose clock the test moves.
pub(crate) const BEGIN: &str = "2026-11-23T09:00:00Z";

/// Delivery to this machine, with pauses that tests can wait for.
pub(crate) fn config() -> DeliveryConfig {
    DeliveryConfig {
        egress: EgressConfig {
            allow: vec!["127.0.0.0/8".parse().expect("a network")],
            ..EgressConfig::default()
        },
        aws: Some(AwsIdentity {
            access_key_id: "AKIAVENDOR".to_owned(),
            secret_access_key: "vendor-secret".to_owned(),
            session_token: None,
        }),
        engine: EngineConfig {
            backoff: Backoff { first: Duration::from_millis(2), longest: Duration::from_millis(20) },
            ..EngineConfig::default()
        },
        run: true,
    }
}

pub(crate) fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant's name")
}

pub(crate) fn by() -> By {
    By {
        actor: OwnActor { kind: "user".to_owned(), id: "u_admin".to_owned(), name: Some("Ada".to_owned()) },
        ip: Some("203.0.113.7".to_owned()),
    }
}

/// An event, as a sender posts it.
pub(crate) fn event(number: u64) -> Value {
    json!({
        "id": format!("e-{number}"),
        "occurred_at": "2026-11-23T14:32:07.418Z",
        "action": if number.is_multiple_of(2) { "role.updated" } else { "user.login" },
        "actor": {"type": "user", "id": "u_1", "name": "Ada Lovelace", "email": "ada@example.com"},
        "targets": [{"type": "role", "id": "r_9", "name": "Billing \"admin\"]"}],
        "context": {"ip": "203.0.113.7", "user_agent": "curl/8", "request_id": format!("r-{number}")},
        "source": "billing-api",
        "description": format!("Ada did thing {number}\nwith = signs | and \\ slashes"),
        "changes": [{"field": "max", "before": 500, "after": 25000}],
        "metadata": {"n": number, "big": 12345678901234567890u64}
    })
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: DeliveryConfig) -> Self {
        Self::open(config, Env::system(), |_| {}).await
    }

    async fn open(config: DeliveryConfig, env: Env, change: impl FnOnce(&mut StoreConfig)) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let mut store = StoreConfig::embedded(folder.path());
        change(&mut store);
        let store = Store::open(store, env).await.expect("the store opens");
        let delivery = Delivery::new(&store, config).expect("delivery is set up");
        Self { store, delivery, _folder: folder }
    }

    /// One that begins at [`BEGIN`], whose days pass when the test says so, and whose events are kept for three
    /// of them.
    pub(crate) async fn keeping_three_days() -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::parse_rfc3339(BEGIN).expect("a time")));
        let env = Env { clock: clock.clone(), ..Env::system() };
        let kept = |store: &mut StoreConfig| {
            store.maintain = false;
            store.dedup_window_days = 1;
            store.retention_days = Some(3);
        };
        (Self::open(config(), env, kept).await, clock)
    }

    /// Removes what is kept no longer of a tenant's log.
    pub(crate) async fn retain(&self, name: &str) {
        let tender = Tender::new(&self.store, "maintain/test", "test").await.expect("the lease is free");
        tender.tend(&tenant(name)).await.expect("tended");
    }

    /// Two nodes over one new PostgreSQL database, or `None` with a line that says what is not run.
    pub(crate) async fn two_on_postgres(test: &str) -> Option<(Self, Self)> {
        use sqlx::Connection as _;
        let server = super::peers::place("RECOUNT_TEST_POSTGRES", test)?;
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let random = folder
            .path()
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .replace(|c: char| !c.is_alphanumeric(), "");
        let name = format!("recount_deliver_{}", random.to_lowercase());
        let mut admin = sqlx::PgConnection::connect(&server).await.expect("the test server answers");
        let sql = format!("CREATE DATABASE {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.expect("a new database");
        let mut url = url::Url::parse(&server).expect("a url");
        url.set_path(&name);
        let node = || async {
            let place = CatalogLocation::Postgres(url.to_string());
            let mut config = StoreConfig::at(place, ObjectsLocation::Folder(folder.path().join("objects")));
            config.secret_key = Some(SecretKeySource::Value("00".repeat(32)));
            let store = Store::open(config, Env::system()).await.expect("the store opens");
            let delivery = Delivery::new(&store, self::config()).expect("delivery is set up");
            Self { store, delivery, _folder: Arc::clone(&folder) }
        };
        Some((node().await, node().await))
    }

    pub(crate) fn streams(&self) -> &Streams {
        self.delivery.streams()
    }

    pub(crate) fn log(&self, name: &str) -> TenantLog {
        testing::tenant_log(&self.store, &tenant(name))
    }

    pub(crate) fn start(&self) -> Engine {
        self.delivery.start(&self.store).expect("it runs")
    }

    /// Appends events to a tenant's log.
    pub(crate) async fn append(&self, name: &str, events: impl IntoIterator<Item = Value>) {
        let tenant = tenant(name);
        let context = ParseContext { tenant: Some(&tenant), allow_own_actions: false };
        let events = events
            .into_iter()
            .map(|event| {
                parse_event(&event.to_string(), &context, &mut || self.store.env().uuid_v7())
                    .expect("a valid event")
            })
            .collect();
        let results = self.store.append(&testing::ingest(), events).await.expect("stored");
        for result in results {
            result.expect("accepted");
        }
    }

    /// Sets a stream up that begins at the beginning.
    pub(crate) async fn create(&self, name: &str, destination: Value, rest: Value) -> CreatedStream {
        let mut body = json!({"name": "s", "destination": destination, "start": "beginning"});
        for (member, value) in rest.as_object().expect("an object") {
            body[member] = value.clone();
        }
        let create: CreateStream = serde_json::from_value(body).expect("a stream");
        self.streams().create(&self.log(name), &by(), create).await.expect("created")
    }

    /// The same, and switches it on without a test.
    pub(crate) async fn enabled(&self, name: &str, destination: Value, rest: Value) -> String {
        let id = self.create(name, destination, rest).await.stream.id;
        let why = Some("a test of Recount".to_owned());
        self.streams().enable(&self.log(name), &by(), &id, true, why).await.expect("enabled");
        id
    }

    /// A webhook that carries the events of senders only.
    pub(crate) async fn webhook(&self, name: &str, url: String, batch: Value) -> String {
        self.enabled(
            name,
            json!({"type": "webhook", "url": url}),
            json!({"batch": batch, "filter": "-source:recount"}),
        )
        .await
    }

    pub(crate) async fn stream(&self, name: &str, id: &str) -> StreamView {
        self.streams().get(&self.log(name), id).await.expect("the stream")
    }

    /// Waits until a stream looks as wanted.
    pub(crate) async fn until(
        &self,
        name: &str,
        id: &str,
        what: &str,
        wanted: impl Fn(&StreamView) -> bool,
    ) -> StreamView {
        let last = std::cell::RefCell::new(None);
        let waiting = eventually(what, || async {
            // Under load, or with faults on, a look may fail.
            let stream = self.streams().get(&self.log(name), id).await.ok()?;
            last.replace(Some(format!("{stream:?}")));
            wanted(&stream).then_some(stream)
        });
        tokio::time::timeout(super::PATIENCE - std::time::Duration::from_secs(5), waiting)
            .await
            .unwrap_or_else(|_| panic!("still waiting for {what}: {:?}", last.borrow()))
    }

    /// Waits until a stream has delivered or dead-lettered everything.
    pub(crate) async fn until_caught_up(&self, name: &str, id: &str) -> StreamView {
        self.until(name, id, "the stream to catch up", |stream| stream.lag.events == 0).await
    }

    /// The actions of Recount's own events in a tenant's log.
    pub(crate) async fn own_actions(&self, name: &str) -> Vec<String> {
        let events = self.own_events(name).await;
        events.iter().map(|event| event["action"].as_str().expect("an action").to_owned()).collect()
    }

    /// Recount's own events in a tenant's log.
    pub(crate) async fn own_events(&self, name: &str) -> Vec<Value> {
        let log = self.log(name);
        let first = log.extent().await.expect("the log").first_seq;
        let page = log.feed(first, 10_000, Duration::ZERO).await.expect("the log");
        let events = page.events.iter().map(|event| serde_json::from_str(&event.line).expect("JSON"));
        events.filter(|event: &Value| event["source"] == "recount").collect()
    }
}
