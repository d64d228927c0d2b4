//! `GET /v1/exports`: list export jobs.

use axum::Json;
use axum::extract::State;
use recount_store::access::Scope;
use serde::{Deserialize, Serialize};

use super::Export;
use crate::config::PAGE_EVENTS_DEFAULT;
use crate::cursor::Question;
use crate::extract::{Authenticated, Params};
use crate::problem::{Problem, ProblemCode};
use crate::routes::page_limit;
use crate::state::AppState;

/// Most jobs on a page.
const PAGE_EXPORTS_MAX: usize = 200;

/// Query parameters of `GET /v1/exports`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// Jobs on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of export jobs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExportPage {
    /// The jobs, newest first.
    data: Vec<Export>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// List export jobs
#[utoipa::path(
    get,
    path = "/v1/exports",
    tag = "exports",
    params(ListParams),
    responses((status = 200, description = "A page of jobs", body = ExportPage)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<ListParams>,
) -> Result<Json<ExportPage>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::ExportsWrite).await?;
    let limit = page_limit(params.limit, PAGE_EVENTS_DEFAULT, PAGE_EXPORTS_MAX)?;
    let question = Question::new("exports", Some(log.tenant()), &[]);
    let before = match params.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(String::from_utf8(state.cursors.open(&question, cursor)?).map_err(|_| {
            Problem::new(ProblemCode::InvalidCursor, "the cursor can't be used here; start without one")
        })?),
    };
    let mut jobs = state.store().exports(&log, before.as_deref(), limit + 1).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let last = jobs.last().filter(|_| more);
    let next_cursor = last.map(|job| state.cursors.seal(&question, job.id.as_bytes()));
    Ok(Json(ExportPage { data: jobs.into_iter().map(Into::into).collect(), next_cursor }))
}
