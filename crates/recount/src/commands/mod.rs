//! The commands, a file each: what it takes, and what it does with it.

pub mod completions;
pub mod config;
pub mod demo;
pub mod export;
pub mod import;
pub mod keys;
mod query;
pub mod search;
pub mod serve;
pub mod streams;
pub mod tail;
pub mod tenants;
