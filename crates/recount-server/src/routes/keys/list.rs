//! `GET /v1/keys`: list keys.

use axum::Json;
use axum::extract::State;
use recount_event::Timestamp;
use serde::{Deserialize, Serialize};

use super::Key;
use crate::config::PAGE_EVENTS_DEFAULT;
use crate::cursor::Question;
use crate::extract::{Authenticated, Params};
use crate::problem::{Problem, ProblemCode};
use crate::routes::page_limit;
use crate::state::{AppState, parse_tenant};

/// Most keys on a page.
const PAGE_KEYS_MAX: usize = 200;

/// Query parameters of `GET /v1/keys`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only keys of this tenant.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// Whether keys that were revoked are listed too.
    #[param(default = true)]
    revoked: Option<bool>,
    /// Keys on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of keys.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct KeyPage {
    /// The keys, newest first.
    data: Vec<Key>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// List keys
///
/// A tenant's credential sees its tenant's keys; the vendor's side sees those of the tenant that it
/// names, or all. Expired keys stay listed, and revoked ones unless they are left out.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "access",
    params(ListParams),
    responses((status = 200, description = "A page of keys", body = KeyPage)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<ListParams>,
) -> Result<Json<KeyPage>, Problem> {
    let tenant = parse_tenant(params.tenant.as_deref())?;
    let limit = page_limit(params.limit, PAGE_EVENTS_DEFAULT, PAGE_KEYS_MAX)?;
    let revoked = params.revoked.unwrap_or(true);
    let question =
        Question::new("keys", credential.tenant().or(tenant.as_ref()), &[if revoked { "" } else { "live" }]);
    let place = params.cursor.as_deref().map(|cursor| open(&state, &question, cursor)).transpose()?;
    let before = place.as_ref().map(|(at, id)| (*at, id.as_str()));
    let mut keys = state.store().list_keys(&credential, tenant.as_ref(), before, revoked, limit + 1).await?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let last = keys.last().filter(|_| more);
    let next_cursor = last.map(|key| {
        let mut payload = key.created_at.as_micros().to_le_bytes().to_vec();
        payload.extend_from_slice(key.id.as_bytes());
        state.cursors.seal(&question, &payload)
    });
    Ok(Json(KeyPage { data: keys.into_iter().map(Into::into).collect(), next_cursor }))
}

fn open(state: &AppState, question: &Question, cursor: &str) -> Result<(Timestamp, String), Problem> {
    let payload = state.cursors.open(question, cursor)?;
    let place = payload.split_first_chunk::<8>().and_then(|(at, id)| {
        Some((Timestamp::from_micros(i64::from_le_bytes(*at)), String::from_utf8(id.to_vec()).ok()?))
    });
    place.ok_or_else(|| {
        Problem::new(ProblemCode::InvalidCursor, "the cursor can't be used here; start without one")
    })
}
