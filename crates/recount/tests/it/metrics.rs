//! What `/metrics` says after some work: the names that dashboards are built on, and true values.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{OPERATOR_KEY, Server, folder};

/// The value of a line that begins with this name and labels.
fn value(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

async fn page(server: &Server) -> String {
    let answer = reqwest::get(format!("{}/metrics", server.url)).await.expect("it answers");
    answer.text().await.expect("text")
}

/// Waits for what a task in the background measures.
async fn page_where(server: &Server, is_so: impl Fn(&str) -> bool) -> String {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let page = page(server).await;
        if is_so(&page) {
            return page;
        }
        assert!(tokio::time::Instant::now() < deadline, "{page}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_say_what_was_done() {
    let folder = folder();
    let server = Server::start(folder.path());
    let events: Vec<Value> = (0..300)
        .map(|n| {
            json!({
                "id": format!("e{n}"), "tenant": "acme", "occurred_at": "2026-11-01T10:00:00Z",
                "action": "user.login", "actor": {"type": "user", "id": "u1"},
            })
        })
        .collect();
    let http = reqwest::Client::new();
    for _ in 0..2 {
        let sent =
            http.post(format!("{}/v1/events", server.url)).bearer_auth(OPERATOR_KEY).json(&events).send();
        assert_eq!(sent.await.expect("it answers").status(), 200);
    }
    let read = http.get(format!("{}/v1/events?tenant=acme", server.url)).bearer_auth(OPERATOR_KEY).send();
    assert_eq!(read.await.expect("it answers").status(), 200);

    let measured = page_where(&server, |page| value(page, "recount_tail_age_seconds").is_some()).await;
    let expected = [
        // The vendor's look at the log is an event of its own.
        ("recount_append_events_total", 301.0),
        ("recount_append_duplicates_total", 300.0),
        ("recount_append_seconds_count", 3.0),
        ("recount_append_queue_events", 0.0),
        ("recount_commit_events_count", 3.0),
        // Counts have buckets of counts: one commit had one event, two had 300.
        (r#"recount_commit_events_bucket{le="1"}"#, 1.0),
        (r#"recount_commit_events_bucket{le="256"}"#, 1.0),
        (r#"recount_commit_events_bucket{le="1024"}"#, 3.0),
        (r#"recount_commit_tenants_bucket{le="1"}"#, 3.0),
        (r#"recount_append_seconds_bucket{le="60"}"#, 3.0),
        ("recount_seal_lag_seconds", 0.0),
        ("recount_compact_lag_tenants", 0.0),
        (r#"recount_read_seconds_count{kind="list"}"#, 1.0),
    ];
    for (name, wanted) in expected {
        assert_eq!(value(&measured, name), Some(wanted), "{name} in {measured}");
    }

    // The tail is old enough to be seen once the server looks through all tenants.
    assert_eq!(tokio::task::spawn_blocking(|| server.stop()).await.expect("stopped"), Some(0));
    let server = Server::start(folder.path());
    page_where(&server, |page| value(page, "recount_tail_age_seconds").is_some_and(|age| age > 0.0)).await;
}
