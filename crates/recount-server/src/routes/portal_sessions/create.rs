//! `POST /v1/portal-sessions`: let a person into the portal.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use recount_store::access::{Actor, NewSession, SESSION_TTL_DEFAULT, Scope, ScopeSet};
use serde::{Deserialize, Serialize};

use super::Token;
use crate::extract::{Authenticated, JsonBody, Params};
use crate::problem::Problem;
use crate::routes::me::ActorBody;
use crate::routes::{TenantParam, body_name};
use crate::state::{AppState, parse_tenant};

/// Most origins of a session.
const ORIGINS_MAX: usize = 20;
/// The longest language tag, in characters (BCP 47 recommends 35).
const LOCALE_CHARS_MAX: usize = 35;
/// The longest return URL, in characters.
const RETURN_URL_CHARS_MAX: usize = 2_048;

/// The longest path to open, in characters.
const PATH_CHARS_MAX: usize = 8_192;
/// Where the hosted portal is.
const PORTAL: &str = "/portal";

/// A session to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSessionBody {
    /// The tenant whose log it opens; or named by the query parameter `tenant`.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::nullable_tenant_schema, required = false)]
    tenant: Option<String>,
    /// The person.
    actor: ActorBody,
    /// What the person may do. `events:read` and `exports:write` if absent.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::session_scopes_schema, required = false)]
    scopes: ScopeSet,
    /// Life of one token, in seconds. It can be refreshed for eight hours, or as long as it lives.
    #[serde(default = "default_ttl")]
    #[schema(minimum = 1, maximum = 43200, default = 900)]
    ttl_seconds: u64,
    /// Origins of pages that embed the elements: browsers may use the token from there only.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::origins_schema, required = false)]
    origins: Vec<String>,
    /// The language to talk in (BCP 47).
    #[serde(default)]
    #[schema(pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$", max_length = 35, example = "fr-CA")]
    locale: Option<String>,
    /// Where the portal's way back leads.
    #[serde(default)]
    #[schema(format = "uri", max_length = 2048, example = "https://app.example.com/settings")]
    return_url: Option<String>,
    /// What the tenant is called, for the portal's head; its id if absent.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "Northwind Ltd"
    )]
    tenant_name: Option<String>,
    /// What the link opens: path and query of a page of the portal, as in a copied link.
    #[serde(default)]
    #[schema(max_length = 8192, pattern = "^/portal([/?]|$)", example = "/portal?filter=outcome:denied")]
    path: Option<String>,
}

fn default_ttl() -> u64 {
    SESSION_TTL_DEFAULT.as_secs()
}

/// A session that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedSession {
    /// The session's id.
    id: String,
    /// The one-time link to the hosted portal; good for ten minutes.
    url: String,
    #[serde(flatten)]
    token: Token,
}

/// Create a portal session
///
/// Gives a one-time link to the hosted portal, and a token for the embedded elements. A session can
/// have any of a tenant's scopes but `events:write`, and ends with the key that made it.
#[utoipa::path(
    post,
    path = "/v1/portal-sessions",
    tag = "portal",
    params(TenantParam),
    request_body = NewSessionBody,
    responses((status = 201, description = "The session", body = CreatedSession)),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewSessionBody>,
) -> Result<Response, Problem> {
    credential.require(Scope::SessionsCreate)?;
    let named = parse_tenant(params.tenant.as_deref())?;
    let tenant = body
        .tenant
        .as_deref()
        .map(|text| {
            text.parse().map_err(|error: recount_event::InvalidTenantId| {
                Problem::invalid_body("/tenant", error.to_string())
            })
        })
        .transpose()?;
    if named.is_some() && tenant.is_some() && named != tenant {
        return Err(Problem::invalid_body("/tenant", "the body and the query parameter name two tenants"));
    }
    let path = body.path.map_or_else(|| Ok(PORTAL.to_owned()), |path| portal_path(&path))?;
    let tenant_name = body.tenant_name.as_deref().map(|name| body_name("/tenant_name", name)).transpose()?;
    let new = NewSession {
        tenant: tenant.or(named),
        actor: actor(body.actor)?,
        scopes: body.scopes,
        ttl: Duration::from_secs(body.ttl_seconds),
        origins: origins(body.origins)?,
        locale: body.locale.map(locale).transpose()?,
        return_url: body.return_url.map(return_url).transpose()?,
        tenant_name,
    };
    let created = state.store().create_portal_session(&credential, new).await?;
    // The code is in the fragment: browsers send it to nobody, and it is in no server's log.
    let url = format!("{}{path}#code={}", public_url(&state, &headers), created.code.text);
    let body = CreatedSession { id: created.id, url, token: created.token.into() };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// The origin under which the client reached this server.
fn public_url(state: &AppState, headers: &HeaderMap) -> String {
    if let Some(url) = &state.config.public_url {
        return url.clone();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let host: String = host
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
        .collect();
    format!("http://{host}")
}

/// The person, if an event can name them.
fn actor(body: ActorBody) -> Result<Actor, Problem> {
    let actor = Actor { kind: body.kind, id: body.id, name: body.name, email: body.email };
    actor.check().map_err(|error| Problem::invalid_body(&error.pointer, error.detail))?;
    Ok(actor)
}

fn origins(origins: Vec<String>) -> Result<Vec<String>, Problem> {
    if origins.len() > ORIGINS_MAX {
        return Err(Problem::invalid_body(
            "/origins",
            format!("a session has at most {ORIGINS_MAX} origins"),
        ));
    }
    for (at, origin) in origins.iter().enumerate() {
        let parsed = url::Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        if parsed.is_none_or(|url| url.origin().ascii_serialization() != *origin) {
            return Err(Problem::invalid_body(
                &format!("/origins/{at}"),
                "an origin is scheme, host and port as browsers send it, like https://app.example.com",
            ));
        }
    }
    Ok(origins)
}

fn locale(text: String) -> Result<String, Problem> {
    let well_formed = text.len() <= LOCALE_CHARS_MAX
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    if well_formed {
        Ok(text)
    } else {
        Err(Problem::invalid_body("/locale", "it is not a language tag like en or fr-CA"))
    }
}

/// A page of the portal and nothing else: the link must not lead anywhere but here, whoever wrote it.
///
/// What comes back is the parsed form, so that no browser reads it in another way.
fn portal_path(text: &str) -> Result<String, Problem> {
    const HERE: &str = "http://portal.invalid";
    let refused = || {
        Problem::invalid_body(
            "/path",
            "it is not the path and query of a portal page, like /portal/exports or /portal?filter=…",
        )
    };
    let plain = text.chars().count() <= PATH_CHARS_MAX
        && text.starts_with('/')
        && !text.contains(|c: char| c.is_control() || matches!(c, '\\' | '#'));
    let parsed = url::Url::parse(&format!("{HERE}{text}")).ok().filter(|_| plain).ok_or_else(refused)?;
    let below =
        parsed.path().strip_prefix(PORTAL).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !below || parsed.origin().ascii_serialization() != HERE {
        return Err(refused());
    }
    Ok(parsed[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

/// Only the web: a stored `javascript:` link would run in the portal.
fn return_url(text: String) -> Result<String, Problem> {
    let parsed = url::Url::parse(&text).ok();
    let accepted = text.len() <= RETURN_URL_CHARS_MAX
        && parsed.is_some_and(|url| matches!(url.scheme(), "https" | "http"));
    if accepted { Ok(text) } else { Err(Problem::invalid_body("/return_url", "it is not an http(s) URL")) }
}
