//! `GET /v1/me`: what this credential is and may do.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::config::{EXPORT_INLINE_ROWS_MAX, FACET_FIELDS_MAX, PAGE_EVENTS_MAX};
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::NoParams;
use crate::state::AppState;

/// What the credential is and may do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Me {
    /// `operator`, `ingest`, `tenant`, `session` or `jwt`.
    kind: &'static str,
    /// The credential's public id.
    id: String,
    /// Its name for people.
    name: String,
    /// The tenant that it is bound to; null for the vendor's side.
    tenant: Option<String>,
    /// What it may do; `operator` is spelled out.
    scopes: Vec<&'static str>,
    /// Who acts with it.
    actor: ActorBody,
    /// When it ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When its session ends; no refresh goes further.
    #[schema(format = DateTime)]
    session_expires_at: Option<String>,
    /// The language to talk in.
    locale: Option<String>,
    /// Where the portal's way back leads.
    return_url: Option<String>,
    /// What the tenant is called, if its session says so.
    tenant_name: Option<String>,
    /// Limits that a client needs to know.
    limits: Limits,
}

/// Limits that a client needs to know.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Limits {
    /// Most events on a page.
    page_events_max: usize,
    /// Most fields of one facets request.
    facet_fields_max: usize,
    /// Up to how many rows an export should be taken at once rather than as a job.
    export_inline_rows_max: u64,
}

/// Who does something.
#[derive(Debug, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Actor)]
pub(crate) struct ActorBody {
    /// What kind of actor: `user`, `api_key`, …
    #[serde(rename = "type")]
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$", example = "user")]
    pub(crate) kind: String,
    /// Its id among those of its kind.
    #[schema(min_length = 1, max_length = 2048, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "u_1")]
    pub(crate) id: String,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(max_length = 1024, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "Ada Lovelace")]
    pub(crate) name: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(max_length = 320, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$", example = "ada@example.com")]
    pub(crate) email: Option<String>,
}

impl From<recount_store::access::Actor> for ActorBody {
    fn from(actor: recount_store::access::Actor) -> Self {
        Self { kind: actor.kind, id: actor.id, name: actor.name, email: actor.email }
    }
}

/// Describe this credential
#[utoipa::path(get, path = "/v1/me", tag = "access", responses((status = 200, description = "The credential", body = Me)))]
pub(crate) async fn me(
    State(_state): State<AppState>,
    credential: Authenticated,
    Params(_none): Params<NoParams>,
) -> Result<Json<Me>, Problem> {
    let session = credential.session();
    Ok(Json(Me {
        kind: credential.kind().as_str(),
        id: credential.id().to_owned(),
        name: credential.name().to_owned(),
        tenant: credential.tenant().map(ToString::to_string),
        scopes: credential.scopes().effective().iter().map(|scope| scope.as_str()).collect(),
        actor: credential.actor().into(),
        expires_at: credential.expires_at().map(|time| time.to_string()),
        session_expires_at: session.map(|session| session.session_expires_at.to_string()),
        locale: session.and_then(|session| session.locale.clone()),
        return_url: session.and_then(|session| session.return_url.clone()),
        tenant_name: session.and_then(|session| session.tenant_name.clone()),
        limits: Limits {
            page_events_max: PAGE_EVENTS_MAX,
            facet_fields_max: FACET_FIELDS_MAX,
            export_inline_rows_max: EXPORT_INLINE_ROWS_MAX,
        },
    }))
}
