//! `GET /v1/streams/destinations`: what streams can go to.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::DestinationKindView;
use recount_store::access::Scope;

use super::Whole;
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// List kinds of destinations
///
/// What each takes, and what is assigned to this tenant (the external id that a role to assume
/// must ask for).
#[utoipa::path(
    get,
    path = "/v1/streams/destinations",
    tag = "streams",
    params(TenantParam),
    responses((status = 200, description = "All kinds", body = Whole<DestinationKindView>)),
)]
pub(crate) async fn destinations(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
) -> Result<Json<Whole<DestinationKindView>>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(Whole { data: streams.kinds(&log) }))
}
