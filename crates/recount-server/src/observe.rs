//! What every request goes through: an id, the access log, measurements, the last net for errors.
//!
//! Logged are method, route pattern, status, time and the credential's public id. Never logged are
//! paths as sent, queries, headers and bodies: they hold what tenants search for and what keys are.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use recount_store::access::Credential;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::problem::{PROBLEM_JSON, Problem, ProblemCode};
use crate::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from the client, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;
/// Seconds, from a lookup in memory to a long-poll.
const LATENCY_BUCKETS: [f64; 14] =
    [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 5.0, 60.0];
/// Events or tenants of a commit, from one to the largest round.
const COUNT_BUCKETS: [f64; 9] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0];
/// Metrics that count things; all other histograms are seconds.
const COUNTS: [&str; 3] = ["recount_commit_events", "recount_commit_tenants", "recount_segments_per_tenant"];
/// How often what histograms were told is summed up. Until then each value takes its own memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// What a browser page may send to the API.
const CORS_REQUEST_HEADERS: &str =
    "authorization, content-type, content-encoding, last-event-id, x-request-id";
/// What a browser page may read of an answer.
const CORS_ANSWER_HEADERS: &str = "x-request-id, retry-after, content-disposition, location";

/// Installs the process's metrics recorder; once a process.
///
/// # Errors
/// If another recorder is installed already.
pub fn install_metrics() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let mut builder = PrometheusBuilder::new().set_buckets(&LATENCY_BUCKETS)?;
    for name in COUNTS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &COUNT_BUCKETS)?;
    }
    builder.install_recorder()
}

/// Sums up what histograms were told, until `closing`: the recorder does so by itself only when
/// somebody reads `/metrics`, and perhaps nobody ever does.
pub(crate) async fn keep_metrics_small(metrics: PrometheusHandle, closing: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}

/// What the layers of one request tell each other.
#[derive(Clone, Default)]
pub(crate) struct RequestNotes(Arc<Notes>);

#[derive(Default)]
struct Notes {
    credential: OnceLock<String>,
    origin_allowed: AtomicBool,
}

impl RequestNotes {
    /// Names the credential in the access log.
    pub(crate) fn set_credential(&self, credential: &Credential) {
        let _ = self.0.credential.set(credential.reference());
    }

    /// Lets the page that sent the request read the answer.
    pub(crate) fn allow_origin(&self) {
        self.0.origin_allowed.store(true, Ordering::Relaxed);
    }
}

/// The outermost layer.
pub(crate) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let notes = RequestNotes::default();
    request.extensions_mut().insert(notes.clone());
    let id = request_id(&request, &state);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let preflight =
        method == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);

    let mut response = match &origin {
        Some(_) if preflight => StatusCode::NO_CONTENT.into_response(),
        _ => as_problem(next.run(request).await),
    };

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.clone());
    add_security_headers(headers);
    if let Some(origin) = origin {
        // A page whose session has just ended must be able to see that it has.
        let readable = preflight
            || notes.0.origin_allowed.load(Ordering::Relaxed)
            || response.status() == StatusCode::UNAUTHORIZED;
        add_cors_headers(response.headers_mut(), origin, readable, preflight);
    }

    let status = response.status().as_u16();
    let seconds = start.elapsed().as_secs_f64();
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    metrics::counter!("recount_http_requests_total", "method" => method_label(&method), "route" => route.to_owned(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("recount_http_request_seconds", "route" => route.to_owned()).record(seconds);
    tracing::info!(
        http.method = %method,
        http.route = route,
        http.status = status,
        http.seconds = seconds,
        credential = notes.0.credential.get().map_or("-", String::as_str),
        request_id = id.to_str().unwrap_or("-"),
        "request"
    );
    response
}

/// The client's id if it is one that is safe to log, else a new one.
fn request_id(request: &Request, state: &AppState) -> HeaderValue {
    let sent = request.headers().get(REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        !bytes.is_empty()
            && bytes.len() <= REQUEST_ID_BYTES_MAX
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
    });
    sent.cloned().unwrap_or_else(|| {
        HeaderValue::try_from(state.store().env().uuid_v7().to_string()).expect("a UUID is ASCII")
    })
}

/// Labels are bounded: a client can invent methods.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Turns every error that is not a problem document yet into one.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == PROBLEM_JSON);
    if !(status.is_client_error() || status.is_server_error())
        || is_problem
        || response.extensions().get::<OwnBody>().is_some()
    {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => (ProblemCode::NotFound, "there is no such route; see /openapi.json"),
        StatusCode::METHOD_NOT_ALLOWED => {
            (ProblemCode::MethodNotAllowed, "this route does not take this method; see Allow")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (ProblemCode::BodyTooLarge, "the body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (ProblemCode::UnsupportedMediaType, "the body's type is not supported")
        }
        StatusCode::REQUEST_TIMEOUT => (ProblemCode::RequestTimeout, "the request took too long"),
        status if status.is_client_error() => (ProblemCode::BadRequest, "the request is malformed"),
        _ => return with_headers_of(&response, Problem::internal().into_response()),
    };
    with_headers_of(&response, Problem::new(code, detail).into_response())
}

fn with_headers_of(old: &Response, mut new: Response) -> Response {
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = old.headers().get(&name) {
            new.headers_mut().insert(name, value.clone());
        }
    }
    new
}

/// Marks an answer whose status is an error's, but whose body says more than a problem would.
#[derive(Clone, Copy)]
pub(crate) struct OwnBody;

fn add_security_headers(headers: &mut http::HeaderMap) {
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

fn add_cors_headers(headers: &mut http::HeaderMap, origin: HeaderValue, readable: bool, preflight: bool) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if !readable {
        return;
    }
    headers.entry(header::ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(CORS_ANSWER_HEADERS));
    if preflight {
        // Harmless for any origin: there are no cookies, and the request itself needs a token that
        // is checked against its own origins.
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
        );
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(CORS_REQUEST_HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

/// The answer to a handler that panicked; the panic itself is in the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(crate) fn panicked(cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text =
        cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("(no text)"), "a handler panicked");
    Problem::internal().into_response()
}
