//! Errors as clients see them: RFC 9457 problem documents, one code per cause.
//!
//! Every error of every route leaves through [`Problem`]. `code` is what programs compare and never
//! changes; `detail` is for people and says what to do.

use std::fmt::Write as _;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $status:ident $title:literal,)*) => {
        /// What went wrong, as a stable name with its HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode {
            $($(#[$doc])* $variant,)*
        }

        impl ProblemCode {
            /// All codes of the service itself; events and filters add theirs.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// One line for people, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or not the JSON that the route takes.
    InvalidJson "invalid_json" BAD_REQUEST "The body is not the expected JSON",
    /// A member of the body has a value that can't be used.
    InvalidBody "invalid_body" BAD_REQUEST "A member of the body has an invalid value",
    /// There is no body where one is needed.
    EmptyBody "empty_body" BAD_REQUEST "The body is empty",
    /// The body ended before it was complete.
    TruncatedBody "truncated_body" BAD_REQUEST "The body is incomplete",
    /// The body is not what its Content-Encoding says.
    InvalidCompression "invalid_compression" BAD_REQUEST "The body can't be decompressed",
    /// A query parameter that the route does not have.
    UnknownParameter "unknown_parameter" BAD_REQUEST "Unknown query parameter",
    /// A query or path parameter with a value that can't be used.
    InvalidParameter "invalid_parameter" BAD_REQUEST "A parameter has an invalid value",
    /// The filter has a mistake; `position` and `length` say where.
    InvalidFilter "invalid_filter" BAD_REQUEST "The filter has a mistake",
    /// A cursor that this server did not make, or made for other parameters.
    InvalidCursor "invalid_cursor" BAD_REQUEST "The cursor can't be used here",
    /// A vendor's credential must say which tenant it means.
    TenantRequired "tenant_required" BAD_REQUEST "Name a tenant",
    /// The request is not well-formed HTTP for this server.
    BadRequest "bad_request" BAD_REQUEST "The request is malformed",
    /// The answer would need too much work; `detail` says how to narrow the question.
    TooExpensive "too_expensive" UNPROCESSABLE_ENTITY "The question is too expensive",
    /// No credential, or one that is unknown, expired or revoked.
    Unauthenticated "unauthenticated" UNAUTHORIZED "A valid credential is needed",
    /// The credential may not do this.
    Forbidden "forbidden" FORBIDDEN "The credential may not do this",
    /// A credential can't give away more than it has.
    ExceedsCreator "exceeds_creator" FORBIDDEN "More rights or time than the creator has",
    /// A session token used from a page that was not named when the session was made.
    OriginNotAllowed "origin_not_allowed" FORBIDDEN "This origin may not use the session",
    /// There is no such thing, or not for this credential.
    NotFound "not_found" NOT_FOUND "Not found",
    /// The path exists, the method does not.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed",
    /// Nothing that the client accepts can be sent.
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE "Nothing acceptable can be sent",
    /// The client was too slow to send its request.
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The request took too long to arrive",
    /// The thing exists already.
    Conflict "conflict" CONFLICT "It exists already",
    /// The thing is in another state than the request needs.
    NotReady "not_ready" CONFLICT "Not in a state for this",
    /// The link was used before, or is too old.
    LinkUsedOrExpired "link_used_or_expired" GONE "The link can't be used any more",
    /// Retention has removed what was asked for; `detail` says where the log begins now.
    EventsRemoved "events_removed" GONE "The events were removed by retention",
    /// The file was deleted when its time was over.
    Gone "gone" GONE "It is no longer there",
    /// The body, or what it decompresses to, is too long.
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "The body is too large",
    /// More events than one batch may have.
    TooManyEvents "too_many_events" PAYLOAD_TOO_LARGE "Too many events in one batch",
    /// The path or query is too long.
    UriTooLong "uri_too_long" URI_TOO_LONG "The path or query is too long",
    /// A Content-Type or Content-Encoding that the route does not take.
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body's type is not supported",
    /// Too much is waiting to be stored or read; try again after the pause.
    Busy "busy" TOO_MANY_REQUESTS "Too much at once",
    /// A part of the service does not answer; try again after the pause.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Temporarily unavailable",
    /// Stored data is damaged; nothing of it is served.
    DataDamaged "data_damaged" INTERNAL_SERVER_ERROR "Stored data is damaged",
    /// A mistake of the server; the log has it under the request's id.
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error",
}

/// An error on its way to the client. Boxed, because it is in the type of most results.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    title: &'static str,
    code: &'static str,
    detail: String,
    pointer: Option<String>,
    place: Option<(usize, usize)>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem of this code; `detail` names the object and says what to do.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status: code.status(),
            title: code.title(),
            code: code.as_str(),
            detail: detail.into(),
            pointer: None,
            place: None,
            retry_after: None,
        }))
    }

    /// Adds the JSON pointer to the member that is wrong.
    #[must_use]
    pub fn at_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// Adds the place in the filter text, in characters.
    #[must_use]
    pub fn at_place(mut self, position: usize, length: usize) -> Self {
        self.0.place = Some((position, length));
        self
    }

    /// Adds how long the client should wait before it tries again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The uniform answer to everything that does not exist for this credential.
    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "there is no such thing, or this credential can't see it")
    }

    /// A query or path parameter that can't be used.
    pub fn invalid_parameter(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(ProblemCode::InvalidParameter, format!("{name}: {detail}"))
    }

    /// A member of the body that can't be used.
    pub fn invalid_body(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::InvalidBody, detail).at_pointer(pointer)
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable name.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The document.
    pub fn body(&self) -> ProblemBody {
        let parts = &*self.0;
        ProblemBody {
            kind: format!("urn:recount:problem:{}", parts.code),
            title: parts.title.to_owned(),
            status: parts.status.as_u16(),
            detail: parts.detail.clone(),
            code: parts.code.to_owned(),
            pointer: parts.pointer.clone(),
            position: parts.place.map(|place| place.0),
            length: parts.place.map(|place| place.1),
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:recount:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:recount:problem:invalid_filter")]
    pub kind: String,
    /// One line for people, the same for every occurrence of the code.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong this time and what to do.
    pub detail: String,
    /// The stable name of the problem, to be compared by programs.
    #[schema(example = "invalid_filter")]
    pub code: String,
    /// JSON pointer to the member of the body that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Where in the filter the mistake starts, in characters from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// How many characters of the filter are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).expect("a problem has string members only");
        let mut response = (self.0.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.0.retry_after {
            let mut text = String::new();
            let _ = write!(text, "{}", wait.as_secs().max(1));
            headers.insert(header::RETRY_AFTER, HeaderValue::try_from(text).expect("digits"));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"recount\""));
        }
        response
    }
}

impl From<recount_store::ReadError> for Problem {
    fn from(error: recount_store::ReadError) -> Self {
        use recount_store::ReadError;
        match error {
            ReadError::NotFound => Self::not_found(),
            ReadError::Invalid { detail } => Self::new(ProblemCode::InvalidParameter, detail),
            ReadError::TooExpensive { detail } => Self::new(ProblemCode::TooExpensive, detail),
            ReadError::Busy { retry_after } => {
                Self::new(ProblemCode::Busy, "too many reads of this tenant are under way")
                    .retry_after(retry_after)
            }
            error @ ReadError::Removed { .. } => Self::new(ProblemCode::EventsRemoved, error.to_string()),
            ReadError::Corrupt { object, what } => {
                tracing::error!(object, what, "stored data is damaged");
                Self::new(ProblemCode::DataDamaged, format!("{object} is damaged: {what}; it was not served"))
            }
            error => {
                tracing::warn!(%error, "read failed");
                Self::unavailable()
            }
        }
    }
}

impl From<recount_store::AppendError> for Problem {
    fn from(error: recount_store::AppendError) -> Self {
        use recount_store::AppendError;
        match error {
            AppendError::Busy { retry_after } => Self::new(
                ProblemCode::Busy,
                "too many events are waiting to be stored; send the same events again",
            )
            .retry_after(retry_after),
            AppendError::Unavailable { detail } => {
                tracing::warn!(detail, "append failed");
                Self::unavailable()
            }
        }
    }
}

impl From<recount_store::access::AccessError> for Problem {
    fn from(error: recount_store::access::AccessError) -> Self {
        use recount_store::access::AccessError;
        let detail = error.to_string();
        match error {
            AccessError::Forbidden { .. } => Self::new(ProblemCode::Forbidden, detail),
            AccessError::TenantRequired => Self::new(ProblemCode::TenantRequired, detail),
            AccessError::NotFound => Self::not_found(),
            AccessError::ExceedsCreator { .. } => Self::new(ProblemCode::ExceedsCreator, detail),
            AccessError::Invalid { pointer, .. } => Self::invalid_body(pointer, detail),
            AccessError::TooMany { .. } => {
                Self::new(ProblemCode::Busy, detail).retry_after(Duration::from_secs(30))
            }
            AccessError::WrongState { .. } => Self::new(ProblemCode::NotReady, detail),
            AccessError::LinkUsedOrExpired => Self::new(ProblemCode::LinkUsedOrExpired, detail),
            AccessError::NotRecorded(error) => error.into(),
            AccessError::Catalog(error) => error.into(),
            _ => {
                tracing::warn!(detail, "access failed");
                Self::unavailable()
            }
        }
    }
}

impl From<recount_store::CatalogError> for Problem {
    fn from(error: recount_store::CatalogError) -> Self {
        tracing::warn!(%error, "catalog failed");
        Self::unavailable()
    }
}

impl Problem {
    /// A part of the service does not answer. The cause is in the server's log, not in the answer.
    pub fn unavailable() -> Self {
        const PAUSE: Duration = Duration::from_secs(2);
        Self::new(ProblemCode::Unavailable, "the log can't be reached now; try again").retry_after(PAUSE)
    }

    /// A mistake of the server.
    pub fn internal() -> Self {
        Self::new(
            ProblemCode::Internal,
            "the server made a mistake; its log has it under the x-request-id of this answer",
        )
    }
}

impl From<recount_event::FilterError> for Problem {
    fn from(error: recount_event::FilterError) -> Self {
        Self::new(ProblemCode::InvalidFilter, error.detail.clone()).at_place(error.position, error.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ProblemCode::ALL.len());
    }

    #[test]
    fn a_pause_is_never_zero_seconds() {
        let response =
            Problem::new(ProblemCode::Busy, "x").retry_after(Duration::from_millis(3)).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
    }
}
