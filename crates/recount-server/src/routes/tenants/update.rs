//! `PATCH /v1/tenants/{id}`: how long a tenant's events are kept.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::Tenant;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// What changes of a tenant.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantChangeBody {
    /// For how many days events are kept after they were received; null for as long as the deployment
    /// keeps those of tenants that have no retention of their own.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(minimum = 1, maximum = 36500, required, nullable)]
    retention_days: Option<u32>,
}

/// Change a tenant
///
/// Sets for how long its events are kept. Not fewer days than ids are recognised
/// (`dedup_window_days`). The change is recorded in the tenant's log, and so is each removal.
#[utoipa::path(
    patch,
    path = "/v1/tenants/{id}",
    tag = "tenants",
    params(("id" = String, Path, description = "The tenant's id")),
    request_body = TenantChangeBody,
    responses((status = 200, description = "The tenant as it is now", body = Tenant)),
)]
pub(crate) async fn update(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(_none): Params<NoParams>,
    JsonBody(body): JsonBody<TenantChangeBody>,
) -> Result<Json<Tenant>, Problem> {
    credential.require(recount_store::access::Scope::TenantsManage)?;
    // A name that no tenant can have is answered like one that no tenant has.
    let tenant = id.parse().map_err(|_| Problem::not_found())?;
    Ok(Json(state.store().set_retention(&credential, &tenant, body.retention_days).await?.into()))
}
