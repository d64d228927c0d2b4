//! How long events are kept, as the vendor sets it and as those see it who come too late.

use std::sync::Arc;

use recount_event::Timestamp;
use recount_server::ServerConfig;
use recount_store::env::{Env, ManualClock};
use recount_store::{StoreConfig, testing::Tender};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, events, send};

const DAY: i64 = 86_400_000_000;

async fn server(days: Option<u32>) -> (Server, Arc<ManualClock>) {
    let dir = tempfile::tempdir().expect("temporary folder");
    let clock = Arc::new(ManualClock::new(Timestamp::parse_rfc3339("2026-11-23T09:00:00Z").expect("a time")));
    let env = Env { clock: clock.clone(), ..Env::system() };
    let mut store = StoreConfig::embedded(dir.path());
    store.maintain = false;
    store.retention_days = days;
    (Server::start_at(env, store, dir, ServerConfig::default()).await, clock)
}

async fn set(server: &Server, tenant: &str, days: Value) -> crate::harness::Answer {
    let body = json!({ "retention_days": days });
    send(server.request(Method::PATCH, &format!("/v1/tenants/{tenant}"), OPERATOR).json(&body)).await
}

async fn retain(server: &Server) {
    let tender = Tender::new(&server.store, "maintain/test", "test").await.expect("free");
    tender.tend(&"acme".parse().expect("a tenant")).await.expect("tended");
}

#[tokio::test]
async fn the_vendor_sets_it_and_mistakes_say_what_is_possible() {
    let (server, _clock) = server(None).await;
    server.append(OPERATOR, &events("acme", 3)).await;
    let shown = server.get("/v1/tenants/acme", OPERATOR).await.expect(200);
    assert_eq!((&shown["retention_days"], &shown["retention_from"]), (&Value::Null, &json!("deployment")));

    let shown = set(&server, "acme", json!(90)).await.expect(200);
    assert_eq!((&shown["retention_days"], &shown["retention_from"]), (&json!(90), &json!("tenant")));
    for days in [json!(29), json!(0), json!(36_501)] {
        let refused = set(&server, "acme", days.clone()).await;
        let problem = refused.json();
        assert_eq!(
            (refused.problem(400).as_str(), &problem["pointer"]),
            ("invalid_body", &json!("/retention_days"))
        );
        let possible = "at least 30, for which ids are recognised (dedup_window_days), and at most 36500";
        assert_eq!(problem["detail"], format!("{days} days can't be kept: {possible}"));
    }
    for days in [json!("90"), json!(-1), json!(1.5)] {
        set(&server, "acme", days).await.problem(400);
    }
    let nothing = send(server.request(Method::PATCH, "/v1/tenants/acme", OPERATOR).json(&json!({}))).await;
    assert!(nothing.text.contains("retention_days"), "null is said, not left out: {}", nothing.text);
    nothing.problem(400);
    assert_eq!(set(&server, "nobody", json!(90)).await.problem(404), "not_found");

    let reader = server.key(Some("acme"), &["events:read"]).await;
    let own = server.get("/v1/tenants/acme", &reader).await.expect(200);
    assert_eq!(own["retention_days"], 90, "a tenant sees how long its events are kept");
    let body = json!({"retention_days": 400});
    let refused = send(server.request(Method::PATCH, "/v1/tenants/acme", &reader).json(&body)).await;
    assert_eq!(refused.problem(403), "forbidden");
    let changes = server.get("/v1/events?filter=action:recount.retention.changed", &reader).await.expect(200);
    assert_eq!(changes["data"].as_array().map(Vec::len), Some(1), "{changes}");
    assert_eq!(changes["data"][0]["metadata"], json!({"before_days": null, "after_days": 90}));
    let back = set(&server, "acme", Value::Null).await.expect(200);
    assert_eq!((&back["retention_days"], &back["retention_from"]), (&Value::Null, &json!("deployment")));
}

#[tokio::test]
async fn who_comes_too_late_is_told_where_the_log_begins_now() {
    let (server, clock) = server(Some(30)).await;
    let reader = server.key(Some("acme"), &["events:read", "exports:write"]).await;
    server.append(OPERATOR, &events("acme", 7)).await;
    let old = server.get("/v1/feed", &reader).await.expect(200);
    let last_old =
        old["data"].as_array().expect("events").last().expect("some")["seq"].as_u64().expect("a number");
    clock.advance_micros(40 * DAY);
    server.append(OPERATOR, &events("acme", 9)[7..]).await;
    retain(&server).await;

    let page = server.get("/v1/feed", &reader).await.expect(200);
    let data = page["data"].as_array().expect("events");
    assert_eq!(data[0]["seq"], last_old + 1, "without a place, the feed begins with what is left");
    assert_eq!(data.last().expect("some")["action"], "recount.retention.applied");
    for path in [
        "/v1/feed?from=0".to_owned(),
        format!("/v1/feed?from={last_old}"),
        "/v1/events/tail?from=0".to_owned(),
    ] {
        let late = server.get(&path, &reader).await;
        let problem = late.json();
        assert_eq!(
            problem["detail"],
            format!("events before seq {} were removed by retention; go on from there", last_old + 1)
        );
        assert_eq!(late.problem(410), "events_removed", "{path}");
    }
    let resumed = server.request(Method::GET, "/v1/events/tail", &reader).header("last-event-id", "2");
    assert_eq!(send(resumed).await.problem(410), "events_removed");
    let all = server.get("/v1/events?limit=1000", &reader).await.expect(200);
    assert_eq!(all["data"].as_array().map(Vec::len), Some(data.len()));
    let export = server.get("/v1/export?order=asc", &reader).await;
    assert!(!export.text.contains(&format!("\"seq\":{last_old},")), "{}", export.text);

    let record = &data.last().expect("some")["metadata"];
    assert_eq!(
        record,
        &json!({"events": last_old + 1, "first_seq": 0, "last_seq": last_old, "received_before": "2026-12-03T00:00:00Z", "retention_days": 30})
    );
}
