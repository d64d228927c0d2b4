//! The API's own description: committed, served, complete.

use std::path::Path;

use serde_json::Value;

use crate::harness::Server;

/// Routes that need no credential.
const PUBLIC: [&str; 5] =
    ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/portal-sessions/exchange"];

fn document() -> Value {
    serde_json::from_str(&recount_server::openapi_json()).expect("JSON")
}

#[test]
fn the_committed_document_is_the_handlers_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let made = recount_server::openapi_json();
    if std::env::var_os("RECOUNT_BLESS").is_some() {
        std::fs::write(&path, &made).expect("openapi.json is writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "openapi.json is stale; write it anew with RECOUNT_BLESS=1 cargo test -p recount-server openapi"
    );
}

#[test]
fn every_operation_is_secured_described_and_has_problems() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let name = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            assert!(operation["operationId"].is_string(), "{name} has no operationId");
            let open = operation["security"].as_array().expect("security").contains(&serde_json::json!({}));
            assert_eq!(open, PUBLIC.contains(&path.as_str()), "{name}");
            let problems = operation["responses"].as_object().expect("responses");
            assert!(problems.contains_key("503") && problems.contains_key("400"), "{name}");
            assert!(open || problems.contains_key("401"), "{name}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{name}: {parameter}");
            }
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let document = document();
    let mut ids = Vec::new();
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("operations").values() {
            ids.push(operation["operationId"].as_str().expect("id").to_owned());
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_served_as_committed() {
    let server = Server::start().await;
    let served = crate::harness::send(server.client.get(format!("{}/openapi.json", server.base))).await;
    assert_eq!(served.text, recount_server::openapi_json());
    assert_eq!(served.headers["content-type"], "application/json");
}
