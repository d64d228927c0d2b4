//! Texts with `{placeholders}`: object names, URLs and headers that depend on the batch.

use std::fmt::Write;

/// A parsed template. `{{` and `}}` stand for braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    /// Parses `text`; `known` decides which placeholders exist.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub(super) fn parse(text: &str, known: impl Fn(&str) -> bool) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(format!("a '}}' without '{{' in {text:?} (write '}}}}' for a brace)"));
            }
            let Some(end) = rest.find('}') else {
                return Err(format!("a '{{' without '}}' in {text:?} (write '{{{{' for a brace)"));
            };
            let name = &rest[..end];
            if !known(name) {
                return Err(format!("unknown placeholder {{{name}}} in {text:?}"));
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Name(name.to_owned()));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// Whether the template has the placeholder.
    #[must_use]
    pub(super) fn names(&self, wanted: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Name(name) if name == wanted))
    }

    /// Fills the placeholders in; one that `value` does not know is left empty.
    pub(super) fn fill<V: std::fmt::Display>(&self, value: impl Fn(&str) -> Option<V>) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(name) => {
                    if let Some(value) = value(name) {
                        // Writing to a String can't fail.
                        let _ = write!(out, "{value}");
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        matches!(name, "tenant" | "dt")
    }

    #[test]
    fn fills_placeholders_and_keeps_doubled_braces() {
        let template = Template::parse("a/{tenant}/{{x}}/dt={dt}", known).expect("parses");
        let filled = template.fill(|name| Some(name.to_uppercase()));
        assert_eq!(filled, "a/TENANT/{x}/dt=DT");
        assert!(template.names("dt"));
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, want) in
            [("{nope}", "unknown placeholder {nope}"), ("{tenant", "without '}'"), ("a}b", "without '{'")]
        {
            let error = Template::parse(text, known).expect_err(text);
            assert!(error.contains(want), "{error}");
        }
    }
}
