//! The strict JSON reader that events are read with, and what belongs to it.
//!
//! `serde_json` keeps the last of two members with one name and forgets how a
//! number was written. An audit log can do neither: this reader refuses the one
//! and keeps the other, and knows the place of every mistake.

pub(crate) mod compact;
pub(crate) mod escape;
pub(crate) mod number;
pub(crate) mod reader;
pub(crate) mod split;
pub(crate) mod text;
pub(crate) mod walk;
