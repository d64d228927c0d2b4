//! `_bulk`: items that fail one by one.
//!
//! Proven by: osmem-server, a re-implementation of OpenSearch's API (not OpenSearch itself), and a
//! stub of ours for the faults.

use std::{
    collections::btree_map::{BTreeMap, Entry},
    process::Command,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::Method;
use recount_deliver::{egress::HttpRequest, lifecycle::Start};
use serde_json::{Value, json};

use crate::support::{
    eventually, peers,
    receiver::{Receiver, Reply},
    world::{World, by, event},
};

/// The answer of `_bulk` with a status for each document.
fn bulk(request: &crate::support::receiver::Received, status: impl Fn(&str) -> u16) -> Reply {
    let ids: Vec<String> = request
        .text()
        .lines()
        .step_by(2)
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["create"]["_id"]
                .as_str()
                .expect("an id")
                .to_owned()
        })
        .collect();
    let items: Vec<Value> = ids
        .iter()
        .map(|id| match status(id) {
            good @ (200 | 201) => json!({"create": {"_id": id, "status": good}}),
            bad => json!({"create": {"_id": id, "status": bad, "error": {"type": "some_exception", "reason": "so it is"}}}),
        })
        .collect();
    let errors = ids.iter().any(|id| !matches!(status(id), 200 | 201));
    Reply::body(200, json!({"took": 1, "errors": errors, "items": items}).to_string())
}

#[tokio::test]
async fn two_hundred_with_item_errors_is_read_item_by_item() {
    let world = World::new().await;
    let mut calls = 0;
    let receiver = Receiver::start(move |request| {
        calls += 1;
        let first = calls == 1;
        bulk(request, |id| match id.rsplit(',').next().unwrap_or_default() {
            "e-3" => 400,
            "e-5" => 409,
            "e-7" if first => 429,
            _ => 201,
        })
    })
    .await;
    world.append("acme", (0..10).map(event)).await;
    let destination = json!({"type": "elasticsearch", "url": receiver.url(""), "index": "audit-{tenant}", "api_key": "a2V5OnNlY3JldA=="});
    let id = world
        .enabled("acme", destination, json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}}))
        .await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!((stream.delivered, stream.dead_letters), (9, 1), "409 is there already, 400 is a dead letter");
    let requests = receiver.requests();
    assert_eq!(requests[0].path, "/audit-acme/_bulk");
    assert_eq!(requests[0].header("authorization"), "ApiKey a2V5OnNlY3JldA==");
    assert_eq!(requests[1].text().lines().count(), 2, "only the event that was put off is sent again");
    let document: Value =
        serde_json::from_str(requests[0].text().lines().nth(1).expect("a document")).expect("JSON");
    assert_eq!(document["@timestamp"], document["occurred_at"]);
}

#[tokio::test]
async fn an_answer_that_lies_is_not_believed() {
    let world = World::new().await;
    let mut calls = 0;
    let receiver = Receiver::start(move |request| {
        calls += 1;
        match calls {
            // Says that nothing failed, and an item did.
            1 => Reply::body(
                200,
                r#"{"errors":false,"items":[{"create":{"status":500}},{"create":{"status":201}}]}"#,
            ),
            // Accounts for half of the events.
            2 => Reply::body(200, r#"{"errors":false,"items":[]}"#),
            // A proxy's page.
            3 => Reply::body(200, "<html>welcome</html>"),
            _ => bulk(request, |_| 201),
        }
    })
    .await;
    world.append("acme", (0..2).map(event)).await;
    let destination = json!({"type": "elasticsearch", "url": receiver.url("")});
    let id = world
        .enabled("acme", destination, json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}}))
        .await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4);
    assert!(
        requests.iter().all(|request| request.text().contains("\"acme,0,e-0\"")),
        "the first event was never accepted before"
    );
}

#[tokio::test]
async fn an_id_that_comes_again_in_another_log_is_another_document() {
    // A cluster that keeps what it was given: a name that is taken answers 409, which counts as there.
    let world = World::new().await;
    let kept = Arc::new(Mutex::new(BTreeMap::new()));
    let index = Arc::clone(&kept);
    let receiver = Receiver::start(move |request| {
        let text = request.text();
        let lines: Vec<&str> = text.lines().collect();
        let mut known: Vec<String> = Vec::new();
        let mut index = index.lock().expect("no holder panics");
        for pair in lines.chunks(2) {
            let action: Value = serde_json::from_str(pair[0]).expect("JSON");
            let id = action["create"]["_id"].as_str().expect("an id").to_owned();
            match index.entry(id) {
                Entry::Occupied(there) => known.push(there.key().clone()),
                Entry::Vacant(free) => {
                    free.insert(pair[1].to_owned());
                }
            }
        }
        bulk(request, |id| if known.iter().any(|known| known == id) { 409 } else { 201 })
    })
    .await;
    let tenants = ["acme", "umbrella"];
    let mut streams = Vec::new();
    for tenant in tenants {
        world.append(tenant, (0..5).map(event)).await;
        let destination = json!({"type": "elasticsearch", "url": receiver.url("")});
        let rest = json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}});
        streams.push((tenant, world.enabled(tenant, destination, rest).await));
    }
    let engine = world.start();
    for (tenant, id) in &streams {
        world.until_caught_up(tenant, id).await;
        world.streams().replay(&world.log(tenant), &by(), id, &Start::Beginning).await.expect("replayed");
        world.until_caught_up(tenant, id).await;
    }
    engine.shutdown().await;
    let kept = kept.lock().expect("no holder panics");
    for tenant in tenants {
        let own = format!("\"tenant\":\"{tenant}\"");
        let own = kept.values().filter(|document| document.contains(&own)).count();
        assert_eq!(own, 5, "{tenant}'s events, each once: {:?}", kept.keys());
    }
}

#[tokio::test]
async fn documents_arrive_once_however_often_they_are_sent() {
    let Some(python) = peers::place("RECOUNT_TEST_PYTHON", "elasticsearch against osmem-server") else {
        return;
    };
    let port = peers::free_port();
    let _daemon = peers::Daemon::start(Command::new(osmem_program(&python)).args([
        "-no-stdin-watch",
        "-addr",
        &format!("127.0.0.1:{port}"),
    ]));
    peers::listening(port).await;
    let world = World::new().await;
    // A number beyond 2^63 has no place in a `long`, there as here.
    let events = (0..500).map(|number| {
        let mut event = event(number);
        event["metadata"] = json!({"n": number});
        event
    });
    world.append("acme", events).await;
    let base = format!("http://127.0.0.1:{port}");
    let destination = json!({"type": "elasticsearch", "url": base, "index": "audit"});
    let id = world
        .create(
            "acme",
            destination,
            json!({"filter": "-source:recount", "batch": {"events_max": 200, "age_seconds_max": 0}}),
        )
        .await
        .stream
        .id;
    let log = world.log("acme");
    let tested = world.streams().test(&log, &by(), &id).await.expect("sent");
    assert!(tested.passed, "{tested:?}");
    world.streams().enable(&log, &by(), &id, false, None).await.expect("enabled");
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    world.streams().replay(&log, &by(), &id, &Start::Beginning).await.expect("replayed");
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.dead_letters), (1_000, 0), "{stream:?}");
    engine.shutdown().await;
    let get = |path: &str, method: Method| {
        let request = HttpRequest::new(method, format!("{base}{path}").parse().expect("a url"), Bytes::new());
        let egress = world.delivery.egress().clone();
        async move { egress.send(request).await.result.expect("an answer") }
    };
    get("/audit/_refresh", Method::POST).await;
    let count = eventually("all documents to be counted", || async {
        let answer = get("/audit/_count", Method::GET).await;
        let count = serde_json::from_slice::<Value>(&answer.body).ok()?["count"].as_u64()?;
        (count >= 501).then_some(count)
    })
    .await;
    assert_eq!(count, 501, "500 events and the test");
    let document = get("/audit/_doc/acme,7,e-7", Method::GET).await;
    let document: Value = serde_json::from_slice(&document.body).expect("JSON");
    assert_eq!(document["_source"]["metadata"]["n"], 7);
}

/// The binary inside the Python package.
fn osmem_program(python: &str) -> std::path::PathBuf {
    let script = "import osmem_server, os; print(os.path.join(os.path.dirname(osmem_server.__file__), 'bin', 'osmem-server'))";
    let output = Command::new(python).args(["-c", script]).output().expect("python runs");
    String::from_utf8(output.stdout).expect("UTF-8").trim().into()
}
