//! `POST /v1/streams/{id}/dead-letters/discard`: take them off the list.

use axum::Json;
use axum::extract::State;
use recount_store::access::Scope;
use serde::Deserialize;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Which dead letters.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscardBody {
    /// Their `seq`s, at most 100.
    #[schema(max_items = 100)]
    seqs: Vec<u64>,
}

/// What is left.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Left {
    /// Dead letters on the list.
    left: u64,
}

/// Give dead letters up
///
/// They are taken off the list and stay in the log.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/dead-letters/discard",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = DiscardBody,
    responses((status = 200, description = "How many are left", body = Left)),
)]
pub(crate) async fn discard(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<DiscardBody>,
) -> Result<Json<Left>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(Left { left: streams.discard(&log, &by(&credential), &id, body.seqs).await? }))
}
