//! Cuts an input into records at constant memory, whatever its size and shape.
//!
//! Two ways: line by line, where one broken line costs only itself, and as a document, where a
//! small state machine follows strings and brackets and hands out the elements of a top-level
//! array, the elements of `{"Records":[…]}`, or top-level objects one after another.

use std::io::{self, BufRead};

use super::json::Json;

/// A record longer than this is rejected instead of held.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How much of a rejected record is shown and kept, in bytes.
const REJECT_BYTES_MAX: usize = 64 * 1024;

/// One record, or the place of one that is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line, from 1, on which it begins.
    pub line: u64,
    /// Its text (JSON), or why there is none.
    pub text: Result<String, Unusable>,
    /// Whether its end was seen. A last line without a line feed may still be being written.
    pub ended: bool,
}

/// A record that cannot be read, with what there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// What is wrong.
    pub reason: String,
    /// The beginning of it.
    pub text: String,
}

impl Record {
    /// Whether something may still be written to it: it has no end, and is not whole without one.
    #[must_use]
    pub fn is_unfinished(&self, is_table: bool) -> bool {
        // A row that is cut looks like a row; an object that is cut is no JSON.
        let is_whole = |text: &String| !is_table && Json::parse(text).is_ok();
        !self.ended && !self.text.as_ref().is_ok_and(is_whole)
    }

    fn from_bytes(line: u64, bytes: Vec<u8>) -> Self {
        let text = String::from_utf8(bytes).map_err(|error| Unusable {
            reason: format!("invalid UTF-8 at byte {}", error.utf8_error().valid_up_to()),
            text: lossy(error.as_bytes()),
        });
        Self { line, text, ended: true }
    }

    fn too_long(line: u64, bytes: &[u8]) -> Self {
        let reason = format!("the record is longer than {} MiB", RECORD_BYTES_MAX >> 20);
        Self { line, text: Err(Unusable { reason, text: lossy(bytes) }), ended: true }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(REJECT_BYTES_MAX)]).into_owned()
}

/// NDJSON: one record a line; empty lines are passed over.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from there.
    pub fn new(input: R) -> Self {
        Self { input, line: 0 }
    }

    /// The next record.
    ///
    /// # Errors
    /// If the input cannot be read or unpacked.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        loop {
            let mut bytes = Vec::new();
            let end = read_line(&mut self.input, &mut bytes)?;
            if bytes.is_empty() && end == LineEnd::Input {
                return Ok(None);
            }
            self.line += 1;
            if end == LineEnd::TooLong {
                return Ok(Some(Record::too_long(self.line, &bytes)));
            }
            let text = bytes.trim_ascii();
            if !text.is_empty() {
                let record = Record::from_bytes(self.line, text.to_vec());
                return Ok(Some(Record { ended: end == LineEnd::Feed, ..record }));
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Feed,
    Input,
    TooLong,
}

/// Reads up to a line feed, keeping at most the longest record.
fn read_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<LineEnd> {
    let mut too_long = false;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(if too_long { LineEnd::TooLong } else { LineEnd::Input });
        }
        let feed = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..feed.unwrap_or(available.len())];
        too_long |= bytes.len() + part.len() > RECORD_BYTES_MAX;
        if !too_long {
            bytes.extend_from_slice(part);
        }
        let used = part.len() + usize::from(feed.is_some());
        input.consume(used);
        if feed.is_some() {
            return Ok(if too_long { LineEnd::TooLong } else { LineEnd::Feed });
        }
    }
}

/// One JSON document (or several, one after another) of any size.
#[derive(Debug)]
pub struct Document<R> {
    input: R,
    scanner: Scanner,
}

impl<R: BufRead> Document<R> {
    /// Reads from there; `wrappers` are the members whose array holds the records.
    pub fn new(input: R, wrappers: Vec<String>) -> Self {
        Self { input, scanner: Scanner::new(wrappers) }
    }

    /// The next record.
    ///
    /// # Errors
    /// If the input cannot be read or unpacked, or ends inside a record. What came before is good.
    pub fn next_record(&mut self) -> io::Result<Option<Record>> {
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                return self.scanner.end();
            }
            let (used, record) = self.scanner.feed(available);
            self.input.consume(used);
            if let Some(record) = record {
                return Ok(Some(record));
            }
        }
    }
}

/// Whether the beginning of an input opens the array of a wrapper.
#[must_use]
pub fn opens_wrapper(head: &[u8], wrappers: &[String]) -> bool {
    let mut scanner = Scanner::new(wrappers.to_vec());
    let mut rest = head;
    while !rest.is_empty() {
        let (used, _) = scanner.feed(rest);
        if matches!(scanner.place, Place::Wrapped { .. } | Place::AfterWrapped { .. }) {
            return true;
        }
        rest = &rest[used..];
    }
    false
}

/// Where the scanner is, between records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between top-level values.
    Top,
    /// Between elements of a top-level array.
    Array,
    /// Between elements of a wrapper's array; whether that wrapper is an element itself.
    Wrapped { in_array: bool },
    /// After a wrapper's array, until the wrapper ends.
    AfterWrapped { in_array: bool },
}

#[derive(Debug)]
struct Scanner {
    wrappers: Vec<String>,
    place: Place,
    line: u64,
    /// The record being read and the line on which it began.
    bytes: Vec<u8>,
    began: u64,
    too_long: bool,
    /// Open brackets within the record (or, after a wrapped array, within the wrapper).
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// A record that is not an object: it ends at a comma, bracket or white space.
    bare: bool,
    /// Where the last string at depth 1 began and ended, to recognise a wrapper's member.
    string_began: usize,
    string: Option<(usize, usize)>,
    /// A colon followed that string, and nothing else yet.
    after_colon: bool,
}

impl Scanner {
    fn new(wrappers: Vec<String>) -> Self {
        Self {
            wrappers,
            place: Place::Top,
            line: 1,
            bytes: Vec::new(),
            began: 0,
            too_long: false,
            depth: 0,
            in_string: false,
            escaped: false,
            bare: false,
            string_began: 0,
            string: None,
            after_colon: false,
        }
    }

    /// Takes bytes until a record is complete; tells how many it took.
    fn feed(&mut self, input: &[u8]) -> (usize, Option<Record>) {
        for (index, byte) in input.iter().copied().enumerate() {
            let finished = if let Place::AfterWrapped { in_array } = self.place {
                self.skip(byte, in_array);
                false
            } else if self.depth > 0 || self.in_string || self.bare {
                self.within(byte)
            } else {
                self.between(byte);
                false
            };
            if byte == b'\n' {
                self.line += 1;
            }
            if finished {
                // A bare record ends before the byte that ended it.
                let used = if self.bare { index } else { index + 1 };
                if self.bare && byte == b'\n' {
                    self.line -= 1;
                }
                self.bare = false;
                return (used, Some(self.take()));
            }
        }
        (input.len(), None)
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {}
            b'[' if self.place == Place::Top => self.place = Place::Array,
            b']' => match self.place {
                Place::Array => self.place = Place::Top,
                Place::Wrapped { in_array } => {
                    self.place = Place::AfterWrapped { in_array };
                    self.depth = 1;
                }
                _ => self.begin(byte),
            },
            _ => self.begin(byte),
        }
    }

    fn begin(&mut self, byte: u8) {
        self.began = self.line;
        self.too_long = false;
        self.string = None;
        self.after_colon = false;
        self.bytes.clear();
        self.bytes.push(byte);
        match byte {
            b'{' | b'[' => self.depth = 1,
            b'"' => self.in_string = true,
            _ => self.bare = true,
        }
    }

    /// One byte of a record; true if the record is complete.
    fn within(&mut self, byte: u8) -> bool {
        if self.bare {
            if matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') {
                return true;
            }
            self.keep(byte);
            return false;
        }
        self.keep(byte);
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_string = false;
                self.string = (self.depth == 1).then_some((self.string_began, self.bytes.len() - 1));
                return self.depth == 0;
            }
            return false;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return false,
            b'"' => {
                self.in_string = true;
                self.string_began = self.bytes.len();
            }
            b':' if self.depth == 1 => {
                self.after_colon = self.string.is_some();
                return false;
            }
            b'[' if self.after_colon && self.depth == 1 && self.is_wrapper() => {
                self.place = Place::Wrapped { in_array: self.place == Place::Array };
                self.depth = 0;
                self.bytes.clear();
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.after_colon = false;
        self.depth == 0 && !self.in_string && !self.bytes.is_empty()
    }

    /// One byte of what follows a wrapper's array.
    fn skip(&mut self, byte: u8, in_array: bool) {
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_string = false;
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.depth == 0 {
            self.place = if in_array { Place::Array } else { Place::Top };
        }
    }

    fn is_wrapper(&self) -> bool {
        if !matches!(self.place, Place::Top | Place::Array) || self.too_long || self.bytes[0] != b'{' {
            return false;
        }
        let Some((from, to)) = self.string else { return false };
        self.wrappers.iter().any(|name| name.as_bytes() == &self.bytes[from..to])
    }

    fn keep(&mut self, byte: u8) {
        if self.bytes.len() < RECORD_BYTES_MAX {
            self.bytes.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn take(&mut self) -> Record {
        let bytes = std::mem::take(&mut self.bytes);
        if self.too_long {
            Record::too_long(self.began, &bytes)
        } else {
            Record::from_bytes(self.began, bytes)
        }
    }

    fn end(&mut self) -> io::Result<Option<Record>> {
        if self.bare {
            self.bare = false;
            return Ok(Some(self.take()));
        }
        let inside = match self.place {
            _ if self.depth > 0 || self.in_string => {
                Some(format!("the record that begins on line {}", self.began))
            }
            Place::Top => None,
            _ => Some("an array of records".to_owned()),
        };
        match inside {
            None => Ok(None),
            Some(what) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the input ends inside {what} (line {})", self.line),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
