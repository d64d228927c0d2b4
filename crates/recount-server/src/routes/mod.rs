//! All routes, each in `<noun>/<verb>.rs`, put together.

pub(crate) mod events;
pub(crate) mod exports;
pub(crate) mod keys;
pub(crate) mod me;
pub(crate) mod portal;
pub(crate) mod portal_sessions;
pub(crate) mod probes;
pub(crate) mod saved_views;
pub(crate) mod streams;
pub(crate) mod tenants;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use recount_event::Timestamp;
use serde::Deserialize;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::observe;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// The routes that the OpenAPI document describes.
pub(crate) fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(crate::openapi::document())
        .routes(routes!(events::ingest::ingest, events::list::list))
        .routes(routes!(events::histogram::histogram))
        .routes(routes!(events::facets::facets))
        .routes(routes!(events::tail::tail))
        .routes(routes!(events::get::get))
        .routes(routes!(events::feed::feed))
        .routes(routes!(exports::stream::stream))
        .routes(routes!(exports::create::create, exports::list::list))
        .routes(routes!(exports::get::get, exports::delete::delete))
        .routes(routes!(exports::file::file))
        .routes(routes!(me::me))
        .routes(routes!(keys::create::create, keys::list::list))
        .routes(routes!(keys::get::get, keys::revoke::revoke))
        .routes(routes!(portal_sessions::create::create))
        .routes(routes!(portal_sessions::exchange::exchange))
        .routes(routes!(portal_sessions::refresh::refresh))
        .routes(routes!(portal_sessions::revoke::revoke))
        .routes(routes!(saved_views::create::create, saved_views::list::list))
        .routes(routes!(saved_views::get::get, saved_views::replace::replace, saved_views::delete::delete))
        .routes(routes!(tenants::create::create, tenants::list::list))
        .routes(routes!(tenants::get::get, tenants::update::update))
        .merge(streams::api())
        .routes(routes!(probes::health))
        .routes(routes!(probes::ready))
        .routes(routes!(probes::metrics))
        .routes(routes!(probes::openapi))
}

/// The whole service.
pub(crate) fn router(state: AppState) -> Router {
    let (router, _) = api().split_for_parts();
    router
        .route("/portal", get(portal::page))
        .route("/portal/{*rest}", get(portal::page))
        .route("/assets/{*path}", get(portal::asset))
        .fallback(no_such_route)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}

async fn no_such_route() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such route; see /openapi.json")
}

/// The query parameter of routes that are about one tenant.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TenantParam {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    pub(crate) tenant: Option<String>,
}

/// The query parameters of a route that has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

/// The `limit` of a page.
pub(crate) fn page_limit(wished: Option<usize>, default: usize, max: usize) -> Result<usize, Problem> {
    match wished {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid_parameter("limit", format!("it is 1 to {max}"))),
    }
}

/// A time in a body.
pub(crate) fn body_time(pointer: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| {
        Timestamp::parse_rfc3339(text).map_err(|error| Problem::invalid_body(pointer, error.to_string()))
    })
    .transpose()
}

/// A name for people in a body: neither empty nor long, without control characters.
pub(crate) fn body_name(pointer: &'static str, text: &str) -> Result<String, Problem> {
    use crate::config::NAME_CHARS_MAX;
    let chars = text.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || text.starts_with(' ') || text.chars().any(char::is_control) {
        let detail = format!(
            "a name has 1 to {NAME_CHARS_MAX} characters, begins with no space and has no control characters"
        );
        return Err(Problem::invalid_body(pointer, detail));
    }
    Ok(text.to_owned())
}
