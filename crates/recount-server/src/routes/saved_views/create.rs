//! `POST /v1/saved-views`: keep a view.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use recount_store::access::Scope;

use super::{View, ViewBody};
use crate::extract::{Authenticated, JsonBody, Params};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Save a view
#[utoipa::path(
    post,
    path = "/v1/saved-views",
    tag = "portal",
    params(TenantParam),
    request_body = ViewBody,
    responses((status = 201, description = "The view", body = View)),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<ViewBody>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let view = state.store().create_saved_view(&log, &credential, body.draft()?).await?;
    let location = format!("/v1/saved-views/{}", view.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(View::from(view))).into_response())
}
