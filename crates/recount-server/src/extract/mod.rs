//! What handlers take from a request: credential, parameters, body. Each refuses with a problem.

mod auth;
mod json;
mod params;

pub(crate) use auth::Authenticated;
pub(crate) use json::JsonBody;
pub(crate) use params::{Params, PathId};
