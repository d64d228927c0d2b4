//! Power cuts while a stream delivers: the server is killed after a receiver has taken a batch and
//! before, or while, that is written down. Every event arrives at least once, and first arrivals
//! are in order.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{OPERATOR_KEY, Server, event, folder};

/// After each, the streams rest until the lease of the dead server ends.
const KILLS: u64 = 6;
/// Events that are appended in each life of the server.
const EVENTS: u64 = 40;
const BATCH_EVENTS: u64 = 7;
/// How long a batch may take to come before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A webhook's receiver. It hands each batch to the test with the connection that waits for an answer.
struct Hook {
    address: SocketAddr,
    batches: Receiver<(Vec<String>, TcpStream)>,
}

impl Hook {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (send, batches) = channel();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let send = send.clone();
                std::thread::spawn(move || receive(&connection, &send));
            }
        });
        Self { address, batches }
    }

    fn next(&self) -> (Vec<String>, TcpStream) {
        self.batches.recv_timeout(PATIENCE).expect("a batch comes")
    }
}

/// Reads the requests of one connection until the sender is gone.
fn receive(connection: &TcpStream, batches: &Sender<(Vec<String>, TcpStream)>) {
    let mut reader = BufReader::new(connection.try_clone().expect("a second handle"));
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let events = body["data"].as_array().expect("an array");
        let ids = events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect();
        let answer = connection.try_clone().expect("a second handle");
        if batches.send((ids, answer)).is_err() {
            return;
        }
    }
}

fn answer(mut connection: &TcpStream) {
    // The server may have been killed meanwhile.
    let _ = connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
}

async fn post(server: &Server, path: &str, body: &str) -> Value {
    let request = reqwest::Client::new()
        .post(format!("{}{path}", server.url))
        .bearer_auth(OPERATOR_KEY)
        .header("content-type", "application/json")
        .body(body.to_owned());
    let response = request.send().await.expect("it answers");
    let status = response.status();
    let answer = response.text().await.expect("a body");
    assert!(status.is_success(), "{path}: {status} {answer}");
    serde_json::from_str(&answer).expect("JSON")
}

async fn append(server: &Server, life: u64) -> Vec<String> {
    let ids: Vec<String> = (0..EVENTS).map(|number| format!("e{life:02}-{number:03}")).collect();
    let events: Vec<String> = ids.iter().map(|id| event(id, "load.sent")).collect();
    post(server, "/v1/events", &format!("[{}]", events.join(","))).await;
    ids
}

// The test waits for the receiver's threads and for the server as a process, so nothing else runs.
#[tokio::test]
async fn a_stream_loses_nothing_when_the_server_is_killed_while_it_sends() {
    let (folder, hook) = (folder(), Hook::start());
    let start = || Server::with(folder.path(), |command| command.env("RECOUNT_EGRESS_ALLOW", "127.0.0.0/8"));
    let mut server = start();
    let stream = json!({
        "name": "s", "start": "beginning", "filter": "-source:recount",
        "destination": {"type": "webhook", "url": format!("http://{}/", hook.address)},
        "batch": {"events_max": BATCH_EVENTS},
    });
    post(&server, "/v1/tenants", r#"{"id":"acme"}"#).await;
    let created = post(&server, "/v1/streams?tenant=acme", &stream.to_string()).await;
    let id = created["id"].as_str().or(created["stream"]["id"].as_str()).expect("an id").to_owned();
    let enable = json!({"without_test": true, "reason": "a test"}).to_string();
    post(&server, &format!("/v1/streams/{id}/enable?tenant=acme"), &enable).await;

    let (mut sent, mut first_arrivals, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut take = |ids: &[String]| {
        for id in ids {
            if seen.insert(id.clone()) {
                first_arrivals.push(id.clone());
            }
        }
        first_arrivals.len()
    };
    for life in 0..KILLS {
        sent.extend(append(&server, life).await);
        // Some batches are answered; at the next one the server is killed: before the answer, or
        // with the answer on its way, so that the step is just being written down.
        for _ in 0..life % 3 {
            let (ids, connection) = hook.next();
            take(&ids);
            answer(&connection);
        }
        let (ids, connection) = hook.next();
        take(&ids);
        if life % 2 == 1 {
            answer(&connection);
        }
        server.kill();
        server = start();
    }
    loop {
        let (ids, connection) = hook.next();
        let arrived = take(&ids);
        answer(&connection);
        if arrived == sent.len() {
            break;
        }
    }
    assert_eq!(first_arrivals, sent);
    assert_eq!(server.stop(), Some(0));
}
