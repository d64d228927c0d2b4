//! What came of sending a batch: the words in which a destination tells the engine what to do next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::secrets::CUT;

/// What came of one `send`.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was asked and answered, for people.
    pub trace: Trace,
    /// What follows from it, for the engine.
    pub verdict: Verdict,
}

/// What the engine does next with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The destination has every event.
    Accepted,
    /// The destination has the first so many events of the batch; the others have a verdict of
    /// their own, or were not tried yet and can be sent at once.
    Partly {
        /// How many.
        accepted: usize,
        /// What became of the others.
        rest: Option<Box<Verdict>>,
    },
    /// The destination judged each event by itself; in the order of the batch.
    Items(Vec<Item>),
    /// Not now: the same batch again, after a pause.
    Retry {
        /// Why.
        reason: String,
        /// The pause that the destination asked for.
        after: Option<Duration>,
    },
    /// At least one event of the batch can't be taken, it is not known which: smaller batches. A
    /// single event that gets this is a dead letter.
    Split {
        /// Why.
        reason: String,
    },
    /// Nothing will be taken until someone changes the configuration here or there.
    Misconfigured {
        /// Why.
        reason: String,
    },
    /// The destination asked never to be called again.
    Gone {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// The first reason that it gives for not being "accepted".
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Partly { rest, .. } => rest.as_ref()?.reason(),
            Self::Items(items) => items.iter().find_map(|item| match item {
                Item::Accepted => None,
                Item::Retry { reason } | Item::Refused { reason } => Some(reason.as_str()),
            }),
            Self::Retry { reason, .. }
            | Self::Split { reason }
            | Self::Misconfigured { reason }
            | Self::Gone { reason } => Some(reason),
        }
    }
}

/// What became of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// The destination has it (now, or had it already).
    Accepted,
    /// Not now: this event again.
    Retry {
        /// Why.
        reason: String,
    },
    /// Never: a dead letter.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Longest text of a request or an answer that is kept, in bytes.
pub const TRACE_TEXT_BYTES_MAX: usize = 2 * 1024;

/// One exchange as it is shown to the tenant. Never holds a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Trace {
    /// Method and URL, or what stands for them.
    pub request: String,
    /// Size of the request's body as sent.
    pub request_bytes: u64,
    /// The answer's status, where the protocol has one.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub answer: String,
}

impl Trace {
    /// Cuts `text` to what is kept of it, at a character boundary.
    #[must_use]
    pub fn bounded(text: &str) -> String {
        if text.len() <= TRACE_TEXT_BYTES_MAX {
            return text.to_owned();
        }
        let mut end = TRACE_TEXT_BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{CUT}", &text[..end])
    }
}
