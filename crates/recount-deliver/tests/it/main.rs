//! Delivery through its public surface, against stubs of ours for faults and against what others
//! wrote for protocols and formats (`tests/peers/README.md`).
//!
//! `cargo xtask test` starts or installs the peers and names them in the environment. What is
//! missing is named on standard error, and is a failure where `RECOUNT_TEST_REQUIRED` is set.

mod chaos;
mod datadog;
mod egress;
mod elasticsearch;
mod engine;
mod formats;
mod https;
mod lifecycle;
mod nodes;
mod retention;
mod retries;
mod s3;
mod splunk;
mod support;
mod syslog;
mod webhook;
