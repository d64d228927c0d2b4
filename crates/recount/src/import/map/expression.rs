//! The values of a map: pointers, constants, templates, fallbacks, and what is done to them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::Error as _;

use crate::import::json::Json;

/// Something that has a value in a record, or none.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// The same text for every record.
    Constant(String),
    /// The value at a JSON pointer.
    Pointer(Pointer),
    /// Text with values in braces; no value if one of them has none.
    Template(Vec<Piece>),
    /// The first that has a value.
    First(Vec<Expression>),
    /// A value with something done to it.
    Refined(Box<Refined>),
}

/// A JSON pointer, from the element of an `each` or (with `^`) from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    from_record: bool,
    parts: Vec<String>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    Pointer(Pointer),
    Name(String),
}

/// What is done to a value, in this order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refined {
    from: Expression,
    strip_prefix: Option<String>,
    strip_suffix: Option<String>,
    /// What comes after the last occurrence of this text.
    after_last: Option<String>,
    /// What comes before the first occurrence of this text.
    before_first: Option<String>,
    /// Only values of that kind count.
    only: Option<Only>,
    #[serde(default)]
    lower: bool,
    /// Other values for certain ones; a key may begin or end in `*`.
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// The value where `values` has none. Without it, such a value counts as none if `values` is given.
    otherwise: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Only {
    Ip,
    NotIp,
    Email,
    NotEmail,
}

/// Where pointers begin and which names there are.
pub(super) struct Scope<'s, 'a> {
    pub(super) record: &'s Json<'a>,
    pub(super) element: &'s Json<'a>,
    pub(super) lets: &'s BTreeMap<&'s str, Option<String>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    /// The same for one element.
    pub(super) fn at(&self, element: &'s Json<'a>) -> Self {
        Scope { record: self.record, element, lets: self.lets }
    }
}

impl Pointer {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (from_record, path) = match text.strip_prefix('^') {
            Some(path) => (true, path),
            None => (false, text),
        };
        let Some(path) = path.strip_prefix('/') else {
            return Err(format!(
                "{text:?} is not a JSON pointer: it starts with / (or ^/ for the whole record)"
            ));
        };
        let parts = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { from_record, parts })
    }

    pub(super) fn find<'s, 'a>(&self, scope: &Scope<'s, 'a>) -> Option<&'s Json<'a>> {
        let start = if self.from_record { scope.record } else { scope.element };
        start.at(&self.parts).filter(|json| !json.is_empty())
    }

    /// The last part: the name of what it points to.
    pub(super) fn name(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }
}

impl Expression {
    /// A pointer.
    pub(super) fn pointer(text: &str) -> Result<Self, String> {
        Pointer::parse(text).map(Self::Pointer)
    }

    fn from_text(text: &str) -> Result<Self, String> {
        if text.starts_with('/') || text.starts_with("^/") {
            return Pointer::parse(text).map(Self::Pointer);
        }
        if !text.contains('{') {
            return Ok(Self::Constant(text.to_owned()));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].to_owned()));
            }
            let close =
                rest[open..].find('}').ok_or_else(|| format!("{text:?} has a {{ without a }}"))? + open;
            let inside = &rest[open + 1..close];
            pieces.push(if inside.starts_with('/') || inside.starts_with("^/") {
                Piece::Pointer(Pointer::parse(inside)?)
            } else if inside.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !inside.is_empty() {
                Piece::Name(inside.to_owned())
            } else {
                return Err(format!("{text:?}: {{{inside}}} is neither a pointer nor a name of [let]"));
            });
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self::Template(pieces))
    }

    /// The text that it stands for in a record.
    pub(super) fn text<'s>(&'s self, scope: &Scope<'s, '_>) -> Option<Cow<'s, str>> {
        let text = match self {
            Self::Constant(text) => Cow::Borrowed(text.as_str()),
            Self::Pointer(pointer) => pointer.find(scope)?.text()?,
            Self::Template(pieces) => Cow::Owned(fill(pieces, scope)?),
            Self::First(expressions) => expressions.iter().find_map(|expression| expression.text(scope))?,
            Self::Refined(refined) => refined.text(scope)?,
        };
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The JSON that it stands for: as written where it is a pointer, a string otherwise.
    pub(super) fn raw(&self, scope: &Scope<'_, '_>) -> Option<String> {
        match self {
            Self::Pointer(pointer) => pointer.find(scope).map(|json| json.raw().to_owned()),
            Self::First(expressions) => expressions.iter().find_map(|expression| expression.raw(scope)),
            _ => self.text(scope).map(|text| serde_json::to_string(&text).expect("a string is always JSON")),
        }
    }

    /// What an `each` goes over: the elements of an array, or the one value.
    pub(super) fn elements<'s, 'a>(&self, scope: &Scope<'s, 'a>) -> Vec<&'s Json<'a>> {
        let Self::Pointer(pointer) = self else { return Vec::new() };
        match pointer.find(scope) {
            Some(json) if json.raw().starts_with('[') => json.elements().iter().collect(),
            Some(json) => vec![json],
            None => Vec::new(),
        }
    }

    pub(super) fn is_pointer(&self) -> bool {
        matches!(self, Self::Pointer(_))
    }

    /// Names of `[let]` that it uses.
    pub(super) fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Template(pieces) => Box::new(pieces.iter().filter_map(|piece| match piece {
                Piece::Name(name) => Some(name.as_str()),
                _ => None,
            })),
            Self::First(expressions) => Box::new(expressions.iter().flat_map(Self::names)),
            Self::Refined(refined) => refined.from.names(),
            Self::Constant(_) | Self::Pointer(_) => Box::new(std::iter::empty()),
        }
    }
}

fn fill(pieces: &[Piece], scope: &Scope<'_, '_>) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Pointer(pointer) => out.push_str(&pointer.find(scope)?.text()?),
            Piece::Name(name) => out.push_str(scope.lets.get(name.as_str())?.as_deref()?),
        }
    }
    Some(out)
}

impl Refined {
    fn text<'s>(&'s self, scope: &Scope<'s, '_>) -> Option<Cow<'s, str>> {
        let found = self.from.text(scope)?;
        let mut text: &str = &found;
        if let Some(prefix) = &self.strip_prefix {
            text = text.strip_prefix(prefix.as_str()).unwrap_or(text);
        }
        if let Some(suffix) = &self.strip_suffix {
            text = text.strip_suffix(suffix.as_str()).unwrap_or(text);
        }
        if let Some(separator) = &self.after_last {
            text = text.rsplit_once(separator.as_str()).map_or(text, |(_, after)| after);
        }
        if let Some(separator) = &self.before_first {
            text = text.split_once(separator.as_str()).map_or(text, |(before, _)| before);
        }
        if !self.only.is_none_or(|only| only.holds(text)) {
            return None;
        }
        let text = if self.lower { text.to_lowercase() } else { text.to_owned() };
        if self.values.is_empty() {
            return Some(Cow::Owned(text));
        }
        let chosen = self.values.get(&text).or_else(|| self.by_pattern(&text)).or(self.otherwise.as_ref());
        chosen.map(|value| Cow::Borrowed(value.as_str()))
    }

    /// The value of the longest key that begins or ends in `*` and fits.
    fn by_pattern(&self, text: &str) -> Option<&String> {
        let fits = |key: &&String| {
            key.strip_suffix('*').is_some_and(|prefix| text.starts_with(prefix))
                || key.strip_prefix('*').is_some_and(|suffix| text.ends_with(suffix))
        };
        self.values
            .iter()
            .filter(|(key, _)| fits(key))
            .max_by_key(|(key, _)| key.len())
            .map(|(_, value)| value)
    }
}

impl Only {
    fn holds(self, text: &str) -> bool {
        let is_email = || {
            text.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
            })
        };
        match self {
            Only::Ip => text.parse::<IpAddr>().is_ok(),
            Only::NotIp => text.parse::<IpAddr>().is_err(),
            Only::Email => is_email(),
            Only::NotEmail => !is_email(),
        }
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Self::from_text(&text).map_err(D::Error::custom),
            toml::Value::Array(items) if !items.is_empty() => {
                let expressions: Result<Vec<Self>, _> =
                    items.into_iter().map(toml::Value::try_into).collect();
                expressions.map(Self::First).map_err(D::Error::custom)
            }
            toml::Value::Table(table) => toml::Value::Table(table)
                .try_into()
                .map(|refined| Self::Refined(Box::new(refined)))
                .map_err(D::Error::custom),
            other => Err(D::Error::custom(format!(
                "expected a text (a pointer, a constant or a template), a list of them, or a table with `from`, not {other}"
            ))),
        }
    }
}
