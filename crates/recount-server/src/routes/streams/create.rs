//! `POST /v1/streams`: set a stream up.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use recount_deliver::lifecycle::{CreateStream, CreatedStream};
use recount_store::access::Scope;

use super::by;
use crate::extract::{Authenticated, JsonBody, Params};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Create a stream
///
/// The stream is a draft: events from its start on wait for it, and nothing is sent before it is
/// tested and enabled. Secrets are stored sealed and never shown again; one that was made for the
/// stream (a signing secret for webhooks) is in this answer only.
#[utoipa::path(
    post,
    path = "/v1/streams",
    tag = "streams",
    params(TenantParam),
    request_body = CreateStream,
    responses((status = 201, description = "The stream", body = CreatedStream)),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<CreateStream>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::StreamsManage).await?;
    let streams = state.delivery.streams();
    let created: CreatedStream = streams.create(&log, &by(&credential), body).await?;
    let location = format!("/v1/streams/{}", created.stream.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(created)).into_response())
}
