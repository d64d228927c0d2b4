//! `POST /v1/streams/{id}/resume`: go on.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::StreamView;
use recount_store::access::Scope;

use super::by;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Resume a stream
///
/// Goes on where it stands: after a pause, after the destination has asked for no more, and at
/// once if it rests after failures.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/resume",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    responses((status = 200, description = "The stream", body = StreamView)),
)]
pub(crate) async fn resume(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Json<StreamView>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.resume(&log, &by(&credential), &id).await?))
}
