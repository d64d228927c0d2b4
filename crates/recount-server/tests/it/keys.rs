//! Keys: made within the maker's rights, shown once, ended at once.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, events, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_never_has_more_than_its_maker() {
    let server = Server::start().await;
    let maker = server.key(Some("acme"), &["keys:manage", "events:read"]).await;
    let make = |key: String, body: Value| {
        let server = &server;
        async move { server.post("/v1/keys", &key, &body).await }
    };
    let named = |scopes: Value| json!({"name": "k", "scopes": scopes});
    let made = make(maker.clone(), named(json!(["events:read"]))).await.expect(201);
    assert_eq!((made["tenant"].as_str(), made["kind"].as_str()), (Some("acme"), Some("tenant")));
    assert!(made["key"].as_str().expect("key").starts_with("rk_tn_"));
    assert_eq!(make(maker.clone(), named(json!(["events:write"]))).await.problem(403), "exceeds_creator");
    assert_eq!(make(maker.clone(), named(json!(["operator"]))).await.problem(403), "exceeds_creator");
    assert_eq!(make(maker.clone(), named(json!(["tenants:manage"]))).await.problem(403), "exceeds_creator");
    assert_eq!(make(maker.clone(), named(json!([]))).await.problem(400), "invalid_body");
    assert_eq!(
        make(maker.clone(), json!({"name": "k", "tenant": "other", "scopes": ["events:read"]}))
            .await
            .problem(404),
        "not_found"
    );
    assert_eq!(
        make(OPERATOR.to_owned(), json!({"name": "k", "tenant": "acme", "scopes": ["operator"]}))
            .await
            .problem(400),
        "invalid_body"
    );
    assert_eq!(
        make(OPERATOR.to_owned(), json!({"name": "", "scopes": ["events:read"]})).await.problem(400),
        "invalid_body"
    );

    // One that ends makes keys that end no later.
    let body = json!({"name": "k", "tenant": "acme", "scopes": ["keys:manage", "events:read"], "expires_at": "2098-01-01T00:00:00Z"});
    let ending = make(OPERATOR.to_owned(), body).await.expect(201);
    let ending = ending["key"].as_str().expect("key").to_owned();
    let made = make(ending.clone(), named(json!(["events:read"]))).await.expect(201);
    assert_eq!(made["expires_at"], "2098-01-01T00:00:00Z");
    let later = json!({"name": "k", "scopes": ["events:read"], "expires_at": "2099-01-01T00:00:00Z"});
    assert_eq!(make(ending.clone(), later).await.problem(403), "exceeds_creator");
    let past = json!({"name": "k", "scopes": ["events:read"], "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(make(ending, past).await.problem(400), "invalid_body");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_stops_at_once_and_stays_listed() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 1)).await;
    let manager = server.tenant_key("acme").await;
    let made = server
        .post("/v1/keys", &manager, &json!({"name": "short", "scopes": ["events:read"]}))
        .await
        .expect(201);
    let (id, key) = (made["id"].as_str().expect("id"), made["key"].as_str().expect("key"));
    server.get("/v1/events", key).await.expect(200);
    assert_eq!(server.delete(&format!("/v1/keys/{id}"), &manager).await.status, 204);
    assert_eq!(server.get("/v1/events", key).await.problem(401), "unauthenticated");
    assert_eq!(server.delete(&format!("/v1/keys/{id}"), &manager).await.status, 204, "again is safe");
    let listed = server.get("/v1/keys", &manager).await.expect(200);
    assert_eq!(listed["data"][0]["id"], id, "newest first");
    assert!(listed["data"][0]["revoked_at"].is_string());
    let live = server.get("/v1/keys?revoked=false", &manager).await.expect(200);
    assert!(!live.to_string().contains(id) && live["data"].as_array().map(Vec::len) == Some(1), "{live}");
    assert!(!listed.to_string().contains(key), "the text is shown once only");
    for (action, name) in [("recount.key.created", "short"), ("recount.key.revoked", "short")] {
        let found = server
            .get(&format!("/v1/events?filter=action:{action}%20target.name:{name}"), &manager)
            .await
            .expect(200);
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_have_pages_and_the_vendor_sees_all() {
    let server = Server::start().await;
    for n in 0..5 {
        server.key(Some(if n % 2 == 0 { "acme" } else { "other" }), &["events:read"]).await;
    }
    let (mut seen, mut cursor) = (BTreeSet::new(), String::new());
    let mut last = "~".to_owned();
    loop {
        let page = server.get(&format!("/v1/keys?limit=2{cursor}"), OPERATOR).await.expect(200);
        for key in page["data"].as_array().expect("data") {
            let made = key["created_at"].as_str().expect("a time").to_owned();
            assert!(made <= last, "newest first");
            last = made;
            seen.insert(key["id"].as_str().expect("id").to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 6, "with the operator's own");
    let ours = server.get("/v1/keys?tenant=acme", OPERATOR).await.expect(200);
    assert_eq!(ours["data"].as_array().map(Vec::len), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_key_of_the_environment_replaces_the_one_before() {
    let server = Server::start().await;
    server
        .store
        .ensure_operator_key(Some("another-operator-key-of-32-characters-x"))
        .await
        .expect("installed");
    assert_eq!(server.get("/v1/me", OPERATOR).await.problem(401), "unauthenticated");
    let me = server.get("/v1/me", "another-operator-key-of-32-characters-x").await.expect(200);
    assert_eq!((me["kind"].as_str(), &me["tenant"]), (Some("operator"), &Value::Null));
    assert!(server.store.ensure_operator_key(Some("too short")).await.is_err());
    assert!(server.store.ensure_operator_key(None).await.expect("answers").is_none(), "there is one already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_key_is_no_key() {
    let server = Server::start().await;
    let soon =
        recount_event::Timestamp::from_micros(recount_store::Env::system().now().as_micros() + 1_500_000);
    let body =
        json!({"name": "k", "tenant": "acme", "scopes": ["events:read"], "expires_at": soon.to_string()});
    let made = server.post("/v1/keys", OPERATOR, &body).await.expect(201);
    let key = made["key"].as_str().expect("key");
    assert_eq!(server.get("/v1/me", key).await.expect(200)["expires_at"], made["expires_at"]);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while server.get("/v1/me", key).await.status == 200 {
        assert!(tokio::time::Instant::now() < deadline, "it never ended");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_are_the_vendors_business() {
    let server = Server::start().await;
    assert_eq!(server.post("/v1/tenants", OPERATOR, &json!({"id": "acme"})).await.status, 201);
    assert_eq!(server.post("/v1/tenants", OPERATOR, &json!({"id": "acme"})).await.status, 200);
    assert_eq!(
        server.post("/v1/tenants", OPERATOR, &json!({"id": "../x"})).await.problem(400),
        "invalid_body"
    );
    server.append(OPERATOR, &events("other", 3)).await;
    let page = server.get("/v1/tenants?limit=1", OPERATOR).await.expect(200);
    assert_eq!(page["data"][0]["id"], "acme");
    let cursor = page["next_cursor"].as_str().expect("cursor");
    let page = server.get(&format!("/v1/tenants?cursor={cursor}"), OPERATOR).await.expect(200);
    assert_eq!(
        (page["data"][0]["id"].as_str(), page["data"][0]["events"].as_u64()),
        (Some("other"), Some(3))
    );
    let key = server.tenant_key("acme").await;
    assert_eq!(server.get("/v1/tenants/acme", &key).await.expect(200)["id"], "acme");
    assert_eq!(server.get("/v1/tenants", &key).await.problem(403), "forbidden");
    assert_eq!(server.post("/v1/tenants", &key, &json!({"id": "new"})).await.problem(403), "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_used_from_named_origins_only() {
    let config = recount_server::ServerConfig {
        allowed_origins: vec!["https://app.example.com".to_owned()],
        ..Default::default()
    };
    let server = Server::start_with(config).await;
    let asked =
        |origin: &'static str| server.request(Method::GET, "/v1/me", OPERATOR).header("origin", origin);
    let answer = send(asked("https://app.example.com")).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example.com");
    let answer = send(asked("https://evil.example")).await;
    assert_eq!(answer.status, 200, "the request is a program's own business");
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "but no page may read the answer");
}
