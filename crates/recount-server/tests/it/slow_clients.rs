//! Clients that are too slow, or too many, are let go.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{OPERATOR, Server, events};

fn quick() -> recount_server::ServerConfig {
    let mut config = recount_server::ServerConfig::default();
    config.limits.header_timeout = Duration::from_millis(200);
    config.limits.body_idle_timeout = Duration::from_millis(200);
    config
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.base.trim_start_matches("http://")).await.expect("connects")
}

/// What the server sends until it closes the connection, which it must do soon.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_dribbling_end_a_connection() {
    let server = Server::start_with(quick()).await;
    let mut silent = connect(&server).await;
    rest(&mut silent).await;
    let mut dribble = connect(&server).await;
    dribble.write_all(b"P").await.expect("writes");
    rest(&mut dribble).await;
    let mut half = connect(&server).await;
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("writes");
    rest(&mut half).await;
    server.append(OPERATOR, &events("acme", 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_stops_coming_is_a_timeout() {
    let server = Server::start_with(quick()).await;
    let mut stream = connect(&server).await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {OPERATOR}\r\ncontent-length: 1000\r\n\r\n["
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_bounded() {
    let mut config = recount_server::ServerConfig::default();
    config.limits.connections_max = 2;
    let server = Server::start_with(config).await;
    let (first, second) = (connect(&server).await, connect(&server).await);
    let waiting = server
        .client
        .get(format!("{}/healthz", server.base))
        .timeout(Duration::from_millis(500))
        .send()
        .await;
    assert!(waiting.is_err(), "a third waits");
    drop((first, second));
    let answer =
        server.client.get(format!("{}/healthz", server.base)).send().await.expect("now it is its turn");
    assert_eq!(answer.status(), 200);
}

/// Exports whose clients went away end: they would hold all places of the tenant otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_ends_with_its_client() {
    let server = Server::start().await;
    // More than sockets take in without a reader.
    let mut all = events("acme", 12_000);
    for event in &mut all {
        event["description"] = "x".repeat(1_500).into();
    }
    for part in all.chunks(4_000) {
        server.append(OPERATOR, part).await;
    }
    let key = server.tenant_key("acme").await;
    for _ in 0..20 {
        let mut stream = connect(&server).await;
        let head = format!("GET /v1/export HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("writes");
        let mut first = [0; 1_000];
        stream.read_exact(&mut first).await.expect("the answer begins");
        assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
    }
    let whole = server.get("/v1/export?filter=action:user.login", &key).await;
    assert_eq!(whole.text.lines().count(), 4_000);
}
