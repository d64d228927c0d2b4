//! Believable audit events, made up from a seed: for `recount demo`, for benchmarks and for
//! tests that need volume.
//!
//! Two generators share the people, services and actions of [`world`]:
//!
//! - [`History`] tells the last weeks of a few companies in the order in which they happened:
//!   office hours and weekends, sessions that begin with a login, failures, denied attempts,
//!   role changes with before and after, and in one of them a compromised account.
//!   [`History::live`] goes on from there, one event at a time.
//! - [`Workload`] makes any number of events of any number of tenants as a pure function of
//!   `(seed, tenant, index)`, so that many clients can make their own part.
//!
//! The same seed and the same end give the same bytes, on every machine and in every version
//! of the standard library. Every address is from a range reserved for documentation or
//! benchmarks, every domain ends in a reserved name: nobody real is meant.

mod actions;
mod details;
mod draft;
mod history;
mod people;
mod random;
mod story;
mod workload;
mod world;

pub use history::{Company, DemoEvent, History, Live, companies};
pub use story::{STORY_ACTOR_EMAIL, STORY_ACTOR_NAME};
pub use workload::{Workload, WorkloadOptions, zipf_sizes};

/// Microseconds in a second.
pub(crate) const SECOND_MICROS: i64 = 1_000_000;
/// Microseconds in an hour.
pub(crate) const HOUR_MICROS: i64 = 3_600 * SECOND_MICROS;
/// Microseconds in a day.
pub(crate) const DAY_MICROS: i64 = 24 * HOUR_MICROS;
