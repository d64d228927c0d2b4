//! `GET /v1/streams/{id}/attempts`: what was sent and answered.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::AttemptView;
use recount_store::access::Scope;
use serde::Deserialize;

use super::Whole;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::state::AppState;

/// Most attempts that are kept: three kinds of 100.
const ATTEMPTS_MAX: usize = 300;

/// The query parameters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AttemptsParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// How many, up to 300.
    #[param(minimum = 1, maximum = 300)]
    limit: Option<usize>,
}

/// List attempts
///
/// The last 100 that passed, the last 100 that failed and the last 100 that people asked for, the
/// latest first.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/attempts",
    tag = "streams",
    params(AttemptsParams, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    responses((status = 200, description = "Attempts", body = Whole<AttemptView>)),
)]
pub(crate) async fn attempts(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<AttemptsParams>,
) -> Result<Json<Whole<AttemptView>>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    let limit = crate::routes::page_limit(params.limit, 100, ATTEMPTS_MAX)?;
    Ok(Json(Whole { data: streams.attempts(&log, &id, u32::try_from(limit).unwrap_or(u32::MAX)).await? }))
}
