//! The escapes of JSON strings: read, decoded, and written as few as can be.

use super::text::find_special;
use crate::event::error::{EventError, EventErrorCode};

/// One escape sequence.
pub(crate) struct Escape {
    pub(crate) character: char,
    /// Bytes of the sequence.
    pub(crate) len: usize,
    /// Whether the normal form writes this character so.
    pub(crate) tidy: bool,
}

/// Reads the escape sequence whose backslash is at `at`.
pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Escape, EventError> {
    let malformed =
        |what: &str| Err(EventError::new(EventErrorCode::StringMalformed, format!("{what} at byte {at}")));
    let short = |character, tidy| Ok(Escape { character, len: 2, tidy });
    match bytes.get(at + 1) {
        Some(b'"') => short('"', true),
        Some(b'\\') => short('\\', true),
        Some(b'n') => short('\n', true),
        Some(b't') => short('\t', true),
        Some(b'r') => short('\r', true),
        Some(b'b') => short('\u{8}', true),
        Some(b'f') => short('\u{c}', true),
        Some(b'/') => short('/', false),
        Some(b'u') => {
            let Some(unit) = hex4(bytes, at + 2) else {
                return malformed("a `\\u` is not followed by four hexadecimal digits");
            };
            if let Some(character) = char::from_u32(unit) {
                return Ok(Escape { character, len: 6, tidy: is_tidy_unit(bytes, at, unit) });
            }
            let low = (bytes.get(at + 6..at + 8) == Some(b"\\u"))
                .then(|| hex4(bytes, at + 8))
                .flatten()
                .filter(|low| (0xDC00..0xE000).contains(low) && unit < 0xDC00);
            let Some(low) = low else {
                return Err(EventError::new(
                    EventErrorCode::LoneSurrogate,
                    format!("`\\u{unit:04x}` at byte {at} is half of a surrogate pair"),
                ));
            };
            let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            let character = char::from_u32(code).expect("a surrogate pair is a character");
            Ok(Escape { character, len: 12, tidy: false })
        }
        Some(_) => malformed("a `\\` is followed by a character that JSON does not escape"),
        None => Err(EventError::new(
            EventErrorCode::JsonSyntax,
            format!("the text ends at byte {}, within an escape", at + 1),
        )),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .iter()
        .try_fold(0, |value, &byte| char::from(byte).to_digit(16).map(|digit| value * 16 + digit))
}

/// Whether the normal form writes the control character `unit` as `\u00xx`, in
/// lower case, as it stands at `at`.
fn is_tidy_unit(bytes: &[u8], at: usize, unit: u32) -> bool {
    unit < 0x20
        && !matches!(unit, 0x8 | 0x9 | 0xA | 0xC | 0xD)
        && !bytes[at + 2..at + 6].iter().any(u8::is_ascii_uppercase)
}

/// Decodes the escapes of a string that was checked before. Of one that was not,
/// it keeps what it cannot read as it is, and never fails.
pub(crate) fn decode(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        match read(rest.as_bytes(), at) {
            Ok(escape) => {
                out.push(escape.character);
                rest = &rest[at + escape.len..];
            }
            Err(_) => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Appends `text` as a JSON string with the fewest escapes.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    write_escaped(text, out);
    out.push('"');
}

fn write_escaped(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        let at = find_special(bytes, start).at;
        out.push_str(&text[start..at]);
        let Some(&byte) = bytes.get(at) else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            0x8 => out.push_str("\\b"),
            0xC => out.push_str("\\f"),
            control => {
                let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
                out.push_str("\\u00");
                out.push(digit(control >> 4));
                out.push(digit(control & 0xF));
            }
        }
        start = at + 1;
    }
}
