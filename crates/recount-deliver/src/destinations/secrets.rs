//! A destination's secrets in memory, and the scrubber that keeps them out of everything else.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};

/// The secret members of a destination's configuration, in clear. Its `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Map<String, Value>);

impl Secrets {
    /// Wraps the members.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// The members, to be sealed.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The members, to be changed.
    pub fn members_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// A secret text by its name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Secrets shorter than this are not searched for: they would hide half of every text.
const SCRUBBED_CHARS_MIN: usize = 4;

/// What stands where [`Trace::bounded`](super::Trace::bounded) has cut.
pub(super) const CUT: &str = "…";

/// What stands in the place of a secret.
const MASK: &str = "••••";

/// Makes texts of others fit to be kept and shown: without secrets, since a destination may echo
/// what it was sent, and without control characters, which databases and terminals stumble over.
#[derive(Clone, Default)]
pub struct Scrubber {
    needles: Vec<String>,
}

impl Scrubber {
    /// Knows every text in `secrets`, and `derived` ones (an encoded user and password, say), each
    /// in the forms in which answers echo texts.
    #[must_use]
    pub fn new(secrets: &Secrets, derived: &[String]) -> Self {
        let mut texts: Vec<String> = derived.to_vec();
        collect(&Value::Object(secrets.0.clone()), &mut texts);
        let mut needles: Vec<String> = texts
            .into_iter()
            .filter(|text| text.chars().count() >= SCRUBBED_CHARS_MIN)
            .flat_map(|text| forms(&text))
            .collect();
        // Longest first, so that no part of one is left when another is inside it.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    /// The text without secrets and control characters.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for needle in &self.needles {
            if text.contains(needle.as_str()) {
                text = text.replace(needle.as_str(), MASK);
            }
        }
        // Answers are cut off before they come here, maybe in the middle of a secret.
        let pieces: Vec<String> = text.split(CUT).map(|piece| self.without_beginning(piece)).collect();
        let shown = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
        pieces.join(CUT).chars().map(|c| if shown(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
    }

    /// The text without the beginning of a secret at its end.
    fn without_beginning(&self, text: &str) -> String {
        let longest = self.needles.iter().filter_map(|needle| beginning_at_end(needle, text)).max();
        match longest {
            Some(bytes) => format!("{}{MASK}", &text[..text.len() - bytes]),
            None => text.to_owned(),
        }
    }
}

/// How many bytes of the beginning of `needle` end `text`, if they are enough to tell it.
fn beginning_at_end(needle: &str, text: &str) -> Option<usize> {
    let ends = needle.char_indices().map(|(at, _)| at).skip(SCRUBBED_CHARS_MIN);
    ends.filter(|end| text.ends_with(&needle[..*end])).max()
}

/// A text, and as base64, URL-encoded, inside JSON and inside XML.
fn forms(text: &str) -> Vec<String> {
    let quoted = Value::String(text.to_owned()).to_string();
    let quoted = quoted[1..quoted.len() - 1].to_owned();
    let xml = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    vec![
        STANDARD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        quoted.replace('/', "\\/"),
        quoted,
        xml.replace('"', "&quot;"),
        xml,
        text.to_owned(),
    ]
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} needles)", self.needles.len())
    }
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Object(members) => members.values().for_each(|item| collect(item, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let Value::Object(members) = json!({"token": "s3cr\"et+x", "list": ["other-secret"]}) else {
            unreachable!()
        };
        let secrets = Secrets::new(members);
        let scrubber = Scrubber::new(&secrets, &["dXNlcjpwYXNz".to_owned()]);
        let echoed = r#"got s3cr"et+x {"t":"s3cr\"et+x"} s3cr%22et%2Bx other-secret dXNlcjpwYXNz"#;
        let shown = scrubber.scrub(echoed);
        for hidden in ["s3cr", "other-secret", "dXNlcjpwYXNz"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
        assert!(!format!("{secrets:?}{scrubber:?}").contains("s3cr"));
    }

    #[test]
    fn a_secret_that_was_cut_off_is_hidden_at_every_cut() {
        let Value::Object(members) = json!({"token": "first-secret/second-secret"}) else { unreachable!() };
        let scrubber = Scrubber::new(&Secrets::new(members), &[]);
        let echo = "you sent first-secret/second-secret";
        for cut in "you sent ".len()..=echo.len() {
            for text in [
                echo[..cut].to_owned(),
                format!("{}{CUT}", &echo[..cut]),
                format!("{}{CUT} (400)", &echo[..cut]),
            ] {
                let shown = scrubber.scrub(&text);
                assert!(!shown.contains("first"), "{cut}: {shown}");
            }
        }
    }

    #[test]
    fn what_is_shown_has_no_control_characters() {
        let shown = Scrubber::default().scrub("a\0b\u{1b}[31mc\r\nd\te\u{85}\u{7f}");
        assert_eq!(shown, "a\u{fffd}b\u{fffd}[31mc\u{fffd}\nd\te\u{fffd}\u{fffd}");
    }
}
