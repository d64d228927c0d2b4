//! `DELETE /v1/saved-views/{id}`: remove a view.

use axum::extract::State;
use http::StatusCode;
use recount_store::access::Scope;

use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Remove a saved view
#[utoipa::path(
    delete,
    path = "/v1/saved-views/{id}",
    tag = "portal",
    params(TenantParam, ("id" = String, Path, description = "The view's id")),
    responses((status = 204, description = "The view is gone")),
)]
pub(crate) async fn delete(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<StatusCode, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    state.store().delete_saved_view(&log, &credential, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
