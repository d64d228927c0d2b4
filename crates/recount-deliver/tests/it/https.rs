//! The generic batch: templates, bodies, envelopes.
//!
//! Proven by: a stub of ours only; there is no server of "anything that takes a POST".

use serde_json::json;

use crate::support::{
    receiver::{Receiver, Reply},
    world::{World, event},
};

#[tokio::test]
async fn headers_and_urls_are_filled_in_and_secrets_stay_out_of_sight() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::status(202)).await);
    world.append("acme", (0..7).map(event)).await;
    let destination = json!({
        "type": "https", "url": format!("{}/in/{{secret.path}}?t={{tenant}}", receiver.url("")),
        "headers": {"Authorization": "Bearer {secret.token}", "X-Batch": "{batch_id} {first_seq}-{last_seq} {count}"},
        "secrets": {"token": "abcd-efgh", "path": "hidden-path"}, "success_statuses": [202],
    });
    let id = world
        .enabled("acme", destination, json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}}))
        .await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let request = &receiver.requests()[0];
    assert_eq!(request.path, "/in/hidden-path?t=acme");
    assert_eq!(request.header("authorization"), "Bearer abcd-efgh");
    assert_eq!(request.header("x-batch"), format!("{id}-0-6 0-6 7"));
    assert_eq!(request.header("content-type"), "application/x-ndjson");
    assert_eq!(request.text().lines().count(), 7);
    let attempts = world.streams().attempts(&world.log("acme"), &id, 10).await.expect("attempts");
    let shown = format!("{stream:?}{attempts:?}");
    assert!(!shown.contains("abcd-efgh") && !shown.contains("hidden-path"), "{shown}");
}

#[tokio::test]
async fn arrays_envelopes_and_plain_bodies() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    world.append("acme", (0..3).map(event)).await;
    let batch = json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}});
    let array = json!({"type": "https", "url": receiver.url("/a"), "method": "PUT", "body": "array", "envelope": "logs", "compression": "none"});
    let first = world.enabled("acme", array, batch.clone()).await;
    let mut cef = batch;
    cef["format"] = "cef".into();
    let second = world.enabled("acme", json!({"type": "https", "url": receiver.url("/c")}), cef).await;
    let engine = world.start();
    world.until_caught_up("acme", &first).await;
    world.until_caught_up("acme", &second).await;
    engine.shutdown().await;
    let requests = receiver.requests();
    let array = requests.iter().find(|request| request.path == "/a").expect("sent");
    assert_eq!(array.method, http::Method::PUT);
    assert_eq!(array.json()["logs"].as_array().map(Vec::len), Some(3));
    let cef = requests.iter().find(|request| request.path == "/c").expect("sent");
    assert!(
        cef.text().lines().count() == 3 && cef.text().lines().all(|line| line.starts_with("CEF:0|Recount|"))
    );
}
