//! Query and path parameters: typed, and refused when unknown.

use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::config::URI_BYTES_MAX;
use crate::problem::{Problem, ProblemCode};

/// The query parameters, as a type that denies unknown fields.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path_and_query().is_some_and(|uri| uri.as_str().len() > URI_BYTES_MAX) {
            return Err(Problem::new(
                ProblemCode::UriTooLong,
                format!("path and query have at most {URI_BYTES_MAX} bytes"),
            ));
        }
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let detail = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                let code = if detail.contains("unknown field") {
                    ProblemCode::UnknownParameter
                } else {
                    ProblemCode::InvalidParameter
                };
                let detail = detail
                    .replace("unknown field", "unknown query parameter")
                    .replace("expected one of", "known are");
                Err(Problem::new(code, detail))
            }
        }
    }
}

/// The id in the path.
pub(crate) struct PathId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(Problem::invalid_parameter(
                "the id in the path",
                "it is not UTF-8 after percent-decoding",
            )),
        }
    }
}
