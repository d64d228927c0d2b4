//! Exports: streamed at once, and as jobs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{OPERATOR, Server, event, events};

/// Waits until a job has its file.
pub(crate) async fn wait_until_ready(server: &Server, key: &str, id: &str) -> Value {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        let job = server.get(&format!("/v1/exports/{id}"), key).await.expect(200);
        match job["state"].as_str().expect("state") {
            "ready" => return job,
            "failed" => panic!("{job}"),
            _ if tokio::time::Instant::now() > deadline => panic!("not ready in time: {job}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ndjson_is_the_events_as_the_api_serves_them() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 1_200)).await;
    let key = server.tenant_key("acme").await;
    let answer = server.get("/v1/export?filter=action:user.login&order=asc", &key).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"acme-events.ndjson\"");
    let lines: Vec<Value> =
        answer.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 400);
    assert_eq!(lines[1]["id"], "e-3");
    assert_eq!(lines[1], server.get("/v1/events/e-3", &key).await.expect(200));
    let taken = server.get("/v1/events?filter=action:recount.export.taken", &key).await.expect(200);
    assert_eq!(taken["data"][0]["metadata"]["filter"], "action:user.login");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csv_cells_cannot_be_formulas() {
    let server = Server::start().await;
    let mut hostile = event("acme", 0);
    for (pointer, value) in
        [("/actor/name", "=1+1"), ("/actor/id", "+cmd|' /C calc'!A0"), ("/tenant", "acme")]
    {
        *hostile.pointer_mut(pointer).expect("member") = value.into();
    }
    hostile["description"] = "@SUM(A1)".into();
    hostile["source"] = "-2".into();
    hostile["reason"] = "\ttab \"quoted\", and\nlines".into();
    server.append(OPERATOR, &[hostile]).await;
    let key = server.tenant_key("acme").await;
    let answer = server.get("/v1/export?format=csv&filter=-source:recount", &key).await;
    assert!(answer.headers["content-type"].to_str().expect("text").starts_with("text/csv"));
    let mut reader = csv::ReaderBuilder::new().from_reader(answer.text.as_bytes());
    let head = reader.headers().expect("head").clone();
    let row = reader.records().next().expect("a row").expect("valid CSV");
    let cell = |name: &str| &row[head.iter().position(|column| column == name).expect("column")];
    assert_eq!(cell("actor_name"), "'=1+1");
    assert_eq!(cell("actor_id"), "'+cmd|' /C calc'!A0");
    assert_eq!(cell("source"), "'-2");
    assert_eq!(cell("description"), "'@SUM(A1)");
    assert_eq!(cell("reason"), "'\ttab \"quoted\", and\nlines");
    assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
    // NDJSON is not touched.
    let answer = server.get("/v1/export?filter=-source:recount", &key).await;
    assert!(answer.text.contains("\"=1+1\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_during_ingest_has_every_event_of_its_beginning_once() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 5_000)).await;
    let key = server.tenant_key("acme").await;
    let more: Vec<Value> = (5_000..9_000).map(|n| event("acme", n)).collect();
    let appending = async {
        for batch in more.chunks(100) {
            server.append(OPERATOR, batch).await;
        }
    };
    let (answer, ()) = tokio::join!(server.get("/v1/export?filter=-source:recount", &key), appending);
    let seqs: Vec<u64> = answer
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["seq"].as_u64().expect("seq"))
        .collect();
    let distinct: BTreeSet<u64> = seqs.iter().copied().collect();
    assert_eq!(distinct.len(), seqs.len(), "no event twice");
    assert!((0..5_000).all(|seq| distinct.contains(&seq)), "none is missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_makes_a_file_with_its_digest_and_both_are_recorded() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 2_000)).await;
    let key = server.tenant_key("acme").await;
    let body = json!({"name": "March", "format": "csv", "filter": "outcome:denied", "order": "asc"});
    let made = server.post("/v1/exports", &key, &body).await;
    let location = made.headers["location"].to_str().expect("text").to_owned();
    let made = made.expect(202);
    let id = made["id"].as_str().expect("id");
    assert_eq!(location, format!("/v1/exports/{id}"));
    let job = wait_until_ready(&server, &key, id).await;
    assert_eq!(
        (job["rows"].as_u64(), job["name"].as_str(), job["order"].as_str()),
        (Some(400), Some("March"), Some("asc"))
    );
    let file = server.get(&format!("/v1/exports/{id}/file"), &key).await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"March.csv\"");
    assert_eq!(file.text.len() as u64, job["bytes"].as_u64().expect("bytes"));
    assert_eq!(hex::encode(Sha256::digest(file.text.as_bytes())), job["sha256"].as_str().expect("digest"));
    assert_eq!(file.text.lines().count(), 401);
    for action in ["recount.export.created", "recount.export.downloaded"] {
        let found = server.get(&format!("/v1/events?filter=action:{action}"), &key).await.expect(200);
        assert_eq!(found["data"][0]["targets"][0]["id"], id, "{action}");
    }
    assert_eq!(server.delete(&format!("/v1/exports/{id}"), &key).await.status, 204);
    assert_eq!(server.get(&format!("/v1/exports/{id}/file"), &key).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_holds_what_the_view_holds() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 30)).await;
    let key = server.tenant_key("acme").await;
    let columns = "time,actor,outcome";
    let at_once = server
        .get(&format!("/v1/export?format=csv&filter=-source:recount&columns={columns}&zone=Asia/Tokyo"), &key)
        .await;
    let mut lines = at_once.text.lines();
    assert_eq!(lines.next(), Some("time,actor,actor_id,outcome"));
    assert!(lines.next().expect("a row").contains("+09:00,"), "{}", at_once.text);
    let body = json!({"format": "csv", "filter": "-source:recount", "columns": columns.split(',').collect::<Vec<_>>(), "zone": "Asia/Tokyo"});
    let made = server.post("/v1/exports", &key, &body).await.expect(202);
    let id = made["id"].as_str().expect("id");
    let job = wait_until_ready(&server, &key, id).await;
    assert_eq!((&job["columns"][1], &job["zone"]), (&json!("actor"), &json!("Asia/Tokyo")));
    assert_eq!(server.get(&format!("/v1/exports/{id}/file"), &key).await.text, at_once.text);

    let body = json!({"format": "ndjson.gz", "filter": "-source:recount"});
    let made = server.post("/v1/exports", &key, &body).await.expect(202);
    let id = made["id"].as_str().expect("id");
    wait_until_ready(&server, &key, id).await;
    let file = server.request(reqwest::Method::GET, &format!("/v1/exports/{id}/file"), &key).send().await;
    let file = file.expect("an answer").bytes().await.expect("a whole body");
    let mut unzipped = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*file), &mut unzipped).expect("gzip");
    assert_eq!(unzipped, server.get("/v1/export?filter=-source:recount", &key).await.text);

    for (member, body) in [
        ("/columns", json!({"format": "ndjson", "columns": ["time"]})),
        ("/columns", json!({"format": "csv", "columns": []})),
        ("/zone", json!({"format": "csv", "columns": ["time"], "zone": "Mars/Olympus"})),
        ("/zone", json!({"format": "csv", "zone": "UTC"})),
    ] {
        let answer = server.post("/v1/exports", &key, &body).await;
        let pointer: Value = serde_json::from_str(&answer.text).expect("a problem");
        assert_eq!(pointer["pointer"], member, "{body}");
        assert_eq!(answer.problem(400), "invalid_body");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_is_a_file_that_others_read() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 300)).await;
    let key = server.tenant_key("acme").await;
    let answer = server
        .request(reqwest::Method::GET, "/v1/export?format=parquet&filter=action:user.login&order=asc", &key)
        .send()
        .await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/vnd.apache.parquet");
    let file = answer.bytes().await.expect("a whole body");
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file");
    assert_eq!(reader.metadata().file_metadata().num_rows(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_job_survives_a_restart_and_lists_page_by_page() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 10)).await;
    let key = server.tenant_key("acme").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let made = server.post("/v1/exports", &key, &json!({})).await.expect(202);
        ids.push(made["id"].as_str().expect("id").to_owned());
    }
    let server = Server::start_in(server.stop().await, recount_server::ServerConfig::default()).await;
    for id in &ids {
        let job = wait_until_ready(&server, &key, id).await;
        let file = server.get(&format!("/v1/exports/{id}/file"), &key).await;
        assert_eq!(file.text.len() as u64, job["bytes"].as_u64().expect("bytes"));
    }
    let first = server.get("/v1/exports?limit=2", &key).await.expect(200);
    assert_eq!(first["data"][0]["id"], ids[2]);
    let cursor = first["next_cursor"].as_str().expect("cursor");
    let second = server.get(&format!("/v1/exports?limit=2&cursor={cursor}"), &key).await.expect(200);
    assert_eq!(
        (second["data"][0]["id"].as_str(), &second["next_cursor"]),
        (Some(ids[0].as_str()), &Value::Null)
    );
}
