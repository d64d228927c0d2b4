//! Histogram and facets: the same selection as the list.

use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, events};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_and_values_add_up_to_the_list() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 600)).await;
    let key = server.tenant_key("acme").await;
    let selection = "filter=action:role.updated&from=2026-11-01T01:00:00Z&to=2026-11-01T05:00:00Z";
    let list = server.get(&format!("/v1/events?limit=1000&{selection}"), &key).await.expect(200);
    let count = list["data"].as_array().expect("data").len() as u64;
    assert_eq!(count, 160);

    let histogram =
        server.get(&format!("/v1/events/histogram?interval=1h&{selection}"), &key).await.expect(200);
    assert_eq!((histogram["total"].as_u64(), histogram["exact"].as_bool()), (Some(count), Some(true)));
    assert_eq!(histogram["interval_seconds"], 3600.0);
    let buckets = histogram["buckets"].as_array().expect("buckets");
    assert_eq!(buckets.len(), 4);
    assert_eq!(buckets[0]["start"], "2026-11-01T01:00:00Z");
    let sum =
        |member: &str| buckets.iter().map(|bucket| bucket[member].as_u64().expect("count")).sum::<u64>();
    assert_eq!(sum("success") + sum("failure") + sum("denied"), count);
    assert_eq!(sum("denied"), 32);

    let facets = server
        .get(&format!("/v1/events/facets?fields=action,actor.id,tags.severity&limit=3&{selection}"), &key)
        .await
        .expect(200);
    assert_eq!(
        facets["facets"][0],
        json!({"field": "action", "values": [{"value": "role.updated", "count": count}], "other_values": 0})
    );
    assert_eq!(facets["facets"][1]["values"].as_array().map(Vec::len), Some(3));
    assert_eq!(facets["facets"][1]["other_values"], 1);
    assert_eq!(facets["facets"][2]["values"][0]["value"], "low");
    assert_eq!(facets["total"].as_u64(), Some(count));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_counted_by_the_clocks_of_a_zone() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 600)).await;
    let key = server.tenant_key("acme").await;
    let range = "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&interval=1d";
    let starts = async |zone: &str| {
        let answer = server.get(&format!("/v1/events/histogram?{range}&zone={zone}"), &key).await.expect(200);
        assert_eq!(answer["total"], 600, "{zone}");
        let buckets = answer["buckets"].as_array().expect("buckets").clone();
        buckets.iter().map(|bucket| bucket["start"].as_str().expect("a time").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(starts("UTC").await, ["2026-11-01T00:00:00Z"]);
    // Clocks go back on 1 November there: the day has 25 hours.
    assert_eq!(starts("America/Los_Angeles").await, ["2026-10-31T07:00:00Z", "2026-11-01T07:00:00Z"]);
    assert_eq!(starts("Asia/Kolkata").await, ["2026-10-31T18:30:00Z", "2026-11-01T18:30:00Z"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_counted_is_said() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 3)).await;
    let key = server.tenant_key("acme").await;
    for query in [
        "histogram?interval=0",
        "histogram?interval=1y",
        "histogram?zone=Mars",
        "histogram?zone=",
        "facets?fields=colour",
        "facets?fields=",
        "facets",
        "facets?fields=a,b,c,d,e,f",
    ] {
        assert_eq!(
            server.get(&format!("/v1/events/{query}"), &key).await.problem(400),
            "invalid_parameter",
            "{query}"
        );
    }
    let many = "facets?fields=action,action,action,action,action,action";
    assert_eq!(server.get(&format!("/v1/events/{many}"), &key).await.problem(400), "invalid_parameter");
    let none = server.get("/v1/events/histogram?filter=action:none", &key).await.expect(200);
    assert_eq!((none["total"].as_u64(), none["exact"].as_bool()), (Some(0), Some(true)));
    let none: Value =
        server.get("/v1/events/facets?fields=action&filter=action:none", &key).await.expect(200);
    assert_eq!(none["facets"][0]["values"], json!([]));
}
