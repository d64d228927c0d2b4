//! Streams: everything in a tenant's log leaves continuously, to where the customer already looks.
//!
//! - [`lifecycle`] is what people do: set up, test, enable, halt, replay, repair, watch.
//! - [`engine`] is what runs: one durable cursor per stream, moved along the log.
//! - [`destinations`] has one folder per destination, [`formats`] what events look like there.
//! - [`egress`] is the only way out to an address that a tenant chose.
//!
//! The life of an event here: the supervisor sees a log grow, a run *cuts* a batch out of it, a
//! destination *encodes* and *sends* it and *classifies* the answer, and the cursor moves in the
//! transaction that writes the attempt down.

mod delivery;
pub mod destinations;
pub mod egress;
pub mod engine;
pub mod formats;
pub mod lifecycle;

pub use delivery::{Delivery, DeliveryConfig};
