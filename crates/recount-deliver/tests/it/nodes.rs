//! Several engines over one catalog: leases, fencing, crashes between sending and writing down.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use recount_store::{
    streams::{Progress, SettleError, Settlement, Stream, StreamHealth, StreamId, StreamLease, StreamStatus},
    testing::{self, Fault, FaultPoint},
};
use serde_json::json;

use crate::support::{
    eventually,
    receiver::{Receiver, Reply},
    world::{World, event},
};

/// First arrivals, in the order in which they came.
pub(crate) fn first_arrivals(receiver: &Receiver) -> Vec<u64> {
    let mut seen = std::collections::BTreeSet::new();
    let all = receiver.requests().into_iter().flat_map(|request| request.seqs());
    all.filter(|seq| seen.insert(*seq)).collect()
}

#[tokio::test]
async fn two_nodes_share_the_shards_and_no_two_hold_one() {
    let world = World::new().await;
    let (one, two) = (world.store.deliveries(), world.store.deliveries());
    assert_eq!(one.keep().await.expect("kept").len(), 16, "alone, a node takes all");
    // The second shows itself, the first gives back what is over its share, the second takes it.
    two.keep().await.expect("kept");
    one.keep().await.expect("kept");
    two.keep().await.expect("kept");
    let (mine, theirs) = (one.shards(), two.shards());
    assert_eq!((mine.len(), theirs.len()), (8, 8));
    assert!(mine.iter().all(|shard| theirs.iter().all(|other| other.number != shard.number)));
    one.release().await.expect("released");
    assert_eq!(two.keep().await.expect("kept").len(), 16, "what a node leaves is taken up");
}

#[tokio::test]
async fn a_late_holder_can_not_move_the_cursor() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    world.append("acme", (0..5).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let id = StreamId::from_text(&id);
    let (late, next) = (world.store.deliveries(), world.store.deliveries());
    late.keep().await.expect("kept");
    let lease = late.lease(&id).expect("held");
    let stream = late.load(&id).await.expect("loaded").expect("there");
    late.release().await.expect("released");
    next.keep().await.expect("kept");
    let step = |lease, from, upto| Settlement {
        stream: id.clone(),
        lease,
        revision: stream.revision,
        from,
        progress: Progress {
            cursor: upto,
            stretches: Vec::new(),
            status: StreamStatus::Active,
            status_reason: String::new(),
            health: StreamHealth::Healthy,
            failures: 0,
            refusals: 0,
            retry_at: None,
            attempts: 1,
            delivered: upto,
            last_success_at: None,
            last_error_at: None,
            last_error: String::new(),
        },
        attempts: Vec::new(),
        dead_letters: Vec::new(),
    };
    let results = late.settle(&[step(lease, 0, 5)]).await;
    assert_eq!(results, [Err(SettleError::Fenced)]);
    let lease = next.lease(&id).expect("held");
    assert_eq!(next.settle(&[step(lease.clone(), 0, 3)]).await, [Ok(())]);
    // The same step again starts from a place where the cursor is no more.
    assert_eq!(next.settle(&[step(lease, 0, 5)]).await, [Err(SettleError::Changed)]);
    assert_eq!(world.stream("acme", id.as_str()).await.cursor, 3);
}

#[tokio::test]
async fn what_was_sent_and_not_written_down_is_sent_again_and_nothing_is_lost() {
    for fault in [Fault::NotDone, Fault::DoneAnyway] {
        let (world, receiver) = (World::new().await, Receiver::friendly().await);
        world.append("acme", (0..30).map(event)).await;
        let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 10})).await;
        let (catalog, _) = testing::faults(&world.store);
        let mut struck = 0;
        catalog.follow(move |point| {
            let strikes = point == FaultPoint::Commit("streams") && struck < 3;
            struck += u32::from(strikes);
            strikes.then_some(fault)
        });
        let engine = world.start();
        let stream = eventually("the stream to catch up", || async {
            let stream = world.streams().get(&world.log("acme"), &id).await.ok()?;
            (stream.cursor >= 30).then_some(stream)
        })
        .await;
        assert!(stream.delivered >= 30 || fault == Fault::DoneAnyway);
        assert_eq!(first_arrivals(&receiver), (0..30).collect::<Vec<u64>>(), "{fault:?}");
        catalog.clear();
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_is_followed_by_one_that_goes_on() {
    let world = World::new().await;
    let stalling = Arc::new(AtomicBool::new(true));
    let stalls = Arc::clone(&stalling);
    let receiver = Receiver::start(move |request| {
        if stalls.load(Ordering::SeqCst) && request.seqs().contains(&15) {
            Reply::Stall
        } else {
            Reply::status(200)
        }
    })
    .await;
    world.append("acme", (0..30).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 10})).await;
    let engine = world.start();
    receiver.wait_for(2).await;
    // Stops while the second batch hangs: it is cut off and its leases are given back.
    engine.shutdown().await;
    stalling.store(false, Ordering::SeqCst);
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    assert_eq!(first_arrivals(&receiver), (0..30).collect::<Vec<u64>>());
    engine.shutdown().await;
}

#[tokio::test]
async fn two_engines_over_one_catalog_deliver_everything_in_order() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&order);
    receiver.behave(move |request| {
        noted.lock().expect("no holder panics").push((request.path.clone(), request.seqs()));
        Reply::status(200)
    });
    let mut ids = Vec::new();
    for number in 0..12 {
        let tenant = format!("t{number}");
        world.append(&tenant, (0..40).map(event)).await;
        let id = world.webhook(&tenant, receiver.url(&format!("/{tenant}")), json!({"events_max": 7})).await;
        ids.push((tenant, id));
    }
    let (one, two) = (world.start(), world.start());
    for (tenant, id) in &ids {
        world.until_caught_up(tenant, id).await;
    }
    one.shutdown().await;
    for (tenant, id) in &ids {
        world.append(tenant, (40..50).map(event)).await;
        world.until_caught_up(tenant, id).await;
    }
    two.shutdown().await;
    let order = order.lock().expect("no holder panics").clone();
    for (tenant, _) in &ids {
        let mut seen = std::collections::BTreeSet::new();
        let path = format!("/{tenant}");
        let firsts: Vec<u64> = order
            .iter()
            .filter(|(at, _)| *at == path)
            .flat_map(|(_, seqs)| seqs)
            .copied()
            .filter(|seq| seen.insert(*seq))
            .collect();
        assert!(firsts.windows(2).all(|pair| pair[0] < pair[1]), "{tenant}: {firsts:?}");
        assert!(firsts.len() >= 50, "{tenant}: {}", firsts.len());
    }
}

#[tokio::test]
async fn two_nodes_over_one_postgres_share_the_work_and_follow_each_other() {
    let Some((one, two)) = World::two_on_postgres("streams of two nodes on PostgreSQL").await else {
        return;
    };
    let receiver = Receiver::friendly().await;
    let mut ids = Vec::new();
    for number in 0..12 {
        let tenant = format!("t{number}");
        one.append(&tenant, (0..40).map(event)).await;
        let url = receiver.url(&format!("/{tenant}"));
        // Set up on one node, delivered by whichever holds its shard.
        ids.push((tenant.clone(), one.webhook(&tenant, url, json!({"events_max": 7})).await));
    }
    let (first, second) = (one.start(), two.start());
    for (tenant, id) in &ids {
        two.until_caught_up(tenant, id).await;
    }
    // What is appended on one node is delivered by the other too, and when one leaves, the other
    // takes over.
    for (tenant, id) in &ids {
        two.append(tenant, (40..50).map(event)).await;
        one.until_caught_up(tenant, id).await;
    }
    first.shutdown().await;
    for (tenant, id) in &ids {
        one.append(tenant, (50..60).map(event)).await;
        two.until_caught_up(tenant, id).await;
    }
    second.shutdown().await;
    for (tenant, _) in &ids {
        let path = format!("/{tenant}");
        let mut seen = std::collections::BTreeSet::new();
        let requests = receiver.requests().into_iter().filter(|request| request.path == path);
        let firsts: Vec<u64> =
            requests.flat_map(|request| request.seqs()).filter(|seq| seen.insert(*seq)).collect();
        assert!(firsts.windows(2).all(|pair| pair[0] < pair[1]), "{tenant}: {firsts:?}");
        assert!(firsts.len() >= 60, "{tenant}: {}", firsts.len());
    }
}

/// A step of a stream from where it is loaded, which says `last_error`.
fn step(stream: &Stream, lease: StreamLease, last_error: &str) -> Settlement {
    Settlement {
        stream: stream.id.clone(),
        lease,
        revision: stream.revision,
        from: stream.cursor,
        progress: Progress {
            cursor: stream.cursor + 1,
            stretches: vec![5, 9],
            status: StreamStatus::Active,
            status_reason: String::new(),
            health: StreamHealth::Unhealthy,
            failures: 1,
            refusals: 0,
            retry_at: None,
            attempts: 1,
            delivered: 1,
            last_success_at: None,
            last_error_at: None,
            last_error: last_error.to_owned(),
        },
        attempts: Vec::new(),
        dead_letters: Vec::new(),
    }
}

#[tokio::test]
async fn what_the_database_refuses_of_one_stream_holds_up_no_other() {
    let Some((world, _other)) = World::two_on_postgres("steps that PostgreSQL refuses").await else {
        return;
    };
    let receiver = Receiver::friendly().await;
    let node = world.store.deliveries();
    node.keep().await.expect("kept");
    let mut steps = Vec::new();
    for (tenant, said) in [("one", "fine"), ("two", "PostgreSQL takes no \u{0} in a text"), ("three", "fine")]
    {
        let id = StreamId::from_text(&world.webhook(tenant, receiver.url("/"), json!({})).await);
        let stream = node.load(&id).await.expect("loaded").expect("there");
        steps.push((tenant, step(&stream, node.lease(&id).expect("held"), said)));
    }
    let settlements: Vec<Settlement> = steps.iter().map(|(_, step)| step.clone()).collect();
    let results = node.settle(&settlements).await;
    assert!(matches!(results.as_slice(), [Ok(()), Err(SettleError::Unavailable(_)), Ok(())]), "{results:?}");
    for ((tenant, step), moved) in steps.iter().zip([1, 0, 1]) {
        let stream = node.load(&step.stream).await.expect("loaded").expect("there");
        assert_eq!(stream.cursor, moved, "{tenant}");
        assert_eq!(stream.stretches, if moved == 1 { vec![5, 9] } else { Vec::new() });
    }
}

#[tokio::test]
async fn a_lease_that_is_lost_while_sending_and_taken_again_loses_no_stream() {
    let world = World::new().await;
    let (open, opened) = tokio::sync::watch::channel(false);
    let holding = Arc::new(AtomicBool::new(true));
    let held = Arc::clone(&holding);
    let receiver = Receiver::start(move |_| {
        if held.load(Ordering::SeqCst) { Reply::Held(opened.clone()) } else { Reply::status(200) }
    })
    .await;
    let mut ids = Vec::new();
    for number in 0..6 {
        let tenant = format!("t{number}");
        world.append(&tenant, (0..10).map(event)).await;
        ids.push((
            tenant.clone(),
            world.webhook(&tenant, receiver.url(&format!("/{tenant}")), json!({})).await,
        ));
    }
    let engine = world.start();
    receiver.wait_for(6).await;
    // All leases end while every stream has a request open; the node takes them again.
    let ended = "UPDATE leases SET epoch = epoch + 1, expires_at = 0 WHERE name LIKE 'deliver/shard/%'";
    assert!(testing::execute(&world.store, ended).await.expect("ended") > 0);
    holding.store(false, Ordering::SeqCst);
    open.send_replace(true);
    for (tenant, id) in &ids {
        world.append(tenant, (10..20).map(event)).await;
        let stream = world.until_caught_up(tenant, id).await;
        assert!(stream.cursor >= 20, "{stream:?}");
    }
    engine.shutdown().await;
    for (tenant, _) in &ids {
        let path = format!("/{tenant}");
        let requests = receiver.requests().into_iter().filter(|request| request.path == path);
        let mut seen = std::collections::BTreeSet::new();
        let firsts: Vec<u64> =
            requests.flat_map(|request| request.numbers()).filter(|seq| seen.insert(*seq)).collect();
        assert_eq!(firsts, (0..20).collect::<Vec<u64>>(), "{tenant}");
    }
}

#[tokio::test]
async fn nodes_that_come_and_go_never_mix_tenants() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let mut ids = Vec::new();
    for number in 0..10 {
        let tenant = format!("t{number}");
        let url = receiver.url(&format!("/{tenant}"));
        ids.push((tenant.clone(), world.webhook(&tenant, url, json!({"events_max": 5})).await));
    }
    let mut engines = vec![world.start()];
    for round in 0..4 {
        for (tenant, _) in &ids {
            let events = (round * 20..round * 20 + 20).map(|number| {
                let mut event = event(number);
                event["description"] = format!("belongs to {tenant}.").into();
                event
            });
            world.append(tenant, events).await;
        }
        // One more node comes; the oldest leaves with what it has in flight.
        engines.push(world.start());
        engines.remove(0).shutdown().await;
        for (tenant, id) in &ids {
            world.until_caught_up(tenant, id).await;
        }
    }
    for engine in engines {
        engine.shutdown().await;
    }
    for (tenant, _) in &ids {
        let path = format!("/{tenant}");
        let requests: Vec<_> =
            receiver.requests().into_iter().filter(|request| request.path == path).collect();
        let own = format!("belongs to {tenant}.");
        for request in &requests {
            let text = request.text();
            assert_eq!(text.matches("belongs to ").count(), text.matches(own.as_str()).count(), "{text}");
        }
        let mut seen = std::collections::BTreeSet::new();
        let firsts: Vec<u64> =
            requests.iter().flat_map(|request| request.numbers()).filter(|seq| seen.insert(*seq)).collect();
        assert_eq!(firsts, (0..80).collect::<Vec<u64>>(), "{tenant}");
    }
}
