//! Speaks to a server: where it is, with which key, what to do when it is busy, and its errors
//! in words for people.

mod problem;
mod retry;
mod sse;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::exit::{Exit, Failed};

pub use problem::Problem;
pub use retry::Retry;
pub use sse::{Message, Messages};

/// Where a server is expected if nobody says.
pub const SERVER_DEFAULT: &str = "http://127.0.0.1:8787";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which nothing came for so long is probed, so that one that is dead is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a request that is not a stream may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Options of every command that talks to a server.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct Connection {
    /// The server's URL
    #[arg(long, env = "RECOUNT_SERVER", default_value = SERVER_DEFAULT, value_name = "URL", global = true)]
    pub server: String,
    /// An API key; better given in the environment than on the command line
    #[arg(long, env = "RECOUNT_KEY", hide_env_values = true, value_name = "KEY", global = true)]
    pub key: Option<String>,
    /// The tenant, for keys that are not bound to one
    #[arg(long, env = "RECOUNT_TENANT", value_name = "TENANT", global = true)]
    pub tenant: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Where the next one begins, if there is one.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// A connection to one server with one key.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
    tenant: Option<String>,
}

impl Client {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn new(connection: &Connection) -> Result<Self, Failed> {
        let wrong = || {
            Failed::new(Exit::Usage, format!("--server {:?} is not a URL", connection.server))
                .hint(format!("it looks like {SERVER_DEFAULT}"))
        };
        let url = url::Url::parse(&connection.server).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("recount/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(KEEPALIVE)
            .build()
            .map_err(|error| Failed::new(Exit::Failure, format!("cannot make an HTTP client: {error}")))?;
        Ok(Self {
            http,
            base: connection.server.trim_end_matches('/').to_owned(),
            key: connection.key.clone().filter(|key| !key.is_empty()),
            tenant: connection.tenant.clone().filter(|tenant| !tenant.is_empty()),
        })
    }

    /// The server's URL.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The tenant that the user named.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The same without a tenant: for what is about all of them.
    #[must_use]
    pub fn without_tenant(&self) -> Self {
        Self { tenant: None, ..self.clone() }
    }

    /// A request with the key, and with the tenant as a query parameter if one was named.
    pub fn request(&self, method: Method, path: &str, query: &[(&str, String)]) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).query(query);
        if let Some(tenant) = &self.tenant {
            request = request.query(&[("tenant", tenant)]);
        }
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request and gives the answer if it is a success.
    ///
    /// # Errors
    /// The server's problem, or why it cannot be reached.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Failed> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        self.check(response).await
    }

    /// Sends a request that can be repeated, waiting and trying again while the server is busy.
    ///
    /// # Errors
    /// As [`send`](Self::send), after the last try.
    pub async fn send_patiently(
        &self,
        mut retry: Retry,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, Failed> {
        loop {
            let (failed, wait) = match request().send().await {
                Ok(response) if Retry::is_passing(response.status()) => {
                    let wait = Retry::wanted(&response);
                    match self.check(response).await {
                        Ok(response) => return Ok(response),
                        Err(failed) => (failed, wait),
                    }
                }
                Ok(response) => return self.check(response).await,
                Err(error) if error.is_builder() => return Err(self.unreachable(&error)),
                Err(error) => (self.unreachable(&error), None),
            };
            if !retry.pause(wait).await {
                return Err(failed);
            }
        }
    }

    /// The status and body of the answer, whatever it says, once it is not "busy" any more.
    ///
    /// # Errors
    /// If the server cannot be reached or stayed busy.
    pub async fn answer_patiently(
        &self,
        mut retry: Retry,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<(u16, String), Failed> {
        loop {
            let (failed, wait) = match request().timeout(REQUEST_TIMEOUT).send().await {
                Ok(response) => {
                    let (status, wait) = (response.status(), Retry::wanted(&response));
                    match response.text().await {
                        Ok(text) if !Retry::is_passing(status) => return Ok((status.as_u16(), text)),
                        Ok(text) => (Problem::read(status.as_u16(), &text).failed(), wait),
                        Err(error) => (self.unreachable(&error), None),
                    }
                }
                Err(error) => (self.unreachable(&error), None),
            };
            if !retry.pause(wait).await {
                return Err(failed);
            }
        }
    }

    /// `GET`, as JSON: a `RawValue` where it is to be printed as the server wrote it.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Failed> {
        let request = || self.request(Method::GET, path, query).timeout(REQUEST_TIMEOUT);
        self.json(self.send_patiently(Retry::short(), request).await?).await
    }

    /// `POST` with a JSON body, the answer as JSON (`null` if there is none).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Failed> {
        let request = self.request(Method::POST, path, &[]).timeout(REQUEST_TIMEOUT).json(body);
        self.json(self.send(request).await?).await
    }

    /// `PATCH` with a JSON body, the answer as JSON.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        let request = self.request(Method::PATCH, path, &[]).timeout(REQUEST_TIMEOUT).json(body);
        self.json(self.send(request).await?).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn delete(&self, path: &str) -> Result<(), Failed> {
        self.send(self.request(Method::DELETE, path, &[]).timeout(REQUEST_TIMEOUT)).await.map(drop)
    }

    /// All items of a paged list.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn all_pages<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<T>, Failed> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self.get(path, &query).await?;
            items.extend(page.data);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(items),
            }
        }
    }

    async fn json<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failed> {
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).map_err(|error| {
            Failed::new(
                Exit::Failure,
                format!("{} did not answer as a Recount server does: {error}", self.base),
            )
        })
    }

    async fn check(&self, response: Response) -> Result<Response, Failed> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.text().await.unwrap_or_default();
        let problem = Problem::read(status.as_u16(), &body);
        let mut failed = problem.failed();
        if status == StatusCode::UNAUTHORIZED && self.key.is_none() {
            failed = failed.hint("give a key with RECOUNT_KEY or --key");
        }
        Err(failed)
    }

    /// Why the server cannot be reached, without the noise of nested errors.
    pub(crate) fn unreachable(&self, error: &reqwest::Error) -> Failed {
        let mut deepest: &dyn std::error::Error = error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let failed = Failed::new(Exit::Unreachable, format!("cannot reach {}: {deepest}", self.base));
        if error.is_connect() {
            failed.hint("is `recount serve` running there? --server or RECOUNT_SERVER names another server")
        } else {
            failed
        }
    }
}
