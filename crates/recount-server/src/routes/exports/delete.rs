//! `DELETE /v1/exports/{id}`: remove an export job and its file.

use axum::extract::State;
use http::StatusCode;
use recount_store::access::Scope;

use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Remove an export job and its file
#[utoipa::path(
    delete,
    path = "/v1/exports/{id}",
    tag = "exports",
    params(TenantParam, ("id" = String, Path, description = "The job's id")),
    responses((status = 204, description = "The job is gone")),
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<StatusCode, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::ExportsWrite).await?;
    state.store().delete_export(&log, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
