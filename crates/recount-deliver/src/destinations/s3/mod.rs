//! S3-compatible buckets: NDJSON or Parquet, under names that make a retry harmless.

mod classify;
mod config;
mod credentials;
mod encode;
mod layout;
mod send;

use super::{BatchLimits, Kind, Order, no_secrets};
use crate::formats::Format;

pub use credentials::AwsIdentity;

pub(super) static KIND: Kind = Kind {
    name: "s3",
    title: "Amazon S3 and compatible",
    formats: &[Format::Recount, Format::OCSF, Format::OCSF_1_1],
    secret_members: &["secret_access_key", "session_token"],
    internal_members: &[],
    // The session token is sent as it is; keys only sign.
    address_members: &["endpoint"],
    assigned: credentials::assigned,
    limits: BatchLimits {
        events: (100_000, 500_000),
        bytes: (32 * 1024 * 1024, 64 * 1024 * 1024),
        age_seconds: (300, 86_400),
    },
    order: Order::Any { concurrency_max: 4 },
    build: send::build,
    generate: no_secrets,
};
