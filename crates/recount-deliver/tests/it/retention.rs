//! A stream keeps its place for as long as its log keeps the events, says until when that is, and says
//! what it lost.

use recount_deliver::lifecycle::{LifecycleError, Start};
use serde_json::json;

use crate::support::{
    receiver::{Receiver, Reply},
    world::{World, by, event},
};

const HOUR: i64 = 3_600_000_000;

fn arrived(receiver: &Receiver) -> Vec<u64> {
    receiver.requests().iter().flat_map(crate::support::receiver::Received::numbers).collect()
}

#[tokio::test]
async fn a_failing_stream_says_when_it_will_be_cut_off_and_what_it_lost() {
    let (world, clock) = World::keeping_three_days().await;
    let receiver = Receiver::start(|_| Reply::status(503)).await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 4})).await;
    world.append("acme", (0..10).map(event)).await;
    let engine = world.start();
    let stream = world.until("acme", &id, "it to be unhealthy", |stream| stream.health == "unhealthy").await;
    // Received on the 23rd, kept for three days, removed when the day after those is over.
    let cut_off_at = "2026-11-27T00:00:00Z";
    assert_eq!((stream.lag.cut_off_at.as_deref(), stream.lag.removed), (Some(cut_off_at), 0));
    let own = world.own_events("acme").await;
    let unhealthy = own.iter().find(|event| event["action"] == "recount.stream.unhealthy").expect("recorded");
    assert_eq!(unhealthy["metadata"]["cut_off_at"], cut_off_at);
    let description = unhealthy["description"].as_str().expect("a sentence");
    assert!(
        description.ends_with(&format!("retention removes what waits from {cut_off_at} on")),
        "{description}"
    );
    engine.shutdown().await;

    // A moment before, nothing is lost; at the moment, exactly what was said.
    clock.advance_micros(2 * 24 * HOUR);
    world.append("acme", (10..15).map(event)).await;
    clock.advance_micros(24 * HOUR + 15 * HOUR - 1);
    world.retain("acme").await;
    let waiting = world.stream("acme", &id).await;
    assert_eq!((waiting.lag.removed, waiting.lag.cut_off_at.as_deref()), (0, Some(cut_off_at)));
    clock.advance_micros(1);
    world.retain("acme").await;
    let first = world.log("acme").extent().await.expect("the log").first_seq;
    let late = world.stream("acme", &id).await;
    assert_eq!((late.cursor, late.lag.removed), (stream.cursor, first - stream.cursor));
    assert_eq!(late.lag.cut_off_at.as_deref(), Some("2026-11-29T00:00:00Z"), "of what is still there");

    receiver.behave(|_| Reply::status(200));
    let failed = receiver.requests().len();
    let engine = world.start();
    let stream = world.until_caught_up("acme", &id).await;
    let sent: Vec<u64> =
        receiver.requests()[failed..].iter().flat_map(crate::support::receiver::Received::numbers).collect();
    assert_eq!(sent, [10, 11, 12, 13, 14]);
    assert_eq!((stream.delivered, stream.lag.removed, stream.lag.cut_off_at), (5, 0, None));
    let lost = first - late.cursor;
    let own = world.own_events("acme").await;
    let cut: Vec<_> = own.iter().filter(|event| event["action"] == "recount.stream.cut_off").collect();
    assert_eq!(cut.len(), 1, "{own:?}");
    assert_eq!(
        cut[0]["metadata"],
        json!({"destination": "webhook", "events": lost, "from_seq": late.cursor, "to_seq": first - 1})
    );
    assert_eq!((&cut[0]["outcome"], &cut[0]["targets"][0]["id"]), (&json!("failure"), &json!(id)));
    assert_eq!(
        stream.last_error,
        Some(format!(
            "retention removed {lost} events, those that the filter leaves out included, before they could be delivered"
        ))
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_keeps_up_is_not_touched_and_none_begins_before_the_log_does() {
    let (world, clock) = World::keeping_three_days().await;
    let receiver = Receiver::friendly().await;
    let id = world.webhook("acme", receiver.url("/"), json!({})).await;
    world.append("acme", (0..10).map(event)).await;
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    engine.shutdown().await;
    clock.advance_micros(5 * 24 * HOUR);
    world.append("acme", (10..12).map(event)).await;
    world.retain("acme").await;
    let first = world.log("acme").extent().await.expect("the log").first_seq;
    assert!(first >= 10, "{first}");

    // From the beginning is from the first event that is left; an earlier place is refused.
    let (streams, log) = (world.streams(), world.log("acme"));
    let refused = streams.replay(&log, &by(), &id, &Start::Seq(3)).await.expect_err("it is gone");
    let LifecycleError::Invalid { pointer, detail } = &refused else { panic!("{refused:?}") };
    assert_eq!(pointer, "/from");
    assert_eq!(
        *detail,
        format!("retention has removed the event with seq 3; the log begins with seq {first}")
    );
    let replayed = streams.replay(&log, &by(), &id, &Start::Time("2026-11-23T00:00:00Z".to_owned())).await;
    assert_eq!(replayed.expect("moved").cursor, first);
    let replayed = streams.replay(&log, &by(), &id, &Start::Beginning).await.expect("moved");
    assert_eq!(replayed.cursor, first);
    let engine = world.start();
    world.until_caught_up("acme", &id).await;
    assert_eq!(arrived(&receiver), (0..12).collect::<Vec<u64>>());
    assert!(!world.own_actions("acme").await.contains(&"recount.stream.cut_off".to_owned()));
    engine.shutdown().await;
}

#[tokio::test]
async fn dead_letters_go_with_their_events() {
    let (world, clock) = World::keeping_three_days().await;
    let receiver = Receiver::start(|request| {
        Reply::status(if request.numbers().iter().any(|number| [1, 4].contains(number)) { 400 } else { 200 })
    })
    .await;
    let id = world.webhook("acme", receiver.url("/"), json!({"events_max": 1})).await;
    world.append("acme", (0..3).map(event)).await;
    let engine = world.start();
    world.until("acme", &id, "the first dead letter", |stream| stream.dead_letters == 1).await;
    clock.advance_micros(2 * 24 * HOUR);
    world.append("acme", (3..6).map(event)).await;
    world.until("acme", &id, "the second", |stream| stream.dead_letters == 2 && stream.lag.events == 0).await;
    engine.shutdown().await;
    clock.advance_micros(3 * 24 * HOUR);
    world.retain("acme").await;
    let (streams, log) = (world.streams(), world.log("acme"));
    let left = streams.dead_letters(&log, &id, 0, 100).await.expect("listed").data;
    assert_eq!(left.iter().map(|letter| letter.event_id.as_str()).collect::<Vec<_>>(), ["e-4"]);
    assert_eq!(world.stream("acme", &id).await.dead_letters, 1);
}
