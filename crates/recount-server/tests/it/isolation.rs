//! Two tenants with the same ids everywhere: no route shows one to the other.
//!
//! The table is made from the OpenAPI document: a route without an entry fails the test.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, OPERATOR, Server, event, events, send};

const OURS: &str = "acme";
const THEIRS: &str = "other";
/// Is in everything of [`OURS`], and in nothing else.
const MARK: &str = "mark-of-acme";

/// How a route is tried.
#[derive(Clone)]
struct Try {
    /// An id of ours that they do not have.
    id: Option<String>,
    body: Option<Value>,
    /// Whether it takes `?tenant=`.
    tenant: bool,
}

fn tried(id: Option<&str>, body: Option<Value>, tenant: bool) -> Try {
    Try { id: id.map(ToOwned::to_owned), body, tenant }
}

/// Things of ours.
struct Ours {
    key: String,
    key_id: String,
    session: String,
    session_token: String,
    export: String,
    view: String,
    shared_view: String,
    stream: String,
}

fn table(ours: &Ours) -> BTreeMap<&'static str, Try> {
    let view = json!({"name": "v", "view": {}});
    BTreeMap::from([
        ("post /v1/events", tried(None, Some(json!([event(OURS, 500)])), true)),
        ("get /v1/events", tried(None, None, true)),
        ("get /v1/events/histogram", tried(None, None, true)),
        ("get /v1/events/facets?fields=action,actor.id,metadata.secret_of,id", tried(None, None, true)),
        ("get /v1/events/tail?from=0", tried(None, None, true)),
        ("get /v1/events/{id}", tried(Some("only-acme"), None, true)),
        ("get /v1/feed", tried(None, None, true)),
        ("get /v1/export", tried(None, None, true)),
        ("post /v1/exports", tried(None, Some(json!({})), true)),
        ("get /v1/exports", tried(None, None, true)),
        ("get /v1/exports/{id}", tried(Some(&ours.export), None, true)),
        ("delete /v1/exports/{id}", tried(Some(&ours.export), None, true)),
        ("get /v1/exports/{id}/file", tried(Some(&ours.export), None, true)),
        ("get /v1/me", tried(None, None, false)),
        (
            "post /v1/keys",
            tried(None, Some(json!({"name": "k", "tenant": OURS, "scopes": ["events:read"]})), false),
        ),
        ("get /v1/keys", tried(None, None, true)),
        ("get /v1/keys/{id}", tried(Some(&ours.key_id), None, false)),
        ("delete /v1/keys/{id}", tried(Some(&ours.key_id), None, false)),
        (
            "post /v1/portal-sessions",
            tried(None, Some(json!({"tenant": OURS, "actor": {"type": "user", "id": "u"}})), true),
        ),
        ("post /v1/portal-sessions/exchange", tried(None, Some(json!({"code": "rk_pl_x"})), false)),
        ("post /v1/portal-sessions/refresh", tried(None, None, false)),
        ("delete /v1/portal-sessions/{id}", tried(Some(&ours.session), None, false)),
        ("post /v1/saved-views", tried(None, Some(view.clone()), true)),
        ("get /v1/saved-views", tried(None, None, true)),
        ("get /v1/saved-views/{id}", tried(Some(&ours.shared_view), None, true)),
        ("put /v1/saved-views/{id}", tried(Some(&ours.view), Some(view), true)),
        ("delete /v1/saved-views/{id}", tried(Some(&ours.shared_view), None, true)),
        ("post /v1/tenants", tried(None, Some(json!({"id": OURS})), false)),
        ("get /v1/tenants", tried(None, None, false)),
        ("get /v1/tenants/{id}", tried(Some(OURS), None, false)),
        ("patch /v1/tenants/{id}", tried(Some(OURS), Some(json!({"retention_days": 40})), false)),
        ("get /v1/streams", tried(None, None, true)),
        ("post /v1/streams", tried(None, Some(stream()), true)),
        ("get /v1/streams/destinations", tried(None, None, true)),
        ("get /v1/streams/{id}", tried(Some(&ours.stream), None, true)),
        ("patch /v1/streams/{id}", tried(Some(&ours.stream), Some(json!({"name": "theirs"})), true)),
        ("delete /v1/streams/{id}", tried(Some(&ours.stream), None, true)),
        ("get /v1/streams/{id}/attempts", tried(Some(&ours.stream), None, true)),
        ("get /v1/streams/{id}/dead-letters", tried(Some(&ours.stream), None, true)),
        (
            "post /v1/streams/{id}/dead-letters/discard",
            tried(Some(&ours.stream), Some(json!({"seqs": [1]})), true),
        ),
        (
            "post /v1/streams/{id}/dead-letters/replay",
            tried(Some(&ours.stream), Some(json!({"seqs": [1]})), true),
        ),
        (
            "post /v1/streams/{id}/enable",
            tried(Some(&ours.stream), Some(json!({"without_test": true, "reason": "x"})), true),
        ),
        ("post /v1/streams/{id}/pause", tried(Some(&ours.stream), Some(json!({})), true)),
        ("post /v1/streams/{id}/replay", tried(Some(&ours.stream), Some(json!({"from": "beginning"})), true)),
        ("post /v1/streams/{id}/resume", tried(Some(&ours.stream), None, true)),
        ("post /v1/streams/{id}/rotate-secret", tried(Some(&ours.stream), Some(json!({})), true)),
        ("post /v1/streams/{id}/test", tried(Some(&ours.stream), None, true)),
        ("get /healthz", tried(None, None, false)),
        ("get /readyz", tried(None, None, false)),
        ("get /metrics", tried(None, None, false)),
        ("get /openapi.json", tried(None, None, false)),
    ])
}

fn stream() -> Value {
    json!({"name": "hook", "destination": {"type": "webhook", "url": "https://hooks.example.com/recount"}})
}

async fn fill(server: &Server) -> Ours {
    for tenant in [OURS, THEIRS] {
        let mark = format!("mark-of-{tenant}");
        let marked: Vec<Value> = events(tenant, 30)
            .into_iter()
            .map(|mut event| {
                event["actor"]["name"] = mark.as_str().into();
                event["metadata"]["secret_of"] = mark.as_str().into();
                event
            })
            .collect();
        server.append(OPERATOR, &marked).await;
    }
    let mut only = event(OURS, 31);
    only["id"] = "only-acme".into();
    only["description"] = MARK.into();
    server.append(OPERATOR, &[only]).await;

    let key = server.tenant_key(OURS).await;
    let made =
        server.post("/v1/keys", &key, &json!({"name": MARK, "scopes": ["events:read"]})).await.expect(201);
    let session = json!({"tenant": OURS, "actor": {"type": "user", "id": "u", "name": MARK}, "scopes": ["events:read", "keys:manage"]});
    let session = server.post("/v1/portal-sessions", OPERATOR, &session).await.expect(201);
    let export = server.post("/v1/exports", &key, &json!({"name": MARK})).await.expect(202);
    let export = export["id"].as_str().expect("id").to_owned();
    crate::exporting::wait_until_ready(server, &key, &export).await;
    let view = |shared: bool| json!({"name": MARK, "shared": shared, "view": {"filter": MARK}});
    let own = server.post("/v1/saved-views", &key, &view(false)).await.expect(201);
    let shared = server.post("/v1/saved-views", &key, &view(true)).await.expect(201);
    let mut stream = stream();
    stream["name"] = MARK.into();
    let stream = server.post("/v1/streams", &key, &stream).await.expect(201);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    Ours {
        key_id: text(&made["id"]),
        session: text(&session["id"]),
        session_token: text(&session["token"]),
        view: text(&own["id"]),
        shared_view: text(&shared["id"]),
        stream: text(&stream["id"]),
        export,
        key,
    }
}

/// Sends a request; of an endless answer only the beginning is read.
async fn ask(server: &Server, method: &str, path: &str, key: &str, body: Option<&Value>) -> Answer {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("method");
    let mut request = server.request(method, path, key);
    if let Some(body) = body {
        request = request.json(body);
    }
    if !path.starts_with("/v1/events/tail") {
        return send(request).await;
    }
    let mut response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let mut text = String::new();
    let some = std::time::Duration::from_millis(500);
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout(some, response.chunk()).await {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    Answer { status, headers, text }
}

fn same(ours: &Answer, nobodys: &Answer, what: &str) {
    assert_eq!(ours.status, nobodys.status, "{what}: {} / {}", ours.text, nobodys.text);
    assert_eq!(ours.text, nobodys.text, "{what}");
    assert!(ours.status.is_client_error(), "{what}: {}", ours.text);
}

fn with_tenant(path: &str, tenant: &str) -> String {
    format!("{path}{}tenant={tenant}", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_shows_one_tenant_to_another() {
    let server = Server::start().await;
    let ours = fill(&server).await;
    let theirs = server.tenant_key(THEIRS).await;
    let scopes = json!(["events:read", "exports:write", "keys:manage", "streams:manage"]);
    let session = json!({"tenant": THEIRS, "actor": {"type": "user", "id": "u"}, "scopes": scopes});
    let session = server.post("/v1/portal-sessions", OPERATOR, &session).await.expect(201);
    let session = session["token"].as_str().expect("token").to_owned();
    let ingest = server.key(Some(THEIRS), &["events:write"]).await;

    let table = table(&ours);
    for route in routes() {
        let Some((name, entry)) = table.iter().find(|(name, _)| name.split('?').next() == Some(&route))
        else {
            panic!("{route} is missing from the isolation matrix");
        };
        let (method, path) = name.split_once(' ').expect("method and path");
        for (who, key) in [("key", &theirs), ("session", &session), ("ingest key", &ingest)] {
            let what = format!("{name} by their {who}");
            if let Some(id) = &entry.id {
                let mine = ask(&server, method, &path.replace("{id}", id), key, entry.body.as_ref()).await;
                let nobodys =
                    ask(&server, method, &path.replace("{id}", "no-such-thing"), key, entry.body.as_ref())
                        .await;
                same(&mine, &nobodys, &what);
            }
            let path = path.replace("{id}", entry.id.as_deref().unwrap_or_default());
            if entry.tenant {
                let mine = ask(&server, method, &with_tenant(&path, OURS), key, entry.body.as_ref()).await;
                let nobodys =
                    ask(&server, method, &with_tenant(&path, "no-such-tenant"), key, entry.body.as_ref())
                        .await;
                same(&mine, &nobodys, &format!("{what}, naming us"));
            }
            let plain = ask(&server, method, &path, key, entry.body.as_ref()).await;
            assert!(!plain.text.contains(MARK), "{what}: {}", plain.text);
            // The description of the API has a tenant of that name in its examples.
            assert!(path == "/openapi.json" || !plain.text.contains("\"acme\""), "{what}: {}", plain.text);
        }
    }

    // Whatever they tried, everything of ours is as it was.
    let count = |answer: Value| answer["data"].as_array().expect("data").len();
    assert_eq!(server.get("/v1/keys", &ours.key).await.expect(200)["data"][1]["revoked_at"], Value::Null);
    assert_eq!(count(server.get("/v1/saved-views", &ours.key).await.expect(200)), 2);
    assert_eq!(count(server.get("/v1/exports", &ours.key).await.expect(200)), 1);
    let stream = server.get(&format!("/v1/streams/{}", ours.stream), &ours.key).await.expect(200);
    assert_eq!(stream["name"], MARK);
    assert_eq!(server.get("/v1/me", &ours.session_token).await.expect(200)["tenant"], OURS);
    let log = server.get("/v1/events?limit=1000&filter=-source:recount", &ours.key).await.expect(200);
    assert_eq!(count(log.clone()), 31);
    assert!(log.to_string().matches(MARK).count() > 31);
}

/// `method path` of every route of the document.
fn routes() -> Vec<String> {
    let document: Value = serde_json::from_str(&recount_server::openapi_json()).expect("JSON");
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        routes.extend(item.as_object().expect("operations").keys().map(|method| format!("{method} {path}")));
    }
    assert!(routes.len() > 30, "{routes:?}");
    routes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn same_ids_are_different_events() {
    let server = Server::start().await;
    fill(&server).await;
    for tenant in [OURS, THEIRS] {
        let key = server.tenant_key(tenant).await;
        let event = server.get("/v1/events/e-7", &key).await.expect(200);
        assert_eq!(event["tenant"], tenant);
        assert_eq!(event["metadata"]["secret_of"], format!("mark-of-{tenant}"));
        for path in ["/v1/events?limit=1000", "/v1/feed", "/v1/export", "/v1/export?format=csv"] {
            let answer = server.get(path, &key).await;
            let foreign = if tenant == OURS { "mark-of-other" } else { MARK };
            assert!(answer.status.is_success() && !answer.text.contains(foreign), "{path}: {}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_of_the_vendor_is_in_the_log_before_the_data_is_shown() {
    let server = Server::start().await;
    server.append(OPERATOR, &events(OURS, 3)).await;
    let key = server.tenant_key(OURS).await;
    let looks = || server.get("/v1/events?filter=action:recount.operator.viewed", &key);
    assert_eq!(looks().await.expect(200)["data"], json!([]));
    let shown = server.get("/v1/feed?tenant=acme", OPERATOR).await.expect(200);
    assert!(shown.to_string().contains("recount.operator.viewed"), "the look is in what is looked at");
    for _ in 0..3 {
        server.get("/v1/events?tenant=acme", OPERATOR).await.expect(200);
    }
    let looks = looks().await.expect(200);
    assert_eq!(looks["data"].as_array().expect("data").len(), 1, "once a key, tenant and day");
    assert_eq!(looks["data"][0]["source"], "recount");
    assert_eq!(looks["data"][0]["actor"]["type"], "operator_key");
}
