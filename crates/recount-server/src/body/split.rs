//! Cutting an ingest body into its events, and checking them.
//!
//! A body is a JSON array, one object, or NDJSON. Only the outer structure is looked at here; what
//! is wrong inside one event, invalid UTF-8 included, is that event's own error.

use http::{HeaderMap, header};
use recount_event::limits::BATCH_EVENTS_MAX;
use recount_event::{
    EventError, JsonSyntaxError, NewEvent, ParseContext, SplitErrorKind, ndjson_lines, parse_array,
    parse_event_bytes,
};
use uuid::Uuid;

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

/// Checks the body's events and hands them to `found`, in order.
///
/// # Errors
/// Only what concerns the whole body: empty, broken outer structure (with offset, line and column),
/// too many events. What was found before counts for nothing then.
pub(crate) fn read_events(
    format: BodyFormat,
    body: &[u8],
    context: &ParseContext<'_>,
    assign_id: &mut dyn FnMut() -> Uuid,
    mut found: impl FnMut(Result<NewEvent, EventError>),
) -> Result<(), Problem> {
    let trimmed = body.trim_ascii();
    let Some(first) = trimmed.first().copied() else {
        return Err(Problem::new(
            ProblemCode::EmptyBody,
            "the body is empty; send a JSON array of events, one event, or NDJSON",
        ));
    };
    let items = match (format, first) {
        (BodyFormat::Json | BodyFormat::Sniff, b'[') => {
            return parse_array(body, context, assign_id, found).map_err(|error| whole_body(&error));
        }
        (BodyFormat::Json, _) => vec![trimmed],
        // An object that spans lines is one event; NDJSON has one on each.
        (BodyFormat::Sniff, _) if is_one_value(trimmed) => vec![trimmed],
        (BodyFormat::Ndjson | BodyFormat::Sniff, _) => lines(body)?,
    };
    for item in items {
        found(parse_event_bytes(item, context, assign_id));
    }
    Ok(())
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

    const FORMATS: [BodyFormat; 3] = [BodyFormat::Json, BodyFormat::Ndjson, BodyFormat::Sniff];

    fn event(id: &str) -> String {
        format!(
            r#"{{"id":"{id}","tenant":"t","occurred_at":"2026-01-01T00:00:00Z","action":"a","actor":{{"type":"user","id":"u]}}"}}}}"#
        )
    }

    /// The events' ids, or their errors' codes.
    fn items(format: BodyFormat, body: &[u8]) -> Result<Vec<String>, String> {
        let mut items = Vec::new();
        let (context, mut assign_id) = (ParseContext::default(), Uuid::nil);
        read_events(format, body, &context, &mut assign_id, |result| {
            items.push(result.map_or_else(|error| error.code.as_str().to_owned(), |event| event.id));
        })
        .map_err(|problem| problem.code().to_owned())?;
        Ok(items)
    }

    #[test]
    fn every_form_gives_the_same_events() {
        let (a, b) = (event("a"), event("b"));
        let expected = Ok(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(items(BodyFormat::Sniff, format!(" [ {a}, {b} ] ").as_bytes()), expected);
        assert_eq!(items(BodyFormat::Ndjson, format!("{a}\r\n\n  {b}").as_bytes()), expected);
        assert_eq!(items(BodyFormat::Sniff, format!("{a}\n{b}\n").as_bytes()), expected);
        let spread = a.replace("{\"id\"", "{\n\"id\"");
        assert_eq!(items(BodyFormat::Sniff, spread.as_bytes()), Ok(vec!["a".to_owned()]));
        assert_eq!(items(BodyFormat::Json, b"[]"), Ok(vec![]));
    }

    #[test]
    fn a_bad_event_spoils_no_other() {
        let (a, b) = (event("a"), event("b"));
        let body = [format!("[{a},{{\"x\":").as_bytes(), b"\"\xFF]\"},", b.as_bytes(), b",7]"].concat();
        assert_eq!(
            items(BodyFormat::Json, &body),
            Ok(["a", "invalid_utf8", "b", "wrong_type"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn the_whole_body_is_refused_only_for_its_structure() {
        for body in [&b""[..], b" \n\t "] {
            assert_eq!(items(BodyFormat::Sniff, body), Err("empty_body".to_owned()));
        }
        let a = event("a");
        for body in [format!("[{a},"), format!("[{a} {a}]"), format!("[{a}]{a}"), format!("[,{a}]")] {
            assert_eq!(items(BodyFormat::Json, body.as_bytes()), Err("invalid_json".to_owned()), "{body}");
        }
        let mut body = "{}\n".repeat(BATCH_EVENTS_MAX);
        assert_eq!(items(BodyFormat::Ndjson, body.as_bytes()).map(|items| items.len()), Ok(BATCH_EVENTS_MAX));
        body.push_str("{}");
        assert_eq!(items(BodyFormat::Ndjson, body.as_bytes()), Err("too_many_events".to_owned()));
        let array = format!("[{}]", vec!["{}"; BATCH_EVENTS_MAX + 1].join(","));
        assert_eq!(items(BodyFormat::Json, array.as_bytes()), Err("too_many_events".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            for format in FORMATS {
                let _ = items(format, &body);
            }
        }
    }
}
