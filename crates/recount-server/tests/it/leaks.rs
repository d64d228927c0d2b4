//! Nothing that the server logs or answers holds a secret or what tenants search for.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{OPERATOR, Server, event};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_holds_no_secret_and_no_payload() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only test of its process that logs");
    let server = Server::start().await;
    let mut canary = event("acme", 0);
    canary["description"] = "canary-payload".into();
    canary["id"] = "canary-event-id".into();
    server.append(OPERATOR, &[canary]).await;
    let key = server.tenant_key("acme").await;
    let session = json!({"tenant": "acme", "actor": {"type": "user", "id": "canary-person"}});
    let session = server.post("/v1/portal-sessions", OPERATOR, &session).await.expect(201);
    let (url, token) = (session["url"].as_str().expect("url"), session["token"].as_str().expect("token"));
    let code = url.split_once("#code=").expect("a code").1;
    let exchange = server
        .client
        .post(format!("{}/v1/portal-sessions/exchange", server.base))
        .json(&json!({"code": code}));
    let exchanged = crate::harness::send(exchange).await.expect(200);
    server.get("/v1/events?filter=canary-search", token).await.expect(200);
    server.get("/v1/events/canary-event-id", &key).await.expect(200);
    server.get("/v1/events?filter=canary:", &key).await.problem(400);
    server.get("/v1/me?key=canary-query", &key).await.problem(400);
    server.post_raw(OPERATOR, "canary-body", &[]).await;
    server.stop().await;

    let log = String::from_utf8(captured.0.lock().expect("not poisoned").clone()).expect("UTF-8");
    assert!(log.contains("request_id") && log.contains("/v1/events/{id}"), "the access log is there: {log}");
    for secret in [OPERATOR, &key, token, code, exchanged["token"].as_str().expect("token")] {
        assert!(!log.contains(secret), "a credential is in the log");
    }
    assert!(
        !log.contains("canary"),
        "{}",
        log.lines().filter(|line| line.contains("canary")).collect::<Vec<_>>().join("\n")
    );
}
