//! `POST /v1/streams/{id}/test`: a real send.

use axum::Json;
use axum::extract::State;
use recount_deliver::lifecycle::TestResult;
use recount_store::access::Scope;

use super::by;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Test a stream
///
/// Really sends one event that is marked as a test, and shows what was asked and answered. A test
/// that passes lets the stream be enabled.
#[utoipa::path(
    post,
    path = "/v1/streams/{id}/test",
    tag = "streams",
    params(TenantParam, ("id" = String, Path, description = "The stream's id", max_length = 64)),
    responses((status = 200, description = "What came of it", body = TestResult)),
)]
pub(crate) async fn test(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Json<TestResult>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    Ok(Json(streams.test(&log, &by(&credential), &id).await?))
}
