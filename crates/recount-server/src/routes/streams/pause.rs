//! `POST /v1/streams/{id}/pause`: stop delivering.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::StreamView;
use recount_store::access::Scope;
use serde::Deserialize;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// How to pause.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PauseBody {
    /// Why; shown and recorded.
    #[schema(max_length = 4096)]
    reason: Option<String>,
}

/// Pause a stream
///
/// It keeps its place.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/pause",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = PauseBody,
    responses((status = 200, description = "The stream", body = StreamView)),
)]
pub(crate) async fn pause(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<PauseBody>,
) -> Result<Json<StreamView>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.pause(&log, &by(&credential), &id, body.reason).await?))
}
