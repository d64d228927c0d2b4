//! A server in this process, and a client that says what it expects.

use std::time::Duration;

use recount_server::{AppState, ServerConfig};
use recount_store::{Env, Store, StoreConfig};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const OPERATOR: &str = "operator-key-of-the-tests-32-characters";

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    pub(crate) store: Store,
    shutdown: CancellationToken,
    task: Option<JoinHandle<()>>,
    dir: Option<TempDir>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {:?} {}", self.status, self.text))
    }

    /// The body, of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The `code` of a problem with this status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(
            problem["type"],
            format!("urn:recount:problem:{}", problem["code"].as_str().expect("code")),
            "{problem}"
        );
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{problem}");
        problem["code"].as_str().expect("code").to_owned()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(ServerConfig::default()).await
    }

    pub(crate) async fn start_with(config: ServerConfig) -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        Self::start_in(dir, config).await
    }

    pub(crate) async fn start_in(dir: TempDir, config: ServerConfig) -> Self {
        let store = StoreConfig::embedded(dir.path());
        Self::start_on(store, dir, config).await
    }

    /// With a store of that configuration, which is in the folder.
    pub(crate) async fn start_on(store: StoreConfig, dir: TempDir, config: ServerConfig) -> Self {
        Self::start_at(Env::system(), store, dir, config).await
    }

    /// The same, with a clock of the test's.
    pub(crate) async fn start_at(env: Env, store: StoreConfig, dir: TempDir, config: ServerConfig) -> Self {
        let store = Store::open(store, env).await.expect("store opens");
        store.ensure_operator_key(Some(OPERATOR)).await.expect("operator key");
        let state = AppState::new(store.clone(), config, None).await.expect("state");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("address"));
        let shutdown = CancellationToken::new();
        let stopped = shutdown.clone();
        let task =
            tokio::spawn(
                async move { recount_server::serve(listener, state, stopped).await.expect("serves") },
            );
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("client");
        Self { base, client, store, shutdown, task: Some(task), dir: Some(dir) }
    }

    /// Stops server and store; the folder stays.
    pub(crate) async fn stop(mut self) -> TempDir {
        self.shutdown.cancel();
        self.task.take().expect("runs").await.expect("ends");
        self.store.shutdown().await;
        self.dir.take().expect("still there")
    }

    /// Tells the server to stop, without waiting.
    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }

    pub(crate) fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(key)
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        send(self.request(Method::GET, path, key)).await
    }

    pub(crate) async fn delete(&self, path: &str, key: &str) -> Answer {
        send(self.request(Method::DELETE, path, key)).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path, key).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, key: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, path, key).json(body)).await
    }

    /// Posts bytes as they are, with these headers.
    pub(crate) async fn post_raw(
        &self,
        key: &str,
        body: impl Into<reqwest::Body>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(Method::POST, "/v1/events", key).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request).await
    }

    /// Makes a key and returns its text.
    pub(crate) async fn key(&self, tenant: Option<&str>, scopes: &[&str]) -> String {
        let mut body = json!({"name": "test key", "scopes": scopes});
        if let Some(tenant) = tenant {
            body["tenant"] = tenant.into();
        }
        let made = self.post("/v1/keys", OPERATOR, &body).await.expect(201);
        made["key"].as_str().expect("key").to_owned()
    }

    /// A key of the tenant with every right that a tenant can have.
    pub(crate) async fn tenant_key(&self, tenant: &str) -> String {
        self.key(
            Some(tenant),
            &["events:write", "events:read", "exports:write", "streams:manage", "keys:manage", "proof:read"],
        )
        .await
    }

    /// Appends events, which must all be accepted.
    pub(crate) async fn append(&self, key: &str, events: &[Value]) -> Value {
        self.post("/v1/events", key, &json!(events)).await.expect(200)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a whole body");
    Answer { status, headers, text }
}

/// A valid event; `n` gives its id, minute and actor.
pub(crate) fn event(tenant: &str, n: usize) -> Value {
    json!({
        "id": format!("e-{n}"),
        "tenant": tenant,
        "occurred_at": format!("2026-11-{:02}T{:02}:{:02}:00Z", 1 + n / 1440, n / 60 % 24, n % 60),
        "action": if n.is_multiple_of(3) { "user.login" } else { "role.updated" },
        "outcome": if n.is_multiple_of(5) { "denied" } else { "success" },
        "actor": {"type": "user", "id": format!("u-{}", n % 4), "name": "Ada Lovelace"},
        "targets": [{"type": "role", "id": format!("r-{n}")}],
        "context": {"ip": format!("203.0.113.{}", n % 250)},
        "tags": {"severity": "low"},
        "metadata": {"secret_of": tenant},
    })
}

/// Events 0 to `count`.
pub(crate) fn events(tenant: &str, count: usize) -> Vec<Value> {
    (0..count).map(|n| event(tenant, n)).collect()
}
