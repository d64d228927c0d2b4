//! `POST /v1/streams/{id}/enable`: begin to deliver.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::StreamView;
use recount_store::access::Scope;
use serde::Deserialize;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// How to enable.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EnableBody {
    /// Even though no test has passed.
    without_test: bool,
    /// Why; recorded.
    #[schema(max_length = 4096)]
    reason: Option<String>,
}

/// Enable a stream
///
/// What is configured must have passed a test. `without_test` overrides that, which is recorded
/// in the log.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/enable",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = EnableBody,
    responses((status = 200, description = "The stream", body = StreamView)),
)]
pub(crate) async fn enable(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<EnableBody>,
) -> Result<Json<StreamView>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.enable(&log, &by(&credential), &id, body.without_test, body.reason).await?))
}
