//! The characters of a filter: a cursor that knows its position, bare texts and
//! quoted ones.

use super::error::FilterError;

/// A cursor over the characters of a filter.
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
}

/// A bare or quoted text, as it was typed.
pub(super) struct Lexeme {
    pub(super) text: String,
    pub(super) quoted: bool,
    /// Whether a `*` ends it.
    pub(super) prefix: bool,
    /// Where it starts, and how many characters it takes.
    pub(super) position: usize,
    pub(super) length: usize,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        Self { chars: text.chars().collect(), at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// The character `offset` characters on.
    pub(super) fn peek_at(&self, offset: usize) -> Option<char> {
        self.chars.get(self.at + offset).copied()
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let eaten = self.peek() == Some(wanted);
        self.at += usize::from(eaten);
        eaten
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Whether a term can end here.
    pub(super) fn at_space_or_end(&self) -> bool {
        self.peek().is_none_or(char::is_whitespace)
    }

    /// The characters up to the first that `ends`; the cursor stays.
    pub(super) fn upcoming(&self, ends: impl Fn(char) -> bool) -> String {
        self.chars[self.at..].iter().copied().take_while(|&c| !ends(c)).collect()
    }

    pub(super) fn advance(&mut self, chars: usize) {
        self.at = (self.at + chars).min(self.chars.len());
    }

    /// Reads a bare text up to white space or a character of `ends`. A `*` may
    /// end it. May be empty.
    pub(super) fn bare(&mut self, ends: &[char]) -> Result<Lexeme, FilterError> {
        let position = self.at;
        let typed = self.upcoming(|c| c.is_whitespace() || ends.contains(&c));
        let length = typed.chars().count();
        if let Some(quote) = typed.chars().position(|c| c == '"') {
            return Err(error(
                position + quote,
                1,
                "a quote in the middle of a text",
                "put the whole text in quotes, and `\\\"` for a quote within it",
            ));
        }
        let (text, prefix) = match typed.strip_suffix('*') {
            Some(text) => (text, true),
            None => (typed.as_str(), false),
        };
        if let Some(star) = text.chars().position(|c| c == '*') {
            return Err(error(
                position + star,
                1,
                "a `*` that is not at the end",
                "`*` can only end a text; put the text in quotes to search for a `*`",
            ));
        }
        self.at += length;
        Ok(Lexeme { text: text.to_owned(), quoted: false, prefix, position, length })
    }

    /// Reads a quoted text; the caller has seen the quote. A `*` may follow.
    pub(super) fn quoted(&mut self) -> Result<Lexeme, FilterError> {
        let position = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(error(position, 1, "a quote that is not closed", "add a `\"`"));
            };
            self.at += 1;
            match c {
                '"' => break,
                '\\' => text.push(self.escape()?),
                c => text.push(c),
            }
        }
        let prefix = self.eat('*');
        Ok(Lexeme { text, quoted: true, prefix, position, length: self.at - position })
    }

    fn escape(&mut self) -> Result<char, FilterError> {
        let start = self.at - 1;
        let escaped = match self.peek() {
            Some(c @ ('"' | '\\')) => c,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            _ => {
                return Err(error(
                    start,
                    1,
                    "an unknown escape",
                    "within quotes type `\\\\` for a backslash and `\\\"` for a quote",
                ));
            }
        };
        self.at += 1;
        Ok(escaped)
    }
}

/// An error of the form "`what` at `position`; `advice`".
pub(super) fn error(position: usize, length: usize, what: &str, advice: &str) -> FilterError {
    FilterError { position, length, detail: format!("{what} at {position}; {advice}") }
}
