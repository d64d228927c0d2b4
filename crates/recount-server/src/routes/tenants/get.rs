//! `GET /v1/tenants/{id}`: one tenant.

use axum::Json;
use axum::extract::State;

use super::Tenant;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// Get one tenant
///
/// Any for the vendor's side with `tenants:manage`; its own for a tenant's credential.
#[utoipa::path(
    get,
    path = "/v1/tenants/{id}",
    tag = "tenants",
    params(("id" = String, Path, description = "The tenant's id")),
    responses((status = 200, description = "The tenant", body = Tenant)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(_none): Params<NoParams>,
) -> Result<Json<Tenant>, Problem> {
    // A name that no tenant can have is answered like one that no tenant has.
    let tenant = id.parse().map_err(|_| Problem::not_found())?;
    Ok(Json(state.store().tenant(&credential, &tenant).await?.into()))
}
