//! Syslog: RFC 5424 messages over TLS (RFC 5425), with mutual TLS where wanted.

mod classify;
mod config;
mod encode;
mod send;

use super::{BatchLimits, Kind, Order, no_secrets, nothing_assigned};
use crate::formats::Format;

pub(super) static KIND: Kind = Kind {
    name: "syslog",
    title: "Syslog (TLS)",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1, Format::Cef],
    secret_members: &["client_key"],
    internal_members: &[],
    address_members: &[],
    assigned: nothing_assigned,
    limits: BatchLimits {
        events: (1_000, 10_000),
        bytes: (1024 * 1024, 16 * 1024 * 1024),
        age_seconds: (1, 300),
    },
    order: Order::Strict,
    build: send::build,
    generate: no_secrets,
};
