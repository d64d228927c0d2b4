//! A destination's secrets in memory, and the scrubber that keeps them out of everything else.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
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

/// What stands in the place of a secret.
const MASK: &str = "••••";

/// Removes secrets from texts that are kept or shown: a destination may echo what it was sent.
#[derive(Clone, Default)]
pub struct Scrubber {
    needles: Vec<String>,
}

impl Scrubber {
    /// Knows every text in `secrets`, and `derived` ones (an encoded user and password, say), each
    /// also as base64, as URL-encoded text and inside JSON.
    #[must_use]
    pub fn new(secrets: &Secrets, derived: &[String]) -> Self {
        let mut texts: Vec<String> = derived.to_vec();
        collect(&Value::Object(secrets.0.clone()), &mut texts);
        let mut needles = Vec::new();
        for text in texts {
            if text.chars().count() < SCRUBBED_CHARS_MIN {
                continue;
            }
            needles.push(STANDARD.encode(&text));
            needles.push(url::form_urlencoded::byte_serialize(text.as_bytes()).collect());
            let quoted = Value::String(text.clone()).to_string();
            needles.push(quoted[1..quoted.len() - 1].to_owned());
            needles.push(text);
        }
        // Longest first, so that no part of one is left when another is inside it.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    /// The text without secrets.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for needle in &self.needles {
            if text.contains(needle.as_str()) {
                text = text.replace(needle.as_str(), MASK);
            }
        }
        text
    }
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
}
