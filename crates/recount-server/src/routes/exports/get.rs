//! `GET /v1/exports/{id}`: one export job.

use axum::Json;
use axum::extract::State;
use recount_store::access::Scope;

use super::Export;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Get one export job
#[utoipa::path(
    get,
    path = "/v1/exports/{id}",
    tag = "exports",
    params(TenantParam, ("id" = String, Path, description = "The job's id")),
    responses((status = 200, description = "The job", body = Export)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Json<Export>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::ExportsWrite).await?;
    Ok(Json(state.store().export(&log, &id).await?.into()))
}
