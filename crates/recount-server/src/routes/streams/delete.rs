//! `DELETE /v1/streams/{id}`: remove a stream.

use axum::extract::State;
use http::StatusCode;
use recount_store::access::Scope;

use super::by;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Delete a stream
///
/// Its attempts and dead letters go with it; the events stay in the log.
#[utoipa::path(
    delete,
    path = "/v1/streams/{id}",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    responses((status = 204, description = "The stream is gone")),
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<StatusCode, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    streams.delete(&log, &by(&credential), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
