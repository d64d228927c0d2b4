//! `GET /v1/streams/{id}/dead-letters`: what was refused.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::DeadLetterList;
use recount_store::access::Scope;
use serde::Deserialize;

use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::state::AppState;

/// Most dead letters on a page.
const DEAD_LETTERS_PAGE_MAX: usize = 1_000;

/// The query parameters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<u64>,
    /// How many, up to 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// List dead letters
///
/// Events that the destination refused for good, with what it said, in the order of `seq`.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/dead-letters",
    tag = "streams",
    params(DeadLettersParams, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    responses((status = 200, description = "A page of dead letters", body = DeadLetterList)),
)]
pub(crate) async fn dead_letters(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<DeadLettersParams>,
) -> Result<Json<DeadLetterList>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    let limit = crate::routes::page_limit(params.limit, 100, DEAD_LETTERS_PAGE_MAX)?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    Ok(Json(streams.dead_letters(&log, &id, params.cursor.unwrap_or(0), limit).await?))
}
