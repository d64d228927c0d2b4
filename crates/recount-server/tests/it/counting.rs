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
        "facets?fields=action:b",
        "facets?fields=action:b*",
        "facets?fields=action:%20outcome",
        "facets?fields=-action",
        "facets?fields=action%20outcome",
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_are_named_as_in_a_filter() {
    let server = Server::start().await;
    let mut event = crate::harness::event("acme", 1);
    event["metadata"] = json!({"cost, \"center\"": "4711", "list": [{"of": "x"}, {"of": 7}], "a:b": true});
    event["tags"] = json!({"a b": "c"});
    server.append(OPERATOR, &[event]).await;
    let key = server.tenant_key("acme").await;
    let fields = r#"metadata."cost, \"center\"" , META.list.of,metadata."a:b",tags."a b",Email"#;
    let response = server
        .request(reqwest::Method::GET, "/v1/events/facets", &key)
        .query(&[("fields", fields), ("filter", "action:role.updated")]);
    let facets = crate::harness::send(response).await.expect(200);
    let counted: Vec<(&str, Vec<&str>)> = facets["facets"]
        .as_array()
        .expect("facets")
        .iter()
        .map(|facet| {
            let values = facet["values"].as_array().expect("values").iter();
            (
                facet["field"].as_str().expect("a name"),
                values.map(|v| v["value"].as_str().expect("text")).collect(),
            )
        })
        .collect();
    assert_eq!(
        counted,
        [
            (r#"metadata."cost, \"center\"""#, vec!["4711"]),
            ("metadata.list.of", vec!["7", "x"]),
            (r#"metadata."a:b""#, vec!["true"]),
            (r#"tags."a b""#, vec!["c"]),
            ("actor.email", vec![]),
        ]
    );
}

/// A server that looks at no more than `bytes` for one question, with a log whose parts follow each
/// other in time.
async fn frugal(bytes: u64) -> (Server, String) {
    let mut config = recount_server::ServerConfig::default();
    config.limits.scan_bytes_max = bytes;
    let server = Server::start_with(config).await;
    for part in events("acme", 1_200).chunks(100) {
        server.append(OPERATOR, part).await;
    }
    let key = server.tenant_key("acme").await;
    (server, key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_bound_the_newest_part_is_counted_and_said_to_be_that() {
    let (server, key) = frugal(150_000).await;
    // Events whose lines must be read one by one.
    let filter = "filter=metadata.secret_of:acme";
    let facets = server.get(&format!("/v1/events/facets?fields=action&{filter}"), &key).await.expect(200);
    assert_eq!(facets["exact"], false);
    let from = facets["covered_from"].as_str().expect("a time");
    let total = facets["total"].as_u64().expect("a count");
    assert!((100..1_200).contains(&total), "{facets}");
    let list = server.get(&format!("/v1/events?limit=1000&{filter}&from={from}"), &key).await;
    assert_eq!(list.expect(200)["data"].as_array().expect("data").len() as u64, total);

    let histogram = server.get(&format!("/v1/events/histogram?{filter}"), &key).await.expect(200);
    assert_eq!((&histogram["exact"], histogram["covered_from"].is_string()), (&Value::Bool(false), true));
    // The same question about that part alone is answered whole.
    let part = server.get(&format!("/v1/events/facets?fields=action&{filter}&from={from}"), &key).await;
    let part = part.expect(200);
    assert_eq!((&part["exact"], part["total"].as_u64()), (&Value::Bool(true), Some(total)));
    assert!(part.get("covered_from").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_costs_too_much_is_refused_with_advice() {
    let (server, key) = frugal(20_000).await;
    // The events that the test appended, without Recount's own.
    let selection = "filter=%22owher%22&to=2026-11-02T00:00:00Z";
    for query in [
        format!("?{selection}"),
        format!("/facets?fields=metadata.secret_of&{selection}"),
        format!("/histogram?{selection}"),
    ] {
        let refused = server.get(&format!("/v1/events{query}"), &key).await;
        let detail = refused.json()["detail"].as_str().expect("detail").to_owned();
        assert!(detail.contains("time range") && detail.contains("action:"), "{detail}");
        assert_eq!(refused.problem(422), "too_expensive", "{query}");
    }
    let narrowed = format!("/v1/events?{selection}&from=2026-11-01T19:30:00Z");
    assert_eq!(server.get(&narrowed, &key).await.expect(200)["data"], json!([]));
}
