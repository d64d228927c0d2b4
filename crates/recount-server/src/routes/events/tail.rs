//! `GET /v1/events/tail`: new events as they come, as server-sent events.

use std::convert::Infallible;
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
/// A client that reconnects with the last `id` it was sent as `Last-Event-ID` goes on after that
/// `seq`, without a gap. The first block has an `id` only and says where the stream begins, -1
/// before the first event of all, so that this holds for a connection that broke before any event
/// came, too. Later blocks with an `id` only move the place on over events that the filter leaves
/// out. A comment is sent every 15 seconds. The stream ends when the credential does. A client that was
/// away for so long that retention has removed the event after its `Last-Event-ID` is answered
/// `events_removed`.
#[utoipa::path(
    get,
    path = "/v1/events/tail",
    tag = "events",
    params(
        TailParams,
        ("Last-Event-ID" = Option<i64>, Header, description = "The last `id` that was sent", minimum = -1, maximum = 9223372036854775806_i64),
    ),
    responses(
        (status = 200, description = "An endless stream", body = ServerSentEvent, content_type = "text/event-stream"),
        (status = 410, description = "Retention has removed the event at that place", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn tail(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TailParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let filter = Filter::parse(params.filter.as_deref().unwrap_or_default())?;
    let from = match (after_last_event(&headers)?, params.from) {
        (Some(next), _) => next,
        (None, Some(from)) if i64::try_from(from).is_ok() => from,
        (None, Some(_)) => return Err(Problem::invalid_parameter("from", "it is larger than any seq")),
        (None, None) => log.head().await?,
    };
    let first_seq = log.extent().await?.first_seq;
    if from < first_seq {
        return Err(ReadError::Removed { first_seq }.into());
    }
    let body = Body::from_stream(follow(state, Arc::new(credential), log, filter.compile(), from));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (http::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// The `seq` after the one that `Last-Event-ID` names.
fn after_last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = value.to_str().unwrap_or("?");
    if text.is_empty() {
        return Ok(None);
    }
    let next = text.parse::<i64>().ok().and_then(|last| last.checked_add(1));
    next.and_then(|next| u64::try_from(next).ok()).map(Some).ok_or_else(|| {
        Problem::invalid_parameter("Last-Event-ID", "it is not the id of an event of this stream")
    })
}

/// Where a stream is that has sent everything before `next`, as an `id`.
fn place(next: u64) -> String {
    match next.checked_sub(1) {
        Some(seq) => format!("id: {seq}\n\n"),
        None => "id: -1\n\n".to_owned(),
    }
}

fn follow(
    state: AppState,
    credential: Arc<Authenticated>,
    log: TenantLog,
    filter: LineMatcher,
    mut from: u64,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream! {
        yield Ok(Bytes::from(format!("retry: {RECONNECT_MS}\n\n{}", place(from))));
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
    use ReadError::{Cancelled, Corrupt, NotFound, Removed};
    matches!(error, Corrupt { .. } | Removed { .. } | NotFound | Cancelled)
}

/// The page as server-sent events; a comment if there is nothing to send.
fn blocks(page: &FeedPage, filter: &LineMatcher) -> Vec<u8> {
    let mut out = Vec::new();
    let mut passed_over = false;
    for event in &page.events {
        passed_over = !filter.matches(&event.line);
        if passed_over {
            continue;
        }
        out.extend_from_slice(format!("id: {}\nevent: event\ndata: ", event.seq).as_bytes());
        event.write_json(&mut out);
        out.extend_from_slice(b"\n\n");
    }
    if passed_over {
        out.extend_from_slice(place(page.next).as_bytes());
    } else if out.is_empty() {
        out.extend_from_slice(b": heartbeat\n\n");
    }
    out
}
