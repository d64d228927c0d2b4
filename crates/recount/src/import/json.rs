//! JSON that is looked into only where a map points, and copied exactly as it was written.
//!
//! A record of a foreign log has hundreds of members of which a map reads a dozen. Each level is
//! parsed when somebody asks for a member of it; what nobody asks for stays text, so that numbers
//! and member order arrive as the source wrote them.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value as text, with its members parsed on demand.
#[derive(Debug)]
pub struct Json<'a> {
    raw: &'a str,
    inner: OnceCell<Inner<'a>>,
}

#[derive(Debug)]
enum Inner<'a> {
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    Array(Vec<Json<'a>>),
    Scalar,
}

impl<'a> Json<'a> {
    /// Reads a whole JSON text. All of it is checked once.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Ok(Self::checked(raw.get()))
    }

    fn checked(raw: &'a str) -> Self {
        Self { raw, inner: OnceCell::new() }
    }

    /// The value as it was written.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether it is `null`, an empty string, an empty object or an empty array.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.raw.as_bytes()[0] {
            b'n' => true,
            b'"' => self.raw.len() == 2,
            b'{' | b'[' => self.raw[1..self.raw.len() - 1].trim_ascii().is_empty(),
            _ => false,
        }
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.raw.starts_with('{')
    }

    /// The members of an object, in order; nothing for other values.
    pub fn members(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        match self.inner() {
            Inner::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements of an array; nothing for other values.
    pub fn elements(&self) -> &[Json<'a>] {
        match self.inner() {
            Inner::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The value at a JSON pointer (RFC 6901), given as its unescaped parts.
    pub fn at(&self, parts: &[String]) -> Option<&Json<'a>> {
        parts.iter().try_fold(self, |json, part| match json.inner() {
            Inner::Object(members) => members.iter().find(|(name, _)| name == part).map(|(_, value)| value),
            Inner::Array(elements) => part.parse::<usize>().ok().and_then(|index| elements.get(index)),
            Inner::Scalar => None,
        })
    }

    /// A string decoded, a number or boolean as written; `None` for `null`, objects and arrays.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self.raw.as_bytes()[0] {
            b'"' => Some(decode_string(self.raw)),
            b'{' | b'[' | b'n' => None,
            _ => Some(Cow::Borrowed(self.raw)),
        }
    }

    fn inner(&self) -> &Inner<'a> {
        self.inner.get_or_init(|| match self.raw.as_bytes()[0] {
            b'{' => serde_json::from_str(self.raw)
                .map_or(Inner::Scalar, |Members(members)| Inner::Object(members)),
            b'[' => {
                let elements: Result<Vec<&'a RawValue>, _> = serde_json::from_str(self.raw);
                elements.map_or(Inner::Scalar, |elements| {
                    Inner::Array(elements.into_iter().map(|raw| Json::checked(raw.get())).collect())
                })
            }
            _ => Inner::Scalar,
        })
    }
}

fn decode_string(raw: &str) -> Cow<'_, str> {
    if raw.contains('\\') {
        Cow::Owned(serde_json::from_str(raw).unwrap_or_default())
    } else {
        Cow::Borrowed(&raw[1..raw.len() - 1])
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    let raw: &'de RawValue = map.next_value()?;
                    members.push((name, Json::checked(raw.get())));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A member name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// A tree of owned JSON, for the rare events that have to be cut. Scalars stay as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// An object, in order.
    Object(Vec<(String, Tree)>),
    /// An array.
    Array(Vec<Tree>),
    /// A string, decoded.
    Text(String),
    /// A number, boolean or `null`, as written.
    Other(String),
}

impl Tree {
    /// The whole value.
    #[must_use]
    pub fn of(json: &Json<'_>) -> Self {
        match json.inner() {
            Inner::Object(members) => Self::Object(
                members.iter().map(|(name, value)| (name.clone().into_owned(), Self::of(value))).collect(),
            ),
            Inner::Array(elements) => Self::Array(elements.iter().map(Self::of).collect()),
            Inner::Scalar if json.raw.starts_with('"') => Self::Text(decode_string(json.raw).into_owned()),
            Inner::Scalar => Self::Other(json.raw.to_owned()),
        }
    }

    /// Writes it without white space.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    push_string(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Self::Array(elements) => {
                out.push('[');
                for (index, value) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Text(text) => push_string(out, text),
            Self::Other(raw) => out.push_str(raw),
        }
    }

    /// The value as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Members of all objects in it.
    #[must_use]
    pub fn members(&self) -> usize {
        match self {
            Self::Object(members) => {
                members.len() + members.iter().map(|(_, value)| value.members()).sum::<usize>()
            }
            Self::Array(elements) => elements.iter().map(Self::members).sum(),
            _ => 0,
        }
    }
}

/// JSON text without the white space between its parts; what is within strings stays.
#[must_use]
pub fn without_space(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in raw.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}

/// Pushes a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

#[cfg(test)]
mod tests {
    use super::{Json, Tree, without_space};

    #[test]
    fn members_are_found_and_copied_as_written() {
        let text = r#"{"a": {"b\n": [1, {"c": 1.10}]}, "n": null, "s": "x\u00e9"}"#;
        let json = Json::parse(text).expect("JSON");
        let at = |parts: &[&str]| {
            json.at(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()).map(Json::raw)
        };
        assert_eq!(at(&["a", "b\n", "1", "c"]), Some("1.10"));
        assert_eq!(at(&["a", "b\n", "7"]), None);
        assert_eq!(json.members()[2].1.text().as_deref(), Some("xé"));
        assert!(json.members()[1].1.is_empty());
        assert_eq!(Tree::of(&json).to_json(), "{\"a\":{\"b\\n\":[1,{\"c\":1.10}]},\"n\":null,\"s\":\"xé\"}");
        assert_eq!(Tree::of(&json).members(), 5);
    }

    #[test]
    fn white_space_goes_except_within_strings() {
        let pretty = "{\n \"a b\" : [ 1 ,\t\"x \\\" \\\\\" , \"é \" ]\r\n}";
        assert_eq!(without_space(pretty), "{\"a b\":[1,\"x \\\" \\\\\",\"é \"]}");
    }

    #[test]
    fn wrong_json_is_an_error() {
        for text in ["", "{", "{\"a\":}", "[1,]", "{} {}", "nul"] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }
}
