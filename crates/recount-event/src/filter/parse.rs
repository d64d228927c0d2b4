//! Reads the filter language.

use super::error::FilterError;
use super::field::Field;
use super::lex::{Cursor, Lexeme, error};
use super::names::{self, CANONICAL};
use super::value::pattern;
use super::word::Word;
use super::{Filter, Matcher, Term};
use crate::limits::{FILTER_BYTES_MAX, FILTER_TERMS_MAX, FILTER_VALUES_MAX, FILTER_WORD_CHARS_MAX};

/// Reads a whole filter.
pub(super) fn filter(text: &str) -> Result<Filter, FilterError> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(FilterError {
            position: 0,
            length: text.chars().count(),
            detail: format!("the filter has {} bytes, more than {FILTER_BYTES_MAX}; shorten it", text.len()),
        });
    }
    let mut parser = Parser { cursor: Cursor::new(text), values: 0 };
    let mut filter = Filter::default();
    loop {
        parser.cursor.skip_space();
        if parser.cursor.peek().is_none() {
            return Ok(filter);
        }
        if filter.terms.len() == FILTER_TERMS_MAX {
            let what = format!("more than {FILTER_TERMS_MAX} terms");
            return Err(error(parser.cursor.position(), 1, &what, "leave some out"));
        }
        filter.terms.push(parser.term()?);
    }
}

struct Parser {
    cursor: Cursor,
    /// Values so far, over all terms.
    values: usize,
}

impl Parser {
    fn term(&mut self) -> Result<Term, FilterError> {
        let start = self.cursor.position();
        let negated = self.cursor.eat('-');
        if negated && (self.cursor.at_space_or_end() || self.cursor.peek() == Some('-')) {
            let advice = "one `-` stands directly before the term that it negates";
            return Err(error(start, 1, "a `-` without a term", advice));
        }
        let matcher = match self.field()? {
            Some(field) => self.values(field)?,
            None => Matcher::Word(self.word()?),
        };
        Ok(Term { negated, matcher })
    }

    /// Reads a field's name and its colon, if one stands here.
    fn field(&mut self) -> Result<Option<Field>, FilterError> {
        let position = self.cursor.position();
        let name = self.cursor.upcoming(|c| c.is_whitespace() || matches!(c, ':' | '"' | ','));
        let length = name.chars().count();
        match self.cursor.peek_at(length) {
            Some(':') => {}
            Some('"') if free_form(&name, "x").is_some() => {
                return self.quoted_path(&name, length).map(Some);
            }
            _ => return Ok(None),
        }
        if let Some(field) = free_form(&name, "") {
            if matches!(&field, Field::Tag(path) | Field::Metadata(path) if path.is_empty()) {
                let advice = format!("name a member, like `{}.plan:pro`", field.name());
                return Err(error(position, length, "a name is missing", &advice));
            }
            self.cursor.advance(length + 1);
            return Ok(Some(field));
        }
        if let Some(field) = names::named(&name) {
            self.cursor.advance(length + 1);
            return Ok(Some(field));
        }
        if is_name_like(&name) { Err(unknown_field(&name, position, length)) } else { Ok(None) }
    }

    /// Reads the rest of `metadata."a path":`.
    fn quoted_path(&mut self, name: &str, length: usize) -> Result<Field, FilterError> {
        self.cursor.advance(length);
        let path = self.cursor.quoted()?;
        if path.text.is_empty() || path.prefix || !self.cursor.eat(':') {
            return Err(error(
                path.position,
                path.length,
                "a quoted name without a value",
                "type it like `metadata.\"a name\":value`",
            ));
        }
        Ok(free_form(name, &path.text).expect("the caller looked"))
    }

    fn values(&mut self, field: Field) -> Result<Matcher, FilterError> {
        let mut any = Vec::new();
        loop {
            let value = self.value(&field)?;
            self.values += 1;
            if self.values > FILTER_VALUES_MAX {
                let what = format!("more than {FILTER_VALUES_MAX} values");
                return Err(error(value.position, value.length, &what, "leave some out"));
            }
            any.push(pattern(&field, &value)?);
            if !self.cursor.eat(',') {
                break;
            }
        }
        self.expect_end()?;
        Ok(Matcher::Field { field, any })
    }

    fn value(&mut self, field: &Field) -> Result<Lexeme, FilterError> {
        let position = self.cursor.position();
        let value = match self.cursor.peek() {
            Some('"') => self.cursor.quoted()?,
            _ => self.cursor.bare(&[','])?,
        };
        let any = value.prefix && !value.quoted;
        if value.text.is_empty() && !any {
            let what = format!("a value is missing for `{field}`");
            let advice =
                format!("type it directly behind the `:` or `,`; `{field}:*` finds events that have one");
            return Err(error(position, value.length, &what, &advice));
        }
        Ok(value)
    }

    fn word(&mut self) -> Result<Word, FilterError> {
        let position = self.cursor.position();
        if self.cursor.peek() == Some('"') {
            let phrase = self.cursor.quoted()?;
            if phrase.prefix {
                let advice = "a text in quotes is found anywhere; leave the `*` out";
                return Err(error(position, phrase.length, "a `*` behind a quote", advice));
            }
            if phrase.text.is_empty() {
                return Err(error(position, 2, "an empty text", "type something between the quotes"));
            }
            self.expect_end()?;
            check_length(&phrase)?;
            return Ok(Word::Phrase(phrase.text));
        }
        let word = self.cursor.bare(&[])?;
        refuse_operators(&word)?;
        check_length(&word)?;
        Ok(if word.prefix { Word::Prefix(word.text) } else { Word::Whole(word.text) })
    }

    fn expect_end(&self) -> Result<(), FilterError> {
        if self.cursor.at_space_or_end() {
            return Ok(());
        }
        let advice = "put a space between terms, or the whole text in quotes";
        Err(error(self.cursor.position(), 1, "text directly behind a quote", advice))
    }
}

/// The free-form field that `name` starts, with what follows its first point and
/// `path` appended to it.
fn free_form(name: &str, path: &str) -> Option<Field> {
    let (head, rest) = name.split_once('.').unwrap_or((name, ""));
    // A quoted path follows a single point: `metadata."a path"`.
    let only_head = name.len() == head.len() + 1;
    if !path.is_empty() && !only_head {
        return None;
    }
    let path = format!("{rest}{path}");
    match head.to_ascii_lowercase().as_str() {
        "metadata" | "meta" => Some(Field::Metadata(path)),
        "tags" | "tag" => Some(Field::Tag(path)),
        _ => None,
    }
}

/// Whether `name` reads like the name of a field, so that it is more likely a
/// mistyped one than a part of a searched text.
fn is_name_like(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn unknown_field(name: &str, position: usize, length: usize) -> FilterError {
    let advice = if names::is_time_name(name) {
        "times are not part of the filter: set `from` and `to` beside it".to_owned()
    } else if let Some(nearest) = names::nearest(name) {
        format!("did you mean `{nearest}`?")
    } else {
        format!(
            "to search for this text, put it in quotes; the fields are {}",
            CANONICAL.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ")
        )
    };
    error(position, length, &format!("unknown field `{name}`"), &advice)
}

/// Refuses what other languages have and a person may type out of habit.
fn refuse_operators(word: &Lexeme) -> Result<(), FilterError> {
    let at = |what: &str, advice: &str| Err(error(word.position, word.length, what, advice));
    match word.text.as_str() {
        "" => at("a `*` without a text", "type the start of a word before it"),
        "AND" => at("`AND` is no operator", "leave it out: all terms must hold anyway"),
        "OR" => at("`OR` is no operator", "join values of one field by commas: `action:a,b`"),
        "NOT" => at("`NOT` is no operator", "put a `-` directly before the term"),
        text if text.starts_with(['(', ')']) => {
            at("groups do not exist", "to search for a parenthesis, put the text in quotes")
        }
        text if text.contains(',') => at(
            "a comma within a word",
            "commas join values of one field only: `action:a,b`; put the text in quotes to search \
             for a comma",
        ),
        _ => Ok(()),
    }
}

fn check_length(word: &Lexeme) -> Result<(), FilterError> {
    if word.text.chars().count() <= FILTER_WORD_CHARS_MAX {
        return Ok(());
    }
    let what = format!("a text of more than {FILTER_WORD_CHARS_MAX} characters");
    Err(error(word.position, word.length, &what, "shorten it"))
}
