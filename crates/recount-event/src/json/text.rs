//! JSON strings: found and checked.

use std::borrow::Cow;

use super::escape::{self, decode, write_string};
use crate::event::error::{EventError, EventErrorCode};

/// A checked JSON string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The string with its quotes, as it stands in the sender's text.
    quoted: &'a str,
    traits: Traits,
}

/// What is known of a string. One whole word, because a [`Text`] moves often, and
/// stores of single bytes followed by a load of them all stall the processor.
#[derive(Debug, Clone, Copy, Default)]
struct Traits(u64);

impl Traits {
    const ESCAPED: u64 = 1;
    const UNTIDY: u64 = 2;
    const NOT_PLAIN: u64 = 4;
}

impl<'a> Text<'a> {
    /// What stands between the quotes.
    fn raw(&self) -> &'a str {
        &self.quoted[1..self.quoted.len() - 1]
    }

    /// Whether the string is what [`write_string`] would write.
    pub(crate) fn is_tidy(&self) -> bool {
        self.traits.0 & Traits::UNTIDY == 0
    }

    /// How many characters the string has, if it is printable ASCII without
    /// escapes. May be `None` though it is.
    pub(crate) fn plain_chars(&self) -> Option<usize> {
        let plain = self.traits.0 & (Traits::NOT_PLAIN | Traits::ESCAPED) == 0;
        plain.then(|| self.quoted.len() - 2)
    }

    /// The characters that the string stands for.
    pub(crate) fn decode(&self) -> Cow<'a, str> {
        if self.traits.0 & Traits::ESCAPED != 0 {
            Cow::Owned(decode(self.raw()))
        } else {
            Cow::Borrowed(self.raw())
        }
    }

    /// Appends the string, with its quotes, in normal form.
    pub(crate) fn write_normal(&self, out: &mut String) {
        if self.is_tidy() {
            out.push_str(self.quoted);
        } else {
            write_string(&decode(self.raw()), out);
        }
    }
}

/// The empty string: stands for a required one until it is read.
impl Default for Text<'_> {
    fn default() -> Self {
        Self { quoted: "\"\"", traits: Traits::default() }
    }
}

/// Finds the end of the string whose opening quote is at `open`.
///
/// Returns the string and the position behind its closing quote.
#[inline]
pub(crate) fn scan(text: &str, open: usize) -> Result<(Text<'_>, usize), EventError> {
    let bytes = text.as_bytes();
    let (mut at, mut traits) = (open + 1, 0);
    loop {
        let special = find_special(bytes, at);
        at = special.at;
        traits |= if special.plain { 0 } else { Traits::NOT_PLAIN };
        match bytes.get(at) {
            Some(b'"') => {
                let quoted = &text[open..=at];
                return Ok((Text { quoted, traits: Traits(traits) }, at + 1));
            }
            Some(b'\\') => {
                let escape = escape::read(bytes, at)?;
                traits |= Traits::ESCAPED | if escape.tidy { 0 } else { Traits::UNTIDY };
                at += escape.len;
            }
            byte => return Err(broken_string(byte, at)),
        }
    }
}

#[cold]
fn broken_string(byte: Option<&u8>, at: usize) -> EventError {
    match byte {
        Some(byte) => EventError::new(
            EventErrorCode::StringMalformed,
            format!("a string holds the raw control character U+{byte:04X} at byte {at}; escape it"),
        ),
        None => EventError::new(
            EventErrorCode::JsonSyntax,
            format!("the text ends at byte {at}, within a string"),
        ),
    }
}

/// What [`find_special`] found.
pub(crate) struct Special {
    pub(crate) at: usize,
    /// Whether all before it is printable ASCII. May be false though it is.
    pub(crate) plain: bool,
}

/// The position of the first `"`, `\` or control character at or after `at`, or
/// the end. Eight bytes at a time, as most strings are a few words long.
#[inline]
pub(crate) fn find_special(bytes: &[u8], mut at: usize) -> Special {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_bytes = |word: u64| word.wrapping_sub(LOW) & !word;
    let mut beyond = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero_bytes(word ^ (LOW * u64::from(b'"')));
        let backslash = zero_bytes(word ^ (LOW * u64::from(b'\\')));
        let control = word.wrapping_sub(LOW * 0x20) & !word;
        let hits = (quote | backslash | control) & HIGH;
        // Adding one moves DEL to where the bytes beyond ASCII are.
        beyond |= word | word.wrapping_add(LOW);
        if hits != 0 {
            // Borrows only disturb bytes above the first hit.
            let at = at + (hits.trailing_zeros() / 8) as usize;
            return Special { at, plain: beyond & HIGH == 0 };
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let found = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    Special { at: at + found.unwrap_or(rest.len()), plain: false }
}
