//! `GET /v1/exports/{id}/file`: download what a job has made.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use http::{HeaderValue, header};
use recount_store::access::Scope;

use super::attachment;
use crate::exporting::ExportFormat;
use crate::extract::{Authenticated, Params, PathId};
use crate::problem::Problem;
use crate::routes::TenantParam;
use crate::state::AppState;

/// Download an export's file
///
/// The download is recorded in the tenant's log. `ETag` is the file's SHA-256.
#[utoipa::path(
    get,
    path = "/v1/exports/{id}/file",
    tag = "exports",
    params(TenantParam, ("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The file", content(
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.parquet"),
        )),
        (status = 409, description = "There is no file yet, or no longer", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn file(
    State(state): State<AppState>,
    credential: Authenticated,
    PathId(id): PathId,
    Params(params): Params<TenantParam>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::ExportsWrite).await?;
    let (info, pieces) = state.store().export_file(&log, &credential, &id).await?;
    let pieces = pieces.inspect(|piece| {
        if let Err(error) = piece {
            tracing::error!(%error, "a download was cut off");
        }
    });
    let media_type = ExportFormat::parse(&info.format).unwrap_or_default().media_type();
    let stem = if info.name.is_empty() { format!("{}-events", log.tenant()) } else { info.name };
    let mut response = ([(header::CONTENT_TYPE, media_type)], Body::from_stream(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, attachment(&stem, &info.format));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(info.bytes));
    if let Some(etag) = info.sha256.and_then(|sha256| HeaderValue::try_from(format!("\"{sha256}\"")).ok()) {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}
