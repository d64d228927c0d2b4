//! A filter prepared for many lines.

use super::field::{Comparison, Field};
use super::needle::Needle;
use super::word::WordMatcher;
use super::{Filter, Matcher, Pattern, Term};
use crate::{Fields, read_fields};

/// A compiled [`Filter`]: says of every line what [`Filter::matches`] says of it.
#[derive(Debug, Clone)]
pub struct LineMatcher {
    /// Words, and whether each is negated. Most lines cost them a look at the
    /// bytes only, so they come first.
    words: Vec<(bool, WordMatcher)>,
    fields: Vec<FieldMatcher>,
}

#[derive(Debug, Clone)]
struct FieldMatcher {
    term: Term,
    /// One of these occurs in every raw line that matches; empty if unknown.
    needles: Vec<Needle>,
}

impl LineMatcher {
    /// Prepares a filter.
    #[must_use]
    pub fn new(filter: &Filter) -> Self {
        let (mut words, mut fields) = (Vec::new(), Vec::new());
        for term in &filter.terms {
            match &term.matcher {
                Matcher::Word(word) => words.push((term.negated, WordMatcher::new(word))),
                Matcher::Field { field, any } => fields.push(FieldMatcher {
                    term: term.clone(),
                    needles: if term.negated { Vec::new() } else { needles(field, any) },
                }),
            }
        }
        Self { words, fields }
    }

    /// Whether the filter matches a stored line.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        self.fields.iter().all(|field| field.may_match(line.as_bytes()))
            && self.matches_words(line)
            && (self.fields.is_empty() || read_fields(line).is_ok_and(|fields| self.matches_terms(&fields)))
    }

    /// Whether the filter can match a line among these bytes, which have raw lines in them and may have others between
    /// those. `false` is certain: it costs a search of bytes for each term and reads no JSON.
    #[must_use]
    pub fn may_match(&self, lines: &[u8]) -> bool {
        self.words.iter().all(|(negated, word)| *negated || word.may_occur(lines))
            && self.fields.iter().all(|field| field.may_match(lines))
    }

    /// Whether the filter matches an event that was read already.
    #[must_use]
    pub fn matches_fields(&self, fields: &Fields<'_>) -> bool {
        self.matches_terms(fields) && self.matches_words(fields.line)
    }

    /// Whether the words of the filter match a stored line, its fields aside.
    #[must_use]
    pub fn matches_words(&self, line: &str) -> bool {
        self.words.iter().all(|(negated, word)| *negated != word.matches_line(line))
    }

    fn matches_terms(&self, fields: &Fields<'_>) -> bool {
        self.fields.iter().all(|field| field.term.matches_fields(fields))
    }
}

impl FieldMatcher {
    fn may_match(&self, lines: &[u8]) -> bool {
        self.needles.is_empty()
            || self.needles.iter().any(|needle| needle.candidates(lines).next_from(0).is_some())
    }
}

/// A needle for each pattern, or none at all if one of them has none.
fn needles(field: &Field, any: &[Pattern]) -> Vec<Needle> {
    any.iter().map(|pattern| needle(field, pattern)).collect::<Option<_>>().unwrap_or_default()
}

/// What must stand in a raw line for `field` to match `pattern`.
fn needle(field: &Field, pattern: &Pattern) -> Option<Needle> {
    let (Pattern::Exact(text) | Pattern::Prefix(text)) = pattern else {
        return None;
    };
    let text = match field.comparison() {
        Comparison::Ip => return None,
        // Type and id stand apart in the line.
        Comparison::Reference => text.rsplit('/').max_by_key(|part| part.len())?,
        _ => text,
    };
    Needle::new(text, false, false)
}
