//! The engine's promises, one by one, with a webhook as the destination.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use recount_deliver::lifecycle::Start;
use serde_json::json;

use crate::support::{
    receiver::{Receiver, Reply},
    world::{World, by, event},
};

/// All `seq`s that arrived, request after request.
fn arrived(receiver: &Receiver) -> Vec<u64> {
    receiver.requests().iter().flat_map(crate::support::receiver::Received::seqs).collect()
}

#[tokio::test]
async fn events_arrive_in_order_in_batches_and_the_cursor_follows() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    world.append("acme", (0..25).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 10})).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    let seqs = arrived(&receiver);
    assert_eq!(seqs, (0..25).collect::<Vec<u64>>());
    assert!(receiver.requests().iter().all(|request| request.seqs().len() <= 10));
    assert_eq!(stream.delivered, 25);
    assert_eq!(stream.health, "healthy");
    engine.shutdown().await;
}

#[tokio::test]
async fn new_events_are_sent_as_they_come() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    for number in 0..5 {
        world.append("acme", [event(number)]).await;
        receiver.wait_for(usize::try_from(number).expect("small") + 1).await;
    }
    world.until_caught_up("acme", &id).await;
    assert_eq!(arrived(&receiver).len(), 5);
    engine.shutdown().await;
}

/// The log's head is known from the first stream, and nothing moves it for the second.
#[tokio::test]
async fn a_second_stream_of_a_log_that_is_at_rest_is_sent_at_once() {
    let (world, first, second) = (World::new().await, Receiver::friendly().await, Receiver::friendly().await);
    world.append("acme", (0..20).map(event)).await;
    let id = world.webhook("acme", first.url("/"), json!({})).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    let id = world.webhook("acme", second.url("/"), json!({})).await;
    world.until_caught_up("acme", &id).await;
    assert_eq!(arrived(&second).len(), 20);
    engine.shutdown().await;
}

#[tokio::test]
async fn only_what_passes_the_filter_is_sent_and_the_rest_is_passed_over() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    world.append("acme", (0..100).map(event)).await;
    let id = world
        .enabled(
            "acme",
            json!({"type": "webhook", "url": receiver.url("/")}),
            json!({"filter": "action:user.login metadata.n:7"}),
        )
        .await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!(arrived(&receiver), [7]);
    assert_eq!(stream.delivered, 1);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_failing_destination_gets_the_same_events_until_it_takes_them() {
    let (world, failures) = (World::new().await, Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&failures);
    let receiver = Receiver::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(503),
        1 => Reply::Reset,
        2 => Reply::status(429),
        3 => Reply::status(500),
        _ => Reply::status(200),
    })
    .await;
    world.append("acme", (0..10).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 10})).await;
    let engine = world.start();
    let stream = world.until("acme", &id, "everything to arrive", |stream| stream.delivered >= 10).await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 5, "four failures and a success");
    let ids: Vec<&str> = requests.iter().map(|request| request.header("webhook-id")).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "the id stays the same: {ids:?}");
    assert!(requests.windows(2).all(|pair| pair[0].body == pair[1].body), "and so does the body");
    assert_eq!(stream.failures, 0);
    assert!(stream.last_error.as_deref().is_some_and(|text| text.contains("500")), "{:?}", stream.last_error);
    world.until_caught_up("acme", &id).await;
    let actions = world.own_actions("acme").await;
    assert!(actions.contains(&"recount.stream.unhealthy".to_owned()), "{actions:?}");
    assert!(actions.contains(&"recount.stream.recovered".to_owned()), "{actions:?}");
    let attempts = world.streams().attempts(&world.log("acme"), &id, 300).await.expect("attempts");
    assert_eq!(attempts.iter().filter(|attempt| attempt.outcome == "retry").count(), 4);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_poisoned_event_is_split_out_with_its_reason_and_can_be_sent_again() {
    let world = World::new().await;
    let receiver = Receiver::start(|request| {
        if request.text().contains("\"n\":13}") {
            Reply::body(422, "field n is cursed")
        } else {
            Reply::status(200)
        }
    })
    .await;
    world.append("acme", (0..40).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 40})).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.dead_letters), (39, 1));
    let log = world.log("acme");
    let letters = world.streams().dead_letters(&log, &id, 0, 10).await.expect("dead letters");
    assert_eq!(letters.data[0].seq, 13);
    assert_eq!(letters.data[0].event_id, "e-13");
    assert!(letters.data[0].reason.contains("field n is cursed"), "{}", letters.data[0].reason);

    let again = world.streams().redeliver(&log, &by(), &id, None).await.expect("sent again");
    assert_eq!((again.results[0].accepted, again.left), (false, 1));
    receiver.behave(|_| Reply::status(200));
    let again = world.streams().redeliver(&log, &by(), &id, Some(vec![13])).await.expect("sent again");
    assert_eq!((again.results[0].accepted, again.left), (true, 0));
    engine.shutdown().await;
}

#[tokio::test]
async fn a_destination_that_refuses_everything_gets_no_dead_letters_out_of_it() {
    let (world, receiver) =
        (World::new().await, Receiver::start(|_| Reply::body(400, "no such field")).await);
    world.append("acme", (0..60).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 60})).await;
    let engine = world.start();
    let stream = world.until("acme", &id, "it to be unhealthy", |stream| stream.health == "unhealthy").await;
    assert_eq!((stream.dead_letters, stream.cursor), (0, 0), "it keeps its place");
    receiver.behave(|_| Reply::status(200));
    let stream = world.until("acme", &id, "everything to arrive", |stream| stream.delivered >= 60).await;
    assert_eq!(stream.dead_letters, 0);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let world = World::new().await;
    let receiver =
        Receiver::start(|request| Reply::status(if request.seqs().len() > 3 { 413 } else { 200 })).await;
    world.append("acme", (0..20).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 20})).await;
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    assert_eq!((stream.delivered, stream.dead_letters), (20, 0));
    let accepted: Vec<u64> = receiver
        .requests()
        .iter()
        .map(crate::support::receiver::Received::seqs)
        .filter(|seqs| seqs.len() <= 3)
        .flatten()
        .collect();
    assert_eq!(accepted, (0..20).collect::<Vec<u64>>(), "in order all the same");
    engine.shutdown().await;
}

#[tokio::test]
async fn gone_disables_a_stream_until_a_person_resumes_it() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Reply::status(410)).await);
    world.append("acme", (0..3).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let engine = world.start();
    let stream = world.until("acme", &id, "it to be disabled", |stream| stream.status == "disabled").await;
    assert!(stream.status_reason.contains("410"), "{}", stream.status_reason);
    assert_eq!((stream.cursor, receiver.requests().len()), (0, 1));
    assert!(world.own_actions("acme").await.contains(&"recount.stream.disabled".to_owned()));
    receiver.behave(|_| Reply::status(200));
    world.streams().resume(&world.log("acme"), &by(), &id).await.expect("resumed");
    world.until("acme", &id, "everything to arrive", |stream| stream.delivered == 3).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_redirect_and_a_wrong_credential_wait_for_a_person() {
    for status in [301, 401, 403, 404] {
        let (world, receiver) = (World::new().await, Receiver::start(move |_| Reply::status(status)).await);
        world.append("acme", [event(1)]).await;
        let id = world.webhook("acme", receiver.url("/"), json!({})).await;
        let engine = world.start();
        let stream =
            world.until("acme", &id, "it to be unhealthy", |stream| stream.health == "unhealthy").await;
        assert_eq!((stream.cursor, stream.dead_letters), (0, 0), "{status}");
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_pause_keeps_the_place_and_a_replay_goes_back() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    let log = world.log("acme");
    world.append("acme", (0..5).map(event)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    world.streams().pause(&log, &by(), &id, Some("maintenance".to_owned())).await.expect("paused");
    world.append("acme", (5..8).map(event)).await;
    let paused = world.stream("acme", &id).await;
    assert!(paused.lag.events >= 3, "{:?}", paused.lag);
    world.streams().resume(&log, &by(), &id).await.expect("resumed");
    world.until_caught_up("acme", &id).await;
    let sent =
        |number: &str| receiver.requests().iter().filter(|request| request.text().contains(number)).count();
    // A batch that was on its way when the pause came may arrive twice; none is lost.
    let before = (sent("\"id\":\"e-1\""), sent("\"id\":\"e-7\""));
    assert!(before.0 == 1 && before.1 >= 1, "{before:?}");
    world.streams().replay(&log, &by(), &id, &Start::Seq(2)).await.expect("replayed");
    world.until_caught_up("acme", &id).await;
    assert_eq!(
        (sent("\"id\":\"e-1\""), sent("\"id\":\"e-2\""), sent("\"id\":\"e-7\"")),
        (1, 2, before.1 + 1)
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_stream_can_start_at_a_time() {
    let (world, receiver) = (World::new().await, Receiver::friendly().await);
    world.append("acme", (0..10).map(event)).await;
    let log = world.log("acme");
    let page = log.feed(0, 10, std::time::Duration::ZERO).await.expect("the log");
    let time = page.events.last().expect("ten events").received_at.to_string();
    world.append("acme", (10..12).map(event)).await;
    let id = world
        .enabled(
            "acme",
            json!({"type": "webhook", "url": receiver.url("/")}),
            json!({"start": {"time": time}, "filter": "-source:recount"}),
        )
        .await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    let seqs = arrived(&receiver);
    assert!(
        seqs.contains(&11)
            && seqs.iter().all(|seq| page.events[usize::try_from(*seq).unwrap_or(0).min(9)]
                .received_at
                .to_string()
                >= time
                || *seq >= 10)
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_stalls_delays_no_other() {
    let (world, stalled, sound) =
        (World::new().await, Receiver::start(|_| Reply::Stall).await, Receiver::friendly().await);
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let tenant = format!("slow{number}");
        world.append(&tenant, (0..50).map(event)).await;
        slow.push((tenant.clone(), world.webhook(&tenant, stalled.url("/"), json!({})).await));
    }
    for number in 0..10 {
        let tenant = format!("fast{number}");
        world.append(&tenant, (0..50).map(event)).await;
        fast.push((tenant.clone(), world.webhook(&tenant, sound.url("/"), json!({})).await));
    }
    // One of them belongs to a tenant whose other stream stalls.
    fast.push(("slow0".to_owned(), world.webhook("slow0", sound.url("/"), json!({})).await));
    let engine = world.start();
    // All of the others hang before the sound ones get more to do.
    stalled.wait_for(40).await;
    for round in 0..5 {
        for (tenant, _) in &fast {
            world.append(tenant, (50 + round * 20..70 + round * 20).map(event)).await;
        }
        for (tenant, id) in &fast {
            let stream = world.until_caught_up(tenant, id).await;
            assert!(stream.cursor >= 70 + round * 20, "{stream:?}");
        }
    }
    for (tenant, id) in &slow {
        let stream = world.stream(tenant, id).await;
        assert_eq!((stream.attempts, stream.cursor), (0, 0), "{tenant}: its first request is still open");
    }
    assert_eq!(stalled.requests().len(), 40);
    drop(engine);
}

#[tokio::test]
async fn a_tenants_stream_never_carries_anothers_events() {
    let (world, one, two) = (World::new().await, Receiver::friendly().await, Receiver::friendly().await);
    for tenant in ["one", "two"] {
        // The same ids everywhere.
        let events = (0..20).map(|number| {
            let mut event = event(number);
            event["description"] = format!("belongs to {tenant}").into();
            event
        });
        world.append(tenant, events).await;
    }
    let first = world.webhook("one", one.url("/"), json!({})).await;
    let second = world.webhook("two", two.url("/"), json!({})).await;
    let engine = world.start();
    world.until_caught_up("one", &first).await;
    world.until_caught_up("two", &second).await;
    for (receiver, own, other) in
        [(&one, "belongs to one", "belongs to two"), (&two, "belongs to two", "belongs to one")]
    {
        let text: String = receiver.requests().iter().map(crate::support::receiver::Received::text).collect();
        assert!(text.contains(own) && !text.contains(other));
    }
    engine.shutdown().await;
}
