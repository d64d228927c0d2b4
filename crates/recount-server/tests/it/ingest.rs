//! Appending: forms of bodies, results in order, duplicates.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, event, events};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn seqs(answer: &Value) -> Vec<u64> {
    answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| result["seq"].as_u64().expect("seq"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_body_is_taken() {
    let server = Server::start().await;
    let key = server.key(None, &["events:write"]).await;
    let one = event("acme", 0).to_string();
    let answer = server.post_raw(&key, one, &[("content-type", "application/json")]).await.expect(200);
    assert_eq!(answer, json!({"results": [{"id": "e-0", "seq": 0, "duplicate": false}]}));

    let array = json!([event("acme", 1), event("acme", 2)]).to_string();
    assert_eq!(seqs(&server.post_raw(&key, array, &[]).await.expect(200)), [1, 2]);

    let lines = format!("{}\n\r\n  {}\r\n", event("acme", 3), event("acme", 4));
    assert_eq!(
        seqs(
            &server
                .post_raw(&key, lines.clone(), &[("content-type", "application/x-ndjson")])
                .await
                .expect(200)
        ),
        [3, 4]
    );
    let again = server.post_raw(&key, lines, &[]).await.expect(200);
    assert_eq!(again["results"][0], json!({"id": "e-3", "seq": 3, "duplicate": true}));

    let packed = gzip(json!([event("acme", 5)]).to_string().as_bytes());
    assert_eq!(seqs(&server.post_raw(&key, packed, &[("content-encoding", "gzip")]).await.expect(200)), [5]);
    let packed = zstd::encode_all(json!([event("acme", 6)]).to_string().as_bytes(), 3).expect("memory");
    assert_eq!(seqs(&server.post_raw(&key, packed, &[("content-encoding", "zstd")]).await.expect(200)), [6]);
    assert_eq!(server.post_raw(&key, "[]", &[]).await.expect(200), json!({"results": []}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_events_are_stored_beside_bad_ones_and_results_keep_the_order() {
    let server = Server::start().await;
    let mut bad = event("acme", 1);
    bad["actor"]["type"] = 7.into();
    let body = json!([event("acme", 0), bad, event("acme", 2), {"action": "x"}]);
    let answer = server.post("/v1/events", OPERATOR, &body).await.expect(207);
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results[0], json!({"id": "e-0", "seq": 0, "duplicate": false}));
    assert_eq!(
        (results[1]["error"]["code"].as_str(), results[1]["error"]["pointer"].as_str()),
        (Some("wrong_type"), Some("/actor/type"))
    );
    assert_eq!(results[2], json!({"id": "e-2", "seq": 1, "duplicate": false}));
    assert!(results[3]["error"]["code"].is_string());
    let answer = server.post("/v1/events", OPERATOR, &json!([{"action": "x"}])).await.expect(400);
    assert!(answer["results"][0]["error"]["detail"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_without_an_id_gets_one() {
    let server = Server::start().await;
    let mut nameless = event("acme", 0);
    nameless.as_object_mut().expect("object").remove("id");
    let answer = server.append(OPERATOR, &[nameless]).await;
    let id = answer["results"][0]["id"].as_str().expect("id");
    let served = server.get(&format!("/v1/events/{id}?tenant=acme"), OPERATOR).await.expect(200);
    assert_eq!(served["id"], id);
    assert_eq!(served["seq"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tenant_comes_from_the_credential() {
    let server = Server::start().await;
    let key = server.key(Some("acme"), &["events:write"]).await;
    let mut silent = event("acme", 0);
    silent.as_object_mut().expect("object").remove("tenant");
    server.append(&key, &[silent.clone()]).await;
    let answer = server.post("/v1/events", &key, &json!([event("other", 1)])).await.expect(400);
    assert_eq!(answer["results"][0]["error"]["code"], "tenant_mismatch");
    assert_eq!(
        server.post("/v1/events?tenant=other", &key, &json!([silent])).await.problem(404),
        "not_found"
    );
    // A vendor's key names the tenant in the event or in the query.
    assert_eq!(
        server.post("/v1/events", OPERATOR, &json!([silent])).await.expect(400)["results"][0]["error"]["code"],
        "missing_member"
    );
    let mut named = silent.clone();
    named["id"] = "e-9".into();
    server.post("/v1/events?tenant=third", OPERATOR, &json!([named])).await.expect(200);
    assert_eq!(server.get("/v1/events/e-9?tenant=third", OPERATOR).await.expect(200)["tenant"], "third");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_batch_is_stored_whole_and_survives_a_restart() {
    let server = Server::start().await;
    let answer = server.append(OPERATOR, &events("acme", 10_000)).await;
    assert_eq!(seqs(&answer), (0..10_000).collect::<Vec<u64>>());
    let dir = server.stop().await;
    let server = Server::start_in(dir, recount_server::ServerConfig::default()).await;
    let answer = server.append(OPERATOR, &[event("acme", 77)]).await;
    assert_eq!(answer["results"][0], json!({"id": "e-77", "seq": 77, "duplicate": true}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_that_nobody_created_can_be_refused() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let mut store = recount_store::StoreConfig::embedded(dir.path());
    store.create_tenants = false;
    let server = Server::start_on(store, dir, recount_server::ServerConfig::default()).await;
    let answer = server.post("/v1/events", OPERATOR, &json!([event("acme", 0)])).await.expect(400);
    assert_eq!(answer["results"][0]["error"]["code"], "unknown_tenant", "{answer}");
    assert_eq!(server.get("/v1/tenants", OPERATOR).await.expect(200)["data"], json!([]));
    server.post("/v1/tenants", OPERATOR, &json!({"id": "acme"})).await.expect(201);
    let both = json!([event("acme", 0), event("other", 0)]);
    let answer = server.post("/v1/events", OPERATOR, &both).await.expect(207);
    assert_eq!(answer["results"][0], json!({"id": "e-0", "seq": 0, "duplicate": false}));
    assert_eq!(answer["results"][1]["error"]["code"], "unknown_tenant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_cannot_write_recounts_own_events() {
    let server = Server::start().await;
    let mut forged = event("acme", 0);
    forged["action"] = "recount.export.taken".into();
    let answer = server.post("/v1/events", OPERATOR, &json!([forged])).await.expect(400);
    assert_eq!(answer["results"][0]["error"]["code"], "reserved_name");
}
