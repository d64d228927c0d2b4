//! `POST /v1/streams/{id}/replay`: deliver again.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::{Start, StreamView};
use recount_store::access::Scope;
use serde::Deserialize;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Where to go.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayBody {
    /// The place.
    from: Start,
}

/// Move a stream to another place
///
/// Back, to send everything since again with the same ids; or forward, to leave out what lies
/// between.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/replay",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = ReplayBody,
    responses((status = 200, description = "The stream", body = StreamView)),
)]
pub(crate) async fn replay(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<ReplayBody>,
) -> Result<Json<StreamView>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.replay(&log, &by(&credential), &id, &body.from).await?))
}
