//! Searching folded text within a value, at the edges of words or anywhere.

use crate::token::{fold, is_token_char};

/// At which ends of a needle the word must end too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) start: bool,
    pub(crate) end: bool,
}

impl Edges {
    pub(crate) const BOTH: Edges = Edges { start: true, end: true };
    pub(crate) const START: Edges = Edges { start: true, end: false };
    pub(crate) const NONE: Edges = Edges { start: false, end: false };

    /// Edges matter only where the needle itself ends in a letter or digit.
    fn effective(self, needle: &str) -> Self {
        Self {
            start: self.start && needle.chars().next().is_some_and(is_token_char),
            end: self.end && needle.chars().next_back().is_some_and(is_token_char),
        }
    }
}

/// Whether `needle` occurs in `value` without regard to case, with the edges of
/// words at the wanted ends. The empty needle occurs in every value.
pub(crate) fn contains(value: &str, needle: &str, edges: Edges) -> bool {
    if needle.is_empty() {
        return true;
    }
    if value.is_ascii() {
        // No text of ASCII alone contains what does not fold to ASCII.
        let needle = fold(needle);
        return needle.is_ascii()
            && contains_ascii(value.as_bytes(), needle.as_bytes(), edges.effective(&needle));
    }
    let (value, needle) = (fold(value), fold(needle));
    let edges = edges.effective(&needle);
    if edges == Edges::NONE {
        return memchr::memmem::find(value.as_bytes(), needle.as_bytes()).is_some();
    }
    // Occurrences may overlap: go on one character behind the start of each.
    let mut from = 0;
    while let Some(found) = value[from..].find(&*needle) {
        let at = from + found;
        if at_edges(&value, at, at + needle.len(), edges) {
            return true;
        }
        from = at + value[at..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

fn at_edges(value: &str, start: usize, end: usize, edges: Edges) -> bool {
    let before = || value[..start].chars().next_back().is_some_and(is_token_char);
    let after = || value[end..].chars().next().is_some_and(is_token_char);
    !(edges.start && before() || edges.end && after())
}

/// `needle` is folded already.
fn contains_ascii(value: &[u8], needle: &[u8], edges: Edges) -> bool {
    let (Some(&first), Some(last_start)) = (needle.first(), value.len().checked_sub(needle.len())) else {
        return false;
    };
    let candidates = memchr::memchr2_iter(first, first.to_ascii_uppercase(), &value[..=last_start]);
    candidates.into_iter().any(|at| {
        let end = at + needle.len();
        value[at..end].eq_ignore_ascii_case(needle)
            && !(edges.start && at > 0 && value[at - 1].is_ascii_alphanumeric())
            && !(edges.end && value.get(end).is_some_and(u8::is_ascii_alphanumeric))
    })
}

/// Whether two texts are the same without regard to case.
pub(crate) fn equal_folded(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() { a.eq_ignore_ascii_case(b) } else { fold(a) == fold(b) }
}

/// Whether `value` starts with `prefix` without regard to case.
pub(crate) fn starts_with_folded(value: &str, prefix: &str) -> bool {
    fold(value).starts_with(&*fold(prefix))
}
