//! `POST /v1/streams/{id}/dead-letters/replay`: send them again.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::Redelivery;
use recount_store::access::Scope;
use serde::Deserialize;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Which dead letters.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RedeliverBody {
    /// Their `seq`s, at most 100; the first 100 if absent.
    #[schema(max_items = 100)]
    seqs: Option<Vec<u64>>,
}

/// Send dead letters again
///
/// Those that the destination takes now are taken off the list.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/dead-letters/replay",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    request_body = RedeliverBody,
    responses((status = 200, description = "What became of each", body = Redelivery)),
)]
pub(crate) async fn redeliver(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<RedeliverBody>,
) -> Result<Json<Redelivery>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.redeliver(&log, &by(&credential), &id, body.seqs).await?))
}
