//! The HTTP side of Recount: routes, credentials, OpenAPI, probes, and the hosted portal.
//!
//! [`serve`] runs a server on a listener that the caller has opened; tests do so on port 0. Every
//! endpoint is one file, `routes/<noun>/<verb>.rs`. Every error leaves as a [`problem`] document.
//!
//! Where to look: `extract/` turns a request into a credential and typed parameters, `body/` takes
//! ingest bodies in, `cursor` makes pages, `observe` logs, measures and names requests, `exporting/`
//! makes files, `listen/` holds the connections.

mod body;
pub mod config;
mod cursor;
mod exporting;
mod extract;
mod host_tokens;
mod listen;
mod observe;
mod openapi;
pub mod problem;
mod routes;
mod state;

pub use config::{HostTokenAlgorithm, HostTokenKeys, HostTokens, PortalBrand, ServerConfig, ServerLimits};
pub use listen::serve;
pub use observe::install_metrics;
pub use openapi::openapi_json;
pub use state::{AppState, StartError};
