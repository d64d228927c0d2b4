//! Webhooks: signatures that receivers' own libraries accept, rotation, one event per request.
//!
//! Proven by: the `standardwebhooks` and `svix` libraries, which verify requests as they were sent.

use serde_json::{Value, json};

use crate::support::{
    peers,
    receiver::{Received, Receiver, Reply},
    world::{World, by, event},
};

fn for_peer(request: &Received) -> Value {
    let header = |name: &str| (name.to_owned(), Value::from(request.header(name)));
    let headers: serde_json::Map<String, Value> =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].into_iter().map(header).collect();
    json!({"headers": headers, "body": request.text()})
}

fn verify(secret: &str, requests: &[Received]) {
    let cases: Vec<Value> = requests.iter().map(for_peer).collect();
    let input = json!({"secret": secret, "requests": cases}).to_string();
    let Some(output) = peers::python("verify_webhooks.py", input.as_bytes()) else { return };
    let output: Value = serde_json::from_str(&output).expect("JSON");
    let wanted = requests.len() * 2;
    assert_eq!(output, json!({"verified": wanted, "refused": wanted}));
}

#[tokio::test]
async fn receivers_libraries_accept_our_signatures() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    world.append("acme", (0..30).map(event)).await;
    let created = world
        .create(
            "acme",
            json!({"type": "webhook", "url": receiver.url("/in")}),
            json!({"batch": {"events_max": 10}}),
        )
        .await;
    let secret = created.secrets["secret"].as_str().expect("made for us").to_owned();
    let log = world.log("acme");
    assert!(world.streams().test(&log, &by(), &created.stream.id).await.expect("sent").passed);
    world.streams().enable(&log, &by(), &created.stream.id, false, None).await.expect("enabled");
    let engine = world.start();
    world.until_caught_up("acme", &created.stream.id).await;
    engine.shutdown().await;
    let requests = receiver.requests();
    assert!(requests.len() >= 4 && requests.iter().all(|request| request.path == "/in"));
    assert!(requests.iter().all(|request| request.header("content-type") == "application/json"));
    verify(&secret, &requests);
}

#[tokio::test]
async fn a_rotated_secret_and_the_former_one_both_verify_until_the_overlap_ends() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let log = world.log("acme");
    let created = world.create("acme", json!({"type": "webhook", "url": receiver.url("/")}), json!({})).await;
    let (id, old) = (created.stream.id, created.secrets["secret"].as_str().expect("made for us").to_owned());
    // Rotated in the middle of a retry: the next attempt carries both signatures.
    receiver.behave(|_| Reply::status(500));
    world.append("acme", [event(1)]).await;
    world.streams().enable(&log, &by(), &id, true, None).await.expect("enabled");
    let engine = world.start();
    receiver.wait_for(1).await;
    let rotated = world.streams().rotate_secret(&log, &by(), &id, 3_600).await.expect("rotated");
    receiver.behave(|_| Reply::status(200));
    world.until_caught_up("acme", &id).await;
    let last = receiver.requests().pop().expect("a request");
    assert_eq!(last.header("webhook-signature").split(' ').count(), 2);
    verify(&old, std::slice::from_ref(&last));
    verify(&rotated.secret, std::slice::from_ref(&last));
    assert!(world.own_actions("acme").await.contains(&"recount.stream.secret_rotated".to_owned()));
    world.streams().rotate_secret(&log, &by(), &id, 0).await.expect("rotated");
    world.append("acme", [event(2)]).await;
    world.until_caught_up("acme", &id).await;
    let last = receiver.requests().pop().expect("a request");
    assert_eq!(last.header("webhook-signature").split(' ').count(), 1, "no overlap was asked for");
    engine.shutdown().await;
}

#[tokio::test]
async fn one_event_per_request_keeps_the_order_through_failures() {
    let world = World::new().await;
    let mut tries = 0;
    let receiver = Receiver::start(move |request| {
        assert!(request.json()["data"].is_object());
        tries += 1;
        Reply::status(if tries % 5 == 3 { 503 } else { 200 })
    })
    .await;
    world.append("acme", (0..20).map(event)).await;
    let destination = json!({"type": "webhook", "url": receiver.url("/"), "payload": "single"});
    let id = world.enabled("acme", destination, json!({"filter": "-source:recount"})).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    let firsts = crate::nodes::first_arrivals(&receiver);
    assert_eq!(firsts, (0..20).collect::<Vec<u64>>());
    engine.shutdown().await;
}

#[tokio::test]
async fn an_event_that_is_too_large_for_the_receiver_becomes_a_dead_letter() {
    let world = World::new().await;
    let receiver = Receiver::start(|request| {
        let too_large = request.text().contains("xxxxxxxx");
        if too_large { Reply::body(413, "at most 4,000 bytes") } else { Reply::status(204) }
    })
    .await;
    let mut large = event(3);
    large["description"] = "x".repeat(4_000).into();
    let events = (0..6).map(|number| if number == 3 { large.clone() } else { event(number) });
    world.append("acme", events).await;
    let id = world.webhook("acme", receiver.url("/in"), json!({"age_seconds_max": 0})).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!((stream.delivered, stream.dead_letters), (5, 1), "{stream:?}");
    let letters = world.streams().dead_letters(&world.log("acme"), &id, 0, 10).await.expect("dead letters");
    assert_eq!((letters.data[0].seq, letters.data[0].event_id.as_str()), (3, "e-3"));
    assert_eq!(letters.data[0].reason, "413 Payload Too Large: at most 4,000 bytes");
}
