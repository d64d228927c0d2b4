//! `GET /v1/streams/{id}`: one stream.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::StreamView;
use recount_store::access::Scope;

use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Get a stream
///
/// What is set up, how far it has come and how it is doing.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    responses((status = 200, description = "The stream", body = StreamView)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Json<StreamView>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.get(&log, &id).await?))
}
