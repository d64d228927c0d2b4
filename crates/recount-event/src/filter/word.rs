//! Bare words, prefixes and phrases, matched against every value of an event.

use super::needle::Needle;
use super::text::{Edges, contains};
use crate::json::walk;

/// A text that is searched in all values of an event, without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Word {
    /// Occurs between edges of words: `ada` in `Ada Lovelace`, not in `Canada`.
    Whole(String),
    /// Starts at the edge of a word.
    Prefix(String),
    /// Occurs anywhere.
    Phrase(String),
}

impl Word {
    /// The searched text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Word::Whole(text) | Word::Prefix(text) | Word::Phrase(text) => text,
        }
    }

    fn edges(&self) -> Edges {
        match self {
            Word::Whole(_) => Edges::BOTH,
            Word::Prefix(_) => Edges::START,
            Word::Phrase(_) => Edges::NONE,
        }
    }

    /// Whether the word occurs in one value.
    #[must_use]
    pub fn matches_value(&self, value: &str) -> bool {
        contains(value, self.text(), self.edges())
    }

    /// Whether the word occurs in some string or number of a stored line that is
    /// a value and not the name of a member. For many lines, use [`WordMatcher`].
    #[must_use]
    pub fn matches_line(&self, line: &str) -> bool {
        let mut matched = false;
        walk::values(line, |value| {
            matched = self.matches_value(&value.decode());
            !matched
        });
        matched
    }
}

/// A [`Word`] prepared for many lines.
#[derive(Debug, Clone)]
pub struct WordMatcher {
    word: Word,
    needle: Option<Needle>,
}

impl WordMatcher {
    /// Prepares a word.
    #[must_use]
    pub fn new(word: &Word) -> Self {
        let edges = word.edges();
        Self { word: word.clone(), needle: Needle::new(word.text(), edges.start, edges.end) }
    }

    /// What [`Word::matches_line`] says of the line, faster.
    #[must_use]
    pub fn matches_line(&self, line: &str) -> bool {
        let Some(needle) = &self.needle else {
            return self.word.matches_line(line);
        };
        let mut candidates = needle.candidates(line.as_bytes());
        let Some(mut candidate) = candidates.next_from(0) else {
            return false;
        };
        let mut matched = false;
        walk::values(line, |value| {
            if candidate < value.start {
                // It lay in the name of a member.
                match candidates.next_from(value.start) {
                    Some(next) => candidate = next,
                    None => return false,
                }
            }
            if candidate < value.start + value.raw.len() {
                matched = self.word.matches_value(&value.decode());
            }
            !matched
        });
        matched
    }

    /// Whether the word can occur in these bytes, which have raw lines in them and may have others between those.
    /// `false` is certain: it costs a search of bytes and reads no JSON.
    #[must_use]
    pub fn may_occur(&self, lines: &[u8]) -> bool {
        self.needle.as_ref().is_none_or(|needle| needle.candidates(lines).next_from(0).is_some())
    }
}
