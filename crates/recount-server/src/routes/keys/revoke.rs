//! `DELETE /v1/keys/{id}`: revoke a key.

use axum::extract::State;
use http::StatusCode;

use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// Revoke a key
///
/// It stops working at once on this node, on others within five seconds. Repeating it is safe. A key
/// that can do more than the credential can't be revoked with it, but for a tenant's key by the
/// vendor's side.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    tag = "access",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204, description = "The key is revoked")),
)]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(_none): Params<NoParams>,
) -> Result<StatusCode, Problem> {
    state.store().revoke_key(&credential, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
