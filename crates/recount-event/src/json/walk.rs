//! A fast walk over lines in normal form. They were checked when they came in,
//! so the walk checks only what it needs to end, and never panics: damage that
//! got past the checksums makes it return `None`.

use std::borrow::Cow;

use super::{escape, text};

/// The raw text of a string in a stored line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawText<'a> {
    /// Where it starts in the text that is walked over, behind the quote.
    pub(crate) start: usize,
    pub(crate) raw: &'a str,
    pub(crate) escaped: bool,
}

impl<'a> RawText<'a> {
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(escape::decode(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// Whether the string stands for `name`.
    pub(crate) fn is(self, name: &str) -> bool {
        if self.escaped { escape::decode(self.raw) == name } else { self.raw == name }
    }
}

/// A position in a line.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    /// Reads a string.
    pub(crate) fn string(&mut self) -> Option<RawText<'a>> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        let (end, escaped) = string_end(self.text.as_bytes(), start)?;
        self.at = end + 1;
        Some(RawText { start, raw: self.text.get(start..end)?, escaped })
    }

    /// Passes over a value and returns its text.
    pub(crate) fn skip(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match bytes.get(self.at)? {
                b'"' => self.at = string_end(bytes, self.at + 1)?.0 + 1,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => {
                    if depth == 0 {
                        return None;
                    }
                    self.at += 1;
                }
                _ => self.at = scalar_end(bytes, self.at),
            }
            if depth == 0 {
                return self.text.get(start..self.at);
            }
        }
    }

    /// Walks over an object; `member` must read or skip each value, and may stop
    /// the walk with `None`.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, RawText<'a>) -> Option<()>,
    ) -> Option<()> {
        if !self.eat(b'{') {
            return None;
        }
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            let name = self.string()?;
            if !self.eat(b':') {
                return None;
            }
            member(self, name)?;
            if self.eat(b'}') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// Walks over an array; `element` must read or skip each value.
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if !self.eat(b'[') {
            return None;
        }
        if self.eat(b']') {
            return Some(());
        }
        loop {
            element(self)?;
            if self.eat(b']') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }
}

/// Calls `found` with every string and number that is a value (not the name of a
/// member) of the line, in order, until it returns `false`. Damage ends the walk.
pub(crate) fn values<'a>(line: &'a str, mut found: impl FnMut(RawText<'a>) -> bool) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let start = at + 1;
                let Some((end, escaped)) = string_end(bytes, start) else {
                    return;
                };
                at = end + 1;
                if bytes.get(at) == Some(&b':') {
                    at += 1;
                } else if let Some(raw) = line.get(start..end)
                    && !found(RawText { start, raw, escaped })
                {
                    return;
                }
            }
            b'-' | b'0'..=b'9' => {
                let end = scalar_end(bytes, at);
                if let Some(raw) = line.get(at..end)
                    && !found(RawText { start: at, raw, escaped: false })
                {
                    return;
                }
                at = end;
            }
            // `true`, `false`, `null`.
            byte if byte.is_ascii_alphabetic() => at = scalar_end(bytes, at),
            _ => at += 1,
        }
    }
}

/// The position of the quote that ends the string whose content starts at
/// `start`, and whether the content has escapes.
fn string_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (start, false);
    loop {
        at = text::find_special(bytes, at).at;
        match bytes.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => return None,
        }
    }
}

/// The end of a number, `true`, `false` or `null`; at least one byte on.
fn scalar_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| matches!(byte, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'['))
        .unwrap_or(rest.len());
    start + len.max(1)
}
