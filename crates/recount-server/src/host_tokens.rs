//! The vendor's own JWTs as credentials: a second way into the portal, without a call to us.
//!
//! Everything is pinned by configuration (RFC 8725): one issuer, one audience, one algorithm. Of the
//! token's header only the key's id is looked at, and only to choose among the issuer's keys. The
//! tenant comes from the configured claim, and only from there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use recount_deliver::egress::{EgressClient, HttpRequest};
use recount_event::{TenantId, Timestamp};
use recount_store::access::{Actor, Credential, HostIdentity, ScopeSet};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use crate::config::{HostTokenAlgorithm, HostTokenKeys, HostTokens};
use crate::problem::{Problem, ProblemCode};

/// The longest life of a token that is accepted: what is stolen is of use no longer.
const LIFETIME_SECONDS_MAX: i64 = 3_600;
/// How far the vendor's clock may be from ours.
const LEEWAY_SECONDS: u64 = 30;
/// How long a fetched key set is believed.
const KEY_SET_TTL: Duration = Duration::from_secs(600);
/// Fetches are at least this far apart, whatever ids of keys tokens name.
const FETCH_INTERVAL_MIN: Duration = Duration::from_secs(10);
/// The longest key set that is read, in bytes.
const KEY_SET_BYTES_MAX: usize = 256 * 1024;

/// Why host tokens can't be accepted as configured.
#[derive(Debug, thiserror::Error)]
pub enum HostTokenError {
    /// The public key is not one of the configured algorithm.
    #[error("the public key is not PEM of a key for the configured algorithm: {0}")]
    Key(jsonwebtoken::errors::Error),
    /// The URL of the key set can't be used.
    #[error("the JWKS URL can't be used: {0}")]
    Url(String),
}

/// Verifies host tokens. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HostTokenVerifier(Arc<Inner>);

struct Inner {
    config: HostTokens,
    validation: Validation,
    keys: Keys,
}

enum Keys {
    Pinned(Box<DecodingKey>),
    Fetched(Box<KeySet>),
}

/// The issuer's keys, and the way to them.
struct KeySet {
    client: EgressClient,
    url: Url,
    set: Mutex<FetchedSet>,
}

#[derive(Default)]
struct FetchedSet {
    set: Option<JwkSet>,
    tried_at: Option<tokio::time::Instant>,
}

/// The claims besides the tenant's.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    locale: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl HostTokenVerifier {
    /// Prepares the verifier.
    ///
    /// # Errors
    /// [`HostTokenError`] says what can't be used.
    pub(crate) fn new(config: HostTokens, egress: &EgressClient) -> Result<Self, HostTokenError> {
        let algorithm = algorithm(config.algorithm);
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        let keys = match &config.keys {
            HostTokenKeys::Pem(pem) => {
                Keys::Pinned(Box::new(pem_key(config.algorithm, pem).map_err(HostTokenError::Key)?))
            }
            HostTokenKeys::JwksUrl(url) => {
                let url = Url::parse(url).map_err(|error| HostTokenError::Url(error.to_string()))?;
                egress.check_url(&url).map_err(|error| HostTokenError::Url(error.to_string()))?;
                Keys::Fetched(Box::new(KeySet { client: egress.clone(), url, set: Mutex::default() }))
            }
        };
        Ok(Self(Arc::new(Inner { config, validation, keys })))
    }

    /// The credential that a token stands for.
    ///
    /// # Errors
    /// 401 for every token that is not wholly right; which part is wrong is in the server's log.
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Credential, Problem> {
        let refused = |why: &str| {
            tracing::info!(why, "a host token was refused");
            Problem::new(ProblemCode::Unauthenticated, "the token is not valid here")
        };
        let header = decode_header(token).map_err(|_| refused("the header is not readable"))?;
        let key = self.key(header.kid.as_deref()).await.ok_or_else(|| refused("no key has its id"))?;
        let claims = decode::<Claims>(token, &key, &self.0.validation)
            .map_err(|error| refused(&error.to_string()))?
            .claims;
        let config = &self.0.config;
        // Counted from now as well: a token that says it will be issued tomorrow lives until then too.
        let now_seconds = now.as_micros() / 1_000_000;
        let left = claims.exp.saturating_sub(now_seconds) - LEEWAY_SECONDS.cast_signed();
        let life = claims.exp.saturating_sub(claims.iat.unwrap_or(now_seconds));
        if life.max(left) > LIFETIME_SECONDS_MAX {
            return Err(refused("it lives longer than an hour"));
        }
        let tenant = claims.rest.get(&config.tenant_claim).and_then(Value::as_str);
        let tenant: TenantId = tenant
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| refused("its tenant claim names no tenant"))?;
        // A claim can only narrow what the deployment gives; names it does not know give nothing.
        let scopes: ScopeSet = match &claims.scope {
            None => config.scopes,
            Some(text) => text
                .split_whitespace()
                .filter_map(|name| name.parse().ok())
                .filter(|scope| config.scopes.allows(*scope))
                .collect(),
        };
        let actor = Actor {
            kind: "user".to_owned(),
            id: claims.sub,
            name: claims.name.filter(|name| !name.is_empty()),
            email: claims.email.filter(|email| !email.is_empty()),
        };
        // What the person does is recorded under these names.
        actor.check().map_err(|error| refused(&error.detail))?;
        Ok(Credential::from_host_token(HostIdentity {
            tenant,
            actor,
            scopes,
            expires_at: Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)),
            origins: config.origins.clone(),
            locale: claims.locale,
        }))
    }

    async fn key(&self, id: Option<&str>) -> Option<DecodingKey> {
        let issuer = match &self.0.keys {
            Keys::Pinned(key) => return Some((**key).clone()),
            Keys::Fetched(issuer) => issuer,
        };
        // One fetch at a time; whoever comes meanwhile gets its result.
        let mut fetched = issuer.set.lock().await;
        let age = fetched.tried_at.map(|at| at.elapsed());
        let known = fetched.set.as_ref().and_then(|set| choose(set, id));
        let fresh = age.is_some_and(|age| age < KEY_SET_TTL);
        if (known.is_none() || !fresh) && age.is_none_or(|age| age >= FETCH_INTERVAL_MIN) {
            fetched.tried_at = Some(tokio::time::Instant::now());
            match fetch(&issuer.client, &issuer.url).await {
                Ok(set) => fetched.set = Some(set),
                // The set at hand stays in force: an outage of the issuer locks nobody out.
                Err(error) => tracing::warn!(error, "the issuer's keys could not be fetched"),
            }
        }
        fetched.set.as_ref().and_then(|set| choose(set, id))
    }
}

/// The key of that id; without an id, the only one there is.
fn choose(set: &JwkSet, id: Option<&str>) -> Option<DecodingKey> {
    let jwk = match id {
        Some(id) => set.find(id)?,
        None => match set.keys.as_slice() {
            [only] => only,
            _ => return None,
        },
    };
    DecodingKey::from_jwk(jwk).ok()
}

async fn fetch(client: &EgressClient, url: &Url) -> Result<JwkSet, String> {
    let mut request = HttpRequest::new(Method::GET, url.clone(), Bytes::new());
    request.answer_bytes_max = KEY_SET_BYTES_MAX;
    let answer = client.send(request).await.result.map_err(|error| error.to_string())?;
    if !answer.status.is_success() {
        return Err(format!("the issuer answered {}", answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}

fn algorithm(algorithm: HostTokenAlgorithm) -> Algorithm {
    match algorithm {
        HostTokenAlgorithm::Rs256 => Algorithm::RS256,
        HostTokenAlgorithm::Es256 => Algorithm::ES256,
        HostTokenAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

fn pem_key(algorithm: HostTokenAlgorithm, pem: &str) -> Result<DecodingKey, jsonwebtoken::errors::Error> {
    match algorithm {
        HostTokenAlgorithm::Rs256 => DecodingKey::from_rsa_pem(pem.as_bytes()),
        HostTokenAlgorithm::Es256 => DecodingKey::from_ec_pem(pem.as_bytes()),
        HostTokenAlgorithm::EdDsa => DecodingKey::from_ed_pem(pem.as_bytes()),
    }
}
