//! What a stream is: its row in the catalog.

use std::fmt;
use std::sync::Arc;

use recount_event::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::env::Env;

/// The name of one stream, unique over all tenants: `st_` and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// A new one.
    pub fn new(env: &Env) -> Self {
        Self(format!("st_{}", env.uuid_v7().simple()).into())
    }

    /// Takes a text as it came from outside; one that is no stream's is found nowhere.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which delivery lease covers the stream.
    pub(crate) fn shard(&self) -> u32 {
        let hash = xxhash_rust::xxh3::xxh3_64(self.0.as_bytes());
        u32::try_from(hash % u64::from(super::SHARDS)).expect("below SHARDS")
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What people want of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamStatus {
    /// Being set up; delivers nothing yet. Events from its start on are waiting for it.
    Draft,
    /// Delivers.
    Active,
    /// Halted by a person; keeps its place.
    Paused,
    /// Halted by the destination's own wish; keeps its place.
    Disabled,
}

/// How a stream is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamHealth {
    /// Nothing was sent yet.
    Unknown,
    /// The last attempts passed.
    Healthy,
    /// Attempts fail; it keeps its place and goes on trying.
    Unhealthy,
    /// Attempts pass again, and it has not yet caught up.
    Recovering,
}

macro_rules! text_enum {
    ($kind:ident { $($variant:ident => $text:literal),* $(,)? }) => {
        impl $kind {
            /// The name in the catalog and in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            pub(crate) fn from_catalog(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

text_enum!(StreamStatus { Draft => "draft", Active => "active", Paused => "paused", Disabled => "disabled" });
text_enum!(StreamHealth {
    Unknown => "unknown", Healthy => "healthy", Unhealthy => "unhealthy", Recovering => "recovering",
});

/// A stream as it is in the catalog.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its name for machines.
    pub id: StreamId,
    /// Whose log it exports.
    pub tenant: TenantId,
    /// Its name for people.
    pub name: String,
    /// The kind of its destination.
    pub destination_type: String,
    /// The destination's public members, a JSON object.
    pub destination: String,
    /// The destination's secret members, a sealed JSON object.
    pub secrets: Vec<u8>,
    /// The format's name.
    pub format: String,
    /// The filter's canonical text.
    pub filter: String,
    /// Settings of its batches, a JSON object.
    pub batch: String,
    /// What people want of it.
    pub status: StreamStatus,
    /// Why it is halted, if somebody or something said why.
    pub status_reason: String,
    /// Moves with every change by a person.
    pub revision: i64,
    /// When what is configured now passed its test.
    pub tested_at: Option<Timestamp>,
    /// The first event that is not yet delivered.
    pub cursor: u64,
    /// Where the batches end that were under way when it failed last, ascending. Tried again, they
    /// are cut in the same places.
    pub stretches: Vec<u64>,
    /// How it is doing.
    pub health: StreamHealth,
    /// Failed attempts in a row.
    pub failures: u32,
    /// Dead letters in a row, with nothing accepted between them.
    pub refusals: u32,
    /// No attempt before this.
    pub retry_at: Option<Timestamp>,
    /// Attempts since its creation.
    pub attempts: u64,
    /// Events accepted since its creation; one that arrived twice counts twice.
    pub delivered: u64,
    /// Dead letters that are kept.
    pub dead_letters: u64,
    /// When an attempt passed last.
    pub last_success_at: Option<Timestamp>,
    /// When an attempt failed last.
    pub last_error_at: Option<Timestamp>,
    /// What the last failure said, without secrets.
    pub last_error: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When a person changed it last.
    pub changed_at: Timestamp,
}

/// What a new stream is made of.
#[derive(Debug, Clone)]
pub struct NewStream {
    /// Its id, under which its secrets are sealed.
    pub id: StreamId,
    /// Its name for people.
    pub name: String,
    /// The kind of its destination.
    pub destination_type: String,
    /// The destination's public members, a JSON object.
    pub destination: String,
    /// The destination's secret members, sealed.
    pub secrets: Vec<u8>,
    /// The format's name.
    pub format: String,
    /// The filter's canonical text.
    pub filter: String,
    /// Settings of its batches, a JSON object.
    pub batch: String,
    /// The first event to deliver.
    pub cursor: u64,
    /// By whom it is created.
    pub created_by: String,
}

/// What a person changes; `None` leaves it. Every change lets the next attempt start at once.
#[derive(Debug, Clone, Default)]
pub struct StreamChange {
    /// The name for people.
    pub name: Option<String>,
    /// Public and sealed secret members of the destination.
    pub destination: Option<(String, Vec<u8>)>,
    /// The format's name.
    pub format: Option<String>,
    /// The filter's canonical text.
    pub filter: Option<String>,
    /// Settings of its batches.
    pub batch: Option<String>,
    /// The status and why.
    pub status: Option<(StreamStatus, String)>,
    /// When the test passed; `Some(None)` says that it must be passed anew.
    pub tested_at: Option<Option<Timestamp>>,
    /// The first event to deliver next.
    pub cursor: Option<u64>,
}
