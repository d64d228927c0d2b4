//! Following the log: feed with long-poll, and server-sent events.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, event, events, send};

/// A reader of server-sent events.
struct Tail {
    response: Response,
    buffer: String,
}

impl Tail {
    async fn open(server: &Server, key: &str, query: &str, last_event_id: Option<&str>) -> Self {
        let mut request = server.request(Method::GET, &format!("/v1/events/tail{query}"), key);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next block, comments and retry hints left out; `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                if !block.starts_with(':') && !block.starts_with("retry:") {
                    return Some(block);
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk())
                .await
                .expect("in time")
                .ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    /// The next event's seq and id.
    async fn event(&mut self) -> (u64, String) {
        loop {
            let block = self.next().await.expect("the stream goes on");
            let Some(data) = block.lines().find_map(|line| line.strip_prefix("data: ")) else { continue };
            assert!(block.contains("\nevent: event\n"), "{block}");
            let event: Value = serde_json::from_str(data).expect("JSON");
            let seq = block
                .lines()
                .find_map(|line| line.strip_prefix("id: "))
                .expect("an id")
                .parse()
                .expect("a seq");
            assert_eq!(event["seq"], seq);
            return (seq, event["id"].as_str().expect("id").to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_resumes_without_gap_or_repetition() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 5)).await;
    let key = server.tenant_key("acme").await;
    let first = server.get("/v1/feed", &key).await.expect(200)["next"].as_u64().expect("next");
    let mut tail = Tail::open(&server, &key, "", None).await;
    server.append(OPERATOR, &[event("acme", 100), event("acme", 101)]).await;
    assert_eq!(tail.event().await, (first, "e-100".to_owned()), "from now on");
    assert_eq!(tail.event().await.1, "e-101");
    drop(tail);
    server.append(OPERATOR, &[event("acme", 102)]).await;
    let mut tail = Tail::open(&server, &key, "", Some(&first.to_string())).await;
    assert_eq!(tail.event().await.1, "e-101");
    assert_eq!(tail.event().await.1, "e-102");
    let mut tail = Tail::open(&server, &key, "?from=0&filter=id:e-3,e-102", None).await;
    assert_eq!(tail.event().await.1, "e-3");
    assert_eq!(tail.event().await.1, "e-102");
    let bad = server.request(Method::GET, "/v1/events/tail", &key).header("last-event-id", "x");
    assert_eq!(send(bad).await.problem(400), "invalid_parameter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filtered_tail_moves_its_place_over_what_it_leaves_out() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 50)).await;
    let key = server.tenant_key("acme").await;
    let next = server.get("/v1/feed", &key).await.expect(200)["next"].as_u64().expect("next");
    let mut tail = Tail::open(&server, &key, "?from=0&filter=action:none", None).await;
    assert_eq!(tail.next().await.expect("a block"), "id: -1\n\n", "where it begins");
    assert_eq!(tail.next().await.expect("a block"), format!("id: {}\n\n", next - 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_says_where_it_begins_before_any_event_comes() {
    let server = Server::start().await;
    let key = server.key(Some("acme"), &["events:write", "events:read"]).await;
    let begun = server.get("/v1/feed", &key).await.expect(200)["next"].as_u64().expect("next");
    let begin = Tail::open(&server, &key, "", None).await.next().await.expect("a block");
    assert_eq!(begin, format!("id: {}\n\n", begun as i64 - 1));
    // It broke before anything came, and meanwhile something did.
    server.append(&key, &[event("acme", 1)]).await;
    let place = begin.trim().trim_start_matches("id: ").to_owned();
    let mut tail = Tail::open(&server, &key, "", Some(&place)).await;
    assert_eq!(tail.event().await, (begun, "e-1".to_owned()));
    // Before the first event of all, however the log began.
    let mut tail = Tail::open(&server, &key, "?filter=-source:recount", Some("-1")).await;
    assert_eq!(tail.event().await.1, "e-1");
    for id in ["-2", "9223372036854775807", "18446744073709551615", "1.5"] {
        let bad = server.request(Method::GET, "/v1/events/tail", &key).header("last-event-id", id);
        assert_eq!(send(bad).await.problem(400), "invalid_parameter", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_tails_and_long_polls_end_when_the_server_stops() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 1)).await;
    let key = server.tenant_key("acme").await;
    let next = server.get("/v1/feed", &key).await.expect(200)["next"].clone();
    let mut tail = Tail::open(&server, &key, "", None).await;
    let poll = server.request(Method::GET, &format!("/v1/feed?from={next}&wait=60"), &key);
    let poll = tokio::spawn(send(poll));
    assert!(tail.next().await.is_some_and(|block| block.starts_with("id: ")), "where it begins");
    // The poll is given the time to be on its way too.
    tokio::time::timeout(Duration::from_millis(300), tail.next()).await.expect_err("nothing comes");
    server.begin_shutdown();
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), tail.next()).await.expect("promptly"), None);
    let answer = tokio::time::timeout(Duration::from_secs(5), poll)
        .await
        .expect("promptly")
        .expect("joins")
        .expect(200);
    assert_eq!(answer, json!({"data": [], "next": next}));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_ends_when_its_key_is_revoked() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 1)).await;
    let made = server
        .post("/v1/keys", OPERATOR, &json!({"name": "k", "tenant": "acme", "scopes": ["events:read"]}))
        .await
        .expect(201);
    let mut tail = Tail::open(&server, made["key"].as_str().expect("key"), "", None).await;
    let path = format!("/v1/keys/{}", made["id"].as_str().expect("id"));
    assert_eq!(server.delete(&path, OPERATOR).await.status, 204);
    server.append(OPERATOR, &[event("acme", 100)]).await;
    // The record of the revocation comes before it, and may be shown; nothing later is.
    while let Some(block) = tail.next().await {
        assert!(!block.contains("e-100"), "{block}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_has_every_event_in_seq_order_and_waits_for_more() {
    let server = Server::start().await;
    let mut backdated = events("acme", 10);
    backdated.reverse();
    server.append(OPERATOR, &backdated).await;
    let key = server.tenant_key("acme").await;
    let (mut from, mut seqs) = (0, Vec::new());
    loop {
        let page = server.get(&format!("/v1/feed?from={from}&limit=4"), &key).await.expect(200);
        let data = page["data"].as_array().expect("data").clone();
        seqs.extend(data.iter().map(|event| event["seq"].as_u64().expect("seq")));
        from = page["next"].as_u64().expect("next");
        if data.is_empty() {
            break;
        }
    }
    assert_eq!(seqs, (0..from).collect::<Vec<_>>());
    let poll =
        tokio::spawn(send(server.request(Method::GET, &format!("/v1/feed?from={from}&wait=30"), &key)));
    tokio::task::yield_now().await;
    server.append(OPERATOR, &[event("acme", 77)]).await;
    let page =
        tokio::time::timeout(Duration::from_secs(10), poll).await.expect("woken").expect("joins").expect(200);
    assert_eq!(page["data"][0]["id"], "e-77");
    assert_eq!(
        server.get(&format!("/v1/feed?from={from}&wait=61"), &key).await.problem(400),
        "invalid_parameter"
    );
    assert_eq!(server.get("/v1/feed?from=-1", &key).await.problem(400), "invalid_parameter");
    let beyond = server.get("/v1/feed?from=1000000", &key).await.expect(200);
    assert_eq!(beyond["data"], json!([]));
}
