//! Webhooks, signed as [Standard Webhooks](https://www.standardwebhooks.com) says.

mod classify;
mod config;
mod encode;
mod send;
pub mod signature;

use serde_json::{Map, Value};

use super::{BatchLimits, Kind, Order, nothing_assigned};
use crate::formats::Format;

pub(super) static KIND: Kind = Kind {
    name: "webhook",
    title: "Webhook",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1],
    secret_members: &["secret", "previous_secret", "previous_secret_until"],
    internal_members: &["previous_secret", "previous_secret_until"],
    address_members: &[],
    assigned: nothing_assigned,
    limits: BatchLimits { events: (100, 1_000), bytes: (512 * 1024, 4 * 1024 * 1024), age_seconds: (0, 300) },
    order: Order::Strict,
    build: send::build,
    generate: |env| {
        let secret = signature::SigningSecret::generate(env);
        Map::from_iter([("secret".to_owned(), Value::String(secret.to_text()))])
    },
};
