//! What is sent again after a failure, and when.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use recount_deliver::{engine::EngineConfig, lifecycle::StreamView};
use recount_store::{
    streams::{StreamChange, StreamId, StreamStatus},
    testing,
};
use serde_json::{Value, json};

use crate::support::{
    eventually,
    receiver::{Received, Receiver, Reply},
    world::{World, by, config, event},
};

/// An answer of bytes that no event's reason may hold.
const RUDE: &str = "\u{1b}[31mno\u{0}\u{7}\r\nway\u{9b}2J";

fn timestamp(text: Option<&String>) -> i64 {
    let text = text.expect("a time").as_str();
    let at: recount_event::Timestamp = text.parse().expect("RFC 3339");
    at.as_micros()
}

#[tokio::test]
async fn control_characters_of_an_answer_do_not_hide_a_failure() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::body(401, RUDE)).await);
    world.append("acme", (0..3).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let engine = world.start();
    let ill = |stream: &StreamView| stream.health == "unhealthy" && stream.failures >= 3;
    let stream = world.until("acme", &id, "failures to be counted", ill).await;
    let said = stream.last_error.expect("an error");
    assert!(said.contains("\u{fffd}[31mno\u{fffd}\u{fffd}\u{fffd}\nway\u{fffd}2J"), "{said:?}");
    assert!(world.own_actions("acme").await.contains(&"recount.stream.unhealthy".to_owned()));

    receiver.behave(|_| Reply::body(410, RUDE));
    let stream = world.until("acme", &id, "it to be disabled", |stream| stream.status == "disabled").await;
    assert!(!stream.status_reason.contains('\u{1b}'), "{:?}", stream.status_reason);
    let attempts = world.streams().attempts(&world.log("acme"), &id, 300).await.expect("attempts");
    assert!(attempts.iter().all(|attempt| !attempt.trace.answer.contains('\u{0}')));
    engine.shutdown().await;
}

/// Fails until told otherwise.
async fn failing(reply: Reply) -> (Receiver, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(false));
    let recovered = Arc::clone(&well);
    let receiver =
        Receiver::start(
            move |_| {
                if recovered.load(Ordering::SeqCst) { Reply::status(200) } else { reply.clone() }
            },
        )
        .await;
    (receiver, well)
}

#[tokio::test]
async fn a_batch_is_tried_again_as_it_was_however_the_log_grows() {
    for reply in [Reply::status(503), Reply::Reset] {
        let (world, (receiver, well)) = (World::new().await, failing(reply).await);
        world.append("acme", (0..300).map(event)).await;
        let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 1_000})).await;
        let engine = world.start();
        for round in 0..4 {
            let seen = receiver.wait_for(receiver.requests().len() + 1).await.len();
            world.append("acme", (300 + round * 7..307 + round * 7).map(event)).await;
            receiver.wait_for(seen + 1).await;
        }
        engine.shutdown().await;
        // Another engine knows where the batch ended.
        let engine = world.start();
        receiver.wait_for(receiver.requests().len() + 2).await;
        well.store(true, Ordering::SeqCst);
        world.until_caught_up("acme", &id).await;
        engine.shutdown().await;
        let requests = receiver.requests();
        let again: Vec<&Received> = requests.iter().filter(|request| request.seqs().contains(&0)).collect();
        assert!(again.len() > 6, "{}", again.len());
        assert_eq!(again[0].seqs(), (0..300).collect::<Vec<u64>>());
        for request in &again {
            assert_eq!(request.header("webhook-id"), again[0].header("webhook-id"));
            assert_eq!(request.body, again[0].body);
        }
        let last = requests.last().expect("requests").numbers();
        assert_eq!(last.last(), Some(&327), "{last:?}");
    }
}

/// A bucket of ours: what it has taken, by name, and how often each name was put.
#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u64>>,
    puts: BTreeMap<String, usize>,
}

impl Bucket {
    fn put(&mut self, request: &Received) -> Reply {
        *self.puts.entry(request.path.clone()).or_default() += 1;
        if self.objects.contains_key(&request.path) {
            return Reply::status(412);
        }
        self.objects.insert(request.path.clone(), object(request));
        Reply::status(200)
    }

    /// In how many objects each event is.
    fn copies(&self) -> BTreeMap<u64, usize> {
        let mut copies = BTreeMap::new();
        for number in self.objects.values().flatten() {
            *copies.entry(*number).or_default() += 1;
        }
        copies
    }
}

/// The numbers of the events in an object.
pub(crate) fn object(request: &Received) -> Vec<u64> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&request.body[..]).read_to_string(&mut text).expect("gzip");
    let event = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    text.lines().map(|line| event(line)["metadata"]["n"].as_u64().expect("a number")).collect()
}

pub(crate) fn bucket(receiver: &Receiver) -> Value {
    json!({
        "type": "s3", "bucket": "bucket", "endpoint": receiver.url(""), "prefix": "p",
        "access_key_id": "AKIA", "secret_access_key": "secret-of-the-bucket",
    })
}

#[tokio::test]
async fn objects_whose_answers_were_lost_are_not_written_again_under_other_names() {
    let (world, taken) = (World::new().await, Arc::new(Mutex::new(Bucket::default())));
    let (noted, requests) = (Arc::clone(&taken), AtomicUsize::new(0));
    let receiver = Receiver::start(move |request| {
        // Too large is refused; else it is taken, and every third answer is lost.
        if object(request).len() > 25 {
            return Reply::status(413);
        }
        let reply = noted.lock().expect("no holder panics").put(request);
        match requests.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => Reply::Reset,
            1 => Reply::Torn(200, "<Put".to_owned()),
            _ => reply,
        }
    })
    .await;
    world.append("acme", (0..30).map(event)).await;
    let id = world
        .enabled(
            "acme",
            bucket(&receiver),
            json!({"batch": {"events_max": 40, "age_seconds_max": 0}, "filter": "-source:recount"}),
        )
        .await;
    let mut engine = world.start();
    for round in 1..20 {
        // The log grows between any two attempts, and engines come and go.
        world.append("acme", (round * 30..(round + 1) * 30).map(event)).await;
        if round % 5 == 0 {
            engine.shutdown().await;
            engine = world.start();
        }
        receiver.wait_for(receiver.requests().len() + 1).await;
    }
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    let bucket = taken.lock().expect("no holder panics");
    let copies = bucket.copies();
    assert_eq!(copies.keys().copied().collect::<Vec<u64>>(), (0..600).collect::<Vec<u64>>());
    assert!(copies.values().all(|copies| *copies == 1), "{:?}", bucket.objects);
    assert!(bucket.puts.values().any(|puts| *puts > 1), "some were tried again");
}

#[tokio::test]
async fn a_size_that_was_too_large_is_remembered() {
    let world = World::new().await;
    let receiver =
        Receiver::start(|request| Reply::status(if request.seqs().len() > 3 { 413 } else { 200 })).await;
    world.append("acme", (0..400).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 40})).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.dead_letters), (400, 0));
    let refused = receiver.requests().iter().filter(|request| request.seqs().len() > 3).count();
    // Some more are tried now and then, in case it takes more by now.
    assert!(refused < 40, "{refused} requests were too large");
    engine.shutdown().await;
}

#[tokio::test]
async fn single_events_come_through_a_rate_limit_one_after_the_other() {
    let world = World::new().await;
    let asked = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) % 4 {
        3 => Reply::Status(429, vec![("retry-after", "0".to_owned())], "slowly".to_owned()),
        _ => Reply::status(200),
    })
    .await;
    world.append("acme", (0..50).map(event)).await;
    let id = world
        .enabled(
            "acme",
            json!({"type": "webhook", "url": receiver.url("/"), "payload": "single"}),
            json!({"batch": {"events_max": 50}, "filter": "-source:recount"}),
        )
        .await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.dead_letters), (50, 0));
    assert_ne!(stream.health, "unhealthy", "it goes forward");
    let seqs: Vec<u64> = receiver.requests().iter().flat_map(Received::seqs).collect();
    let distinct: BTreeSet<u64> = seqs.iter().copied().collect();
    assert_eq!(distinct.len(), 50);
    // Only what was refused came again.
    assert_eq!(seqs.len(), 50 + (seqs.len() - 1) / 4, "{seqs:?}");
    assert!(seqs.windows(2).all(|pair| pair[0] <= pair[1]), "{seqs:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_pause_that_was_asked_for_is_kept() {
    let world = World::new().await;
    let reply = Reply::Status(429, vec![("retry-after", "3600".to_owned())], String::new());
    let receiver = Receiver::start(move |_| reply.clone()).await;
    world.append("acme", (0..5).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let engine = world.start();
    let stream = world.until("acme", &id, "it to rest", |stream| stream.retry_at.is_some()).await;
    let pause = timestamp(stream.retry_at.as_ref()) - timestamp(stream.last_error_at.as_ref());
    assert!(pause >= 3_600_000_000, "{pause}");
    // News does not cut it short; a person does.
    world.append("acme", (5..8).map(event)).await;
    engine.shutdown().await;
    let engine = world.start();
    receiver.behave(|_| Reply::status(200));
    world.streams().resume(&world.log("acme"), &by(), &id).await.expect("resumed");
    world.until_caught_up("acme", &id).await;
    let firsts = receiver.requests().iter().filter(|request| request.seqs().contains(&0)).count();
    assert_eq!(firsts, 2);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_full_list_of_dead_letters_halts_a_stream_until_there_is_room() {
    let world = World::new().await;
    let receiver =
        Receiver::start(|request| Reply::status(if request.text().contains("\"n\":3}") { 422 } else { 200 }))
            .await;
    world.append("acme", (0..6).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1000000 UNION ALL SELECT i + 1 FROM n WHERE i < 1009999) \
                INSERT INTO dead_letters (stream, seq, event_id, at, reason, replays) \
                SELECT s.id, n.i, 'e', 0, 'r', 0 FROM n, streams s";
    testing::execute(&world.store, fill).await.expect("filled");
    testing::execute(&world.store, "UPDATE streams SET dead_letters = 10000").await.expect("counted");
    let engine = world.start();
    let full = |stream: &StreamView| stream.last_error.as_ref().is_some_and(|text| text.contains("is full"));
    let stream = world.until("acme", &id, "it to say that the list is full", full).await;
    assert_eq!((stream.cursor, stream.health.as_str()), (3, "unhealthy"), "it waits at the refused event");
    let (log, taken) = (world.log("acme"), (1_000_000..1_000_050).collect());
    world.streams().discard(&log, &by(), &id, taken).await.expect("given up");
    let stream = world.until("acme", &id, "it to go on", |stream| stream.cursor >= 6).await;
    assert_eq!(stream.dead_letters, 9_951);
    let letters = world.streams().dead_letters(&log, &id, 0, 1).await.expect("dead letters");
    assert_eq!(letters.data[0].seq, 3);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_change_of_something_else_does_not_undo_that_a_destination_asked_for_no_more() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::status(410)).await);
    world.append("acme", (0..3).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let log = world.log("acme");
    let seen = log.streams().get(&StreamId::from_text(&id)).await.expect("the stream");
    let engine = world.start();
    world.until("acme", &id, "it to be disabled", |stream| stream.status == "disabled").await;
    let renamed = StreamChange { name: Some("other".to_owned()), ..StreamChange::default() };
    let stream = log.streams().change(&seen, &renamed).await.expect("changed");
    assert_eq!((stream.status, stream.name.as_str()), (StreamStatus::Disabled, "other"));
    assert!(stream.status_reason.contains("410"));
    let paused =
        StreamChange { status: Some((StreamStatus::Paused, String::new())), ..StreamChange::default() };
    let seen = recount_store::streams::Stream { status: StreamStatus::Active, ..stream };
    assert!(log.streams().change(&seen, &paused).await.is_err(), "it is not as it was seen");
    engine.shutdown().await;
}

#[tokio::test]
async fn stalled_streams_hold_bounded_memory_and_stop_no_other() {
    const MEMORY: usize = 1_500_000;
    const STALLED: usize = 16;
    let mut config = config();
    config.engine = EngineConfig { memory_bytes_max: MEMORY, ..config.engine };
    let world = World::with(config).await;
    let (stalled, sound) = (Receiver::start(|_| Reply::Stall).await, Receiver::friendly().await);
    let large = |number: u64| {
        let mut event = event(number);
        event["metadata"]["text"] = "x".repeat(3_000).into();
        event
    };
    let batch = json!({"events_max": 1_000, "bytes_max": 4_000_000});
    let mut slow = Vec::new();
    for number in 0..STALLED {
        let tenant = format!("slow{number}");
        world.append(&tenant, (0..100).map(large)).await;
        slow.push((tenant.clone(), world.webhook(&tenant, stalled.url("/"), batch.clone()).await));
    }
    let engine = world.start();
    stalled.wait_for(STALLED).await;
    world.append("sound", (0..300).map(large)).await;
    let id = world.webhook("sound", sound.url("/"), batch).await;
    world.until_caught_up("sound", &id).await;
    for (tenant, id) in &slow {
        assert_eq!(world.stream(tenant, id).await.attempts, 0, "its request is still open");
    }
    let held: usize = stalled.requests().iter().map(|request| request.body.len()).sum();
    // Two thirds for sound streams, of which an event takes twice its size, and a small batch each.
    let bound = MEMORY / 3 * 2 / 2 + STALLED * 64 * 1024;
    assert!(held < bound * 11 / 10, "{held} bytes are held; {bound} may be");
    drop(engine);
}

#[tokio::test]
async fn a_person_is_waited_for_without_hurry() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::status(401)).await);
    world.append("acme", [event(1)]).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let engine = world.start();
    let counted = eventually("attempts to be counted one by one", || async {
        let stream = world.stream("acme", &id).await;
        (stream.failures >= 3).then_some(stream)
    })
    .await;
    assert_eq!(counted.attempts, u64::from(counted.failures));
    engine.shutdown().await;
}
