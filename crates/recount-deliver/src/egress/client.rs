//! HTTP to where a tenant pointed.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::HOST};
use reqwest::dns::{Addrs, Name, Resolve as ReqwestResolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

use super::{
    ADDRESSES_TRIED_MAX, AddressPolicy, CONNECT_TIMEOUT, EgressConfig, HTTPS_PORTS, SystemResolver,
    TcpDialer, policy::Zone, resolve::BoundedResolver,
};

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// How many idle connections are kept per host.
const IDLE_PER_HOST_MAX: usize = 8;

/// What is sent as `User-Agent`.
const USER_AGENT: &str = concat!("recount/", env!("CARGO_PKG_VERSION"));

/// Why there was no answer.
#[derive(Debug, Error)]
pub enum EgressError {
    /// The URL can't be used at all; it must be changed.
    #[error("{reason}")]
    BadUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// The address is one that may not be reached; the destination must be changed, or the
    /// deployment must open the range.
    #[error("refused to connect: {reason}")]
    Refused {
        /// Which rule refused it.
        reason: String,
    },
    /// The name was not resolved.
    #[error("resolving {host}: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What the name service said.
        reason: String,
    },
    /// Connecting, TLS or sending failed.
    #[error("{reason}")]
    Connect {
        /// The chain of causes.
        reason: String,
    },
    /// It took too long.
    #[error("timed out while {what}")]
    Timeout {
        /// The step that took too long.
        what: &'static str,
    },
    /// The answer was longer than allowed.
    #[error("the answer is longer than {bytes_max} bytes")]
    AnswerTooLong {
        /// The bound.
        bytes_max: usize,
    },
}

impl EgressError {
    pub(crate) fn connect(error: &io::Error) -> Self {
        Self::Connect { reason: format!("connecting: {error}") }
    }

    pub(crate) fn resolve(host: &str, error: &io::Error) -> Self {
        Self::Resolve { host: host.to_owned(), reason: error.to_string() }
    }

    /// Whether only a change of the configuration helps.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::BadUrl { .. } | Self::Refused { .. })
    }
}

/// One request. Made by destinations; the body is sent as it is.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers; `Host` and `User-Agent` are set by the client.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The longest answer that is read, in bytes; the rest makes it an error.
    pub answer_bytes_max: usize,
    /// Whether only ranges that the deployment opened will do: for what is the deployment's own.
    pub opened_only: bool,
}

impl HttpRequest {
    /// The longest answer unless a destination needs more, in bytes.
    pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

    /// A request with an empty set of headers.
    #[must_use]
    pub fn new(method: Method, url: Url, body: Bytes) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body,
            answer_bytes_max: Self::ANSWER_BYTES_MAX,
            opened_only: false,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most `answer_bytes_max`.
    pub body: Bytes,
}

/// A request's fate with its timing.
#[derive(Debug)]
pub struct Exchange {
    /// The answer, or why there was none.
    pub result: Result<Answer, EgressError>,
    /// From sending to the last byte of the answer.
    pub elapsed: Duration,
}

/// Sends HTTP requests to checked addresses only. Cheap to clone; connections are pooled.
#[derive(Clone)]
pub struct EgressClient {
    policy: AddressPolicy,
    ports: Arc<[u16]>,
    /// For `https` at the usual ports: public addresses and opened ranges.
    usual: reqwest::Client,
    /// For plain HTTP and other ports: opened ranges only.
    opened: reqwest::Client,
    resolver: BoundedResolver,
    extra_roots: Arc<[rustls::pki_types::CertificateDer<'static>]>,
    exchange_timeout: Duration,
}

impl EgressClient {
    /// Builds the client.
    ///
    /// # Errors
    /// `BadUrl` if one of the extra certificates can't be read.
    pub fn new(config: &EgressConfig) -> Result<Self, EgressError> {
        let policy = AddressPolicy::new(&config.allow);
        let resolver =
            BoundedResolver::new(config.resolver.clone().unwrap_or_else(|| Arc::new(SystemResolver)));
        let build = |reach| build(config, &policy, &resolver, reach);
        Ok(Self {
            usual: build(Zone::Public)?,
            opened: build(Zone::Opened)?,
            ports: config.ports.clone().into(),
            extra_roots: config.extra_roots.clone().into(),
            policy,
            resolver,
            exchange_timeout: config.exchange_timeout,
        })
    }

    /// Checked TCP under the same policy.
    #[must_use]
    pub fn dialer(&self) -> TcpDialer {
        TcpDialer::new(self.policy.clone(), self.resolver.clone(), self.ports.to_vec())
    }

    /// Certificate authorities that the deployment trusts beyond the public ones.
    #[must_use]
    pub fn extra_roots(&self) -> &[rustls::pki_types::CertificateDer<'static>] {
        &self.extra_roots
    }

    /// How long one exchange may take.
    #[must_use]
    pub fn exchange_timeout(&self) -> Duration {
        self.exchange_timeout
    }

    /// Checks a URL as far as that is possible without resolving its name.
    ///
    /// # Errors
    /// `BadUrl` or `Refused`, with what to change.
    pub fn check_url(&self, url: &Url) -> Result<(), EgressError> {
        self.client_for(url).map(|_| ())
    }

    /// Sends one request and reads the whole answer. Never follows a redirect: a 3xx is an answer.
    ///
    /// Takes at most [`exchange_timeout`](Self::exchange_timeout).
    pub async fn send(&self, request: HttpRequest) -> Exchange {
        let started = Instant::now();
        let result = match tokio::time::timeout(self.exchange_timeout, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(EgressError::Timeout { what: "waiting for the answer" }),
        };
        Exchange { result, elapsed: started.elapsed() }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Answer, EgressError> {
        let client = if request.opened_only {
            self.check_opened(&request.url)?;
            &self.opened
        } else {
            self.client_for(&request.url)?
        };
        let mut headers = request.headers;
        // The host is the one that was checked, whatever a template or a signer put there.
        headers.remove(HOST);
        headers.entry(http::header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let sent = client.request(request.method, request.url).headers(headers).body(request.body).send();
        let response = sent.await.map_err(|error| match from_reqwest(error) {
            EgressError::Refused { .. } if request.opened_only => not_opened(&host),
            error => error,
        })?;
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(from_reqwest)?;
            if body.len() + chunk.len() > request.answer_bytes_max {
                // What a failure says is of use even when it says too much.
                if !status.is_success() {
                    body.extend_from_slice(&chunk[..request.answer_bytes_max - body.len()]);
                    break;
                }
                return Err(EgressError::AnswerTooLong { bytes_max: request.answer_bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.into() })
    }

    /// Checks, as far as that is possible without resolving its name, that a URL leads to a range
    /// that the deployment opened. [`HttpRequest::opened_only`] checks what its name resolves to.
    ///
    /// # Errors
    /// `BadUrl` or `Refused`, with what to change.
    pub fn check_opened(&self, url: &Url) -> Result<(), EgressError> {
        self.client_for(url)?;
        match literal(url) {
            Some(address) if self.policy.zone(address) != Ok(Zone::Opened) => {
                Err(not_opened(&address.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, EgressError> {
        let bad = |reason: String| Err(EgressError::BadUrl { reason });
        if !matches!(url.scheme(), "http" | "https") {
            return bad(format!("the scheme {:?} is not https", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad("the url must not hold a user name or password".to_owned());
        }
        let Some(port) = url.port_or_known_default() else {
            return bad("the url has no port".to_owned());
        };
        let usual = url.scheme() == "https" && (HTTPS_PORTS.contains(&port) || self.ports.contains(&port));
        if matches!(url.host(), None | Some(Host::Domain(""))) {
            return bad("the url has no host".to_owned());
        }
        // A literal address never reaches the resolver, so it is checked here.
        if let Some(address) = literal(url) {
            let zone = self
                .policy
                .zone(address)
                .map_err(|refusal| EgressError::Refused { reason: refusal.to_string() })?;
            if zone == Zone::Public && !usual {
                return Err(not_usual(url, port));
            }
        }
        Ok(if usual { &self.usual } else { &self.opened })
    }
}

/// The address that a URL's host is, if it is no name.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

fn not_opened(host: &str) -> EgressError {
    EgressError::Refused { reason: format!("{host} is not in a range that this deployment opened") }
}

fn not_usual(url: &Url, port: u16) -> EgressError {
    EgressError::Refused {
        reason: if url.scheme() == "https" {
            format!("port {port} is not among those allowed at public addresses")
        } else {
            "public addresses are reached over https only".to_owned()
        },
    }
}

fn build(
    config: &EgressConfig,
    policy: &AddressPolicy,
    resolver: &BoundedResolver,
    reach: Zone,
) -> Result<reqwest::Client, EgressError> {
    let mut builder = reqwest::Client::builder()
        .dns_resolver(Arc::new(CheckedResolver { policy: policy.clone(), resolver: resolver.clone(), reach }))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(config.exchange_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .tcp_nodelay(true)
        .https_only(reach == Zone::Public);
    for root in &config.extra_roots {
        let certificate = reqwest::Certificate::from_der(root).map_err(|error| EgressError::BadUrl {
            reason: format!("an extra certificate authority: {error}"),
        })?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| EgressError::BadUrl { reason: format!("the http client: {error}") })
}

/// What the HTTP client connects through: the addresses that it gets are all checked.
struct CheckedResolver {
    policy: AddressPolicy,
    resolver: BoundedResolver,
    reach: Zone,
}

impl ReqwestResolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, resolver, reach) = (self.policy.clone(), self.resolver.clone(), self.reach);
        Box::pin(async move {
            let host = name.as_str();
            let found = resolver.resolve(host).await.map_err(|error| EgressError::resolve(host, &error))?;
            let mut refused = None;
            let mut allowed = Vec::new();
            for address in found.into_iter().take(ADDRESSES_TRIED_MAX) {
                match policy.zone(address) {
                    Ok(Zone::Public) if reach == Zone::Opened => {
                        refused = Some(
                            "public addresses are reached over https at the usual ports only".to_owned(),
                        );
                    }
                    // Port 0 takes the port of the URL.
                    Ok(_) => allowed.push(SocketAddr::new(address.to_canonical(), 0)),
                    Err(refusal) => refused = Some(format!("{host}: {refusal}")),
                }
            }
            match refused {
                Some(reason) if allowed.is_empty() => {
                    Err(Box::new(EgressError::Refused { reason }) as Box<_>)
                }
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Finds our own refusal in the client's chain of causes, else keeps the chain as text.
fn from_reqwest(error: reqwest::Error) -> EgressError {
    let error = error.without_url();
    if error.is_timeout() {
        return EgressError::Timeout {
            what: if error.is_connect() { "connecting" } else { "waiting for the answer" },
        };
    }
    let mut texts: Vec<String> = Vec::new();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        match current.downcast_ref::<EgressError>() {
            Some(EgressError::Refused { reason }) => {
                return EgressError::Refused { reason: reason.clone() };
            }
            Some(EgressError::Resolve { host, reason }) => {
                return EgressError::Resolve { host: host.clone(), reason: reason.clone() };
            }
            _ => {}
        }
        let text = current.to_string();
        if !texts.iter().any(|seen| seen.contains(&text)) {
            texts.push(text);
        }
        cause = current.source();
    }
    EgressError::Connect { reason: texts.join(": ") }
}
