//! The program as people run it: the real binary against a real server.

mod config;
mod crash;
mod demo;
mod errors;
mod flows;
mod full;
mod help;
mod import;
mod metrics;
mod ocsf;
mod real_data;
mod support;
