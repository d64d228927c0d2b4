//! What can be wrong with a request: each has its own precise error, and nothing else is harmed.

use std::io::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, event, events, send};

/// The code and pointer of the only event's error.
async fn refusal(server: &Server, event: &str) -> (String, String) {
    let answer = server.post_raw(OPERATOR, format!("[{event}]"), &[]).await.expect(400);
    let error = &answer["results"][0]["error"];
    (error["code"].as_str().expect("code").to_owned(), error["pointer"].as_str().expect("pointer").to_owned())
}

fn with(pointer: &str, value: Value) -> String {
    let mut event = event("acme", 0);
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).expect("parent").as_object_mut().expect("object");
    parent.insert(member.to_owned(), value);
    event.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_in_an_event_has_its_own_error() {
    let server = Server::start().await;
    let deep = (0..17).fold(json!(1), |inner, _| json!([inner]));
    let cases = [
        (with("/actor", json!("ada")), "wrong_type", "/actor"),
        (with("/occurred_at", json!("0000-01-01T00:00:00Z")), "time_out_of_range", "/occurred_at"),
        (with("/occurred_at", json!("9999-01-01T00:00:00Z")), "time_out_of_range", "/occurred_at"),
        (with("/occurred_at", json!("yesterday")), "time_malformed", "/occurred_at"),
        (with("/tenant", json!("../etc")), "tenant_malformed", "/tenant"),
        (with("/tenant", json!("..")), "tenant_malformed", "/tenant"),
        (with("/colour", json!("red")), "unknown_member", "/colour"),
        (with("/outcome", json!("maybe")), "outcome_unknown", "/outcome"),
        (with("/context/ip", json!("300.1.1.1")), "ip_malformed", "/context/ip"),
        (with("/description", json!(null)), "null_member", "/description"),
        (with("/metadata", json!({"big": "x".repeat(70 * 1024)})), "event_too_large", ""),
        (
            event("acme", 0).to_string().replacen("\"id\"", "\"id\":\"e\",\"id\"", 1),
            "duplicate_member",
            "/actor/id",
        ),
        (event("acme", 0).to_string().replacen("\"low\"", "NaN", 1), "number_malformed", "/tags/severity"),
    ];
    for (text, code, pointer) in cases {
        let (got, at) = refusal(&server, &text).await;
        assert_eq!((got.as_str(), at.as_str()), (code, pointer), "{}", &text[..text.len().min(300)]);
    }
    let (code, pointer) = refusal(&server, &with("/metadata", json!({"deep": deep}))).await;
    assert_eq!(code, "too_deep");
    assert!(pointer.starts_with("/metadata/deep"), "{pointer}");
    assert_eq!(
        server.get("/v1/events?tenant=acme", OPERATOR).await.problem(404),
        "not_found",
        "nothing was stored"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_utf8_harms_only_its_own_event() {
    let server = Server::start().await;
    for (open, between, close) in [("[", ",", "]"), ("", "\n", "")] {
        let mut body = open.as_bytes().to_vec();
        body.extend_from_slice(event("acme", 0).to_string().as_bytes());
        body.extend_from_slice(between.as_bytes());
        body.extend_from_slice(event("acme", 1).to_string().replace("Lovelace", "\u{1}").as_bytes());
        for byte in body.iter_mut().filter(|byte| **byte == 1) {
            *byte = 0xff;
        }
        body.extend_from_slice(between.as_bytes());
        body.extend_from_slice(event("acme", 2).to_string().as_bytes());
        body.extend_from_slice(close.as_bytes());
        // serde_json writes a control character escaped, so the byte is put in by hand.
        let text = String::from_utf8_lossy(&body).into_owned();
        let marker = text.find("\\u0001");
        if let Some(at) = marker {
            body.splice(at..at + 6, [0xff]);
        }
        let answer = server.post_raw(OPERATOR, body, &[]).await.expect(207);
        assert_eq!(answer["results"][1]["error"]["code"], "invalid_utf8", "{answer}");
        assert_eq!(answer["results"][2]["id"], "e-2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_line_is_its_own_error_and_a_broken_array_stores_nothing() {
    let server = Server::start().await;
    let lines = format!("{}\n{{\"action\": \n{}\n", event("acme", 0), event("acme", 1));
    let answer = server.post_raw(OPERATOR, lines, &[]).await.expect(207);
    assert_eq!(answer["results"][1]["error"]["code"], "json_syntax");

    let array = format!("[{},\n  {} {}]", event("acme", 2), event("acme", 3), event("acme", 4));
    let answer = server.post_raw(OPERATOR, array, &[("content-type", "application/json")]).await;
    let detail = answer.json()["detail"].as_str().expect("detail").to_owned();
    assert_eq!(answer.problem(400), "invalid_json");
    assert!(detail.contains("line 2, column") && detail.contains("offset"), "{detail}");
    assert_eq!(server.get("/v1/events/e-2?tenant=acme", OPERATOR).await.problem(404), "not_found");
    for body in ["", "   \n", "[", "]", "[{}", "[{}]]"] {
        let code = server.post_raw(OPERATOR, body, &[("content-type", "application/json")]).await;
        assert_eq!(code.status, 400, "{body}: {}", code.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_is_refused_whole() {
    let server = Server::start().await;
    let mut body = String::from("[");
    for n in 0..10_001 {
        if n > 0 {
            body.push(',');
        }
        body.push_str("{}");
    }
    body.push(']');
    assert_eq!(server.post_raw(OPERATOR, body.clone(), &[]).await.problem(413), "too_many_events");
    let lines = "{}\n".repeat(10_001);
    assert_eq!(server.post_raw(OPERATOR, lines, &[]).await.problem(413), "too_many_events");
    let huge = vec![b' '; 16 * 1024 * 1024 + 1];
    assert_eq!(server.post_raw(OPERATOR, huge, &[]).await.problem(413), "body_too_large");
    // The server is as well as before.
    server.append(OPERATOR, &events("acme", 3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_bodies_cannot_do_harm() {
    let server = Server::start().await;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    let body = gzip(json!(events("acme", 50)).to_string().as_bytes());
    let cut = body[..body.len() / 2].to_vec();
    assert_eq!(
        server.post_raw(OPERATOR, cut, &[("content-encoding", "gzip")]).await.problem(400),
        "truncated_body"
    );
    let mut flipped = body.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 0xff;
    let code = server.post_raw(OPERATOR, flipped, &[("content-encoding", "gzip")]).await.problem(400);
    assert!(matches!(code.as_str(), "invalid_compression" | "truncated_body"), "{code}");
    let bomb = gzip(&vec![b'['; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(
        server.post_raw(OPERATOR, bomb, &[("content-encoding", "gzip")]).await.problem(413),
        "body_too_large"
    );
    let bomb = zstd::encode_all(&vec![b' '; 200 << 20][..], 1).expect("memory");
    assert_eq!(
        server.post_raw(OPERATOR, bomb, &[("content-encoding", "zstd")]).await.problem(413),
        "body_too_large"
    );
    for coding in ["br", "gzip, gzip", "deflate"] {
        let answer = server.post_raw(OPERATOR, "[]", &[("content-encoding", coding)]).await;
        assert_eq!(answer.problem(415), "unsupported_media_type");
    }
    assert_eq!(
        server.post_raw(OPERATOR, "[]", &[("content-type", "application/xml")]).await.problem(415),
        "unsupported_media_type"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingest_in_flight_is_bounded() {
    let mut config = recount_server::ServerConfig::default();
    config.limits.ingest_bytes_in_flight_max = 64 * 1024;
    config.limits.ingest_wait = std::time::Duration::ZERO;
    let server = Server::start_with(config).await;
    // Long enough that a connection closed at once would keep the answer from the client.
    let answer = server.post_raw(OPERATOR, vec![b' '; 8 * 1024 * 1024], &[]).await;
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.problem(429), "busy");
    server.append(OPERATOR, &events("acme", 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_a_problem_document() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 3)).await;
    let plain = |method: Method, path: &str| server.client.request(method, format!("{}{path}", server.base));
    assert_eq!(send(plain(Method::GET, "/nowhere")).await.problem(404), "not_found");
    assert_eq!(send(plain(Method::GET, "/v1/nowhere")).await.problem(404), "not_found");
    let answer = send(plain(Method::PATCH, "/v1/events").bearer_auth(OPERATOR)).await;
    assert_eq!(answer.headers["allow"].to_str().expect("text").split(',').count(), 3);
    assert_eq!(answer.problem(405), "method_not_allowed");
    assert_eq!(send(plain(Method::GET, "/v1/events")).await.problem(401), "unauthenticated");
    let answer = send(plain(Method::GET, "/v1/events").header("authorization", "Basic eDp5")).await;
    assert!(answer.headers["www-authenticate"].to_str().expect("text").starts_with("Bearer"));
    assert_eq!(answer.problem(401), "unauthenticated");
    assert_eq!(server.get("/v1/events", "rk_tn_nonsense").await.problem(401), "unauthenticated");
    assert_eq!(server.get("/v1/events", OPERATOR).await.problem(400), "tenant_required");
    for tenant in ["a%2Fb", "..%2Facme", "..", "%2E%2E%2F"] {
        let answer = server.get(&format!("/v1/events?tenant={tenant}"), OPERATOR).await;
        assert_eq!(answer.problem(400), "invalid_parameter", "{tenant}");
    }
    let answer = server.post("/v1/tenants", OPERATOR, &json!({"id": "../acme"})).await;
    assert_eq!(answer.json()["pointer"], "/id");
    assert_eq!(answer.problem(400), "invalid_body");
    let answer = server.get("/v1/events?tenant=acme&colour=red", OPERATOR).await;
    let detail = answer.json()["detail"].as_str().expect("detail").to_owned();
    assert_eq!(answer.problem(400), "unknown_parameter");
    assert!(detail.contains("colour") && detail.contains("filter") && detail.contains("cursor"), "{detail}");
    for path in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=-1",
        "order=up",
        "from=now",
        "to=2026-13-01T00:00:00Z",
        "from=0000-01-01T00:00:00Z",
        "to=9999-12-31T23:59:59Z",
        "limit=1&limit=2",
    ] {
        let code = server.get(&format!("/v1/events?tenant=acme&{path}"), OPERATOR).await;
        assert_eq!(code.problem(400), "invalid_parameter", "{path}");
    }
    let answer = server.get("/v1/events?tenant=acme&filter=action:a%20actr:ada", OPERATOR).await;
    let problem = answer.json();
    assert_eq!(answer.problem(400), "invalid_filter");
    assert_eq!((problem["position"].as_u64(), problem["length"].as_u64()), (Some(9), Some(4)), "{problem}");
    let long = format!("/v1/events?tenant=acme&filter={}", "a".repeat(40_000));
    assert_eq!(server.get(&long, OPERATOR).await.problem(414), "uri_too_long");

    let body = |text: &'static str| {
        server
            .request(Method::POST, "/v1/keys", OPERATOR)
            .header("content-type", "application/json")
            .body(text)
    };
    assert_eq!(send(body("{")).await.problem(400), "invalid_json");
    assert_eq!(send(body("")).await.problem(400), "empty_body");
    let answer = send(body(r#"{"name":"x","scopes":["events:read","all"]}"#)).await;
    assert_eq!(answer.json()["pointer"], "/scopes");
    assert_eq!(answer.problem(400), "invalid_body");
    assert_eq!(send(body(r#"{"name":"x","scopes":[],"admin":true}"#)).await.problem(400), "invalid_body");
    let answer =
        server.request(Method::POST, "/v1/keys", OPERATOR).header("content-type", "text/plain").body("{}");
    assert_eq!(send(answer).await.problem(415), "unsupported_media_type");
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(70_000));
    let answer = server
        .request(Method::POST, "/v1/keys", OPERATOR)
        .header("content-type", "application/json")
        .body(large);
    assert_eq!(send(answer).await.problem(413), "body_too_large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_a_request_id_and_safe_headers() {
    let server = Server::start().await;
    let answer =
        send(server.request(Method::GET, "/v1/me", OPERATOR).header("x-request-id", "from-the-client.1"))
            .await;
    assert_eq!(answer.headers["x-request-id"], "from-the-client.1");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let answer =
        send(server.request(Method::GET, "/nowhere", OPERATOR).header("x-request-id", "not safe {}")).await;
    assert_eq!(answer.headers["x-request-id"].len(), 36);
}
