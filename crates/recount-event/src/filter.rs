//! The filter language: what a person types to find events.
//!
//! A [`Filter`] is parsed from text ([`Filter::parse`]), printed in one canonical
//! form (`Display`), and evaluated over stored lines. [`Filter::matches`] is the
//! meaning; [`LineMatcher`] is the same, compiled; columns are filtered with
//! [`Pattern::matches_str`]. `docs/filter.md` describes it for users.

mod display;
pub(crate) mod error;
pub(crate) mod field;
mod lex;
pub(crate) mod line;
mod matches;
mod names;
mod needle;
mod parse;
mod path;
mod pruning;
mod text;
mod value;
mod values;
pub(crate) mod word;

use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use error::FilterError;
use field::Field;
use line::LineMatcher;
use word::Word;

pub use values::{field_values, tag_value};

/// A filter: all its terms must hold. Without terms it matches every event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// What must hold, in the order in which it was written.
    pub terms: Vec<Term>,
}

/// One condition of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// Whether the condition must *not* hold.
    pub negated: bool,
    /// The condition.
    pub matcher: Matcher,
}

/// What a term looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Matcher {
    /// The field has a value that matches one of the patterns.
    Field {
        /// Where to look.
        field: Field,
        /// What to look for; at least one.
        any: Vec<Pattern>,
    },
    /// The word occurs in some value of the event.
    Word(Word),
}

/// What a value is compared with. How letters compare depends on the field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// The value is this text, or has it as whole words if it is running text.
    Exact(String),
    /// The value starts with this text, or one of its words does. The empty
    /// prefix matches every event that has the field.
    Prefix(String),
    /// The value is an address in this network (of one address, if it is full).
    /// IPv4 addresses that are mapped into IPv6 count as IPv4.
    Cidr(IpNet),
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// The first mistake, with its position and what to type instead.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text)
    }

    /// Whether the filter has no terms, and so matches every event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Prepares the filter for many lines.
    #[must_use]
    pub fn compile(&self) -> LineMatcher {
        LineMatcher::new(self)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
