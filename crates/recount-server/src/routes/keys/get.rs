//! `GET /v1/keys/{id}`: one key.

use axum::Json;
use axum::extract::State;

use super::Key;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// Get one key
#[utoipa::path(
    get,
    path = "/v1/keys/{id}",
    tag = "access",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "The key, without its text", body = Key)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(_none): Params<NoParams>,
) -> Result<Json<Key>, Problem> {
    Ok(Json(state.store().key(&credential, &id).await?.into()))
}
