//! Cutting an ingest body into the texts of its events.
//!
//! A body is a JSON array, one object, or NDJSON. Only the outer structure is looked at here; what
//! is wrong inside one event, invalid UTF-8 included, is that event's own error.

use http::{HeaderMap, header};
use recount_event::limits::BATCH_EVENTS_MAX;
use recount_event::{JsonSyntaxError, SplitErrorKind, ndjson_lines, split_array_bytes};

use crate::problem::{Problem, ProblemCode};

/// How the events of a body are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    /// A JSON array of events, or one event.
    Json,
    /// One event per line.
    Ndjson,
    /// To be found out from the body.
    Sniff,
}

impl BodyFormat {
    /// Reads `Content-Type`; without one, or with curl's default, the body decides.
    ///
    /// # Errors
    /// 415 for a type that is neither JSON nor NDJSON.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Sniff) };
        let text = value.to_str().unwrap_or("?");
        let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "application/json" => Ok(Self::Json),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/jsonlines"
            | "application/x-jsonlines" => Ok(Self::Ndjson),
            "" | "text/plain" | "application/octet-stream" | "application/x-www-form-urlencoded" => {
                Ok(Self::Sniff)
            }
            _ => Err(Problem::new(
                ProblemCode::UnsupportedMediaType,
                format!(
                    "Content-Type {text:?} is not supported; use application/json or application/x-ndjson"
                ),
            )),
        }
    }
}

/// Cuts the body into its events, in order.
///
/// # Errors
/// Only what concerns the whole body: empty, broken outer structure (with offset, line and column),
/// too many events.
pub(crate) fn split(format: BodyFormat, body: &[u8]) -> Result<Vec<&[u8]>, Problem> {
    let trimmed = body.trim_ascii();
    let Some(first) = trimmed.first().copied() else {
        return Err(Problem::new(
            ProblemCode::EmptyBody,
            "the body is empty; send a JSON array of events, one event, or NDJSON",
        ));
    };
    match (format, first) {
        (BodyFormat::Json | BodyFormat::Sniff, b'[') => {
            split_array_bytes(body).map_err(|error| whole_body(&error))
        }
        (BodyFormat::Json, _) => Ok(vec![trimmed]),
        // An object that spans lines is one event; NDJSON has one on each.
        (BodyFormat::Sniff, _) if is_one_value(trimmed) => Ok(vec![trimmed]),
        (BodyFormat::Ndjson | BodyFormat::Sniff, _) => lines(body),
    }
}

fn is_one_value(body: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<serde::de::IgnoredAny>();
    matches!(values.next(), Some(Ok(_))) && values.next().is_none()
}

fn lines(body: &[u8]) -> Result<Vec<&[u8]>, Problem> {
    let mut lines = Vec::with_capacity(64);
    for line in ndjson_lines(body) {
        if lines.len() == BATCH_EVENTS_MAX {
            return Err(too_many());
        }
        lines.push(line.bytes.trim_ascii());
    }
    Ok(lines)
}

fn whole_body(error: &JsonSyntaxError) -> Problem {
    match error.kind {
        SplitErrorKind::TooManyEvents => too_many(),
        SplitErrorKind::Malformed => Problem::new(
            ProblemCode::InvalidJson,
            format!(
                "{} (offset {}, line {}, column {}); nothing was stored",
                error.detail, error.offset, error.line, error.column
            ),
        ),
    }
}

fn too_many() -> Problem {
    Problem::new(
        ProblemCode::TooManyEvents,
        format!("a batch has at most {BATCH_EVENTS_MAX} events; nothing was stored, send smaller batches"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(format: BodyFormat, body: &[u8]) -> Result<Vec<String>, String> {
        let items = split(format, body).map_err(|problem| problem.code().to_owned())?;
        Ok(items.into_iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect())
    }

    #[test]
    fn every_form_gives_the_same_events() {
        let expected = Ok(vec![r#"{"a":1}"#.to_owned(), r#"{"b":"\n"}"#.to_owned()]);
        assert_eq!(items(BodyFormat::Sniff, br#" [ {"a":1}, {"b":"\n"} ] "#), expected);
        assert_eq!(items(BodyFormat::Ndjson, b"{\"a\":1}\r\n\n  {\"b\":\"\\n\"}"), expected);
        assert_eq!(items(BodyFormat::Sniff, b"{\"a\":1}\n{\"b\":\"\\n\"}\n"), expected);
        assert_eq!(items(BodyFormat::Sniff, b"{\n\"a\":1\n}"), Ok(vec!["{\n\"a\":1\n}".to_owned()]));
        assert_eq!(items(BodyFormat::Json, b"[]"), Ok(vec![]));
    }

    #[test]
    fn the_whole_body_is_refused_only_for_its_structure() {
        for body in [&b""[..], b" \n\t "] {
            assert_eq!(items(BodyFormat::Sniff, body), Err("empty_body".to_owned()));
        }
        assert_eq!(items(BodyFormat::Json, b"[{\"a\":1},"), Err("invalid_json".to_owned()));
        let mut body = "{}\n".repeat(BATCH_EVENTS_MAX);
        assert_eq!(items(BodyFormat::Ndjson, body.as_bytes()).map(|items| items.len()), Ok(BATCH_EVENTS_MAX));
        body.push_str("{}");
        assert_eq!(items(BodyFormat::Ndjson, body.as_bytes()), Err("too_many_events".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            for format in [BodyFormat::Json, BodyFormat::Ndjson, BodyFormat::Sniff] {
                let _ = items(format, &body);
            }
        }
    }
}
