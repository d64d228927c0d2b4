//! The program as people run it: the real binary against a real server.

mod config;
mod crash;
mod demo;
mod errors;
mod flows;
mod help;
mod import;
mod real_data;
mod streams;
mod support;
