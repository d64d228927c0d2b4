//! Streams: continuous exports that a tenant sets up and watches.

mod attempts;
mod create;
mod dead_letters;
mod delete;
mod destinations;
mod discard;
mod enable;
mod get;
mod list;
mod pause;
mod redeliver;
mod replay;
mod resume;
mod rotate_secret;
mod test;
mod update;

use recount_deliver::lifecycle::{By, LifecycleError};
use recount_store::OwnActor;
use recount_store::access::Credential;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// The routes of streams.
pub(crate) fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(destinations::destinations))
        .routes(routes!(test::test))
        .routes(routes!(enable::enable))
        .routes(routes!(pause::pause))
        .routes(routes!(resume::resume))
        .routes(routes!(replay::replay))
        .routes(routes!(rotate_secret::rotate_secret))
        .routes(routes!(attempts::attempts))
        .routes(routes!(dead_letters::dead_letters))
        .routes(routes!(redeliver::redeliver))
        .routes(routes!(discard::discard))
}

/// A list that comes whole.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Whole<T: utoipa::ToSchema> {
    /// The items.
    data: Vec<T>,
}

/// Who acts with the credential, as streams record it.
fn by(credential: &Credential) -> By {
    let actor = credential.actor();
    By { actor: OwnActor { kind: actor.kind, id: actor.id, name: actor.name }, ip: None }
}

impl From<LifecycleError> for Problem {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::NotFound => Self::not_found(),
            LifecycleError::Invalid { pointer, detail } => Self::invalid_body(&pointer, detail),
            LifecycleError::State(detail) => Self::new(ProblemCode::NotReady, detail),
            LifecycleError::TooMany(detail) | LifecycleError::Conflict(detail) => {
                Self::new(ProblemCode::Conflict, detail)
            }
            LifecycleError::NoSecretKey(detail) | LifecycleError::Unavailable(detail) => {
                Self::new(ProblemCode::Unavailable, detail)
            }
        }
    }
}
