//! Elasticsearch and OpenSearch, over `_bulk`.

mod classify;
mod config;
mod encode;
mod send;

use super::{BatchLimits, Kind, Order, no_secrets, nothing_assigned};
use crate::formats::Format;

pub(super) static KIND: Kind = Kind {
    name: "elasticsearch",
    title: "Elasticsearch / OpenSearch",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1],
    secret_members: &["api_key", "password"],
    internal_members: &[],
    address_members: &["url"],
    assigned: nothing_assigned,
    limits: BatchLimits {
        events: (2_000, 10_000),
        bytes: (4 * 1024 * 1024, 15 * 1024 * 1024),
        age_seconds: (1, 300),
    },
    order: Order::Any { concurrency_max: 4 },
    build: send::build,
    generate: no_secrets,
};
