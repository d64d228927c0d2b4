//! A small vendor application that shows each customer its audit log.
//!
//! `RECOUNT_SERVER=http://127.0.0.1:8787 RECOUNT_KEY=rk_op_… cargo run -p recount-example-host`
//!
//! The key needs `sessions:create`. It stays on this server: browsers get short-lived tokens.

use std::collections::HashMap;
use std::env;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// How long a token that a browser gets is good for; the element asks for the next one.
const TOKEN_SECONDS: u32 = 900;

struct App {
    recount: String,
    key: String,
    origin: String,
    client: reqwest::Client,
}

/// Whoever is signed in. A real application reads its own session here.
struct SignedIn {
    tenant: String,
    id: &'static str,
    name: &'static str,
}

fn signed_in() -> SignedIn {
    SignedIn {
        tenant: env::var("TENANT").unwrap_or_else(|_| "northwind".into()),
        id: "u_1",
        name: "Ada Lovelace",
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse()).context("PORT is not a port")?;
    let app = Arc::new(App {
        recount: env::var("RECOUNT_SERVER").unwrap_or_else(|_| "http://127.0.0.1:8787".into()),
        key: env::var("RECOUNT_KEY")
            .context("RECOUNT_KEY is missing: a key with the scope sessions:create")?,
        origin: env::var("ORIGIN").unwrap_or_else(|_| format!("http://localhost:{port}")),
        client: reqwest::Client::new(),
    });
    eprintln!("{} shows the audit log of {}", app.origin, signed_in().tenant);
    let router = Router::new()
        .route("/", get(page))
        .route(
            "/app.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css")], include_str!("../../host-page/app.css")) }),
        )
        .route(
            "/app.js",
            get(|| async {
                ([(header::CONTENT_TYPE, "text/javascript")], include_str!("../../host-page/app.js"))
            }),
        )
        .route("/recount-session", post(token))
        .route("/portal", get(portal))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind(("localhost", port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

/// The page with the log in it, under a policy that allows nothing inline.
async fn page(State(app): State<Arc<App>>) -> impl IntoResponse {
    let App { recount, .. } = &*app;
    let policy = format!(
        "default-src 'none'; script-src 'self' {recount}; style-src 'self'; connect-src 'self' {recount}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
    );
    let SignedIn { tenant, name, .. } = signed_in();
    let html = include_str!("../../host-page/index.html")
        .replace("{recount}", recount)
        .replace("{user}", name)
        .replace("{tenant}", &tenant);
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        html,
    )
}

/// A token for the embedded element.
async fn token(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<impl IntoResponse, Failure> {
    // Only this page's own scripts may ask; browsers set the header, pages can't.
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    let session = app.session(None).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({ "token": session["token"] }))).into_response())
}

/// The hosted portal, through a link that works once. As the portal's `login_url`, this is sent the page
/// that was wanted.
async fn portal(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<impl IntoResponse, Failure> {
    let session = app.session(query.get("return_to").map(String::as_str)).await?;
    let url = session["url"].as_str().context("the session has no url")?;
    Ok(([(header::REFERRER_POLICY, "no-referrer")], Redirect::to(url)))
}

impl App {
    /// Asks Recount for a session of the signed-in person: a one-time link, to `path` if given, and a token.
    async fn session(&self, path: Option<&str>) -> anyhow::Result<Value> {
        let SignedIn { tenant, id, name } = signed_in();
        let response = self
            .client
            .post(format!("{}/v1/portal-sessions", self.recount))
            .bearer_auth(&self.key)
            .json(&json!({
                "tenant": tenant, "actor": { "type": "user", "id": id, "name": name },
                "scopes": ["events:read", "exports:write"], "ttl_seconds": TOKEN_SECONDS, "origins": [self.origin],
                "return_url": self.origin, "path": path,
            }))
            .send()
            .await
            .context("recount can't be reached")?;
        let status = response.status();
        let body = response.text().await?;
        ensure!(status.is_success(), "recount answered {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }
}

/// A failure as the browser sees it; the cause goes to the console.
struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("{:#}", self.0);
        StatusCode::BAD_GATEWAY.into_response()
    }
}
