//! Datadog Logs.

mod classify;
mod config;
mod encode;
mod send;

use super::{BatchLimits, Kind, Order, no_secrets, nothing_assigned};
use crate::formats::Format;

pub(super) static KIND: Kind = Kind {
    name: "datadog",
    title: "Datadog",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1, Format::Cef],
    secret_members: &["api_key"],
    internal_members: &[],
    address_members: &["url", "site"],
    assigned: nothing_assigned,
    limits: BatchLimits {
        // The intake takes 1,000 logs and 5 MB a request; the envelope needs some of it.
        events: (500, 1_000),
        bytes: (1024 * 1024, 3 * 1024 * 1024),
        age_seconds: (1, 300),
    },
    order: Order::Any { concurrency_max: 4 },
    build: send::build,
    generate: no_secrets,
};
