//! Any HTTPS intake that takes a batch: NDJSON or an array, with headers of the tenant's choice.
//!
//! `docs/destinations/https.md` has recipes for Sumo Logic, Panther, New Relic and Google SecOps.

mod classify;
mod config;
mod encode;
mod send;

use super::{BatchLimits, Kind, Order, no_secrets, nothing_assigned};
use crate::formats::Format;

pub(super) static KIND: Kind = Kind {
    name: "https",
    title: "HTTPS",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1, Format::Cef],
    secret_members: &["secrets"],
    internal_members: &[],
    address_members: &["url", "headers"],
    assigned: nothing_assigned,
    limits: BatchLimits {
        events: (1_000, 10_000),
        bytes: (1024 * 1024, 16 * 1024 * 1024),
        age_seconds: (5, 600),
    },
    order: Order::Strict,
    build: send::build,
    generate: no_secrets,
};
