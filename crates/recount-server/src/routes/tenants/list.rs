//! `GET /v1/tenants`: list tenants.

use axum::Json;
use axum::extract::State;
use recount_event::TenantId;
use recount_store::access::Scope;
use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::cursor::Question;
use crate::extract::{Authenticated, Params};
use crate::problem::{Problem, ProblemCode};
use crate::routes::page_limit;
use crate::state::AppState;

/// Tenants on a page that did not ask for a number.
const PAGE_TENANTS_DEFAULT: usize = 100;
/// Most tenants on a page.
const PAGE_TENANTS_MAX: usize = 1_000;

/// Query parameters of `GET /v1/tenants`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Tenants on the page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of tenants.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TenantPage {
    /// The tenants, by id.
    data: Vec<Tenant>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// List tenants
#[utoipa::path(
    get,
    path = "/v1/tenants",
    tag = "tenants",
    params(ListParams),
    responses((status = 200, description = "A page of tenants", body = TenantPage)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<ListParams>,
) -> Result<Json<TenantPage>, Problem> {
    credential.require(Scope::TenantsManage)?;
    let limit = page_limit(params.limit, PAGE_TENANTS_DEFAULT, PAGE_TENANTS_MAX)?;
    let question = Question::new("tenants", None, &[]);
    let after = params.cursor.as_deref().map(|cursor| open(&state, &question, cursor)).transpose()?;
    let ask = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let mut tenants = state.store().list_tenants(&credential, after.as_ref(), ask).await?;
    let more = tenants.len() > limit;
    tenants.truncate(limit);
    let last = tenants.last().filter(|_| more);
    let next_cursor = last.map(|summary| state.cursors.seal(&question, summary.tenant.as_ref().as_bytes()));
    Ok(Json(TenantPage { data: tenants.into_iter().map(Into::into).collect(), next_cursor }))
}

fn open(state: &AppState, question: &Question, cursor: &str) -> Result<TenantId, Problem> {
    let text = String::from_utf8(state.cursors.open(question, cursor)?).ok();
    let tenant = text.and_then(|text| text.parse().ok());
    tenant.ok_or_else(|| {
        Problem::new(ProblemCode::InvalidCursor, "the cursor can't be used here; start without one")
    })
}
