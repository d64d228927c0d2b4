//! `POST /v1/keys`: make a key.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use recount_store::access::{NewKey, ScopeSet};
use serde::{Deserialize, Serialize};

use super::Key;
use crate::extract::{Authenticated, JsonBody, Params};
use crate::problem::Problem;
use crate::routes::{NoParams, body_name, body_time};
use crate::state::AppState;

/// A key to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyBody {
    /// A name for people.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "nightly export"
    )]
    name: String,
    /// The tenant to bind it to. A tenant's credential leaves it out.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::nullable_tenant_schema, required = false)]
    tenant: Option<String>,
    /// What it may do: never more than the creator.
    #[schema(schema_with = crate::openapi::scopes_schema)]
    scopes: ScopeSet,
    /// When it ends: never later than the creator, for keys made with a key that ends.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A key that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedKey {
    /// The key's text: the credential itself. Shown once, stored nowhere.
    #[schema(example = "rk_tn_4f8Q2mZk71Lx_…")]
    key: String,
    #[serde(flatten)]
    info: Key,
}

/// Create a key
///
/// A key never has more scopes, nor a later end, than the credential that makes it. One that is
/// made in the portal by a person with `keys:manage` ends after 90 days unless it says otherwise,
/// and after 366 at the latest.
#[utoipa::path(
    post,
    path = "/v1/keys",
    tag = "access",
    request_body = NewKeyBody,
    responses((status = 201, description = "The key; its text is shown this once", body = CreatedKey)),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(_none): Params<NoParams>,
    JsonBody(body): JsonBody<NewKeyBody>,
) -> Result<Response, Problem> {
    let tenant = body
        .tenant
        .as_deref()
        .map(|text| {
            text.parse().map_err(|error: recount_event::InvalidTenantId| {
                Problem::invalid_body("/tenant", error.to_string())
            })
        })
        .transpose()?;
    let new = NewKey {
        name: body_name("/name", &body.name)?,
        tenant,
        scopes: body.scopes,
        expires_at: body_time("/expires_at", body.expires_at.as_deref())?,
    };
    let created = state.store().create_key(&credential, new).await?;
    let location = format!("/v1/keys/{}", created.info.id);
    let body = CreatedKey { key: created.text.text, info: created.info.into() };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response())
}
