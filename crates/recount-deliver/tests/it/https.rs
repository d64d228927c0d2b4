//! The generic batch: templates, bodies, envelopes.
//!
//! Proven by: a stub of ours only; there is no server of "anything that takes a POST".

use serde_json::json;

use crate::support::{
    receiver::{Receiver, Reply},
    world::{World, by, event},
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
    let wrapped = json!({"type": "https", "url": receiver.url("/w"), "body": "array", "envelope": "logs", "envelope_in_array": true});
    let rest = json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}});
    let third = world.enabled("acme", wrapped, rest).await;
    let engine = world.start();
    world.until_caught_up("acme", &first).await;
    world.until_caught_up("acme", &second).await;
    world.until_caught_up("acme", &third).await;
    engine.shutdown().await;
    let requests = receiver.requests();
    let array = requests.iter().find(|request| request.path == "/a").expect("sent");
    assert_eq!(array.method, http::Method::PUT);
    assert_eq!(array.json()["logs"].as_array().map(Vec::len), Some(3));
    let wrapped = requests.iter().find(|request| request.path == "/w").expect("sent").json();
    assert_eq!(wrapped.as_array().map(Vec::len), Some(1));
    assert_eq!(wrapped[0]["logs"].as_array().map(Vec::len), Some(3));
    let cef = requests.iter().find(|request| request.path == "/c").expect("sent");
    assert!(
        cef.text().lines().count() == 3 && cef.text().lines().all(|line| line.starts_with("CEF:0|Recount|"))
    );
}

#[tokio::test]
async fn a_secret_at_the_edge_of_what_is_kept_is_hidden() {
    const TOKEN: &str = "token-0123456789-abcdefghij";
    let world = World::new().await;
    world.append("acme", (0..1).map(event)).await;
    let receiver = Receiver::friendly().await;
    let log = world.log("acme");
    let destination = json!({
        "type": "https", "url": receiver.url("/in"), "headers": {"Authorization": "Bearer {secret.token}"},
        "secrets": {"token": TOKEN},
    });
    let id = world.enabled("acme", destination, json!({"filter": "-source:recount"})).await;
    // The answer's text is cut off after 2 KiB, the reason (with its status before it) a little earlier.
    for before in (2_000..=2_060).step_by(5) {
        receiver.behave(move |request| {
            let echo = request.header("authorization");
            Reply::body(403, format!("{}{echo} is not allowed", "x".repeat(before)))
        });
        let tested = world.streams().test(&log, &by(), &id).await.expect("tried");
        let shown = format!("{tested:?}");
        assert!(shown.contains("xxxx") && !shown.contains(&TOKEN[..6]), "{before}: {shown}");
    }
    receiver.behave(|_| Reply::body(403, "no\0 \u{1b}[31mway"));
    let tested = world.streams().test(&log, &by(), &id).await.expect("tried");
    let reason = tested.attempt.reason.expect("a reason");
    assert!(reason.contains("way") && !reason.contains(|c: char| c.is_control()), "{reason:?}");
}
