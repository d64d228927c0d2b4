//! Words: how an event is cut into tokens, and which tokens a searched word
//! needs. Blooms are filled with the one and asked for the other, so both follow
//! the same rules (`docs/filter.md`, "Words").
//!
//! A token is a run of letters and digits of one string or number that is a
//! value of the event, case-folded. Names of members are not searched.

use std::borrow::Cow;

use crate::filter::word::Word;
use crate::json::walk;

/// The hash that token blooms are filled with: XXH3, 64 bits, of the token's bytes.
#[must_use]
#[inline]
pub fn hash(token: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(token.as_bytes())
}

/// Folds the case of one character.
///
/// Lower case, one character for one: final sigma becomes sigma, and the dotted
/// capital I becomes a plain i, whose lower case would be two characters. A
/// character stays a letter or digit, or not one.
#[must_use]
pub fn fold_char(c: char) -> char {
    match c {
        'ς' => 'σ',
        'İ' => 'i',
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// Folds the case of a text, character by character.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(fold_char).collect())
    }
}

/// Calls `found` with every token of a stored line, in order, repeated ones too.
///
/// Allocates nothing for values of lower-case ASCII, which most are.
pub fn for_each_token(line: &str, mut found: impl FnMut(&str)) {
    let mut folded = String::new();
    walk::values(line, |value| {
        value_tokens(&value.decode(), &mut folded, &mut found);
        true
    });
}

/// Cuts many lines into tokens. Values that it met lately are left out: the lines of one tenant repeat most of theirs,
/// and the longest of them (user agents, places).
#[derive(Debug)]
pub struct LinesTokens<'a> {
    /// Values that were cut, raw, each at the place that its hash says.
    recent: Box<[&'a str; RECENT_VALUES]>,
    folded: String,
}

const RECENT_VALUES: usize = 1 << 12;

impl Default for LinesTokens<'_> {
    fn default() -> Self {
        Self { recent: Box::new([""; RECENT_VALUES]), folded: String::new() }
    }
}

impl<'a> LinesTokens<'a> {
    /// Calls `found` with the tokens of a stored line, in order, but those of repeated values. Every token of every line
    /// is found at least once.
    pub fn add(&mut self, line: &'a str, mut found: impl FnMut(&str)) {
        walk::values(line, |value| {
            #[expect(clippy::cast_possible_truncation, reason = "only the low bits are used")]
            let recent = &mut self.recent[hash(value.raw) as usize % RECENT_VALUES];
            if *recent != value.raw {
                value_tokens(&value.decode(), &mut self.folded, &mut found);
                *recent = value.raw;
            }
            true
        });
    }
}

/// Calls `found` with the tokens of one value.
fn value_tokens(text: &str, folded: &mut String, mut found: impl FnMut(&str)) {
    for run in runs(text) {
        if run.is_folded {
            found(run.text);
        } else {
            folded.clear();
            if run.text.is_ascii() {
                folded.push_str(run.text);
                folded.make_ascii_lowercase();
            } else {
                folded.extend(run.text.chars().map(fold_char));
            }
            found(folded);
        }
    }
}

/// The tokens of a stored line, in order, repeated ones too.
///
/// [`for_each_token`] is the fast form.
pub fn tokens(line: &str) -> impl Iterator<Item = String> {
    let mut all = Vec::new();
    for_each_token(line, |token| all.push(token.to_owned()));
    all.into_iter()
}

/// The tokens that every event has in which `word` occurs, to be looked up in
/// blooms. Only tokens that the word has whole: of `bill*` none, as the event
/// may have `billing`. Empty if the word tells nothing; then nothing can be pruned.
#[must_use]
pub fn word_tokens(word: &Word) -> Vec<String> {
    match word {
        Word::Whole(text) => complete_runs(text, false, false),
        Word::Prefix(text) => complete_runs(text, false, true),
        Word::Phrase(text) => complete_runs(text, true, true),
    }
}

/// The folded runs of `text`, without those at its ends that may go on there.
pub(crate) fn complete_runs(text: &str, open_start: bool, open_end: bool) -> Vec<String> {
    runs(text)
        .filter(|run| !(open_start && run.start == 0))
        .filter(|run| !(open_end && run.start + run.text.len() == text.len()))
        .map(|run| fold(run.text).into_owned())
        .collect()
}

/// Whether a token can contain `c`.
pub(crate) fn is_token_char(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() }
}

/// A run of letters and digits, as it is written.
struct Run<'a> {
    text: &'a str,
    /// Its place in the text that was cut.
    start: usize,
    /// Whether folding changes nothing. May be false though it does not.
    is_folded: bool,
}

/// Cuts a text into its runs of letters and digits.
fn runs(text: &str) -> Runs<'_> {
    Runs { text, at: 0 }
}

struct Runs<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        let bytes = self.text.as_bytes();
        let class = |at: usize| bytes.get(at).map_or(Class::Separator, |byte| CLASSES[usize::from(*byte)]);
        let mut at = self.at;
        while at < bytes.len() {
            match class(at) {
                Class::Separator => at += 1,
                Class::BeyondAscii if !self.char_at(at).is_alphanumeric() => {
                    at += self.char_at(at).len_utf8();
                }
                _ => break,
            }
        }
        let start = at;
        // Most runs are all of small letters and digits.
        while class(at) == Class::Folded {
            at += 1;
        }
        let mut is_folded = true;
        loop {
            match class(at) {
                Class::Separator => break,
                Class::Folded => at += 1,
                Class::Upper => {
                    at += 1;
                    is_folded = false;
                }
                Class::BeyondAscii => {
                    let c = self.char_at(at);
                    if !c.is_alphanumeric() {
                        break;
                    }
                    at += c.len_utf8();
                    is_folded = false;
                }
            }
        }
        self.at = at;
        let text = &self.text[start..at];
        (!text.is_empty()).then_some(Run { text, start, is_folded })
    }
}

impl Runs<'_> {
    fn char_at(&self, at: usize) -> char {
        self.text[at..].chars().next().unwrap_or_default()
    }
}

/// What a byte is to a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    /// A small letter or a digit.
    Folded,
    Upper,
    BeyondAscii,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Separator; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if !b.is_ascii() {
            classes[byte] = Class::BeyondAscii;
        } else if b.is_ascii_uppercase() {
            classes[byte] = Class::Upper;
        } else if b.is_ascii_alphanumeric() {
            classes[byte] = Class::Folded;
        }
        byte += 1;
    }
    classes
};
