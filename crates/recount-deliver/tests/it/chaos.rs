//! Destinations that do everything wrong, by seed: everything arrives at least once, in order, and
//! no sound stream's lag grows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use recount_store::{
    env::{Entropy, SeededEntropy},
    testing::{self, Fault, FaultPoint},
};
use serde_json::json;

use crate::{
    retries::{bucket, object},
    support::{
        receiver::{Receiver, Reply},
        world::{World, event},
    },
};

/// Events per stream.
const EVENTS: u64 = 120;

/// Events that every receiver refuses for good.
const POISONED: [u64; 2] = [17, 59];

fn draw(entropy: &SeededEntropy, below: u64) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

/// Does something wrong half of the time, and refuses some events for good. What it says it took, it
/// took.
async fn chaotic(seed: u64) -> (Receiver, Arc<Mutex<Vec<u64>>>) {
    let taken: Arc<Mutex<Vec<u64>>> = Arc::default();
    let (noted, entropy) = (Arc::clone(&taken), SeededEntropy::new(seed));
    let receiver = Receiver::start(move |request| {
        if POISONED.iter().any(|seq| request.text().contains(&format!("\"n\":{seq}}}"))) {
            return Reply::status(422);
        }
        let take = || noted.lock().expect("no holder panics").extend(request.seqs());
        match draw(&entropy, 16) {
            0 => Reply::status(500),
            1 => Reply::status(503),
            2 => Reply::Status(429, vec![("retry-after", "0".to_owned())], String::new()),
            3 => Reply::Reset,
            // Takes it, and the answer is lost.
            4 => {
                take();
                Reply::Reset
            }
            5 => {
                take();
                Reply::status(502)
            }
            6 if request.seqs().len() > 1 => Reply::status(413),
            7 if request.seqs().len() > 1 => Reply::status(400),
            8 => Reply::Status(200, vec![("connection", "close".to_owned())], {
                take();
                "not what you expected {{{".to_owned()
            }),
            _ => {
                take();
                Reply::status(200)
            }
        }
    })
    .await;
    (receiver, taken)
}

async fn run(seed: u64) {
    let world = World::new().await;
    let mut streams = Vec::new();
    for number in 0..4 {
        let (receiver, taken) = chaotic(seed * 100 + number).await;
        let tenant = format!("chaos{number}");
        world.append(&tenant, (0..EVENTS).map(event)).await;
        let id = world.webhook(&tenant, receiver.url("/"), json!({"events_max": 1 + seed * 7 % 40})).await;
        streams.push((tenant, id, receiver, taken));
    }
    let sound = Receiver::friendly().await;
    world.append("sound", (0..EVENTS).map(event)).await;
    let sound_id = world.webhook("sound", sound.url("/"), json!({})).await;
    // The catalog's answers get lost too.
    let (catalog, _) = testing::faults(&world.store);
    let entropy = SeededEntropy::new(seed + 7_000);
    catalog.follow(move |point| {
        if point != FaultPoint::Commit("streams") {
            return None;
        }
        match draw(&entropy, 12) {
            0 => Some(Fault::NotDone),
            1 => Some(Fault::DoneAnyway),
            _ => None,
        }
    });
    let engine = world.start();
    world
        .until("sound", &sound_id, "the sound stream, which waits for no other", |stream| {
            stream.delivered >= EVENTS
        })
        .await;
    for (tenant, id, _, taken) in &streams {
        world.until(tenant, id, "a stream to get through the chaos", |stream| stream.cursor >= EVENTS).await;
        let stream = world.stream(tenant, id).await;
        let taken = taken.lock().expect("no holder panics").clone();
        let mut seen = BTreeSet::new();
        let firsts: Vec<u64> = taken.into_iter().filter(|seq| seen.insert(*seq)).collect();
        let letters =
            world.streams().dead_letters(&world.log(tenant), id, 0, 1_000).await.expect("dead letters");
        let dead: BTreeSet<u64> = letters.data.iter().map(|letter| letter.seq).collect();
        for seq in 0..EVENTS {
            assert!(
                seen.contains(&seq) || dead.contains(&seq),
                "seed {seed}, {tenant}: seq {seq} is lost ({stream:?})"
            );
        }
        assert!(
            firsts.windows(2).all(|pair| pair[0] < pair[1]),
            "seed {seed}, {tenant}: out of order {firsts:?}"
        );
        assert_eq!(dead, BTreeSet::from(POISONED), "seed {seed}, {tenant}: dead letters");
    }
    catalog.clear();
    engine.shutdown().await;
}

#[tokio::test]
async fn everything_arrives_at_least_once_and_in_order_whatever_happens() {
    for seed in 1..=4 {
        run(seed).await;
    }
}

/// A bucket that does everything wrong: objects land out of order, answers are lost, some of what is
/// said to have failed was written.
async fn chaotic_bucket(seed: u64) -> (Receiver, Arc<Mutex<BTreeMap<String, Vec<u64>>>>) {
    let objects: Arc<Mutex<BTreeMap<String, Vec<u64>>>> = Arc::default();
    let (written, entropy) = (Arc::clone(&objects), SeededEntropy::new(seed));
    let receiver = Receiver::start(move |request| {
        let events = object(request);
        let mut objects = written.lock().expect("no holder panics");
        if objects.contains_key(&request.path) {
            return Reply::status(412);
        }
        let several = events.len() > 1;
        let mut write = || drop(objects.insert(request.path.clone(), events.clone()));
        match draw(&entropy, 20) {
            0 => Reply::status(503),
            1 => Reply::Status(429, vec![("retry-after", "0".to_owned())], String::new()),
            2 => Reply::Reset,
            3 if several => Reply::status(413),
            // Written, and the answer is lost, torn, or says otherwise.
            4 => {
                write();
                Reply::Reset
            }
            5 => {
                write();
                Reply::Torn(200, "<PutObjectResult".to_owned())
            }
            6 => {
                write();
                Reply::status(500)
            }
            7..=11 => {
                write();
                Reply::Late(200)
            }
            _ => {
                write();
                Reply::status(200)
            }
        }
    })
    .await;
    (receiver, objects)
}

/// Streams whose batches overtake each other, two nodes that exchange their shards, and a sound
/// stream beside them.
async fn run_any(seed: u64) {
    let world = World::new().await;
    let mut streams = Vec::new();
    let settings = json!({
        "batch": {"events_max": 2 + seed * 5 % 9, "age_seconds_max": 0}, "filter": "-source:recount",
    });
    for number in 0..3 {
        let (receiver, objects) = chaotic_bucket(seed * 100 + number).await;
        let tenant = format!("chaos{number}");
        world.append(&tenant, (0..EVENTS).map(event)).await;
        let id = world.enabled(&tenant, bucket(&receiver), settings.clone()).await;
        streams.push((tenant, id, receiver, objects));
    }
    let sound = Receiver::friendly().await;
    let sound_id = world.webhook("sound", sound.url("/"), json!({})).await;
    let (catalog, _) = testing::faults(&world.store);
    let entropy = SeededEntropy::new(seed + 9_000);
    catalog.follow(move |point| {
        if point != FaultPoint::Commit("streams") {
            return None;
        }
        match draw(&entropy, 16) {
            0 => Some(Fault::NotDone),
            1 => Some(Fault::DoneAnyway),
            _ => None,
        }
    });
    let mut engines = vec![world.start(), world.start()];
    for round in 1..=3 {
        for (tenant, ..) in &streams {
            world.append(tenant, (round * EVENTS..(round + 1) * EVENTS).map(event)).await;
        }
        world.append("sound", (0..20).map(|number| event(round * 20 + number))).await;
        let stream = world.until_caught_up("sound", &sound_id).await;
        assert!(stream.cursor >= round * 20, "{stream:?}");
        engines.push(world.start());
        engines.remove(0).shutdown().await;
    }
    for (tenant, id, _, objects) in &streams {
        let stream = world.until_caught_up(tenant, id).await;
        let objects = objects.lock().expect("no holder panics").clone();
        let written: BTreeSet<u64> = objects.values().flatten().copied().collect();
        assert_eq!(written, (0..4 * EVENTS).collect(), "seed {seed}, {tenant}: {stream:?}");
        assert_eq!(stream.dead_letters, 0, "seed {seed}, {tenant}");
        for (name, events) in &objects {
            assert!(events.windows(2).all(|pair| pair[0] < pair[1]), "{name}: {events:?}");
        }
    }
    catalog.clear();
    for engine in engines {
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn everything_is_written_at_least_once_whatever_buckets_and_nodes_do() {
    for seed in 1..=3 {
        run_any(seed).await;
    }
}
