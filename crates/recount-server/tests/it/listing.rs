//! Lists: order, pages that don't shift, cursors that fit one question only.

use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, event, events};

fn ids(page: &Value) -> Vec<String> {
    page["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|event| event["id"].as_str().expect("id").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_hold_every_event_once_while_others_arrive() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 250)).await;
    let key = server.tenant_key("acme").await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut late = 10_000;
    loop {
        let page = server
            .get(&format!("/v1/events?filter=-source:recount&limit=40{cursor}"), &key)
            .await
            .expect(200);
        seen.extend(ids(&page));
        // New ones, and back-dated ones in the middle of what was and what is still to be read.
        let batch: Vec<Value> = (0..20)
            .map(|n| {
                let mut new = event("acme", n * 12);
                new["id"] = format!("late-{}", late + n).into();
                new
            })
            .collect();
        late += 20;
        server.append(OPERATOR, &batch).await;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..250).rev().map(|n| format!("e-{n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_range_and_filter_select() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 30)).await;
    let key = server.tenant_key("acme").await;
    let list = |query: &'static str| {
        let server = &server;
        let key = &key;
        async move { ids(&server.get(&format!("/v1/events?{query}"), key).await.expect(200)) }
    };
    assert_eq!(list("order=asc&limit=3").await, ["e-0", "e-1", "e-2"]);
    assert_eq!(list("limit=2&from=2026-11-01T00:05:00Z&to=2026-11-01T00:09:00Z").await, ["e-8", "e-7"]);
    assert_eq!(list("filter=actor:u-1%20outcome:denied").await, ["e-25", "e-5"]);
    assert_eq!(list("filter=target:role/r-7").await, ["e-7"]);
    assert_eq!(list("filter=ip:203.0.113.4/31%20-action:user.login").await, ["e-5", "e-4"]);
    assert_eq!(list("filter=nothing-has-this-word").await, Vec::<String>::new());
    assert_eq!(
        server.get("/v1/events?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", &key).await.problem(400),
        "invalid_parameter"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_fits_its_own_question_only() {
    let server = Server::start().await;
    for tenant in ["acme", "other"] {
        server.append(OPERATOR, &events(tenant, 20)).await;
    }
    let (key, other) = (server.tenant_key("acme").await, server.tenant_key("other").await);
    let page = server.get("/v1/events?limit=5&filter=action:user.*", &key).await.expect(200);
    let cursor = page["next_cursor"].as_str().expect("cursor").to_owned();
    let next = format!("/v1/events?limit=7&filter=action:user.*&cursor={cursor}");
    server.get(&next, &key).await.expect(200);
    assert_eq!(server.get(&next, &other).await.problem(400), "invalid_cursor");
    for query in [
        format!("limit=5&cursor={cursor}"),
        format!("filter=action:user.login&cursor={cursor}"),
        format!("filter=action:user.*&order=asc&cursor={cursor}"),
        format!("filter=action:user.*&from=2026-11-01T00:00:00Z&cursor={cursor}"),
        format!("filter=action:user.*&cursor={}x", cursor),
        format!("filter=action:user.*&cursor={}", &cursor[..cursor.len() - 2]),
        "cursor=".to_owned(),
        "cursor=AAAA".to_owned(),
        format!("cursor={}", "A".repeat(5_000)),
    ] {
        assert_eq!(
            server.get(&format!("/v1/events?{query}"), &key).await.problem(400),
            "invalid_cursor",
            "{query}"
        );
    }
    assert_eq!(server.get(&format!("/v1/keys?cursor={cursor}"), &key).await.problem(400), "invalid_cursor");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_event_is_found_by_any_id() {
    let server = Server::start().await;
    let odd = ["a/b", "a b", "é✓", "%2F", "..", "a?b#c", "tail:1"];
    let batch: Vec<Value> = odd
        .iter()
        .map(|id| {
            let mut event = event("acme", 1);
            event["id"] = (*id).into();
            event
        })
        .collect();
    server.append(OPERATOR, &batch).await;
    let key = server.tenant_key("acme").await;
    for id in odd {
        let mut url = url::Url::parse(&server.base).expect("URL");
        url.path_segments_mut().expect("segments").extend(["v1", "events"]).push(id);
        let path = url.path().to_owned();
        if id == ".." {
            continue; // No URL can hold it as a path segment; the filter finds it.
        }
        assert_eq!(server.get(&path, &key).await.expect(200)["id"], id, "{path}");
    }
    let found = server.get("/v1/events?filter=id:%22..%22", &key).await.expect(200);
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_look_like_this() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 2)).await;
    let key = server.tenant_key("acme").await;
    let mut page = server.get("/v1/events?filter=-source:recount", &key).await.expect(200);
    for event in page["data"].as_array_mut().expect("data") {
        event["received_at"] = "[time]".into();
    }
    insta::assert_json_snapshot!("event_page", page);
    let problem = server.get("/v1/events?filter=actor:", &key).await.json();
    insta::assert_json_snapshot!("filter_problem", problem);
    let me = server.get("/v1/me", &key).await.expect(200);
    insta::assert_json_snapshot!("me", me, {".id" => "[id]", ".actor.id" => "[id]"});
    assert_eq!(
        server.get("/v1/events/none", &key).await.json(),
        json!({
            "type": "urn:recount:problem:not_found", "title": "Not found", "status": 404, "code": "not_found",
            "detail": "there is no such thing, or this credential can't see it",
        })
    );
}
