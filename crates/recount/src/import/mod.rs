//! Bringing in audit logs that a vendor already keeps.
//!
//! A record travels: [`input`] opens and unpacks a file, [`records`] cuts it into records at
//! constant memory, [`map`] turns each into an event, [`fit`] cuts what is over the limits of an
//! event, and [`pipeline`] sends batches, several at a time, and keeps account of every one.
//! Ids are the source's own (or derived from the record), so importing again adds nothing.

pub mod fit;
pub mod input;
pub mod json;
pub mod map;
pub mod native;
pub mod parts;
pub mod pipeline;
pub mod progress;
pub mod records;
pub mod rejects;
pub mod state;

pub use map::{Map, MapError, SHIPPED_MAPS};
