//! JSON numbers: checked, and kept as they were written.

use crate::event::error::{EventError, EventErrorCode};
use crate::limits::NUMBER_CHARS_MAX;

/// Finds the end of the number that starts at `start`.
///
/// Takes in everything that looks like one, so that `NaN`, `01` or `1.2.3` is
/// refused as a whole and not as a number with something stray behind it.
pub(crate) fn scan(text: &str, start: usize) -> Result<(&str, usize), EventError> {
    let bytes = text.as_bytes();
    let len = bytes[start..].iter().take_while(|&&byte| is_number_like(byte)).count();
    let raw = &text[start..start + len];
    if len > NUMBER_CHARS_MAX {
        return Err(EventError::new(
            EventErrorCode::NumberOutOfRange,
            format!(
                "the number at byte {start} has {len} characters, more than {NUMBER_CHARS_MAX}; \
                 send it as a string"
            ),
        ));
    }
    if !is_number(raw.as_bytes()) {
        return Err(EventError::new(
            EventErrorCode::NumberMalformed,
            format!("`{raw}` at byte {start} is not a JSON number"),
        ));
    }
    // Without an exponent, a number of this length is below the largest double.
    let scaled = raw.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    if scaled && raw.parse::<f64>().is_ok_and(f64::is_infinite) {
        return Err(EventError::new(
            EventErrorCode::NumberOutOfRange,
            format!("`{raw}` at byte {start} is infinite for most readers; send it as a string"),
        ));
    }
    Ok((raw, start + len))
}

fn is_number_like(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_')
}

/// RFC 8259, section 6.
fn is_number(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (whole, rest) = split_digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        Some(rest) => match split_digits(rest) {
            ([], _) => return false,
            (_, rest) => rest,
        },
        None => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', exponent @ ..] => {
            let digits = match exponent {
                [b'+' | b'-', digits @ ..] => digits,
                digits => digits,
            };
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().take_while(|byte| byte.is_ascii_digit()).count())
}
