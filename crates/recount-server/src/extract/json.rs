//! JSON bodies of the small routes.

use axum::extract::{FromRequest, Request};
use http::header;
use serde::de::DeserializeOwned;

use crate::body::collect;
use crate::config::ADMIN_BODY_BYTES_MAX;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// A JSON body, as a type that denies unknown fields.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let media =
            parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                ProblemCode::UnsupportedMediaType,
                format!("Content-Type {media:?} is not supported here; send application/json"),
            ));
        }
        if parts.headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Problem::new(
                ProblemCode::UnsupportedMediaType,
                "Content-Encoding is not supported here; send plain JSON",
            ));
        }
        let (bytes, _permit) =
            collect(&parts.headers, body, ADMIN_BODY_BYTES_MAX, &state.budget, &state.config.limits).await?;
        if bytes.trim_ascii().is_empty() {
            return Err(Problem::new(ProblemCode::EmptyBody, "the body is empty; send a JSON object"));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let pointer = pointer(error.path());
            let cause = error.into_inner();
            let code = if cause.is_data() { ProblemCode::InvalidBody } else { ProblemCode::InvalidJson };
            Problem::new(code, cause.to_string()).at_pointer(pointer)
        })?;
        reader.end().map_err(|error| Problem::new(ProblemCode::InvalidJson, error.to_string()))?;
        Ok(Self(value))
    }
}

/// The path of a mistake as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                out.push('/');
                out.push_str(&index.to_string());
            }
            Segment::Map { key } => {
                out.push('/');
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}
