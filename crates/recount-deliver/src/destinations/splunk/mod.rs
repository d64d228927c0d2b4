//! Splunk's HTTP Event Collector (HEC), with indexer acknowledgement.

mod classify;
mod config;
mod encode;
mod send;

use super::{BatchLimits, Kind, Order, no_secrets, nothing_assigned};
use crate::formats::Format;

pub(super) static KIND: Kind = Kind {
    name: "splunk",
    title: "Splunk",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1, Format::Cef],
    secret_members: &["token"],
    internal_members: &[],
    address_members: &["url"],
    assigned: nothing_assigned,
    limits: BatchLimits {
        events: (1_000, 5_000),
        // HEC takes 1 MiB a request unless its administrator raised `max_content_length`.
        bytes: (768 * 1024, 4 * 1024 * 1024),
        age_seconds: (1, 300),
    },
    order: Order::Any { concurrency_max: 4 },
    build: send::build,
    generate: no_secrets,
};
