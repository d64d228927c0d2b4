//! `PUT /v1/saved-views/{id}`: change a view.

use axum::Json;
use axum::extract::State;
use recount_store::access::Scope;

use super::{View, ViewBody};
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Change a saved view
///
/// One's own only; a shared view of somebody else is saved as a copy instead.
#[utoipa::path(
    put,
    path = "/v1/saved-views/{id}",
    tag = "portal",
    params(TenantParam, ("id" = String, Path, description = "The view's id")),
    request_body = ViewBody,
    responses((status = 200, description = "The view", body = View)),
)]
pub(crate) async fn replace(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<ViewBody>,
) -> Result<Json<View>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    Ok(Json(state.store().replace_saved_view(&log, &credential, &id, body.draft()?).await?.into()))
}
