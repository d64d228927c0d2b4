//! `PATCH /v1/streams/{id}`: change a stream.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::{StreamView, UpdateStream};
use recount_store::access::Scope;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Change a stream
///
/// Members that are absent stay. With a new destination or format the stream becomes a draft
/// again, keeps its place, and must pass a test.
#[utoipa::path(
    patch,
    path = "/v1/streams/{id}",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = UpdateStream,
    responses((status = 200, description = "The stream", body = StreamView)),
)]
pub(crate) async fn update(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<UpdateStream>,
) -> Result<Json<StreamView>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.update(&log, &by(&credential), &id, body).await?))
}
