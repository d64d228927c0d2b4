//! Behaviour of segments through the public surface.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "test code")]

mod corruption;
mod events;
mod filters;
mod golden;
mod reading;
mod writing;
