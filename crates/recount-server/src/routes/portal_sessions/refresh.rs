//! `POST /v1/portal-sessions/refresh`: a further token for a session.

use axum::Json;
use axum::extract::State;

use super::Token;
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// Refresh a session's token
///
/// With a token of the session that still works. The new one lives as long as the first did, but
/// not past the session's end; the old one works until its own.
#[utoipa::path(
    post,
    path = "/v1/portal-sessions/refresh",
    tag = "portal",
    responses((status = 200, description = "A token", body = Token)),
)]
pub(crate) async fn refresh(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(_none): Params<NoParams>,
) -> Result<Json<Token>, Problem> {
    Ok(Json(state.store().refresh_portal_session(&credential).await?.into()))
}
