//! Buckets: names, conditional writes, roles, layouts.
//!
//! Proven by: SeaweedFS (checks signatures, refuses overwriting) and moto (STS, missing buckets), both
//! re-implementations of Amazon's services.

use std::{
    collections::BTreeSet,
    io::Read as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _, aws::AmazonS3Builder, path::Path};
use recount_deliver::lifecycle::{Start, StreamView};
use serde_json::{Value, json};

use crate::support::{
    eventually, peers,
    receiver::{Receiver, Reply},
    world::{World, by, config, event},
};

/// A bucket as its owner sees it.
struct Bucket {
    endpoint: String,
    name: String,
    key: String,
    secret: String,
    objects: Arc<dyn ObjectStore>,
}

impl Bucket {
    fn of(endpoint: String, name: String, key: String, secret: String) -> Self {
        let objects = AmazonS3Builder::new()
            .with_endpoint(&endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(&name)
            .with_access_key_id(&key)
            .with_secret_access_key(&secret)
            .build()
            .expect("a bucket");
        Self { endpoint, name, key, secret, objects: Arc::new(objects) }
    }

    fn seaweed() -> Option<Self> {
        let test = "s3 against SeaweedFS";
        Some(Self::of(
            peers::place("RECOUNT_TEST_S3_ENDPOINT", test)?,
            peers::place("RECOUNT_TEST_S3_BUCKET", test)?,
            peers::place("AWS_ACCESS_KEY_ID", test)?,
            peers::place("AWS_SECRET_ACCESS_KEY", test)?,
        ))
    }

    async fn moto(world: &World, name: &str) -> Option<Self> {
        let endpoint = peers::place("RECOUNT_TEST_MOTO_ENDPOINT", "s3 against moto")?;
        let url = format!("{endpoint}/{name}").parse().expect("a url");
        let mut request =
            recount_deliver::egress::HttpRequest::new(http::Method::PUT, url, bytes::Bytes::new());
        request.headers.insert(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request".parse().expect("a value"),
        );
        let made = world.delivery.egress().send(request).await.result.expect("moto answers");
        assert!(made.status.is_success(), "{made:?}");
        Some(Self::of(endpoint, name.to_owned(), "key".to_owned(), "secret".to_owned()))
    }

    fn destination(&self, prefix: &str) -> Value {
        json!({
            "type": "s3", "bucket": self.name, "endpoint": self.endpoint, "prefix": prefix,
            "access_key_id": self.key, "secret_access_key": self.secret,
        })
    }

    /// Names and bytes of all objects below a prefix.
    async fn all(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let list: Vec<_> = self.objects.list(Some(&Path::from(prefix))).try_collect().await.expect("a list");
        let mut objects = Vec::new();
        for meta in list {
            let bytes = self.objects.get(&meta.location).await.expect("there").bytes().await.expect("read");
            objects.push((meta.location.to_string(), bytes.to_vec()));
        }
        objects.sort();
        objects
    }
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip of UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn unique(world: &World) -> String {
    format!("t-{}", world.store.env().uuid_v7().simple())
}

const NOW: &str = r#"{"age_seconds_max":0,"events_max":40}"#;

fn rest(more: &Value) -> Value {
    let mut rest =
        json!({"filter": "-source:recount", "batch": serde_json::from_str::<Value>(NOW).expect("JSON")});
    for (name, value) in more.as_object().expect("an object") {
        rest[name] = value.clone();
    }
    rest
}

#[tokio::test]
async fn objects_have_names_of_their_content_and_a_replay_adds_nothing() {
    let Some(bucket) = Bucket::seaweed() else { return };
    let world = World::new().await;
    let root = unique(&world);
    world.append("acme", (0..100).map(event)).await;
    let log = world.log("acme");
    let id = world
        .create(
            "acme",
            bucket.destination(&format!("{root}/tenant={{tenant}}/dt={{dt}}/hour={{hour}}")),
            rest(&json!({})),
        )
        .await
        .stream
        .id;
    let tested = world.streams().test(&log, &by(), &id).await.expect("sent");
    assert!(tested.passed, "{tested:?}");
    world.streams().enable(&log, &by(), &id, false, None).await.expect("enabled");
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    let objects = bucket.all(&root).await;
    let seqs: Vec<u64> = objects
        .iter()
        .filter(|(name, _)| !name.contains("recount-test-"))
        .flat_map(|(_, bytes)| lines(bytes))
        .map(|event| event["seq"].as_u64().expect("a seq"))
        .collect();
    assert_eq!(seqs, (0..100).collect::<Vec<u64>>(), "names sort as their events do");
    let name = &objects[0].0;
    assert!(name.starts_with(&format!("{root}/tenant=acme/dt=20")) && name.contains("/hour="), "{name}");
    // The same batches again find their own objects.
    world.streams().replay(&log, &by(), &id, &Start::Beginning).await.expect("replayed");
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!(stream.delivered, 200);
    assert_eq!(bucket.all(&root).await.len(), objects.len(), "nothing was written twice");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_wrong_secret_is_named_and_keeps_the_place() {
    let Some(bucket) = Bucket::seaweed() else { return };
    let world = World::new().await;
    world.append("acme", [event(1)]).await;
    let mut destination = bucket.destination("x");
    destination["secret_access_key"] = "not-the-secret".into();
    let id = world.enabled("acme", destination, rest(&json!({}))).await;
    let engine = world.start();
    let stream = world.until("acme", &id, "it to be unhealthy", |stream| stream.health == "unhealthy").await;
    engine.shutdown().await;
    assert!(
        stream.last_error.as_deref().is_some_and(|text| text.contains("SignatureDoesNotMatch")),
        "{stream:?}"
    );
    assert_eq!(stream.cursor, 0);
}

#[tokio::test]
async fn security_lake_gets_parquet_with_one_class_per_prefix() {
    let Some(bucket) = Bucket::seaweed() else { return };
    let world = World::new().await;
    let source = unique(&world).replace('-', "_");
    world.append("acme", (0..20).map(event)).await;
    let mut destination = bucket.destination("ignored");
    for (name, value) in [
        ("layout", "security_lake"),
        ("file", "parquet"),
        ("account_id", "123456789012"),
        ("source", &source),
    ] {
        destination[name] = value.into();
    }
    let id = world.enabled("acme", destination, rest(&json!({"format": "ocsf"}))).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let objects = bucket.all("ext").await;
    let own: Vec<&(String, Vec<u8>)> = objects.iter().filter(|(name, _)| name.contains(&source)).collect();
    assert_eq!(own.len(), 2, "two classes: {:?}", own.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, bytes) in own {
        assert!(name.contains("/region=us-east-1/accountId=123456789012/eventDay=20261123/"), "{name}");
        let Some(output) = peers::python("read_parquet.py", bytes) else { return };
        let output: Value = serde_json::from_str(&output).expect("JSON");
        let rows = output["rows"].as_array().expect("rows");
        assert_eq!(rows.len(), 10);
        assert!(rows.iter().all(|row| row["class_uid"] == rows[0]["class_uid"]));
        assert!(rows.windows(2).all(|pair| pair[0]["time"].as_i64() <= pair[1]["time"].as_i64()));
    }
}

#[tokio::test]
async fn a_role_is_assumed_with_the_tenants_external_id() {
    let world = World::new().await;
    let name = unique(&world);
    let Some(bucket) = Bucket::moto(&world, &name).await else { return };
    world.append("acme", (0..10).map(event)).await;
    let destination = json!({
        "type": "s3", "bucket": name, "endpoint": bucket.endpoint, "sts_endpoint": bucket.endpoint,
        "role_arn": "arn:aws:iam::123456789012:role/recount-export", "prefix": "audit",
    });
    let id = world.enabled("acme", destination, rest(&json!({}))).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!(stream.delivered, 10, "{stream:?}");
    let objects = bucket.all("audit").await;
    assert_eq!(objects.iter().flat_map(|(_, bytes)| lines(bytes)).count(), 10);
}

#[tokio::test]
async fn the_question_for_a_role_is_signed_and_names_the_external_id() {
    let receiver = Receiver::start(|request| {
        if request.path != "/sts" {
            return Reply::status(200);
        }
        Reply::body(
            200,
            "<AssumeRoleResponse><Credentials><AccessKeyId>ASIATEMP</AccessKeyId>\
             <SecretAccessKey>temp-secret</SecretAccessKey><SessionToken>temp-token</SessionToken></Credentials></AssumeRoleResponse>",
        )
    })
    .await;
    let world = World::new().await;
    world.append("acme", (0..3).map(event)).await;
    let destination = json!({
        "type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "sts_endpoint": receiver.url("/sts"),
        "role_arn": "arn:aws:iam::123456789012:role/r",
    });
    let id = world.enabled("acme", destination, rest(&json!({}))).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let requests = receiver.requests();
    let external = world.streams().kinds(&world.log("acme"))[0].assigned["external_id"]
        .as_str()
        .expect("assigned")
        .to_owned();
    assert!(requests[0].text().contains(&format!("ExternalId={external}")), "{}", requests[0].text());
    assert!(requests[0].header("authorization").contains("Credential=AKIAVENDOR/"));
    let put = &requests[1];
    assert_eq!((put.header("if-none-match"), put.header("x-amz-security-token")), ("*", "temp-token"));
    assert!(put.header("authorization").contains("Credential=ASIATEMP/"));
    assert!(!put.header("x-amz-checksum-sha256").is_empty());
    let attempts = world.streams().attempts(&world.log("acme"), &id, 10).await.expect("attempts");
    assert!(!format!("{attempts:?}").contains("temp-"), "{attempts:?}");
}

#[tokio::test]
async fn a_missing_bucket_waits_for_a_person_and_a_busy_one_for_time() {
    let world = World::new().await;
    let mut tries = 0;
    let receiver = Receiver::start(move |_| {
        tries += 1;
        match tries {
            1 => Reply::body(404, "<Error><Code>NoSuchBucket</Code></Error>"),
            2 => Reply::body(503, "<Error><Code>SlowDown</Code></Error>"),
            3 => Reply::body(409, "<Error><Code>ConditionalRequestConflict</Code></Error>"),
            4 => Reply::body(412, "<Error><Code>PreconditionFailed</Code></Error>"),
            _ => Reply::status(200),
        }
    })
    .await;
    world.append("acme", (0..5).map(event)).await;
    let destination = json!({"type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "access_key_id": "k", "secret_access_key": "sssss"});
    let id = world.enabled("acme", destination, rest(&json!({}))).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let paths: Vec<String> = receiver.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths.len(), 4, "412 says that it is there: {paths:?}");
    assert!(paths.windows(2).all(|pair| pair[0] == pair[1]), "one name, however often: {paths:?}");
    assert_eq!((stream.delivered, stream.dead_letters), (5, 0));
}

#[tokio::test]
async fn a_service_without_conditional_writes_gets_plain_ones() {
    let world = World::new().await;
    let receiver = Receiver::start(|request| match request.header("if-none-match") {
        "" => Reply::status(200),
        _ => Reply::body(501, "<Error><Code>NotImplemented</Code></Error>"),
    })
    .await;
    world.append("acme", (0..100).map(event)).await;
    let destination = json!({"type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "access_key_id": "k", "secret_access_key": "sssss"});
    let id = world.enabled("acme", destination, rest(&json!({}))).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.failures, stream.dead_letters), (100, 0, 0), "{stream:?}");
    // One that has not even those is a matter for a person, not for time.
    receiver.behave(|_| Reply::body(501, "<Error><Code>NotImplemented</Code></Error>"));
    world.append("acme", [event(100)]).await;
    let stream = world.until("acme", &id, "it to be unhealthy", |stream| stream.health == "unhealthy").await;
    engine.shutdown().await;
    assert!(stream.last_error.as_deref().is_some_and(|text| text.contains("NotImplemented")), "{stream:?}");
}

#[tokio::test]
async fn what_services_echo_of_the_deployments_and_a_roles_credentials_is_hidden() {
    let mut config = config();
    let identity = config.aws.as_mut().expect("set");
    identity.session_token = Some("vendor-session-token/with+signs==".to_owned());
    let world = World::with(config).await;
    world.append("acme", [event(1)]).await;
    let receiver = Receiver::friendly().await;
    let destination = json!({
        "type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "sts_endpoint": receiver.url("/sts"),
        "role_arn": "arn:aws:iam::123456789012:role/r",
    });
    let id = world.enabled("acme", destination, rest(&json!({}))).await;
    let log = world.log("acme");
    let echo = |request: &crate::support::receiver::Received| {
        let token = request.header("x-amz-security-token").replace('&', "&amp;");
        Reply::body(
            403,
            format!(
                "<Code>SignatureDoesNotMatch</Code><CanonicalRequest>x-amz-security-token:{token}\n</CanonicalRequest>"
            ),
        )
    };
    receiver.behave(echo);
    let sts = format!("{:?}", world.streams().test(&log, &by(), &id).await.expect("tried"));
    receiver.behave(move |request| {
        if request.path != "/sts" {
            return echo(request);
        }
        Reply::body(
            200,
            "<Credentials><AccessKeyId>ASIATEMP</AccessKeyId><SecretAccessKey>temp-secret</SecretAccessKey>\
             <SessionToken>temp-token&amp;more</SessionToken></Credentials>",
        )
    });
    let put = format!("{:?}", world.streams().test(&log, &by(), &id).await.expect("tried"));
    receiver.behave(|_| Reply::body(200, "<SecretAccessKey>temp-secret</SecretAccessKey>"));
    for shown in [sts, put] {
        assert!(shown.contains("SignatureDoesNotMatch"), "{shown}");
        assert!(!shown.contains("vendor-session") && !shown.contains("temp-"), "{shown}");
    }
    let unreadable = format!("{:?}", world.streams().test(&log, &by(), &id).await.expect("tried"));
    assert!(!unreadable.contains("temp-secret"), "{unreadable}");
}

#[tokio::test]
async fn a_session_token_does_not_follow_to_another_endpoint() {
    let world = World::new().await;
    let destination = |endpoint: &str| json!({"type": "s3", "bucket": "bucket", "endpoint": endpoint, "access_key_id": "k"});
    let mut first = destination("http://127.0.0.1:9");
    first["secret_access_key"] = "sssss".into();
    first["session_token"] = "ttttt".into();
    let id = world.enabled("acme", first, json!({})).await;
    let change = |endpoint: &str| {
        serde_json::from_value(json!({ "destination": destination(endpoint) })).expect("an update")
    };
    let log = world.log("acme");
    let moved = world.streams().update(&log, &by(), &id, change("http://127.0.0.1:10")).await;
    let error = moved.expect_err("the token would leak");
    assert!(error.to_string().contains("endpoint has changed"), "{error}");
    world.streams().update(&log, &by(), &id, change("http://127.0.0.1:9")).await.expect("nothing moved");
}

#[tokio::test]
async fn batches_overtake_one_that_waits_and_the_cursor_does_not() {
    let world = World::new().await;
    let open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&open);
    let receiver = Receiver::start(move |request| {
        let waits = request.path.contains("/000000000050-");
        if waits && !opened.load(Ordering::SeqCst) { Reply::status(503) } else { Reply::status(200) }
    })
    .await;
    world.append("acme", (0..150).map(event)).await;
    let destination = json!({"type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "access_key_id": "k", "secret_access_key": "sssss"});
    let batch = json!({"batch": {"age_seconds_max": 0, "events_max": 10}});
    let id = world.enabled("acme", destination, rest(&batch)).await;
    let engine = world.start();
    let later = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.split('-').next().and_then(|seq| seq.parse().ok()).is_some_and(|seq: u64| seq > 50)
    };
    eventually("a later batch to be written", || async {
        receiver.requests().iter().any(|request| later(&request.path)).then_some(())
    })
    .await;
    let waiting = |stream: &StreamView| stream.failures > 0;
    let stream = world.until("acme", &id, "the failure to be noted", waiting).await;
    assert_eq!(stream.cursor, 50, "the oldest batch is not there yet: {stream:?}");
    open.store(true, Ordering::SeqCst);
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!(stream.dead_letters, 0, "{stream:?}");
    let mut seqs: Vec<u64> = receiver
        .requests()
        .iter()
        .flat_map(|request| lines(&request.body))
        .map(|event| event["seq"].as_u64().expect("a seq"))
        .collect();
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs, (0..150).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_batch_of_many_days_is_written_whole_or_not_counted() {
    let world = World::new().await;
    let mut tries = 0;
    let receiver = Receiver::start(move |_| {
        tries += 1;
        if tries == 20 { Reply::status(503) } else { Reply::status(200) }
    })
    .await;
    let days = (0..40).map(|number| {
        let mut event = event(number);
        event["occurred_at"] = format!("2026-{:02}-{:02}T10:00:00Z", 1 + number / 20, 1 + number % 20).into();
        event
    });
    world.append("acme", days).await;
    let destination = json!({
        "type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "access_key_id": "k", "secret_access_key": "sssss",
        "layout": "security_lake", "file": "parquet", "account_id": "123456789012",
    });
    let id = world.enabled("acme", destination, rest(&json!({"format": "ocsf"}))).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    assert_eq!((stream.delivered, stream.dead_letters), (40, 0), "{stream:?}");
    let paths: BTreeSet<String> = receiver.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths.len(), 40, "a folder for each day, each object under one name");
}
