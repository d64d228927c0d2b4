//! `POST /v1/portal-sessions/exchange`: a link's code for a token, once.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::Token;
use crate::extract::{JsonBody, Params};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// The longest text that is looked at as a code, in characters.
const CODE_CHARS_MAX: usize = 200;

/// A link's code.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeBody {
    /// What follows `#code=` in the link.
    #[schema(max_length = 200)]
    code: String,
}

/// Exchange a link's code
///
/// Needs no credential: the code is one. It works once, for ten minutes.
#[utoipa::path(
    post,
    path = "/v1/portal-sessions/exchange",
    tag = "portal",
    request_body = ExchangeBody,
    responses(
        (status = 200, description = "A token", body = Token),
        (status = 410, description = "The link was used before, is too old, or never was", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
    security(()),
)]
pub(crate) async fn exchange(
    State(state): State<AppState>,
    Params(_none): Params<NoParams>,
    JsonBody(body): JsonBody<ExchangeBody>,
) -> Result<Json<Token>, Problem> {
    if body.code.chars().count() > CODE_CHARS_MAX {
        return Err(Problem::invalid_body(
            "/code",
            format!("a code has at most {CODE_CHARS_MAX} characters"),
        ));
    }
    Ok(Json(state.store().exchange_link_code(&body.code).await?.into()))
}
