//! The program as people run it: the real binary against a real server.

mod config;
mod crash;
mod demo;
mod errors;
mod exports;
mod flows;
mod following;
mod full;
mod help;
mod import;
mod memory;
mod metrics;
mod ocsf;
mod readme;
mod real_data;
mod signals;
mod stand_in;
mod streams;
mod support;
