//! What a filter demands of the token blooms: which tokens an event must have
//! for a term to hold.

use super::field::{Comparison, Field};
use super::{Matcher, Pattern, Term};
use crate::token::{complete_runs, word_tokens};

impl Term {
    /// The tokens ([`token`](crate::token)) without which the term cannot hold:
    /// an event that matches has all tokens of at least one of the lists. `None`
    /// if the term says nothing about tokens, and nothing can be pruned.
    #[must_use]
    pub fn required_tokens(&self) -> Option<Vec<Vec<String>>> {
        if self.negated {
            return None;
        }
        let alternatives: Vec<Vec<String>> = match &self.matcher {
            Matcher::Word(word) => vec![word_tokens(word)],
            Matcher::Field { field, any } => {
                any.iter().map(|pattern| pattern.required_tokens(field)).collect()
            }
        };
        alternatives.iter().all(|tokens| !tokens.is_empty()).then_some(alternatives)
    }
}

impl Pattern {
    /// The tokens that every event has in which `field` matches the pattern.
    #[must_use]
    pub fn required_tokens(&self, field: &Field) -> Vec<String> {
        // One address has several texts, so its tokens are not known.
        if field.comparison() == Comparison::Ip {
            return Vec::new();
        }
        match self {
            // These are no strings, and so have no tokens.
            Pattern::Exact(text)
                if matches!(field, Field::Tag(_) | Field::Metadata(_))
                    && matches!(text.as_str(), "true" | "false" | "null") =>
            {
                Vec::new()
            }
            Pattern::Exact(text) => complete_runs(text, false, false),
            Pattern::Prefix(text) => complete_runs(text, false, true),
            Pattern::Cidr(_) => Vec::new(),
        }
    }
}
