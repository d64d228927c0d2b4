//! `POST /v1/tenants`: create a tenant.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use recount_event::TenantId;
use recount_store::access::Scope;
use serde::Deserialize;

use super::Tenant;
use crate::extract::{Authenticated, JsonBody, Params};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// A tenant to be created.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenantBody {
    /// Its id.
    #[schema(schema_with = crate::openapi::tenant_schema)]
    id: String,
}

/// Create a tenant
///
/// Tenants are also created by their first event, unless the deployment has switched that off.
/// Creating one that exists answers 200 and changes nothing.
#[utoipa::path(
    post,
    path = "/v1/tenants",
    tag = "tenants",
    request_body = NewTenantBody,
    responses(
        (status = 201, description = "The tenant is new", body = Tenant),
        (status = 200, description = "The tenant existed", body = Tenant),
    ),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(_none): Params<NoParams>,
    JsonBody(body): JsonBody<NewTenantBody>,
) -> Result<Response, Problem> {
    credential.require(Scope::TenantsManage)?;
    let tenant: TenantId = body
        .id
        .parse()
        .map_err(|error: recount_event::InvalidTenantId| Problem::invalid_body("/id", error.to_string()))?;
    let new = state.store().add_tenant(&credential, &tenant).await?;
    let summary = state.store().tenant(&credential, &tenant).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(header::LOCATION, format!("/v1/tenants/{tenant}"))], Json(Tenant::from(summary)))
        .into_response())
}
