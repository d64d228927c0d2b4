//! `GET /v1/events`: search, page by page.

use axum::extract::State;
use axum::response::Response;
use recount_store::ListQuery;
use recount_store::access::Scope;
use serde::Deserialize;

use super::{OrderParam, Selection, begin_page, raw_json};
use crate::config::{PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};
use crate::cursor::{ListPlace, Question};
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::page_limit;
use crate::state::AppState;

/// Query parameters of `GET /v1/events`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// Which events, in the filter language.
    #[param(schema_with = crate::openapi::filter_schema)]
    filter: Option<String>,
    /// The earliest `occurred_at`, inclusive.
    #[param(schema_with = crate::openapi::time_schema)]
    from: Option<String>,
    /// The latest `occurred_at`, exclusive.
    #[param(schema_with = crate::openapi::time_schema)]
    to: Option<String>,
    /// Newest (`desc`) or oldest (`asc`) first.
    #[param(schema_with = crate::openapi::order_schema)]
    order: Option<OrderParam>,
    /// Events on the page.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before; with the same other parameters.
    cursor: Option<String>,
}

/// List events
///
/// Newest first by `occurred_at`. The first page pins the log's size: later pages hold only events
/// that were there then, so pages never shift while events arrive, back-dated ones included.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(ListParams),
    responses((status = 200, description = "A page of events", body = crate::openapi::EventPage)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<ListParams>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let selection = Selection::parse(params.filter.as_deref(), params.from.as_deref(), params.to.as_deref())?;
    let order = params.order.unwrap_or_default();
    let limit = page_limit(params.limit, PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX)?;
    let [filter, from, to] = selection.question_parts();
    let question = Question::new("events", Some(log.tenant()), &[&filter, &from, &to, order.as_str()]);
    let place =
        params.cursor.as_deref().map(|cursor| state.cursors.open_place(&question, cursor)).transpose()?;
    let page = log
        .list(&ListQuery {
            filter: selection.filter,
            from: selection.from,
            to: selection.to,
            order: order.into(),
            limit,
            after: place.map(|place| place.after),
            pin: place.map(|place| place.pin),
            max_scan_bytes: Some(state.config.limits.scan_bytes_max),
        })
        .await?;
    let mut out = begin_page(&page.events);
    out.extend_from_slice(br#","next_cursor":"#);
    match page.next {
        None => out.extend_from_slice(b"null"),
        Some(after) => {
            out.push(b'"');
            out.extend_from_slice(
                state.cursors.seal_place(&question, ListPlace { after, pin: page.pin }).as_bytes(),
            );
            out.push(b'"');
        }
    }
    out.push(b'}');
    Ok(raw_json(out))
}
