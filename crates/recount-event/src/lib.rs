//! The audit event: its members, limits and normal form, and the filter language.
//!
//! Pure: no I/O, no clock, no randomness. `docs/formats/event.md` and
//! `docs/filter.md` describe for users what this crate does.
//!
//! - On the way in: [`parse_array`], or [`ndjson_lines`] and [`parse_event_bytes`].
//! - From storage: [`read_fields`] on a line in normal form.
//! - Searching: [`Filter`], and [`token`] for the blooms that prune words.

mod event;
mod fields;
mod filter;
mod json;
pub mod limits;
mod outcome;
mod tenant;
mod timestamp;
pub mod token;

pub use event::error::{EventError, EventErrorCode};
pub use event::{NewEvent, ParseContext, parse_array, parse_event, parse_event_bytes};
pub use fields::{CorruptLine, Fields, TargetFields, read_fields};
pub use filter::error::FilterError;
pub use filter::field::Field;
pub use filter::line::LineMatcher;
pub use filter::word::{Word, WordMatcher};
pub use filter::{Filter, Matcher, Pattern, Term, field_values, tag_value};
pub use json::split::{
    JsonSyntaxError, NdjsonLine, NdjsonLines, SplitErrorKind, ndjson_lines, split_array, split_array_bytes,
};
pub use outcome::{Outcome, UnknownOutcome};
pub use tenant::{InvalidTenantId, TenantId};
pub use timestamp::{Timestamp, TimestampError};
