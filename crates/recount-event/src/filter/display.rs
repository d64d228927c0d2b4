//! The canonical text of a filter.
//!
//! It parses back to the same filter if the filter came from [`Filter::parse`].
//! (A filter put together by hand can hold what no text says, like a whole word
//! with a space in it; such a text is quoted.)

use std::fmt::{self, Write as _};

use super::word::Word;
use super::{Filter, Matcher, Pattern, Term};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_char(' ')?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_char('-')?;
        }
        match &self.matcher {
            Matcher::Word(word) => word.fmt(f),
            Matcher::Field { field, any } => {
                write!(f, "{field}:")?;
                for (index, pattern) in any.iter().enumerate() {
                    if index > 0 {
                        f.write_char(',')?;
                    }
                    pattern.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Whole(text) if is_bare_word(text) => f.write_str(text),
            Word::Prefix(text) if is_bare_word(text) => write!(f, "{text}*"),
            word => write_quoted(f, word.text()),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Exact(text) => write_value(f, text),
            Pattern::Prefix(text) if text.is_empty() => f.write_char('*'),
            Pattern::Prefix(text) => {
                write_value(f, text)?;
                f.write_char('*')
            }
            Pattern::Cidr(network) if network.prefix_len() == network.max_prefix_len() => {
                write!(f, "{}", network.addr())
            }
            Pattern::Cidr(network) => write!(f, "{network}"),
        }
    }
}

/// Writes the path of [`Field::Tag`] or [`Field::Metadata`].
pub(super) fn write_path(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    let ends_name = |c: char| c.is_whitespace() || matches!(c, ':' | '"' | ',');
    if path.is_empty() || path.contains(ends_name) { write_quoted(f, path) } else { f.write_str(path) }
}

fn write_value(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if is_bare(text) { f.write_str(text) } else { write_quoted(f, text) }
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '*'))
}

/// Whether `text`, typed bare, is read as a word.
fn is_bare_word(text: &str) -> bool {
    is_bare(text) && !text.starts_with(['-', '(', ')']) && !matches!(text, "AND" | "OR" | "NOT")
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
