//! `GET /v1/saved-views/{id}`: one view.

use axum::Json;
use axum::extract::State;
use recount_store::access::Scope;

use super::View;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Get one saved view
#[utoipa::path(
    get,
    path = "/v1/saved-views/{id}",
    tag = "portal",
    params(TenantParam, ("id" = String, Path, description = "The view's id")),
    responses((status = 200, description = "The view", body = View)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Json<View>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    Ok(Json(state.store().saved_view(&log, &credential, &id).await?.into()))
}
