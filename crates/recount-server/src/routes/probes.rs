//! Probes, metrics and the API's own description. None needs a credential or shows tenants' data.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use serde::Serialize;

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// How the server is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
    /// The version of the server.
    version: &'static str,
}

const HEALTHY: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process lives
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "It lives", body = Health)),
    security(()),
)]
pub(crate) async fn health() -> Json<Health> {
    Json(HEALTHY)
}

/// Whether requests can be served
///
/// Not while the catalog does not answer, nor once the server has begun to stop.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses((status = 200, description = "It is ready", body = Health)),
    security(()),
)]
pub(crate) async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    if state.closing.is_cancelled() {
        return Err(Problem::new(ProblemCode::Unavailable, "the server is stopping"));
    }
    match state.store().ready().await {
        Ok(()) => Ok(Json(HEALTHY)),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::unavailable())
        }
    }
}

/// Measurements for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")),
    security(()),
)]
pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    let text =
        state.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
    security(()),
)]
pub(crate) async fn openapi() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, crate::openapi::served()).into_response()
}
