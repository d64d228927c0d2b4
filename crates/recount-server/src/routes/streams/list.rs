//! `GET /v1/streams`: all streams.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::StreamView;
use recount_store::access::Scope;

use super::Whole;
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// List streams
///
/// All streams of the tenant with their health, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/streams",
    tag = "streams",
    params(TenantParam),
    responses((status = 200, description = "All streams", body = Whole<StreamView>)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
) -> Result<Json<Whole<StreamView>>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(Whole { data: streams.list(&log).await? }))
}
