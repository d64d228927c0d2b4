//! The bearer key of a request, checked, with the origin that uses it.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use recount_store::access::{AuthError, Credential, CredentialKind};

use crate::observe::RequestNotes;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// The longest bearer text that is looked at, in bytes: room for a JWT.
const BEARER_BYTES_MAX: usize = 8 * 1024;

/// An authenticated request.
pub(crate) struct Authenticated {
    credential: Credential,
    bearer: String,
}

impl Authenticated {
    /// Whether the same text would still be accepted; for answers that stay open.
    pub(crate) async fn still_valid(&self, state: &AppState) -> bool {
        check(state, &self.bearer).await.is_ok()
    }
}

impl Deref for Authenticated {
    type Target = Credential;

    fn deref(&self) -> &Credential {
        &self.credential
    }
}

impl FromRequestParts<AppState> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let bearer = bearer(&parts.headers)?.to_owned();
        let credential = check(state, &bearer).await?;
        if let Some(notes) = parts.extensions.get::<RequestNotes>() {
            notes.set_credential(&credential);
            if let Some(origin) = parts.headers.get(header::ORIGIN) {
                let origin = origin.to_str().unwrap_or("null");
                if may_use(state, &credential, origin, &parts.headers) {
                    notes.allow_origin();
                } else if credential.session().is_some() {
                    return Err(Problem::new(
                        ProblemCode::OriginNotAllowed,
                        "this session was not made for this origin; name it in the session's origins",
                    ));
                }
            }
        }
        Ok(Self { credential, bearer })
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || Problem::new(ProblemCode::Unauthenticated, "send a key as Authorization: Bearer <key>");
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (scheme, text) = value.split_once(' ').ok_or_else(missing)?;
    let text = text.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || text.is_empty() || text.len() > BEARER_BYTES_MAX {
        return Err(missing());
    }
    Ok(text)
}

async fn check(state: &AppState, bearer: &str) -> Result<Credential, Problem> {
    if let Some(verifier) = state.host_tokens.as_ref().filter(|_| looks_like_jwt(bearer)) {
        return verifier.verify(bearer, state.store().env().now()).await;
    }
    state.store().authenticate(bearer).await.map_err(|error| match error {
        AuthError::Refused => {
            Problem::new(ProblemCode::Unauthenticated, "the key is unknown, expired or revoked")
        }
        AuthError::Unavailable(error) => error.into(),
    })
}

fn looks_like_jwt(bearer: &str) -> bool {
    bearer.starts_with("eyJ") && bearer.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Whether a browser page of `origin` may read answers to this credential.
fn may_use(state: &AppState, credential: &Credential, origin: &str, headers: &HeaderMap) -> bool {
    let named = |origins: &[String]| origins.iter().any(|allowed| allowed == origin);
    if is_own_origin(state, origin, headers) {
        return true;
    }
    match (credential.kind(), credential.session()) {
        (CredentialKind::Session | CredentialKind::HostToken, Some(session)) => named(&session.origins),
        _ => named(&state.config.allowed_origins),
    }
}

/// Whether the page is this server's own: the hosted portal.
fn is_own_origin(state: &AppState, origin: &str, headers: &HeaderMap) -> bool {
    if state.config.public_url.as_deref() == Some(origin) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    host.is_some() && host == authority
}
