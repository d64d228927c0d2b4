//! A stream's whole life over HTTP: set up, tested, enabled, delivered, halted, replayed, deleted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use recount_deliver::DeliveryConfig;
use recount_deliver::egress::EgressConfig;
use recount_server::ServerConfig;
use serde_json::{Value, json};

use crate::harness::{Server, events};

/// How long a delivery is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bodies of webhooks, as they came.
type Bodies = Arc<Mutex<Vec<Value>>>;

async fn receiver() -> (String, Bodies) {
    let bodies = Bodies::default();
    let take = |State(bodies): State<Bodies>, body: String| async move {
        bodies.lock().expect("no holder panics").push(serde_json::from_str(&body).expect("JSON"));
    };
    let router = Router::new().route("/", post(take)).with_state(Arc::clone(&bodies));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
    (url, bodies)
}

async fn server() -> Server {
    let egress =
        EgressConfig { allow: vec!["127.0.0.0/8".parse().expect("a network")], ..EgressConfig::default() };
    let delivery = DeliveryConfig { egress, ..DeliveryConfig::default() };
    Server::start_with(ServerConfig { delivery, ..ServerConfig::default() }).await
}

async fn until(server: &Server, path: &str, key: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let waiting = async {
        loop {
            let stream = server.get(path, key).await.expect(200);
            if wanted(&stream) {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("in time")
}

#[tokio::test]
async fn a_stream_is_set_up_tested_enabled_and_delivers() {
    let (server, (url, bodies)) = (server().await, receiver().await);
    let key = server.tenant_key("acme").await;
    server.append(&key, &events("acme", 20)).await;
    let body = json!({
        "name": "SIEM", "destination": {"type": "webhook", "url": url}, "start": "beginning", "filter": "-source:recount",
    });
    let created = server.post("/v1/streams", &key, &body).await.expect(201);
    assert_eq!((created["status"].as_str(), created["format"].as_str()), (Some("draft"), Some("recount")));
    assert!(created["secrets"]["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    assert_eq!(created["destination"]["secret"], json!({"set": true}));
    let path = format!("/v1/streams/{}", created["id"].as_str().expect("an id"));

    assert_eq!(server.post(&format!("{path}/enable"), &key, &json!({})).await.problem(409), "not_ready");
    let tested = server.post(&format!("{path}/test"), &key, &json!({})).await.expect(200);
    assert_eq!((tested["passed"].as_bool(), tested["status"].as_u64()), (Some(true), Some(200)));
    server.post(&format!("{path}/enable"), &key, &json!({})).await.expect(200);
    let stream = until(&server, &path, &key, |stream| stream["delivered"] == 20).await;
    assert_eq!((stream["health"].as_str(), &stream["secrets"]), (Some("healthy"), &Value::Null));
    let arrived = |kind: &str| {
        let bodies = bodies.lock().expect("no holder panics");
        let of_kind = bodies.iter().filter(|body| body["type"] == kind);
        of_kind.map(|body| body["data"].as_array().map_or(0, Vec::len)).sum::<usize>()
    };
    assert_eq!((arrived("recount.test"), arrived("recount.events")), (1, 20));

    let attempts = server.get(&format!("{path}/attempts"), &key).await.expect(200);
    assert!(attempts["data"].as_array().is_some_and(|attempts| attempts.len() >= 2), "{attempts}");
    server.post(&format!("{path}/pause"), &key, &json!({"reason": "lunch"})).await.expect(200);
    server.post(&format!("{path}/replay"), &key, &json!({"from": "beginning"})).await.expect(200);
    server.post(&format!("{path}/resume"), &key, &json!({})).await.expect(200);
    until(&server, &path, &key, |stream| stream["delivered"] == 40).await;
    let rotated = server.post(&format!("{path}/rotate-secret"), &key, &json!({})).await.expect(200);
    assert_ne!(rotated["secret"], created["secrets"]["secret"]);
    let kinds = server.get("/v1/streams/destinations", &key).await.expect(200);
    assert_eq!(kinds["data"].as_array().map(Vec::len), Some(7));

    let found = server.get("/v1/events?filter=action:recount.stream.*&limit=100", &key).await.expect(200);
    let actions: Vec<&str> = found["data"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["action"].as_str())
        .collect();
    for action in ["created", "tested", "enabled", "paused", "replayed", "resumed", "secret_rotated"] {
        assert!(actions.contains(&format!("recount.stream.{action}").as_str()), "{action} in {actions:?}");
    }
    server.delete(&path, &key).await.expect(204);
    assert_eq!(server.get(&path, &key).await.problem(404), "not_found");
    server.stop().await;
}

#[tokio::test]
async fn mistakes_point_at_the_member() {
    let server = server().await;
    let key = server.tenant_key("acme").await;
    let body = json!({"name": "s", "destination": {"type": "webhook", "url": "https://192.168.0.1/"}});
    let answer = server.post("/v1/streams", &key, &body).await;
    assert_eq!(answer.json()["pointer"], "/destination/url");
    assert_eq!(answer.problem(400), "invalid_body");
    let reader = server.key(Some("acme"), &["events:read"]).await;
    assert_eq!(server.get("/v1/streams", &reader).await.problem(403), "forbidden");
    server.stop().await;
}
