//! HTTP as all HTTP destinations see it: the trace of an exchange, and what a status usually means.

use std::time::Duration;

use http::{
    HeaderMap, StatusCode,
    header::{DATE, RETRY_AFTER},
};

use super::{Report, Trace, Verdict};
use crate::egress::{Answer, EgressClient, EgressError, Exchange, HttpRequest};

/// Longest pause that a destination's `Retry-After` can ask for.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// Sends `request` and lets `classify` judge the answer; failures without one are judged here.
pub(super) async fn send(
    client: &EgressClient,
    request: HttpRequest,
    classify: impl FnOnce(&Answer) -> Verdict,
) -> Report {
    let mut trace = Trace {
        request: format!("{} {}", request.method, request.url),
        request_bytes: request.body.len() as u64,
        ..Trace::default()
    };
    let Exchange { result, .. } = client.send(request).await;
    match result {
        Ok(answer) => {
            trace.status = Some(answer.status.as_u16());
            trace.answer = Trace::bounded(&String::from_utf8_lossy(&answer.body));
            Report { verdict: classify(&answer), trace }
        }
        Err(error) => {
            trace.answer = error.to_string();
            Report { verdict: unanswered(&error), trace }
        }
    }
}

/// What follows from having got no answer.
pub(super) fn unanswered(error: &EgressError) -> Verdict {
    if error.is_configuration() {
        Verdict::Misconfigured { reason: error.to_string() }
    } else {
        Verdict::Retry { reason: error.to_string(), after: None }
    }
}

/// What a status means unless the destination's documents say otherwise.
pub(super) fn by_status(answer: &Answer) -> Verdict {
    let status = answer.status;
    let reason = reason(answer);
    match status.as_u16() {
        200..300 => Verdict::Accepted,
        413 => Verdict::Split { reason },
        // The request is wrong in itself: one of its events, or all of them.
        400 | 406 | 415 | 422 => Verdict::Split { reason },
        // Another attempt asks for the same, which the server has not.
        501 | 505 => Verdict::Misconfigured { reason },
        // "Not now" by other names: time-outs, conflicts, locks, too early, rate limits.
        408 | 409 | 423 | 425 | 429 => Verdict::Retry { reason, after: retry_after(&answer.headers) },
        500..600 => Verdict::Retry { reason, after: retry_after(&answer.headers) },
        300..400 => Verdict::Misconfigured {
            reason: format!("{reason}; redirects are not followed, use the final url"),
        },
        _ => Verdict::Misconfigured { reason },
    }
}

/// The status in words, with the beginning of what the destination said.
pub(super) fn reason(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    let status = describe(answer.status);
    if text.is_empty() { status } else { Trace::bounded(&format!("{status}: {text}")) }
}

fn describe(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(name) => format!("{} {name}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3), bounded: seconds, or a date. A date is compared with the
/// answer's own `Date`, which comes from the same clock; without one it is taken as absent.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
            until.duration_since(now).unwrap_or_default()
        }
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_in_both_forms_and_bounded() {
        let after = |pairs: &[(http::HeaderName, &str)]| {
            let header = |(name, text): &(http::HeaderName, &str)| {
                (name.clone(), text.parse().expect("a header's value"))
            };
            retry_after(&pairs.iter().map(header).collect())
        };
        let (date, later) = ("Wed, 25 Nov 2026 08:00:00 GMT", "Wed, 25 Nov 2026 08:02:00 GMT");
        assert_eq!(after(&[(RETRY_AFTER, " 7 ")]), Some(Duration::from_secs(7)));
        assert_eq!(after(&[(RETRY_AFTER, later), (DATE, date)]), Some(Duration::from_secs(120)));
        assert_eq!(after(&[(RETRY_AFTER, date), (DATE, later)]), Some(Duration::ZERO));
        assert_eq!(after(&[(RETRY_AFTER, "99999999")]), Some(RETRY_AFTER_MAX));
        assert_eq!(after(&[(RETRY_AFTER, later)]), None);
        assert_eq!(after(&[(RETRY_AFTER, "soon")]), None);
        assert_eq!(after(&[]), None);
    }
}
