//! One pass over an event's JSON: checks the grammar, refuses duplicates and
//! depth, and hands out the raw text of each value.

use std::borrow::Cow;

use super::compact::Raw;
use super::number;
use super::text::{self, Text};
use crate::event::error::{EventError, EventErrorCode, shown};
use crate::limits::DEPTH_MAX;

/// Objects up to this size find duplicates by comparing each name with all
/// before it; larger ones sort their names, so that no input is quadratic.
const NAMES_COMPARED_MAX: usize = 16;

/// A position in a text, and what was noticed on the way.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How many things were met that the normal form writes otherwise. A value
    /// during which it did not move can be copied as it is.
    untidy: u32,
    /// Names of the members of the free-form objects that are open.
    names: Vec<Cow<'a, str>>,
}

/// The type of a JSON value, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

impl Kind {
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Kind::Object => "an object",
            Kind::Array => "an array",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Boolean => "a boolean",
            Kind::Null => "null",
        }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, untidy: 0, names: Vec::new() }
    }

    /// A count that grows with everything that is not in normal form.
    pub(crate) fn untidy(&self) -> u32 {
        self.untidy
    }

    /// Notes that something is not in normal form, though it is allowed.
    pub(crate) fn note_untidy(&mut self) {
        self.untidy = self.untidy.saturating_add(1);
    }

    /// The value that was read since `start` (an earlier [`Reader::position`]),
    /// at which time [`Reader::untidy`] was `untidy_before`.
    pub(crate) fn since(&self, start: usize, untidy_before: u32) -> Raw<'a> {
        Raw { text: &self.text[start..self.at], tidy: self.untidy == untidy_before }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The kind of the value that starts here.
    #[inline]
    pub(crate) fn kind(&self) -> Result<Kind, EventError> {
        match self.peek() {
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'N' | b'I') => Ok(Kind::Number),
            Some(b'n') if self.literal_follows("null") => Ok(Kind::Null),
            Some(b't') if self.literal_follows("true") => Ok(Kind::Boolean),
            Some(b'f') if self.literal_follows("false") => Ok(Kind::Boolean),
            _ => Err(self.syntax("a value is missing")),
        }
    }

    /// Reads a string; the caller knows that one starts here.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Text<'a>, EventError> {
        debug_assert_eq!(self.peek(), Some(b'"'), "the caller looked");
        let (text, end) = text::scan(self.text, self.at)?;
        self.at = end;
        if !text.is_tidy() {
            self.note_untidy();
        }
        Ok(text)
    }

    /// Reads any value, counting the members of its objects into `members`.
    /// `depth` is the level that an object or array here would be on.
    pub(crate) fn value(&mut self, depth: usize, members: &mut usize) -> Result<Kind, EventError> {
        let kind = self.kind()?;
        match kind {
            Kind::String => drop(self.string()?),
            Kind::Number => self.at = number::scan(self.text, self.at)?.1,
            Kind::Object => self.free_object(depth, members)?,
            Kind::Array => {
                self.array(depth, |reader, _| reader.value(depth + 1, members).map(drop))?;
            }
            Kind::Boolean | Kind::Null => self.skip_literal(),
        }
        Ok(kind)
    }

    /// Reads `true`, `false` or `null`; the caller knows that one starts here.
    pub(crate) fn skip_literal(&mut self) {
        self.at += if self.peek() == Some(b'f') { 5 } else { 4 };
    }

    fn free_object(&mut self, depth: usize, members: &mut usize) -> Result<(), EventError> {
        let base = self.names.len();
        self.object(depth, |reader, name| {
            *members += 1;
            let name = name.decode();
            if reader.names.len() - base < NAMES_COMPARED_MAX && reader.names[base..].contains(&name) {
                return Err(duplicate(&name));
            }
            reader.names.push(name.clone());
            reader.value(depth + 1, members).map_err(|error| error.within(&name))?;
            Ok(())
        })?;
        let names = &mut self.names[base..];
        if names.len() > NAMES_COMPARED_MAX {
            names.sort_unstable();
            if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(duplicate(&pair[0]));
            }
        }
        self.names.truncate(base);
        Ok(())
    }

    /// Reads an object; `member` is called behind each colon and reads the value.
    /// It finds duplicates itself and adds the name to its errors.
    pub(crate) fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, Text<'a>) -> Result<(), EventError>,
    ) -> Result<(), EventError> {
        self.open(depth)?;
        if self.closes(b'}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member's name in quotes is missing"));
            }
            let name = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.syntax("a `:` is missing behind a member's name"));
            }
            self.at += 1;
            self.skip_space();
            member(self, name)?;
            self.skip_space();
            if self.closes(b'}') {
                return Ok(());
            }
            self.comma("`,` or `}` is missing behind a member")?;
        }
    }

    /// Reads an array; `element` is called with the index and reads the value.
    /// The index is added to its errors here.
    pub(crate) fn array(
        &mut self,
        depth: usize,
        mut element: impl FnMut(&mut Self, usize) -> Result<(), EventError>,
    ) -> Result<(), EventError> {
        self.open(depth)?;
        if self.closes(b']') {
            return Ok(());
        }
        for index in 0_usize.. {
            let outcome = element(self, index);
            outcome.map_err(|error| error.within(&index.to_string()))?;
            self.skip_space();
            if self.closes(b']') {
                break;
            }
            self.comma("`,` or `]` is missing behind an element")?;
        }
        Ok(())
    }

    /// Reads the end of the text: nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), EventError> {
        self.skip_space();
        if self.at == self.text.len() {
            return Ok(());
        }
        Err(self.syntax("the event has ended, and more text follows"))
    }

    pub(crate) fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(self.at) {
            self.at += 1;
            self.untidy = self.untidy.saturating_add(1);
        }
    }

    /// An error of the grammar at this position.
    #[cold]
    pub(crate) fn syntax(&self, what: &str) -> EventError {
        let at = self.at;
        let found = match self.text[at..].chars().next() {
            None => "the text ends".to_owned(),
            Some('\u{feff}') => "found a byte order mark".to_owned(),
            Some(c) => format!("found {c:?}"),
        };
        EventError::new(EventErrorCode::JsonSyntax, format!("{what} at byte {at} ({found})"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn literal_follows(&self, literal: &str) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        rest.starts_with(literal.as_bytes())
            && !rest.get(literal.len()).is_some_and(u8::is_ascii_alphanumeric)
    }

    fn open(&mut self, depth: usize) -> Result<(), EventError> {
        if depth > DEPTH_MAX {
            return Err(EventError::new(
                EventErrorCode::TooDeep,
                format!("objects and arrays are nested deeper than {DEPTH_MAX} levels"),
            ));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    fn comma(&mut self, missing: &str) -> Result<(), EventError> {
        if self.peek() != Some(b',') {
            return Err(self.syntax(missing));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }
}

/// The error for a second member named `name`.
#[cold]
pub(crate) fn duplicate(name: &str) -> EventError {
    EventError::new(
        EventErrorCode::DuplicateMember,
        format!("the object has two members named {}; keep one", shown(name)),
    )
    .within(name)
}
