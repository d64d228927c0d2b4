//! `POST /v1/streams/{id}/rotate-secret`: a new signing secret.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::RotatedSecret;
use recount_store::access::Scope;
use serde::Deserialize;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// How long the former secret still signs, unless told.
const OVERLAP_SECONDS_DEFAULT: u64 = 24 * 3_600;

/// How to exchange.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RotateBody {
    /// How long the former secret still signs, in seconds; a day if absent.
    #[schema(maximum = 2_592_000)]
    overlap_seconds: Option<u64>,
}

/// Exchange a webhook's signing secret
///
/// The new secret is in this answer only. Until the overlap ends, requests carry a signature of
/// each of the two.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/rotate-secret",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = RotateBody,
    responses((status = 200, description = "The new secret", body = RotatedSecret)),
)]
pub(crate) async fn rotate_secret(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Json<RotatedSecret>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    let overlap = body.overlap_seconds.unwrap_or(OVERLAP_SECONDS_DEFAULT);
    Ok(Json(streams.rotate_secret(&log, &by(&credential), &id, overlap).await?))
}
