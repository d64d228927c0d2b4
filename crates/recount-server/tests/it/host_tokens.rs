//! The vendor's own JWTs: everything pinned, nothing believed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PublicKeyData as _};
use recount_deliver::egress::StaticResolver;
use recount_server::{HostTokenAlgorithm, HostTokenKeys, HostTokens, ServerConfig};
use recount_store::access::ScopeSet;
use serde_json::{Value, json};

use crate::harness::{OPERATOR, Server, events};

fn tokens(keys: HostTokenKeys) -> HostTokens {
    HostTokens {
        issuer: "https://vendor.example".to_owned(),
        audience: "recount".to_owned(),
        algorithm: HostTokenAlgorithm::Es256,
        keys,
        tenant_claim: "org".to_owned(),
        scopes: ScopeSet::parse("events:read exports:write").expect("scopes"),
        origins: vec!["https://app.example.com".to_owned()],
    }
}

fn now() -> i64 {
    recount_store::Env::system().now().as_micros() / 1_000_000
}

fn claims() -> Value {
    json!({"iss": "https://vendor.example", "aud": "recount", "sub": "u_1", "name": "Ada", "org": "acme", "iat": now(), "exp": now() + 300})
}

fn sign(key: &KeyPair, claims: &Value, id: Option<&str>) -> String {
    let header = Header { kid: id.map(ToOwned::to_owned), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).expect("a key"))
        .expect("a token")
}

async fn server(keys: HostTokenKeys) -> Server {
    let server =
        Server::start_with(ServerConfig { host_tokens: Some(tokens(keys)), ..Default::default() }).await;
    server.append(OPERATOR, &events("acme", 3)).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_the_vendor_opens_its_tenants_log() {
    let key = KeyPair::generate().expect("a key");
    let server = server(HostTokenKeys::Pem(key.public_key_pem())).await;
    let token = sign(&key, &claims(), None);
    let me = server.get("/v1/me", &token).await.expect(200);
    assert_eq!((me["kind"].as_str(), me["tenant"].as_str()), (Some("jwt"), Some("acme")));
    assert_eq!(me["actor"], json!({"type": "user", "id": "u_1", "name": "Ada"}));
    server.get("/v1/events", &token).await.expect(200);
    assert_eq!(server.get("/v1/events?tenant=other", &token).await.problem(404), "not_found");
    assert_eq!(server.get("/v1/keys", &token).await.problem(403), "forbidden");
    let opened =
        server.get("/v1/events?filter=action:recount.portal_session.opened", &token).await.expect(200);
    assert_eq!(opened["data"][0]["actor"]["id"], "u_1");
    // The claim narrows, and never widens.
    let mut narrow = claims();
    narrow["scope"] = "events:read operator keys:manage".into();
    assert_eq!(
        server.get("/v1/me", &sign(&key, &narrow, None)).await.expect(200)["scopes"],
        json!(["events:read"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_not_wholly_right_is_refused() {
    let key = KeyPair::generate().expect("a key");
    let server = server(HostTokenKeys::Pem(key.public_key_pem())).await;
    let with = |member: &str, value: Value| {
        let mut claims = claims();
        claims[member] = value;
        sign(&key, &claims, None)
    };
    let mut without_end = claims();
    without_end.as_object_mut().expect("object").remove("exp");
    let good = sign(&key, &claims(), None);
    let parts: Vec<&str> = good.split('.').collect();
    let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#), parts[1]);
    let hmac = {
        let secret = EncodingKey::from_secret(key.public_key_pem().as_bytes());
        encode(&Header::new(Algorithm::HS256), &claims(), &secret).expect("a token")
    };
    let other_tenant = format!(
        "{}.{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims().to_string().replace("acme", "other")),
        parts[2]
    );
    for (what, token) in [
        ("another issuer", with("iss", json!("https://evil.example"))),
        ("another audience", with("aud", json!("other"))),
        ("expired", with("exp", json!(now() - 120))),
        ("not yet valid", with("nbf", json!(now() + 120))),
        ("too long a life", with("exp", json!(now() + 86_400))),
        ("a long life behind an issue in the future", {
            let mut later = claims();
            later["iat"] = json!(now() + 86_400);
            later["exp"] = json!(now() + 86_400 + 300);
            sign(&key, &later, None)
        }),
        ("no tenant", with("org", json!(null))),
        ("an impossible tenant", with("org", json!("../x"))),
        ("an empty subject", with("sub", json!(""))),
        ("no end", sign(&key, &without_end, None)),
        ("another key", sign(&KeyPair::generate().expect("a key"), &claims(), None)),
        ("no signature", none),
        ("the public key as a shared secret", hmac),
        ("another tenant under the same signature", other_tenant),
    ] {
        assert_eq!(server.get("/v1/me", &token).await.problem(401), "unauthenticated", "{what}");
    }
    server.get("/v1/me", &good).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_fetched_from_the_issuer_and_chosen_by_id() {
    let key = KeyPair::generate().expect("a key");
    let point = key.der_bytes();
    let jwks = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
    }]});
    let issuer = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jwks", issuer.local_addr().expect("address"));
    let routes =
        axum::Router::new().route("/jwks", axum::routing::get(move || async move { axum::Json(jwks) }));
    let issuing = tokio::spawn(async move { axum::serve(issuer, routes).await });

    let refused =
        ServerConfig { host_tokens: Some(tokens(HostTokenKeys::JwksUrl(url.clone()))), ..Default::default() };
    let dir = tempfile::tempdir().expect("temporary folder");
    let store = recount_store::Store::open(
        recount_store::StoreConfig::embedded(dir.path()),
        recount_store::Env::system(),
    )
    .await
    .expect("store");
    assert!(
        recount_server::AppState::new(store.clone(), refused.clone(), None).await.is_err(),
        "plain HTTP to a private address is not open"
    );
    store.shutdown().await;

    let mut config = refused;
    config.delivery.egress.allow = vec!["127.0.0.0/8".parse().expect("a range")];
    let server = Server::start_with(config).await;
    server.append(OPERATOR, &events("acme", 1)).await;
    let me = server.get("/v1/me", &sign(&key, &claims(), Some("k1"))).await.expect(200);
    assert_eq!(me["tenant"], "acme");
    server.get("/v1/me", &sign(&key, &claims(), None)).await.expect(200);
    assert_eq!(
        server.get("/v1/me", &sign(&key, &claims(), Some("k2"))).await.problem(401),
        "unauthenticated"
    );
    // The issuer's outage locks nobody out.
    issuing.abort();
    tokio::time::timeout(Duration::from_secs(5), issuing).await.expect("ends").expect_err("aborted");
    server.get("/v1/me", &sign(&key, &claims(), Some("k1"))).await.expect(200);
}

/// A listener that counts who comes, at a port of 127.0.0.1 that is free at 127.0.0.2 too.
async fn inside() -> (tokio::net::TcpListener, u16, Arc<AtomicUsize>) {
    let outside = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = outside.local_addr().expect("address").port();
    let inside = tokio::net::TcpListener::bind(("127.0.0.2", port)).await.expect("the same port beside it");
    let reached = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&reached);
    tokio::spawn(async move {
        while inside.accept().await.is_ok() {
            counting.fetch_add(1, Ordering::SeqCst);
        }
    });
    (outside, port, reached)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_not_fetched_from_the_inside_by_name_or_by_redirect() {
    let key = KeyPair::generate().expect("a key");
    let (issuer, port, reached) = inside().await;
    let elsewhere = format!("http://127.0.0.2:{port}/jwks");
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    let redirect = move || {
        counting.fetch_add(1, Ordering::SeqCst);
        async move { axum::response::Redirect::temporary(&elsewhere) }
    };
    let routes = axum::Router::new().route("/jwks", axum::routing::get(redirect));
    tokio::spawn(async move { axum::serve(issuer, routes).await });

    for host in ["issuer.example", "127.0.0.1"] {
        let url = HostTokenKeys::JwksUrl(format!("http://{host}:{port}/jwks"));
        let mut config = ServerConfig { host_tokens: Some(tokens(url)), ..Default::default() };
        // Public space is stood in for by one opened address, so that the test stays on this machine.
        config.delivery.egress.allow = vec!["127.0.0.1/32".parse().expect("a range")];
        let resolver =
            StaticResolver::default().with("issuer.example", &[&["127.0.0.2".parse().expect("an address")]]);
        config.delivery.egress.resolver = Some(Arc::new(resolver));
        let server = Server::start_with(config).await;
        let token = sign(&key, &claims(), Some("k1"));
        assert_eq!(server.get("/v1/me", &token).await.problem(401), "unauthenticated", "{host}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the opened address was asked");
    assert_eq!(reached.load(Ordering::SeqCst), 0, "the inside was reached");
}
