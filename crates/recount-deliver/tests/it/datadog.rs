//! Datadog's logs intake.
//!
//! Proven by: Datadog's own client library, whose request is compared with ours; the intake is a
//! stub of ours.

use serde_json::{Value, json};

use crate::support::{
    peers,
    receiver::{Receiver, Reply},
    world::{World, event},
};

#[tokio::test]
async fn requests_are_those_of_datadogs_own_client() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::body(202, "{}")).await);
    let mut recent = event(1);
    recent["occurred_at"] = world.store.env().now().to_string().into();
    world.append("acme", [event(0), recent]).await;
    let destination = json!({
        "type": "datadog", "url": receiver.url("/api/v2/logs"), "api_key": "0123456789abcdef0123456789abcdef",
        "tags": ["env:test"], "service": "billing",
    });
    let id = world
        .enabled("acme", destination, json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}}))
        .await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let ours = receiver.requests().remove(0);
    let logs = ours.json().as_array().cloned().expect("an array");
    assert_eq!(logs.len(), 2);
    assert_eq!(logs[0]["ddtags"], "env:test,tenant:acme");
    assert!(logs[1]["timestamp"].is_i64(), "dated by its event");
    let message: Value =
        serde_json::from_str(logs[1]["message"].as_str().expect("a text")).expect("the event as JSON");
    assert_eq!(message["id"], "e-1");

    let theirs = Receiver::start(|_| Reply::body(202, "{}")).await;
    let standard: Vec<Value> = logs
        .iter()
        .map(|log| {
            let mut log = log.clone();
            log.as_object_mut().expect("an object").retain(|name, _| {
                ["ddsource", "ddtags", "hostname", "message", "service"].contains(&name.as_str())
            });
            log
        })
        .collect();
    let input =
        json!({"server": theirs.url(""), "api_key": "0123456789abcdef0123456789abcdef", "logs": standard})
            .to_string();
    let ran = tokio::task::spawn_blocking(move || peers::python("datadog_reference.py", input.as_bytes()))
        .await
        .expect("runs");
    if ran.is_none() {
        return;
    }
    let theirs = theirs.requests().remove(0);
    assert_eq!((&theirs.method, &theirs.path), (&ours.method, &ours.path));
    for header in ["dd-api-key", "content-encoding", "content-type"] {
        assert_eq!(theirs.header(header), ours.header(header), "{header}");
    }
    for (our, their) in logs.iter().zip(theirs.json().as_array().expect("an array")) {
        for (member, value) in their.as_object().expect("an object") {
            assert_eq!(&our[member], value, "{member}");
        }
    }
}

#[tokio::test]
async fn logs_that_are_too_old_for_the_intake_are_dated_when_they_arrive() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::body(202, "{}")).await);
    let mut old = event(0);
    old["occurred_at"] = "2020-01-01T00:00:00Z".into();
    world.append("acme", [old]).await;
    let destination = json!({"type": "datadog", "url": receiver.url("/"), "api_key": "key-of-acme"});
    let id = world
        .enabled("acme", destination, json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}}))
        .await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let log = receiver.requests().remove(0).json()[0].clone();
    assert!(log.get("timestamp").is_none(), "the intake would drop it and say 202");
    assert!(
        log["message"].as_str().expect("a text").contains("2020-01-01T00:00:00Z"),
        "its own time is kept"
    );
}
