//! Free-form JSON in normal form: no white space, fewest escapes, all else as sent.

use super::text;

/// A checked JSON value, as it stands in the sender's text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    /// Whether the text is in normal form already.
    pub(crate) tidy: bool,
}

impl Raw<'_> {
    /// Appends the value in normal form.
    pub(crate) fn write_normal(&self, out: &mut String) {
        if self.tidy {
            out.push_str(self.text);
        } else {
            write_compact(self.text, out);
        }
    }
}

/// Copies checked JSON without its white space and with the fewest escapes.
fn write_compact(json: &str, out: &mut String) {
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => match text::scan(json, at) {
                Ok((string, end)) => {
                    string.write_normal(out);
                    at = end;
                }
                // Cannot happen to checked text; copying keeps the loop total.
                Err(_) => {
                    out.push_str(&json[at..]);
                    return;
                }
            },
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            _ => {
                let len = bytes[at..]
                    .iter()
                    .take_while(|byte| !matches!(byte, b'"' | b' ' | b'\t' | b'\n' | b'\r'))
                    .count();
                out.push_str(&json[at..at + len]);
                at += len;
            }
        }
    }
}
