//! The store through its public surface: one suite per promise, on every catalog and object store.
//!
//! PostgreSQL is taken from `RECOUNT_TEST_POSTGRES` (a URL that may create databases), the S3 service
//! from `RECOUNT_TEST_S3_ENDPOINT`, `RECOUNT_TEST_S3_BUCKET`, `RECOUNT_TEST_S3_KEY` and
//! `RECOUNT_TEST_S3_SECRET`. `cargo xtask test` starts both. What is missing is named on standard
//! error, never skipped in silence.

mod append;
mod crash;
mod damage;
mod duplicates;
mod faults;
mod maintenance;
mod nodes;
mod opening;
mod read;
mod support;
