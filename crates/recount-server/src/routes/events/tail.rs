//! `GET /v1/events/tail`: new events as they come, as server-sent events.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, header};
use recount_event::{Filter, LineMatcher};
use recount_store::access::Scope;
use recount_store::{FeedPage, ReadError, TenantLog};
use serde::Deserialize;

use crate::config::HEARTBEAT;
use crate::extract::{Authenticated, Params};
use crate::openapi::ServerSentEvent;
use crate::problem::Problem;
use crate::state::AppState;

/// Events read at once.
const CHUNK_EVENTS: usize = 256;
/// Rest after a read that failed for now.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Failed reads in a row before the client is let go; it resumes by itself.
const FAILURES_MAX: u32 = 10;
/// How long a client should wait before it connects again, in milliseconds.
const RECONNECT_MS: u32 = 2_000;

/// Query parameters of `GET /v1/events/tail`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TailParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// Which events, in the filter language.
    #[param(schema_with = crate::openapi::filter_schema)]
    filter: Option<String>,
    /// The first `seq` to send; from now on if absent. `Last-Event-ID` goes before it.
    #[param(minimum = 0, maximum = 9223372036854775807_i64)]
    from: Option<u64>,
}

/// Follow new events
///
/// Server-sent events: `id` is the event's `seq`, `event` is `event`, `data` is the event as JSON.
/// A client that reconnects with `Last-Event-ID` goes on after that `seq`, without a gap. A comment
/// is sent every 15 seconds; a block with an `id` only moves the place on over events that the
/// filter leaves out. The stream ends when the credential does.
#[utoipa::path(
    get,
    path = "/v1/events/tail",
    tag = "events",
    params(
        TailParams,
        ("Last-Event-ID" = Option<u64>, Header, description = "The `id` of the last event seen", maximum = 9223372036854775807_i64),
    ),
    responses((status = 200, description = "An endless stream", body = ServerSentEvent, content_type = "text/event-stream")),
)]
pub(crate) async fn tail(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TailParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let filter = Filter::parse(params.filter.as_deref().unwrap_or_default())?;
    let from = match (last_event_id(&headers)?, params.from) {
        (Some(last), _) => last + 1,
        (None, Some(from)) if i64::try_from(from).is_ok() => from,
        (None, Some(_)) => return Err(Problem::invalid_parameter("from", "it is larger than any seq")),
        (None, None) => log.head().await?,
    };
    let body = Body::from_stream(follow(state, Arc::new(credential), log, filter.compile(), from));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (http::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = value.to_str().unwrap_or("?");
    if text.is_empty() {
        return Ok(None);
    }
    let seq = text.parse::<u64>().ok().filter(|seq| i64::try_from(*seq).is_ok());
    seq.map(Some).ok_or_else(|| {
        Problem::invalid_parameter("Last-Event-ID", "it is not the id of an event of this stream")
    })
}

fn follow(
    state: AppState,
    credential: Arc<Authenticated>,
    log: TenantLog,
    filter: LineMatcher,
    mut from: u64,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream! {
        yield Ok(Bytes::from(format!("retry: {RECONNECT_MS}\n\n")));
        let mut failures = 0;
        loop {
            let page = tokio::select! {
                page = log.feed(from, CHUNK_EVENTS, HEARTBEAT) => page,
                () = state.closing.cancelled() => break,
            };
            // Before anything is shown: the credential may have ended while this waited.
            if !credential.still_valid(&state).await {
                break;
            }
            match page {
                Ok(page) => {
                    failures = 0;
                    from = page.next;
                    yield Ok(Bytes::from(blocks(&page, &filter)));
                }
                Err(error) if is_lasting(&error) || failures >= FAILURES_MAX => {
                    tracing::warn!(%error, "a tail was ended");
                    break;
                }
                Err(_) => {
                    failures += 1;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }
}

fn is_lasting(error: &ReadError) -> bool {
    matches!(error, ReadError::Corrupt { .. } | ReadError::NotFound | ReadError::Cancelled)
}

/// The page as server-sent events; a comment if there is nothing to send.
fn blocks(page: &FeedPage, filter: &LineMatcher) -> Vec<u8> {
    let mut out = Vec::new();
    let mut passed_over = None;
    for event in &page.events {
        if !filter.matches(&event.line) {
            passed_over = Some(event.seq);
            continue;
        }
        passed_over = None;
        out.extend_from_slice(format!("id: {}\nevent: event\ndata: ", event.seq).as_bytes());
        event.write_json(&mut out);
        out.extend_from_slice(b"\n\n");
    }
    let mut rest = String::new();
    match passed_over {
        Some(seq) => _ = write!(rest, "id: {seq}\n\n"),
        None if out.is_empty() => rest.push_str(": heartbeat\n\n"),
        None => {}
    }
    out.extend_from_slice(rest.as_bytes());
    out
}
