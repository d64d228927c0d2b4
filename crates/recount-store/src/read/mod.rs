//! The way out: everything that a [`TenantLog`](crate::TenantLog) answers.
//!
//! A read takes a [plan](plan) (where the tenant's events are at one moment) and asks the parts of
//! it a [question](question::Question): bounds and a compiled filter. The [scanner] merges the
//! answers of tail runs and row groups in the order of time, opening only what can still
//! contribute; [counts] go over all of them in any order; the [feed] goes by `seq` instead.
//!
//! Parts go away while they are read: the tail is sealed, segments are merged. Whoever finds a
//! part gone takes a new plan and goes on behind the last event that was returned, still below
//! the same pin: since the log only grows, the two halves make one answer.
//!
//! Work on the processors is done in [turns](gate) that tenants get in rotation; how much a
//! tenant may ask for at a time is bounded by [admission], how much one read may examine by its
//! [meter].

mod admission;
mod buckets;
mod cache;
mod columns;
mod counts;
pub(crate) mod error;
mod facets;
mod fault;
mod feed;
mod gate;
mod get;
mod histogram;
mod lane;
mod list;
mod log;
mod meter;
mod order;
mod pages;
mod plan;
mod question;
mod scan;
mod scanner;
mod selection;
mod span;
mod state;
mod unit;

pub use error::ReadError;
pub(crate) use pages::PageCache;
pub(crate) use state::ReadState;
