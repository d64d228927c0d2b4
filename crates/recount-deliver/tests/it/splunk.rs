//! Splunk's HTTP event collector.
//!
//! Proven by: Splunk's own client library, whose request is compared with ours; the collector itself
//! is a stub of ours, because no registry has one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    eventually, peers,
    receiver::{Received, Receiver, Reply},
    world::{World, config, event},
};

fn envelopes(request: &Received) -> Vec<Value> {
    serde_json::Deserializer::from_slice(&request.body)
        .into_iter()
        .map(|value| value.expect("JSON"))
        .collect()
}

async fn deliver(world: &World, receiver: &Receiver, more: Value) -> String {
    let mut destination = json!({
        "type": "splunk", "url": receiver.url(""), "token": "11111111-2222-3333-4444-555555555555",
        "index": "audit", "source": "billing", "sourcetype": "recount:audit", "host": "app-1",
    });
    for (name, value) in more.as_object().expect("an object") {
        destination[name] = value.clone();
    }
    world
        .enabled("acme", destination, json!({"filter": "-source:recount", "batch": {"age_seconds_max": 0}}))
        .await
}

#[tokio::test]
async fn requests_are_those_of_splunks_own_client() {
    let (world, receiver) =
        (World::new().await, Receiver::start(|_| Reply::body(200, r#"{"text":"Success","code":0}"#)).await);
    // The reference rounds numbers beyond 2^53; ours are the sender's.
    let events = (0..5).map(|number| {
        let mut event = event(number);
        event["metadata"] = json!({"n": number});
        event
    });
    world.append("acme", events).await;
    let id = deliver(&world, &receiver, json!({})).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let ours = receiver.requests().remove(0);
    let envelopes_ours = envelopes(&ours);
    assert_eq!(envelopes_ours.len(), 5);
    assert_eq!(envelopes_ours[0]["time"], json!(1_795_444_327.418));
    let contexts: Vec<Value> = envelopes_ours
        .iter()
        .map(|envelope| {
            let metadata = json!({
                "time": envelope["time"], "host": envelope["host"], "source": envelope["source"],
                "sourcetype": envelope["sourcetype"], "index": envelope["index"],
            });
            json!({"message": envelope["event"], "metadata": metadata})
        })
        .collect();
    let theirs = Receiver::start(|_| Reply::body(200, r#"{"text":"Success","code":0}"#)).await;
    let input =
        json!({"url": theirs.url(""), "token": "11111111-2222-3333-4444-555555555555", "contexts": contexts});
    let input = input.to_string();
    let ran = tokio::task::spawn_blocking(move || peers::node("splunk_reference.js", input.as_bytes()))
        .await
        .expect("runs");
    if ran.is_none() {
        return;
    }
    let theirs = theirs.requests().remove(0);
    assert_eq!(
        (&theirs.method, theirs.header("authorization")),
        (&ours.method, ours.header("authorization"))
    );
    assert_eq!(theirs.path.trim_end_matches("/1.0"), ours.path);
    let envelopes_theirs = envelopes(&theirs);
    assert_eq!(envelopes_theirs.len(), 5);
    for (our, their) in envelopes_ours.iter().zip(&envelopes_theirs) {
        for (member, value) in their.as_object().expect("an object") {
            // The reference writes the time as a text, which the collector takes too.
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(text(&our[member]), text(value), "{member}");
        }
    }
}

#[tokio::test]
async fn a_batch_counts_only_when_the_indexers_have_it() {
    let world = World::new().await;
    let mut asked = 0;
    let receiver = Receiver::start(move |request| {
        if request.path.starts_with("/services/collector/ack") {
            asked += 1;
            let done = asked >= 3;
            return Reply::body(200, format!(r#"{{"acks":{{"7":{done}}}}}"#));
        }
        Reply::body(200, r#"{"text":"Success","code":0,"ackId":7}"#)
    })
    .await;
    world.append("acme", (0..5).map(event)).await;
    let id = deliver(&world, &receiver, json!({"acknowledge": true})).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4, "one batch, three questions");
    let channel = requests[0].header("x-splunk-request-channel");
    assert_eq!(channel.len(), 36);
    assert_eq!(requests[1].path, format!("/services/collector/ack?channel={channel}"));
    assert_eq!(requests[1].json(), json!({"acks": [7]}));
}

#[tokio::test]
async fn the_collectors_own_codes_decide() {
    // (status, code, what the stream does with it)
    for (status, code, health, dead) in [
        (503, 9, "retry", false),
        (400, 6, "poison", true),
        (403, 4, "misconfigured", false),
        (400, 7, "misconfigured", false),
        (400, 10, "misconfigured", false),
        (200, 99, "misconfigured", false),
    ] {
        let world = World::new().await;
        let mut first = true;
        let receiver = Receiver::start(move |request| {
            let cursed = code == 6 && request.text().contains("\"e-2\"");
            if std::mem::take(&mut first) || cursed {
                return Reply::body(status, format!(r#"{{"text":"no","code":{code}}}"#));
            }
            Reply::body(200, r#"{"text":"Success","code":0}"#)
        })
        .await;
        world.append("acme", (0..4).map(event)).await;
        let id = deliver(&world, &receiver, json!({})).await;
        let engine = world.start();
        let stream = world.until_caught_up("acme", &id).await;
        engine.shutdown().await;
        assert_eq!(stream.dead_letters > 0, dead, "{health}: {stream:?}");
        assert_eq!(stream.delivered, if dead { 3 } else { 4 }, "{health}");
    }
}

#[tokio::test]
async fn a_batch_that_is_never_acknowledged_keeps_its_place_and_comes_again() {
    let mut config = config();
    config.egress.exchange_timeout = Duration::from_millis(500);
    let world = World::with(config).await;
    let indexed = Arc::new(AtomicBool::new(false));
    let indexers = Arc::clone(&indexed);
    let receiver = Receiver::start(move |request| {
        if request.path.starts_with("/services/collector/ack") {
            return Reply::body(200, format!(r#"{{"acks":{{"7":{}}}}}"#, indexers.load(Ordering::SeqCst)));
        }
        Reply::body(200, r#"{"text":"Success","code":0,"ackId":7}"#)
    })
    .await;
    world.append("acme", (0..5).map(event)).await;
    let id = deliver(&world, &receiver, json!({"acknowledge": true})).await;
    let engine = world.start();
    let posted = || {
        let posts = receiver.requests().into_iter().filter(|request| request.path.ends_with("/event"));
        posts.map(|request| request.text()).collect::<Vec<String>>()
    };
    eventually("the batch to come again", || async { (posted().len() >= 2).then_some(()) }).await;
    let stream = world.stream("acme", &id).await;
    assert_eq!((stream.cursor, stream.delivered), (0, 0), "nothing was accepted: {stream:?}");
    indexed.store(true, Ordering::SeqCst);
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!((stream.delivered, stream.dead_letters), (5, 0), "{stream:?}");
    assert!(posted().iter().all(|body| *body == posted()[0]), "the same batch each time");
}
