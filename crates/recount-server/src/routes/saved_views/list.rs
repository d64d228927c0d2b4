//! `GET /v1/saved-views`: own views and the tenant's shared ones.

use axum::Json;
use axum::extract::State;
use recount_store::access::Scope;
use serde::Serialize;

use super::View;
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// All views that the credential sees.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ViewList {
    /// The views, by name.
    data: Vec<View>,
}

/// List saved views
#[utoipa::path(
    get,
    path = "/v1/saved-views",
    tag = "portal",
    params(TenantParam),
    responses((status = 200, description = "Own views and shared ones", body = ViewList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
) -> Result<Json<ViewList>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let views = state.store().saved_views(&log, &credential).await?;
    Ok(Json(ViewList { data: views.into_iter().map(Into::into).collect() }))
}
