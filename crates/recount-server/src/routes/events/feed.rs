//! `GET /v1/feed`: the log in `seq` order, gap-free, with long-poll.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use recount_store::FeedPage;
use recount_store::access::Scope;
use serde::Deserialize;

use super::{begin_page, raw_json};
use crate::config::{FEED_WAIT_SECONDS_MAX, PAGE_EVENTS_MAX};
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::page_limit;
use crate::state::AppState;

/// Query parameters of `GET /v1/feed`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// The first `seq` to return: nothing for the log's beginning, then `next` of the answer before.
    #[param(minimum = 0, maximum = 9223372036854775807_i64)]
    from: Option<u64>,
    /// Events in the answer.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<usize>,
    /// Seconds to wait for the first event if there is none yet.
    #[param(minimum = 0, maximum = 60, default = 0)]
    wait: Option<u64>,
}

/// Follow the log
///
/// Events in `seq` order without gaps, whatever their `occurred_at`. Store `next` and pass it as
/// `from`: every event is seen exactly once. If retention has removed the event at `from`, the answer
/// is a problem `events_removed`, which says where the log begins now.
#[utoipa::path(
    get,
    path = "/v1/feed",
    tag = "events",
    params(FeedParams),
    responses(
        (status = 200, description = "Events in seq order", body = crate::openapi::FeedAnswer),
        (status = 410, description = "Retention has removed the event at that place", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn feed(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<FeedParams>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let limit = page_limit(params.limit, PAGE_EVENTS_MAX, PAGE_EVENTS_MAX)?;
    let wait = params.wait.unwrap_or(0);
    if wait > FEED_WAIT_SECONDS_MAX {
        return Err(Problem::invalid_parameter(
            "wait",
            format!("it is at most {FEED_WAIT_SECONDS_MAX} seconds"),
        ));
    }
    let from = match params.from {
        Some(from) => from,
        None => log.extent().await?.first_seq,
    };
    if i64::try_from(from).is_err() {
        return Err(Problem::invalid_parameter("from", "it is larger than any seq"));
    }
    let page = tokio::select! {
        page = log.feed(from, limit, Duration::from_secs(wait)) => page?,
        // A server that stops doesn't let long-polls hold it up.
        () = state.closing.cancelled() => FeedPage { events: Vec::new(), next: from },
    };
    let mut out = begin_page(&page.events);
    out.extend_from_slice(format!(r#","next":{}}}"#, page.next).as_bytes());
    Ok(raw_json(out))
}
