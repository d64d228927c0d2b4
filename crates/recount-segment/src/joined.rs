//! Several strings in one value: how the columns `actor` and `target` keep what belongs together.
//!
//! An actor or target is `type/id`, then, after a tab each, its name and (actors) its email; trailing absent
//! parts are left out. Targets of one event are joined by a line feed:
//!
//! ```text
//! user/u_1⇥Ada Lovelace⇥ada@example.com
//! role/r_9⇥Billing admin⏎project/p_3
//! ```
//!
//! One dictionary entry for all of it costs a third of four columns, because id, name and email repeat
//! together. Inside a part a backslash is written `\\`, a tab `\t`, a line feed `\n`, and a present but empty
//! part `\e`. All of these are rare: nearly every part is its own plain text. Types contain no slash.

use std::borrow::Cow;

/// An actor or a target taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entity<'a> {
    /// `type`.
    pub kind: Cow<'a, str>,
    /// `id`.
    pub id: Cow<'a, str>,
    /// `name`.
    pub name: Option<Cow<'a, str>>,
    /// `email`; targets have none.
    pub email: Option<Cow<'a, str>>,
}

/// Appends an actor or a target to `out`.
pub fn push(out: &mut String, kind: &str, id: &str, name: Option<&str>, email: Option<&str>) {
    escape(out, kind);
    out.push('/');
    escape(out, id);
    if name.is_some() || email.is_some() {
        out.push('\t');
        optional(out, name);
    }
    if email.is_some() {
        out.push('\t');
        optional(out, email);
    }
}

/// Separates the next target from those already in the value.
pub fn separate(out: &mut String) {
    out.push('\n');
}

/// The actors or targets in a value.
pub fn entities(value: &str) -> impl Iterator<Item = Entity<'_>> {
    value.split('\n').map(entity)
}

/// The actor or target that is the whole of `value`.
pub fn entity(value: &str) -> Entity<'_> {
    let mut parts = value.splitn(3, '\t');
    let whole = parts.next().unwrap_or_default();
    let (kind, id) = whole.split_once('/').unwrap_or(("", whole));
    Entity {
        kind: unescape(kind),
        id: unescape(id),
        name: parts.next().filter(|part| !part.is_empty()).map(unescape),
        email: parts.next().filter(|part| !part.is_empty()).map(unescape),
    }
}

/// The `type/id` of each actor or target in a value.
pub fn references(value: &str) -> impl Iterator<Item = Cow<'_, str>> {
    value.split('\n').map(|item| unescape(item.split('\t').next().unwrap_or_default()))
}

fn optional(out: &mut String, part: Option<&str>) {
    match part {
        None => {}
        Some("") => out.push_str("\\e"),
        Some(part) => escape(out, part),
    }
}

fn escape(out: &mut String, part: &str) {
    if memchr::memchr3(b'\\', b'\t', b'\n', part.as_bytes()).is_none() {
        out.push_str(part);
        return;
    }
    for character in part.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

fn unescape(part: &str) -> Cow<'_, str> {
    if !part.contains('\\') {
        return Cow::Borrowed(part);
    }
    let mut out = String::with_capacity(part.len());
    let mut characters = part.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('e') | None => {}
                Some(other) => out.push(other),
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_parts_stay_plain_text() {
        let mut value = String::new();
        push(&mut value, "user", "u_1", Some("Ada Lovelace"), Some("ada@example.com"));
        assert_eq!(value, "user/u_1\tAda Lovelace\tada@example.com");
        let mut value = String::new();
        push(&mut value, "file", "a/b", None, None);
        assert_eq!(value, "file/a/b");
    }

    fn part() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[a/\\\\\t\ne\u{e9}]{0,6}").expect("valid regex")
    }

    fn kind() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[a\\\\\t\ne]{0,4}").expect("valid regex")
    }

    proptest! {
        #[test]
        fn any_parts_come_back(parts in prop::collection::vec(
            (kind(), part(), prop::option::of(part()), prop::option::of(part())), 1..4)
        ) {
            let mut value = String::new();
            for (at, (kind, id, name, email)) in parts.iter().enumerate() {
                if at > 0 { separate(&mut value); }
                push(&mut value, kind, id, name.as_deref(), email.as_deref());
            }
            let back: Vec<_> = entities(&value)
                .map(|e| (e.kind.into_owned(), e.id.into_owned(), e.name.map(Cow::into_owned), e.email.map(Cow::into_owned)))
                .collect();
            prop_assert_eq!(back, parts);
        }
    }
}
