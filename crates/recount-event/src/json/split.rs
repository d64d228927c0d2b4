//! Splits a batch into its events without reading them: the elements of a JSON
//! array, or the lines of NDJSON. A mistake inside an event stays that event's;
//! only where events begin and end is decided here.

use std::fmt;
use std::ops::Range;

use crate::limits::BATCH_EVENTS_MAX;

use super::text::find_special;

/// Why a batch could not be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} at line {line}, column {column} (byte {offset})")]
pub struct JsonSyntaxError {
    /// What kind of mistake it is.
    pub kind: SplitErrorKind,
    /// Where, in bytes from the start of the batch.
    pub offset: usize,
    /// The line of that place, from 1.
    pub line: usize,
    /// The column of that place, from 1, in bytes.
    pub column: usize,
    /// What is wrong there.
    pub detail: String,
}

/// What keeps a batch from being split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitErrorKind {
    /// It is not a JSON array.
    Malformed,
    /// It has more than [`BATCH_EVENTS_MAX`] elements.
    TooManyEvents,
}

/// Splits a JSON array into the texts of its elements, without the white space
/// around them.
///
/// Only the structure is checked: brackets, strings' ends and commas. Uses no
/// stack, however deep the nesting, and stops past [`BATCH_EVENTS_MAX`] elements.
///
/// # Errors
/// Where the array breaks off or goes wrong.
pub fn split_array(text: &str) -> Result<Vec<&str>, JsonSyntaxError> {
    let mut elements = Vec::new();
    Splitter::new(text.as_bytes()).elements(|splitter| {
        // Elements begin and end at ASCII, so they are text again.
        elements.push(&text[splitter.pass_element()?]);
        Ok(())
    })?;
    Ok(elements)
}

/// Splits a JSON array that came as bytes, as [`split_array`] does. Its elements
/// need not be UTF-8.
///
/// # Errors
/// Where the array breaks off or goes wrong.
pub fn split_array_bytes(bytes: &[u8]) -> Result<Vec<&[u8]>, JsonSyntaxError> {
    let mut elements = Vec::new();
    Splitter::new(bytes).elements(|splitter| {
        elements.push(&bytes[splitter.pass_element()?]);
        Ok(())
    })?;
    Ok(elements)
}

pub(crate) type Fault = (SplitErrorKind, String);

/// Where in an array the splitting is.
pub(crate) struct Splitter<'a> {
    bytes: &'a [u8],
    pub(crate) at: usize,
    /// Of each open bracket of an element, whether it is an object's.
    objects: Vec<bool>,
}

impl<'a> Splitter<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, objects: Vec::new() }
    }

    /// Goes through the array; `element` is called at the start of each element and moves behind it.
    pub(crate) fn elements(
        mut self,
        element: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), JsonSyntaxError> {
        self.pass_array(element).map_err(|(kind, detail)| self.error(kind, &detail))
    }

    fn pass_array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.skip_space();
        if self.peek() != Some(b'[') {
            return Err(malformed("a batch starts with `[`"));
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return self.finish();
        }
        for count in 0.. {
            if count == BATCH_EVENTS_MAX {
                return Err((
                    SplitErrorKind::TooManyEvents,
                    format!("a batch has at most {BATCH_EVENTS_MAX} events, and more follow"),
                ));
            }
            element(self)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return self.finish();
                }
                Some(_) => return Err(malformed("`,` or `]` is missing behind an element")),
                None => return Err(malformed("the batch is cut off: its array does not end")),
            }
            self.skip_space();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.bytes.len() {
            return Ok(());
        }
        Err(malformed("the array has ended, and more text follows"))
    }

    /// Moves behind the element that begins here, looking at its structure only; returns its place.
    pub(crate) fn pass_element(&mut self) -> Result<Range<usize>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'{' | b'[') => self.pass_container()?,
            Some(b'"') => self.pass_string()?,
            Some(b',' | b']' | b'}') => return Err(malformed("an element is missing")),
            Some(_) => {
                // Whatever it is, its own reader will refuse it.
                let ends = |byte: &u8| {
                    matches!(byte, b',' | b']' | b'}' | b'"' | b'{' | b'[') || byte.is_ascii_whitespace()
                };
                let rest = &self.bytes[self.at..];
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
            None => return Err(malformed("the batch is cut off: its array does not end")),
        }
        Ok(start..self.at)
    }

    fn pass_container(&mut self) -> Result<(), Fault> {
        self.objects.clear();
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.pass_string()?;
                    continue;
                }
                b'{' | b'[' => self.objects.push(byte == b'{'),
                b'}' | b']' => {
                    if self.objects.pop() != Some(byte == b'}') {
                        return Err(malformed("a bracket closes that was not opened"));
                    }
                    if self.objects.is_empty() {
                        self.at += 1;
                        return Ok(());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(malformed("the batch is cut off within an event"))
    }

    fn pass_string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut at = self.at + 1;
        loop {
            at = find_special(self.bytes, at).at;
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(());
                }
                Some(b'\\') => at += 2,
                // A raw control character is a mistake of the event, not of the batch.
                Some(_) => at += 1,
                None => {
                    self.at = start;
                    return Err(malformed("the batch is cut off: this string does not end"));
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn error(&self, kind: SplitErrorKind, detail: &str) -> JsonSyntaxError {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        JsonSyntaxError {
            kind,
            offset: before.len(),
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            column: 1 + before.len() - line_start,
            detail: detail.to_owned(),
        }
    }
}

fn malformed(detail: &str) -> Fault {
    (SplitErrorKind::Malformed, detail.to_owned())
}

/// One line of NDJSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NdjsonLine<'a> {
    /// The line's number, from 1, blank lines counted.
    pub number: usize,
    /// The line without its end.
    pub bytes: &'a [u8],
}

/// The lines of NDJSON that are not blank; see [`ndjson_lines`].
#[derive(Clone)]
pub struct NdjsonLines<'a> {
    rest: &'a [u8],
    number: usize,
}

/// Iterates over the lines of NDJSON: ends at `\n` or `\r\n`, blank lines passed
/// over. The last line needs no end. Does not check that a line is UTF-8.
#[must_use]
pub fn ndjson_lines(bytes: &[u8]) -> NdjsonLines<'_> {
    NdjsonLines { rest: bytes, number: 0 }
}

impl<'a> Iterator for NdjsonLines<'a> {
    type Item = NdjsonLine<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (line, rest) = match memchr::memchr(b'\n', self.rest) {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &self.rest[self.rest.len()..]),
            };
            self.rest = rest;
            self.number += 1;
            let bytes = line.strip_suffix(b"\r").unwrap_or(line);
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Some(NdjsonLine { number: self.number, bytes });
            }
        }
        None
    }
}

impl fmt::Debug for NdjsonLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NdjsonLines(behind line {}, {} bytes left)", self.number, self.rest.len())
    }
}
