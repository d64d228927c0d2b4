//! The store through its public surface: one suite per promise, on every catalog and object store.
//!
//! PostgreSQL is taken from `RECOUNT_TEST_POSTGRES` (a URL that may create databases), the S3 service
//! from `RECOUNT_TEST_S3_ENDPOINT`, `RECOUNT_TEST_S3_BUCKET`, `AWS_ACCESS_KEY_ID` and
//! `AWS_SECRET_ACCESS_KEY`. `cargo xtask test` starts both. What is missing is named on standard
//! error, and fails the test with `RECOUNT_TEST_REQUIRED=1`.

mod access;
mod append;
mod crash;
mod damage;
mod duplicates;
mod faults;
mod folding;
mod full;
mod maintenance;
mod nodes;
mod opening;
mod read;
mod retention;
mod support;
