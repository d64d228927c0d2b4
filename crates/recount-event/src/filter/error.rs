//! Mistakes in a filter.

/// A mistake in a filter, with its place, so that it can be underlined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{detail}")]
pub struct FilterError {
    /// Where it starts: characters (Unicode scalar values) before it.
    pub position: usize,
    /// How many characters are wrong; 0 if something is missing there.
    pub length: usize,
    /// What is wrong and what to type instead; names the position too.
    pub detail: String,
}
