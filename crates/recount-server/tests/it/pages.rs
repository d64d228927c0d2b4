//! The hosted portal's page and assets, and the probes.

use reqwest::Method;

use crate::harness::{Server, send};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portal_is_served_under_a_strict_policy() {
    let server = Server::start().await;
    for path in ["/portal", "/portal/exports"] {
        let answer = send(server.client.get(format!("{}{path}", server.base))).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers["content-type"].to_str().expect("text").starts_with("text/html"));
        let policy = answer.headers["content-security-policy"].to_str().expect("text");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    }
    let config = recount_server::ServerConfig {
        frame_ancestors: vec!["https://app.example.com".to_owned()],
        ..Default::default()
    };
    let server = Server::start_with(config).await;
    let answer = send(server.client.get(format!("{}/portal", server.base))).await;
    assert!(
        answer.headers["content-security-policy"]
            .to_str()
            .expect("text")
            .contains("frame-ancestors https://app.example.com")
    );
    assert!(!answer.headers.contains_key("x-frame-options"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_brand_is_in_the_page_and_cannot_leave_its_attribute() {
    let portal = recount_server::PortalBrand {
        name: Some("\"><script>alert(1)</script>&".to_owned()),
        accent: Some("#ffe600".to_owned()),
        login_url: Some("https://app.example.com/audit".to_owned()),
    };
    let server = Server::start_with(recount_server::ServerConfig { portal, ..Default::default() }).await;
    let answer = send(server.client.get(format!("{}/portal", server.base))).await;
    let (_, rest) = answer.text.split_once("<meta name=\"recount-portal\" content=\"").expect("the brand");
    let (content, _) = rest.split_once('"').expect("an end");
    let json =
        content.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let brand: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(brand["name"], "\"><script>alert(1)</script>&");
    assert_eq!(brand["login_url"], "https://app.example.com/audit");
    assert!(!answer.text.contains("<script>alert"), "{}", answer.text);
    let again =
        server.client.get(format!("{}/portal", server.base)).header("if-none-match", &answer.headers["etag"]);
    assert_eq!(send(again).await.status, 304);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assets_are_revalidated_compressed_and_open_to_every_page() {
    let server = Server::start().await;
    let path = recount_ui::paths().find(|path| path.ends_with(".js")).expect("a script");
    let url = format!("{}/assets/{path}", server.base);
    let answer = send(
        server.client.get(&url).header("accept-encoding", "gzip, br").header("origin", "https://any.example"),
    )
    .await;
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.headers["cache-control"], "no-cache");
    let etag = answer.headers["etag"].to_str().expect("text").to_owned();
    let answer = send(server.client.get(&url).header("if-none-match", &etag)).await;
    assert_eq!((answer.status.as_u16(), answer.text.len()), (304, 0));
    let answer = send(server.client.get(format!("{url}?v=1"))).await;
    assert!(answer.headers["cache-control"].to_str().expect("text").contains("immutable"));
    assert_eq!(
        send(server.client.get(format!("{}/assets/none.js", server.base))).await.problem(404),
        "not_found"
    );
    assert_eq!(
        send(server.client.get(format!("{}/assets/..%2fCargo.toml", server.base))).await.problem(404),
        "not_found"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_need_no_credential() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer =
            send(server.client.request(Method::GET, format!("{}{path}", server.base))).await.expect(200);
        assert_eq!(answer["status"], "ok");
    }
    assert_eq!(send(server.client.get(format!("{}/metrics", server.base))).await.status, 200);
    server.store.shutdown().await;
    let answer = send(server.client.get(format!("{}/readyz", server.base))).await;
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(answer.problem(503), "unavailable");
}
