//! RFC 5424 messages in RFC 5425 frames.

use std::fmt::Write;

use recount_event::{Outcome, read_fields};
use recount_store::StoredEvent;

use super::config::Config;
use crate::formats::{EncodeError, Format};

/// Longest `HOSTNAME`, `APP-NAME` and `MSGID`, in characters (RFC 5424 section 6).
const HOSTNAME_CHARS_MAX: usize = 255;
const APP_NAME_CHARS_MAX: usize = 48;
const MSGID_CHARS_MAX: usize = 32;

/// The id of our structured data: a name under the private enterprise number that RFC 5612 reserves
/// for documentation, since a name without `@` needs registration.
const SD_ID: &str = "recount@32473";

/// The mark that says that the message is UTF-8 (RFC 5424 section 6.4).
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Appends one framed message.
pub(super) fn frame(
    event: &StoredEvent,
    format: Format,
    config: &Config,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let message = message(event, format, config)?;
    if message.len() > config.message_bytes_max {
        return Err(EncodeError::TooLong {
            seq: event.seq,
            bytes: message.len(),
            bytes_max: config.message_bytes_max,
        });
    }
    out.extend_from_slice(format!("{} ", message.len()).as_bytes());
    out.extend_from_slice(&message);
    Ok(())
}

fn message(event: &StoredEvent, format: Format, config: &Config) -> Result<Vec<u8>, EncodeError> {
    let fields = read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error))?;
    let severity = match fields.outcome {
        Outcome::Success => 5,                   // notice
        Outcome::Failure | Outcome::Denied => 4, // warning
    };
    let priority = u32::from(config.facility) * 8 + severity;
    let mut head = format!(
        "<{priority}>1 {} {} {} - {} [{SD_ID}",
        fields.occurred_at,
        header(&config.hostname, HOSTNAME_CHARS_MAX),
        header(&config.app_name, APP_NAME_CHARS_MAX),
        header(&fields.action, MSGID_CHARS_MAX),
    );
    for (name, value) in [
        ("id", fields.id.as_ref()),
        ("tenant", fields.tenant.as_ref()),
        ("seq", &event.seq.to_string()),
        ("action", &fields.action),
        ("outcome", fields.outcome.as_str()),
    ] {
        write!(head, " {name}=\"{}\"", escape(value)).expect("writing to a String can't fail");
    }
    head.push_str("] ");
    let mut message = head.into_bytes();
    message.extend_from_slice(BOM);
    format.encode(event, &mut message)?;
    Ok(message)
}

/// A header field: printable ASCII without spaces, `-` for none.
fn header(text: &str, chars_max: usize) -> String {
    let clean: String =
        text.chars().take(chars_max).map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
    if clean.is_empty() { "-".to_owned() } else { clean }
}

/// A parameter's value (RFC 5424 section 6.3.3); control characters would end a line at receivers
/// that count lines and not bytes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' | ']' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_an_event_stays_inside_its_parameter() {
        assert_eq!(escape("a\"] evil=\"\\\n"), "a\\\"\\] evil=\\\"\\\\ ");
        assert_eq!(header("two words\u{e9}", 32), "two_words_");
        assert_eq!(header("", 32), "-");
    }
}
