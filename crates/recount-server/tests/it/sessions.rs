//! Portal sessions: one-time links, short tokens, named origins, no more rights than given.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, events, send};

async fn create(server: &Server, extra: Value) -> Value {
    let mut body = json!({"tenant": "acme", "actor": {"type": "user", "id": "u_1", "name": "Ada"}});
    body.as_object_mut().expect("object").extend(extra.as_object().expect("object").clone());
    server.post("/v1/portal-sessions", OPERATOR, &body).await.expect(201)
}

fn code(session: &Value) -> &str {
    session["url"].as_str().expect("url").split_once("/portal#code=").expect("a link").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_works_once() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 2)).await;
    let session = create(&server, json!({"locale": "fr", "return_url": "https://app.example.com/"})).await;
    assert!(session["url"].as_str().expect("url").starts_with(&server.base), "{session}");
    let exchange = |code: String| {
        let request = server
            .client
            .post(format!("{}/v1/portal-sessions/exchange", server.base))
            .json(&json!({"code": code}));
        async move { send(request).await }
    };
    let token = exchange(code(&session).to_owned()).await.expect(200);
    let token = token["token"].as_str().expect("token");
    let me = server.get("/v1/me", token).await.expect(200);
    assert_eq!(
        (me["kind"].as_str(), me["tenant"].as_str(), me["locale"].as_str()),
        (Some("session"), Some("acme"), Some("fr"))
    );
    assert_eq!(me["actor"], json!({"type": "user", "id": "u_1", "name": "Ada"}));
    assert_eq!(me["scopes"], json!(["events:read", "exports:write"]));
    server.get("/v1/events", token).await.expect(200);
    assert_eq!(exchange(code(&session).to_owned()).await.problem(410), "link_used_or_expired");
    assert_eq!(exchange("rk_pl_wrong".to_owned()).await.problem(410), "link_used_or_expired");
    assert_eq!(exchange(token.to_owned()).await.problem(410), "link_used_or_expired");
    assert_eq!(
        server.get("/v1/me", code(&session)).await.problem(401),
        "unauthenticated",
        "a code is not a token"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_exchanges_at_once_one_wins() {
    let server = Server::start().await;
    for _ in 0..20 {
        let session = create(&server, json!({})).await;
        let exchange = || async {
            let request = server
                .client
                .post(format!("{}/v1/portal-sessions/exchange", server.base))
                .json(&json!({"code": code(&session)}));
            send(request).await
        };
        let (one, other) = tokio::join!(exchange(), exchange());
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_opens_the_page_that_was_wanted_and_no_other_site() {
    let server = Server::start().await;
    let wanted = "/portal/exports?filter=outcome:denied%20%22a%20b%22&time=7d";
    let session = create(&server, json!({"path": wanted, "tenant_name": "Northwind Ltd"})).await;
    let url = session["url"].as_str().expect("url");
    assert!(url.starts_with(&format!("{}{wanted}#code=", server.base)), "{url}");
    let me = server.get("/v1/me", session["token"].as_str().expect("token")).await.expect(200);
    assert_eq!(me["tenant_name"], "Northwind Ltd");
    for path in [
        "",
        "portal",
        "/portalx",
        "/v1/events",
        "//evil.example/portal",
        "/\\evil.example/portal",
        "/portal/../v1",
        "/portal/%2e%2e/v1",
        "/portal#code=x",
        "https://evil.example/portal",
        "/portal\n",
        "@evil.example/portal",
    ] {
        let body = json!({"tenant": "acme", "actor": {"type": "user", "id": "u"}, "path": path});
        assert_eq!(
            server.post("/v1/portal-sessions", OPERATOR, &body).await.problem(400),
            "invalid_body",
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_can_do_what_its_scopes_say_and_no_more() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 2)).await;
    let session = create(&server, json!({"scopes": ["events:read"]})).await;
    let token = session["token"].as_str().expect("token");
    server.get("/v1/events", token).await.expect(200);
    assert_eq!(server.get("/v1/export", token).await.problem(403), "forbidden");
    assert_eq!(
        server.post("/v1/keys", token, &json!({"name": "k", "scopes": ["events:read"]})).await.problem(403),
        "forbidden"
    );
    assert_eq!(server.post("/v1/events", token, &json!(events("acme", 1))).await.problem(403), "forbidden");
    for scopes in [json!(["operator"]), json!(["sessions:create"]), json!(["events:write"])] {
        let body = json!({"tenant": "acme", "actor": {"type": "user", "id": "u"}, "scopes": scopes});
        assert_eq!(server.post("/v1/portal-sessions", OPERATOR, &body).await.problem(400), "invalid_body");
    }
    // With keys:manage it makes keys of its own rights, which end.
    let session = create(&server, json!({"scopes": ["events:read", "keys:manage"]})).await;
    let token = session["token"].as_str().expect("token");
    let made =
        server.post("/v1/keys", token, &json!({"name": "k", "scopes": ["events:read"]})).await.expect(201);
    assert!(
        made["expires_at"].is_string() && made["created_by"].as_str().expect("maker").starts_with("session/")
    );
    let far = json!({"name": "k", "scopes": ["events:read"], "expires_at": "2100-01-01T00:00:00Z"});
    assert_eq!(server.post("/v1/keys", token, &far).await.problem(403), "exceeds_creator");
    assert_eq!(
        server.post("/v1/keys", token, &json!({"name": "k", "scopes": ["exports:write"]})).await.problem(403),
        "exceeds_creator"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_the_portal_is_an_event_once_a_session() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 2)).await;
    let session = create(&server, json!({})).await;
    let token = session["token"].as_str().expect("token");
    for _ in 0..3 {
        server.get("/v1/events", token).await.expect(200);
    }
    let found = server.get("/v1/events?filter=action:recount.portal_session.*", token).await.expect(200);
    let actions: Vec<&str> = found["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|event| event["action"].as_str().expect("action"))
        .collect();
    assert_eq!(actions, ["recount.portal_session.opened", "recount.portal_session.created"]);
    assert_eq!(found["data"][0]["actor"]["id"], "u_1");
    assert_eq!(found["data"][1]["actor"]["type"], "operator_key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_refreshed_until_the_session_ends() {
    let server = Server::start().await;
    let session = create(&server, json!({"ttl_seconds": 600})).await;
    let token = session["token"].as_str().expect("token");
    let fresh = server.post("/v1/portal-sessions/refresh", token, &json!({})).await.expect(200);
    let fresh_token = fresh["token"].as_str().expect("token");
    assert_ne!(fresh_token, token);
    assert_eq!(fresh["session_expires_at"], session["session_expires_at"]);
    server.get("/v1/me", fresh_token).await.expect(200);
    assert_eq!(
        server.post("/v1/portal-sessions/refresh", OPERATOR, &json!({})).await.problem(404),
        "not_found"
    );
    for ttl in [0, 43_201] {
        let body = json!({"tenant": "acme", "actor": {"type": "user", "id": "u"}, "ttl_seconds": ttl});
        assert_eq!(server.post("/v1/portal-sessions", OPERATOR, &body).await.problem(400), "invalid_body");
    }
    let path = format!("/v1/portal-sessions/{}", session["id"].as_str().expect("id"));
    assert_eq!(server.delete(&path, OPERATOR).await.status, 204);
    for token in [token, fresh_token] {
        assert_eq!(server.get("/v1/me", token).await.problem(401), "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_by_itself() {
    let server = Server::start().await;
    let session = create(&server, json!({"ttl_seconds": 1})).await;
    let token = session["token"].as_str().expect("token");
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while server.get("/v1/me", token).await.status == 200 {
        assert!(tokio::time::Instant::now() < deadline, "it never ended");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_use_a_token_from_its_origins_only() {
    let server = Server::start().await;
    let session = create(&server, json!({"origins": ["https://app.example.com"]})).await;
    let token = session["token"].as_str().expect("token");
    let from = |origin: &str| server.request(Method::GET, "/v1/me", token).header("origin", origin);
    let answer = send(from("https://app.example.com")).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(answer.status, 200);
    let answer = send(from("https://evil.example")).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert_eq!(answer.problem(403), "origin_not_allowed");
    let answer = send(from(&server.base)).await;
    assert_eq!(answer.status, 200, "the hosted portal is at home");
    // A page must be able to see that its session has ended.
    let ended =
        server.request(Method::GET, "/v1/me", "rk_ps_gone").header("origin", "https://app.example.com");
    let answer = send(ended).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(answer.problem(401), "unauthenticated");
    let preflight = server
        .client
        .request(Method::OPTIONS, format!("{}/v1/events", server.base))
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let answer = send(preflight).await;
    assert_eq!(answer.status, 204);
    assert!(answer.headers["access-control-allow-headers"].to_str().expect("text").contains("authorization"));
    assert!(!answer.headers.contains_key("access-control-allow-credentials"), "there are no cookies");

    for (member, value) in [
        ("actor", json!({"type": "_user", "id": "u"})),
        ("actor", json!({"type": "user", "id": "two\nlines"})),
        ("origins", json!(["https://app.example.com/path"])),
        ("origins", json!(["*"])),
        ("return_url", json!("javascript:alert(1)")),
        ("locale", json!("<script>")),
    ] {
        let mut body = json!({"tenant": "acme", "actor": {"type": "user", "id": "u"}});
        body[member] = value;
        assert_eq!(
            server.post("/v1/portal-sessions", OPERATOR, &body).await.problem(400),
            "invalid_body",
            "{body}"
        );
    }
}
