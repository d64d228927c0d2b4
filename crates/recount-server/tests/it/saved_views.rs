//! Saved views: private to a person, or shared in the tenant.

use serde_json::json;

use crate::harness::{OPERATOR, Server, events};

async fn session(server: &Server, tenant: &str, person: &str) -> String {
    let body = json!({"tenant": tenant, "actor": {"type": "user", "id": person}, "scopes": ["events:read"]});
    server.post("/v1/portal-sessions", OPERATOR, &body).await.expect(201)["token"]
        .as_str()
        .expect("token")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_belongs_to_its_person_over_all_sessions() {
    let server = Server::start().await;
    server.append(OPERATOR, &events("acme", 1)).await;
    let ada = session(&server, "acme", "ada").await;
    let bob = session(&server, "acme", "bob").await;
    let view = json!({"name": "Failed logins", "view": {"filter": "outcome:failure", "columns": ["actor"]}, "default": true});
    let made = server.post("/v1/saved-views", &ada, &view).await.expect(201);
    let path = format!("/v1/saved-views/{}", made["id"].as_str().expect("id"));
    assert_eq!(
        (made["owned"].as_bool(), made["default"].as_bool(), made["shared"].as_bool()),
        (Some(true), Some(true), Some(false))
    );
    let later = session(&server, "acme", "ada").await;
    assert_eq!(server.get(&path, &later).await.expect(200)["view"], view["view"]);
    assert_eq!(server.get(&path, &bob).await.problem(404), "not_found");
    assert_eq!(server.get("/v1/saved-views", &bob).await.expect(200)["data"], json!([]));

    let shared = json!({"name": "Failed logins", "view": {"filter": "outcome:denied"}, "shared": true, "default": true});
    server.put(&path, &ada, &shared).await.expect(200);
    let seen = server.get(&path, &bob).await.expect(200);
    assert_eq!((seen["owned"].as_bool(), seen["default"].as_bool()), (Some(false), Some(false)));
    assert_eq!(server.put(&path, &bob, &shared).await.problem(409), "not_ready");
    assert_eq!(server.delete(&path, &bob).await.problem(409), "not_ready");
    let other = server
        .post("/v1/saved-views", &ada, &json!({"name": "b", "view": {}, "default": true}))
        .await
        .expect(201);
    assert_eq!(server.get(&path, &ada).await.expect(200)["default"], false, "one default a person");
    assert_eq!(other["default"], true);
    assert_eq!(server.delete(&path, &ada).await.status, 204);
    assert_eq!(server.get(&path, &bob).await.problem(404), "not_found");
    let large = json!({"name": "b", "view": {"x": "y".repeat(17_000)}});
    assert_eq!(server.post("/v1/saved-views", &ada, &large).await.problem(400), "invalid_body");
}
