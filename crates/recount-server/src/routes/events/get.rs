//! `GET /v1/events/{id}`: one event.

use axum::extract::State;
use axum::response::Response;
use recount_store::access::Scope;

use super::raw_json;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Get one event
///
/// Events whose id is `histogram`, `facets` or `tail` are found with `GET /v1/events?filter=id:…`.
#[utoipa::path(
    get,
    path = "/v1/events/{id}",
    tag = "events",
    params(TenantParam, ("id" = String, Path, description = "The event's id", max_length = 128)),
    responses((status = 200, description = "The event", body = crate::openapi::StoredEventSchema)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let event = log.get(&id).await?.ok_or_else(Problem::not_found)?;
    let mut out = Vec::with_capacity(event.line.len() + 80);
    event.write_json(&mut out);
    Ok(raw_json(out))
}
