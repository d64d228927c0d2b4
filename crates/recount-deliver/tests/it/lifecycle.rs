//! What people do with streams, and what they are told.

use recount_deliver::lifecycle::{CreateStream, LifecycleError, Start, UpdateStream};
use serde_json::{Value, json};

use crate::support::{
    receiver::{Receiver, Reply},
    world::{World, by, event},
};

const SECRET: &str = "s3cr3t-token-of-acme";

fn create(body: Value) -> CreateStream {
    serde_json::from_value(body).expect("a stream")
}

fn update(body: Value) -> UpdateStream {
    serde_json::from_value(body).expect("an update")
}

#[tokio::test]
async fn a_stream_is_enabled_only_after_a_passed_test() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::body(500, "not today")).await);
    let log = world.log("acme");
    let id =
        world.create("acme", json!({"type": "webhook", "url": receiver.url("/")}), json!({})).await.stream.id;
    let refused = world.streams().enable(&log, &by(), &id, false, None).await;
    assert!(matches!(refused, Err(LifecycleError::State(_))));

    let failed = world.streams().test(&log, &by(), &id).await.expect("sent");
    assert!(!failed.passed);
    assert_eq!((failed.attempt.trace.status, failed.attempt.trace.answer.as_str()), (Some(500), "not today"));
    assert!(failed.attempt.trace.request.starts_with("POST http://127.0.0.1"));
    assert!(matches!(
        world.streams().enable(&log, &by(), &id, false, None).await,
        Err(LifecycleError::State(_))
    ));

    receiver.behave(|_| Reply::status(200));
    assert!(world.streams().test(&log, &by(), &id).await.expect("sent").passed);
    let stream = world.streams().enable(&log, &by(), &id, false, None).await.expect("enabled");
    assert_eq!(stream.status, "active");
    let test = receiver.requests().pop().expect("the test").json();
    assert_eq!(test["type"], "recount.test");
    assert_eq!(test["data"][0]["action"], "recount.stream.test");
    let actions = world.own_actions("acme").await;
    assert_eq!(
        actions,
        [
            "recount.stream.created",
            "recount.stream.tested",
            "recount.stream.tested",
            "recount.stream.enabled"
        ]
    );
    let attempts = world.streams().attempts(&log, &id, 10).await.expect("attempts");
    assert!(attempts.iter().all(|attempt| attempt.kind == "manual") && attempts.len() == 2);
}

#[tokio::test]
async fn another_destination_must_pass_a_test_of_its_own() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let log = world.log("acme");
    world.append("acme", [event(1)]).await;
    let id =
        world.create("acme", json!({"type": "webhook", "url": receiver.url("/")}), json!({})).await.stream.id;
    assert!(world.streams().test(&log, &by(), &id).await.expect("sent").passed);
    world.streams().enable(&log, &by(), &id, false, None).await.expect("enabled");
    let changed = json!({"destination": {"type": "webhook", "url": receiver.url("/elsewhere")}});
    let stream = world.streams().update(&log, &by(), &id, update(changed)).await.expect("changed");
    assert_eq!((stream.status.as_str(), stream.tested_at), ("draft", None));
    assert!(world.streams().resume(&log, &by(), &id).await.is_err());
    // A name or a filter needs no test.
    assert!(world.streams().test(&log, &by(), &id).await.expect("sent").passed);
    let changed = json!({"name": "siem", "filter": "outcome:denied"});
    let stream = world.streams().update(&log, &by(), &id, update(changed)).await.expect("changed");
    assert!(stream.tested_at.is_some());
    assert_eq!((stream.name.as_str(), stream.filter.as_str()), ("siem", "outcome:denied"));
}

#[tokio::test]
async fn mistakes_are_named_with_their_place() {
    let world = World::new().await;
    let log = world.log("acme");
    let hook = |url: &str| json!({"type": "webhook", "url": url});
    let cases: &[(Value, &str, &str)] = &[
        (json!({"name": "", "destination": hook("https://e.example/")}), "/name", "1 to 128"),
        (json!({"name": "s", "destination": {}}), "/destination/type", "one of s3, webhook"),
        (
            json!({"name": "s", "destination": {"type": "carrier-pigeon"}}),
            "/destination/type",
            "carrier-pigeon",
        ),
        (json!({"name": "s", "destination": hook("not a url")}), "/destination/url", "not a url"),
        (
            json!({"name": "s", "destination": hook("http://e.example/"), "format": "cef"}),
            "/format",
            "not cef",
        ),
        (
            json!({"name": "s", "destination": hook("https://10.0.0.1/")}),
            "/destination/url",
            "not a public address",
        ),
        (
            json!({"name": "s", "destination": hook("https://e.example/"), "format": "xml"}),
            "/format",
            "no format",
        ),
        (json!({"name": "s", "destination": hook("https://e.example/"), "filter": "nope:x"}), "/filter", ""),
        (
            json!({"name": "s", "destination": hook("https://e.example/"), "start": {"seq": 9}}),
            "/start",
            "not there yet",
        ),
        (
            json!({"name": "s", "destination": hook("https://e.example/"), "start": {"time": "noon"}}),
            "/start",
            "RFC 3339",
        ),
        (
            json!({"name": "s", "destination": hook("https://e.example/"), "batch": {"events_max": 0}}),
            "/batch/events_max",
            "1 to 1000",
        ),
        (
            json!({"name": "s", "destination": {"type": "webhook", "url": "https://e.example/", "tpyo": 1}}),
            "/destination",
            "tpyo",
        ),
        (
            json!({"name": "s", "destination": {"type": "webhook", "url": "https://e.example/", "secret": "weak"}}),
            "/destination/secret",
            "whsec_",
        ),
        (
            json!({"name": "s", "destination": {"type": "splunk", "url": "https://e.example/"}}),
            "/destination/token",
            "missing",
        ),
        (json!({"name": "s", "destination": {"type": "s3", "bucket": "b"}}), "/destination/bucket", "bucket"),
        (
            json!({"name": "s", "destination": {"type": "s3", "bucket": "bucket", "access_key_id": "A", "secret_access_key": "B", "prefix": "{nope}"}}),
            "/destination/prefix",
            "{nope}",
        ),
        (
            json!({"name": "s", "destination": {"type": "s3", "bucket": "bucket", "role_arn": "arn:aws:iam::123456789012:role/r", "external_id": "another-tenants"}}),
            "/destination/external_id",
            "recount-",
        ),
        (
            json!({"name": "s", "destination": {"type": "elasticsearch", "url": "https://e.example/", "index": "UPPER"}}),
            "/destination/index",
            "'U'",
        ),
        (
            json!({"name": "s", "destination": {"type": "datadog", "site": "datadog.example", "api_key": "k"}}),
            "/destination/site",
            "datadoghq.com",
        ),
        (
            json!({"name": "s", "destination": {"type": "https", "url": "https://e.example/{secret.none}"}}),
            "/destination/url",
            "secret.NAME",
        ),
        (
            json!({"name": "s", "destination": {"type": "https", "url": "https://e.example/", "headers": {"Host": "inside"}}}),
            "/destination/headers/Host",
            "set by the client",
        ),
        (
            json!({"name": "s", "destination": {"type": "syslog", "host": "siem.example", "ca": "nonsense"}}),
            "/destination/ca",
            "PEM",
        ),
    ];
    for (body, pointer, words) in cases {
        let error =
            world.streams().create(&log, &by(), create(body.clone())).await.expect_err(&body.to_string());
        let LifecycleError::Invalid { pointer: at, detail } = &error else { panic!("{body}: {error:?}") };
        assert_eq!(at, pointer, "{body}: {detail}");
        assert!(detail.contains(words), "{body}: {detail}");
    }
    assert!(world.streams().list(&log).await.expect("a list").is_empty());
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let world = World::new().await;
    let receiver = Receiver::start(|request| {
        // An impolite destination echoes what it got, headers and all.
        Reply::body(403, format!("no: {:?} {}", request.headers, request.header("authorization")))
    })
    .await;
    let log = world.log("acme");
    let destination = json!({"type": "splunk", "url": receiver.url(""), "token": SECRET});
    let created = world.create("acme", destination, json!({})).await;
    let id = created.stream.id.clone();
    let mut shown = vec![serde_json::to_string(&created).expect("JSON")];
    assert_eq!(created.stream.destination["token"], json!({"set": true}));
    world.append("acme", [event(1)]).await;
    shown.push(
        serde_json::to_string(&world.streams().test(&log, &by(), &id).await.expect("sent")).expect("JSON"),
    );
    world.streams().enable(&log, &by(), &id, true, None).await.expect("enabled");
    let engine = world.start();
    let stream = world.until("acme", &id, "it to fail", |stream| stream.failures > 0).await;
    engine.shutdown().await;
    shown.push(serde_json::to_string(&stream).expect("JSON"));
    shown.push(
        serde_json::to_string(&world.streams().attempts(&log, &id, 300).await.expect("attempts"))
            .expect("JSON"),
    );
    let events = log.feed(0, 1_000, std::time::Duration::ZERO).await.expect("the log").events;
    shown.extend(events.iter().map(|event| event.line.to_string()));
    for text in shown {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert!(stream.last_error.is_some_and(|text| text.contains("••••")));
    // It did go to the destination.
    assert!(receiver.requests()[0].header("authorization").contains(SECRET));
}

#[tokio::test]
async fn stored_secrets_are_not_sent_to_a_new_address() {
    let world = World::new().await;
    let log = world.log("acme");
    let splunk = |url: &str| json!({"type": "splunk", "url": url, "token": SECRET});
    let id = world.create("acme", splunk("https://siem.example:8088"), json!({})).await.stream.id;
    let moved = json!({"destination": {"type": "splunk", "url": "https://thief.example:8088", "token": {"set": true}}});
    let error = world.streams().update(&log, &by(), &id, update(moved)).await.expect_err("refused");
    assert!(
        matches!(&error, LifecycleError::Invalid { pointer, .. } if pointer == "/destination/token"),
        "{error:?}"
    );
    // With its secret given again it may move; and another member may change without it.
    world
        .streams()
        .update(&log, &by(), &id, update(json!({"destination": splunk("https://new.example:8088")})))
        .await
        .expect("moved");
    let index =
        json!({"destination": {"type": "splunk", "url": "https://new.example:8088", "index": "audit"}});
    let stream = world.streams().update(&log, &by(), &id, update(index)).await.expect("changed");
    assert_eq!(stream.destination["token"], json!({"set": true}));
}

#[tokio::test]
async fn a_stream_is_found_by_its_own_tenant_only() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let id =
        world.create("acme", json!({"type": "webhook", "url": receiver.url("/")}), json!({})).await.stream.id;
    let other = world.log("other");
    assert!(matches!(world.streams().get(&other, &id).await, Err(LifecycleError::NotFound)));
    assert!(matches!(world.streams().test(&other, &by(), &id).await, Err(LifecycleError::NotFound)));
    assert!(matches!(world.streams().delete(&other, &by(), &id).await, Err(LifecycleError::NotFound)));
    assert!(matches!(
        world.streams().replay(&other, &by(), &id, &Start::Beginning).await,
        Err(LifecycleError::NotFound)
    ));
    assert!(matches!(world.streams().attempts(&other, &id, 1).await, Err(LifecycleError::NotFound)));
    assert!(world.streams().list(&other).await.expect("a list").is_empty());
    assert!(world.own_actions("other").await.is_empty(), "not even a trace");
    world.streams().delete(&world.log("acme"), &by(), &id).await.expect("deleted");
    assert!(matches!(world.streams().get(&world.log("acme"), &id).await, Err(LifecycleError::NotFound)));
}

#[tokio::test]
async fn every_kind_says_what_it_takes() {
    let world = World::new().await;
    let kinds = world.streams().kinds(&world.log("acme"));
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(names, ["s3", "webhook", "splunk", "elasticsearch", "datadog", "syslog", "https"]);
    let external = |tenant: &str| {
        let kinds = world.streams().kinds(&world.log(tenant));
        kinds[0].assigned["external_id"].as_str().expect("assigned").to_owned()
    };
    assert_eq!(external("acme"), external("acme"));
    assert_ne!(external("acme"), external("other"), "no tenant has another's external id");
}
