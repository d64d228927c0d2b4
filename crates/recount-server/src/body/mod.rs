//! Ingest bodies: collecting within a budget, decompressing under a cap, splitting into events.

mod budget;
mod coding;
mod collect;
mod split;

pub(crate) use budget::{BodyBudget, BodyPermit, DecompressionTurn};
pub(crate) use coding::{Coding, decompress};
pub(crate) use collect::collect;
pub(crate) use split::{BodyFormat, read_events};
