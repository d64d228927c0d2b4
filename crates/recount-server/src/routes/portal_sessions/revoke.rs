//! `DELETE /v1/portal-sessions/{id}`: end a session.

use axum::extract::State;
use http::StatusCode;

use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// End a session
///
/// Its link and all its tokens stop working. A session can end itself.
#[utoipa::path(
    delete,
    path = "/v1/portal-sessions/{id}",
    tag = "portal",
    params(("id" = String, Path, description = "The session's id")),
    responses((status = 204, description = "The session has ended")),
)]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(_none): Params<NoParams>,
) -> Result<StatusCode, Problem> {
    state.store().revoke_portal_session(&credential, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
