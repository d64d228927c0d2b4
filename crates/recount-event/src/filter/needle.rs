//! A fast look at raw lines for a text that is searched without regard to case:
//! it may find too much, never too little. Most lines do not have the word, and
//! this spares walking their JSON.

use crate::token::fold;

/// Bytes of audit events, the most frequent first (UUIDs and times make digits
/// and a–f frequent). What is missing is rare.
const FREQUENT_BYTES: &[u8] = br#""e:a,tirn0sodcu12bf3456789lmp_.-ghyv{}wkx[]/jzq@ "#;

/// A text to look for in raw lines.
#[derive(Debug, Clone)]
pub(crate) struct Needle {
    /// Folded, ASCII, free of what JSON escapes; not empty.
    text: Box<[u8]>,
    /// The place of its rarest byte, and that byte in both cases.
    anchor: usize,
    anchor_lower: u8,
    anchor_upper: u8,
    /// Whether it has a letter that a character beyond ASCII folds to: the
    /// Kelvin sign to `k`, the dotted capital I to `i`.
    has_foreign_forms: bool,
    /// Whether the needle is the whole searched text, so that the edges of words
    /// can be checked next to it.
    start_edge: bool,
    end_edge: bool,
}

impl Needle {
    /// The needle for a searched text: its longest part that stands in raw JSON
    /// as it is. `None` if it has no such part.
    pub(crate) fn new(text: &str, start_edge: bool, end_edge: bool) -> Option<Self> {
        let folded = fold(text);
        let stands_raw = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        let part = folded.split(|c| !stands_raw(c)).max_by_key(|part| part.len())?;
        let whole = part.len() == folded.len();
        let bytes = part.as_bytes();
        let rarity = |byte: u8| FREQUENT_BYTES.iter().position(|&known| known == byte).unwrap_or(usize::MAX);
        let anchor = (0..bytes.len()).max_by_key(|&at| rarity(bytes[at]))?;
        let is_letter_or_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        Some(Self {
            text: bytes.into(),
            anchor,
            anchor_lower: bytes[anchor],
            anchor_upper: bytes[anchor].to_ascii_uppercase(),
            has_foreign_forms: bytes.iter().any(|byte| matches!(byte, b'i' | b'k')),
            start_edge: whole && start_edge && is_letter_or_digit(bytes.first()),
            end_edge: whole && end_edge && is_letter_or_digit(bytes.last()),
        })
    }

    /// Prepares the search in one or many raw lines.
    pub(crate) fn candidates<'a>(&'a self, lines: &'a [u8]) -> Candidates<'a> {
        let foreign = self.has_foreign_forms && !lines.is_ascii();
        Candidates { needle: self, lines, next_foreign: if foreign { find_foreign(lines, 0) } else { None } }
    }

    /// The first occurrence at or after `from`, at the edges of words.
    fn find(&self, lines: &[u8], from: usize) -> Option<usize> {
        let last_anchor = lines.len().checked_sub(self.text.len() - self.anchor)?;
        let mut at = from + self.anchor;
        while at <= last_anchor {
            let window = &lines[at..=last_anchor];
            at += memchr::memchr2(self.anchor_lower, self.anchor_upper, window)?;
            let start = at - self.anchor;
            let end = start + self.text.len();
            if lines[start..end].eq_ignore_ascii_case(&self.text) && self.at_edges(lines, start, end) {
                return Some(start);
            }
            at += 1;
        }
        None
    }

    /// Whether the edges of words can be here. A letter before may be the end of
    /// an escape sequence (`\n`, `\u001b`), and then it says nothing.
    fn at_edges(&self, lines: &[u8], start: usize, end: usize) -> bool {
        const ESCAPE_BYTES_MAX: usize = 6;
        if self.end_edge && lines.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            return false;
        }
        let before = &lines[start.saturating_sub(ESCAPE_BYTES_MAX)..start];
        !(self.start_edge && before.last().is_some_and(u8::is_ascii_alphanumeric) && !before.contains(&b'\\'))
    }
}

/// The places of a needle in raw lines.
pub(crate) struct Candidates<'a> {
    needle: &'a Needle,
    lines: &'a [u8],
    /// The next character beyond ASCII that may stand for a letter of the needle.
    next_foreign: Option<usize>,
}

impl Candidates<'_> {
    /// The first place at or after `from` that the searched text may reach.
    /// Positions must not decrease from call to call.
    pub(crate) fn next_from(&mut self, from: usize) -> Option<usize> {
        if self.next_foreign.is_some_and(|at| at < from) {
            self.next_foreign = find_foreign(self.lines, from);
        }
        match (self.needle.find(self.lines, from), self.next_foreign) {
            (Some(plain), Some(foreign)) => Some(plain.min(foreign)),
            (plain, foreign) => plain.or(foreign),
        }
    }
}

/// The next Kelvin sign or dotted capital I.
fn find_foreign(lines: &[u8], from: usize) -> Option<usize> {
    const KELVIN_SIGN: &[u8] = "\u{212A}".as_bytes();
    const DOTTED_CAPITAL_I: &[u8] = "\u{130}".as_bytes();
    let rest = lines.get(from..)?;
    memchr::memchr2_iter(KELVIN_SIGN[0], DOTTED_CAPITAL_I[0], rest)
        .map(|at| from + at)
        .find(|&at| lines[at..].starts_with(KELVIN_SIGN) || lines[at..].starts_with(DOTTED_CAPITAL_I))
}
