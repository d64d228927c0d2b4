//! Every route under every single scope: what is not given is refused, ingest keys read nothing.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, events};

const TENANT_SCOPES: [&str; 6] =
    ["events:write", "events:read", "exports:write", "streams:manage", "keys:manage", "proof:read"];
const VENDOR_SCOPES: [&str; 3] = ["tenants:manage", "sessions:create", "operator"];

/// The scope that each route needs; `""` for any credential, `"-"` for none.
fn needed() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("post /v1/events", "events:write"),
        ("get /v1/events", "events:read"),
        ("get /v1/events/histogram", "events:read"),
        ("get /v1/events/facets", "events:read"),
        ("get /v1/events/tail", "events:read"),
        ("get /v1/events/{id}", "events:read"),
        ("get /v1/feed", "events:read"),
        ("get /v1/export", "exports:write"),
        ("post /v1/exports", "exports:write"),
        ("get /v1/exports", "exports:write"),
        ("get /v1/exports/{id}", "exports:write"),
        ("delete /v1/exports/{id}", "exports:write"),
        ("get /v1/exports/{id}/file", "exports:write"),
        ("get /v1/me", ""),
        ("post /v1/keys", "keys:manage"),
        ("get /v1/keys", "keys:manage"),
        ("get /v1/keys/{id}", "keys:manage"),
        ("delete /v1/keys/{id}", "keys:manage"),
        ("post /v1/portal-sessions", "sessions:create"),
        ("post /v1/portal-sessions/exchange", "-"),
        ("post /v1/portal-sessions/refresh", ""),
        ("delete /v1/portal-sessions/{id}", "sessions:create"),
        ("post /v1/saved-views", "events:read"),
        ("get /v1/saved-views", "events:read"),
        ("get /v1/saved-views/{id}", "events:read"),
        ("put /v1/saved-views/{id}", "events:read"),
        ("delete /v1/saved-views/{id}", "events:read"),
        ("post /v1/tenants", "tenants:manage"),
        ("get /v1/tenants", "tenants:manage"),
        ("get /v1/tenants/{id}", ""),
        ("patch /v1/tenants/{id}", "tenants:manage"),
        ("get /v1/streams", "streams:manage"),
        ("post /v1/streams", "streams:manage"),
        ("get /v1/streams/destinations", "streams:manage"),
        ("get /v1/streams/{id}", "streams:manage"),
        ("patch /v1/streams/{id}", "streams:manage"),
        ("delete /v1/streams/{id}", "streams:manage"),
        ("get /v1/streams/{id}/attempts", "streams:manage"),
        ("get /v1/streams/{id}/dead-letters", "streams:manage"),
        ("post /v1/streams/{id}/dead-letters/discard", "streams:manage"),
        ("post /v1/streams/{id}/dead-letters/replay", "streams:manage"),
        ("post /v1/streams/{id}/enable", "streams:manage"),
        ("post /v1/streams/{id}/pause", "streams:manage"),
        ("post /v1/streams/{id}/replay", "streams:manage"),
        ("post /v1/streams/{id}/resume", "streams:manage"),
        ("post /v1/streams/{id}/rotate-secret", "streams:manage"),
        ("post /v1/streams/{id}/test", "streams:manage"),
        ("get /healthz", "-"),
        ("get /readyz", "-"),
        ("get /metrics", "-"),
        ("get /openapi.json", "-"),
    ])
}

/// A body that passes as far as the rights are checked.
fn body(route: &str) -> Option<Value> {
    Some(match route {
        "post /v1/events" => json!(events("acme", 1)),
        "post /v1/exports" => json!({}),
        "post /v1/keys" => json!({"name": "k", "scopes": ["proof:read"]}),
        "post /v1/portal-sessions" => json!({"actor": {"type": "user", "id": "u"}}),
        "post /v1/saved-views" | "put /v1/saved-views/{id}" => json!({"name": "v", "view": {}}),
        "post /v1/tenants" => json!({"id": "acme"}),
        "patch /v1/tenants/{id}" => json!({"retention_days": 400}),
        "post /v1/streams" => {
            json!({"name": "hook", "destination": {"type": "webhook", "url": "https://hooks.example.com/x"}})
        }
        "patch /v1/streams/{id}" => json!({"name": "hook"}),
        "post /v1/streams/{id}/dead-letters/discard" => json!({"seqs": [1]}),
        "post /v1/streams/{id}/enable" => json!({"without_test": true}),
        "post /v1/streams/{id}/replay" => json!({"from": "beginning"}),
        _ if route.starts_with("post /v1/streams/{id}/") => json!({}),
        _ => return None,
    })
}

/// The status, and whether the right was lacking.
async fn outcome(server: &Server, route: &str, key: &str, vendor: bool) -> (u16, bool) {
    let (method, path) = route.split_once(' ').expect("method and path");
    let mut path = path.replace("{id}", "none");
    let takes_tenant = !["/v1/me", "/v1/tenants", "/v1/keys/", "/v1/portal-sessions/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
        && route != "post /v1/keys";
    if path == "/v1/events/facets" {
        path.push_str("?fields=action");
    }
    if vendor && takes_tenant {
        path.push_str(if path.contains('?') { "&tenant=acme" } else { "?tenant=acme" });
    }
    let mut request =
        server.request(Method::from_bytes(method.to_uppercase().as_bytes()).expect("method"), &path, key);
    if let Some(body) = body(route) {
        request = request.json(&body);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    // An endless answer is not read; one that was refused is a problem with a code.
    let forbidden = status == 403 && response.text().await.expect("a body").contains("\"forbidden\"");
    (status, forbidden)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_needs_its_scope() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 1)).await;
    let mut keys = Vec::new();
    for scope in TENANT_SCOPES {
        keys.push((scope, false, server.key(Some("acme"), &[scope]).await));
    }
    for scope in VENDOR_SCOPES {
        keys.push((scope, true, server.key(None, &[scope]).await));
    }
    let needed = needed();
    let document: Value = serde_json::from_str(&recount_server::openapi_json()).expect("JSON");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            let route = format!("{method} {path}");
            let Some(needed) = needed.get(route.as_str()) else {
                panic!("{route} is missing from the scopes matrix")
            };
            if *needed == "-" {
                continue;
            }
            for (scope, vendor, key) in &keys {
                let (status, forbidden) = outcome(&server, &route, key, *vendor).await;
                let vendors_tenant = route == "get /v1/tenants/{id}" && *vendor;
                let allowed = if vendors_tenant {
                    matches!(*scope, "tenants:manage" | "operator")
                } else {
                    needed.is_empty() || *scope == *needed || *scope == "operator"
                };
                assert_eq!(!forbidden, allowed, "{route} with {scope}: {status}");
                assert_ne!(status, 401, "{route} with {scope}");
                assert!(status < 500, "{route} with {scope}: {status}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendors_ingest_key_reads_nothing_of_any_tenant() {
    let server = Server::start().await;
    let key = server.key(None, &["events:write"]).await;
    server.append(&key, &events("acme", 1)).await;
    for (route, scope) in needed() {
        if !matches!(scope, "-" | "" | "events:write") {
            assert_eq!(outcome(&server, route, &key, true).await, (403, true), "{route}");
        }
    }
    assert_eq!(server.get("/v1/me", &key).await.expect(200)["kind"], "ingest");
}
