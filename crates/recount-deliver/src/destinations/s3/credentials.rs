//! With which keys requests are signed: a static key, or those of a role that is assumed.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use object_store::{
    aws::{AwsAuthorizer, AwsCredential},
    client::HttpRequestBody,
};
use recount_event::{TenantId, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    destinations::{ConfigError, Setup, Surroundings, Trace, Verdict, exchange},
    egress::HttpRequest,
};

/// How long an assumed role's keys are asked for (the shortest that every role allows is an hour).
const SESSION_SECONDS: i64 = 3_600;

/// How long before their end keys are replaced.
const RENEW_BEFORE_SECONDS: i64 = 300;

/// Who the deployment is at AWS: the identity that tenants' roles trust.
#[derive(Clone)]
pub struct AwsIdentity {
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// The session token, for temporary keys.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for AwsIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsIdentity").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl AwsIdentity {
    /// What must never be shown.
    fn secrets(&self) -> Vec<String> {
        std::iter::once(self.secret_access_key.clone()).chain(self.session_token.clone()).collect()
    }
}

/// Where a stream's keys come from.
pub(super) enum Credentials {
    Static(Arc<AwsCredential>),
    Role(Box<Role>),
}

/// A role to assume, and the keys that the last assuming gave.
pub(super) struct Role {
    pub(super) identity: Arc<AwsIdentity>,
    pub(super) sts: Sts,
    pub(super) region: String,
    pub(super) role_arn: String,
    pub(super) external_id: String,
    pub(super) session_name: String,
    pub(super) current: Mutex<Option<(Arc<AwsCredential>, Timestamp)>>,
}

/// A security token service.
pub(super) struct Sts {
    pub(super) url: Url,
    /// Whether it is another than Amazon's, and so must be in a range that the deployment opened.
    pub(super) opened_only: bool,
}

impl Sts {
    /// Amazon's own, or one that the deployment has opened the way to. The question is signed with
    /// the deployment's identity and carries its session token, so a tenant can't have it sent
    /// anywhere else.
    pub(super) fn new(setup: &Setup<'_>, region: &str, endpoint: Option<&str>) -> Result<Self, ConfigError> {
        let Some(text) = endpoint else {
            let text = format!("https://sts.{region}.{}/", domain(region));
            return Ok(Self { url: setup.url("region", &text)?, opened_only: false });
        };
        let url = setup.url("sts_endpoint", text)?;
        let opened_only = !is_amazons(&url);
        if opened_only {
            setup.surroundings.egress.check_opened(&url).map_err(|error| {
                ConfigError::at(
                    "sts_endpoint",
                    format!("neither Amazon's own nor opened by the deployment: {error}"),
                )
            })?;
        }
        Ok(Self { url, opened_only })
    }
}

/// Whether a URL is that of Amazon's token service: global, regional or FIPS.
fn is_amazons(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let Some(name) = host.strip_suffix(".amazonaws.com").or(host.strip_suffix(".amazonaws.com.cn")) else {
        return false;
    };
    let service = name.split_once('.').map_or(name, |(service, _)| service);
    url.scheme() == "https"
        && url.port().is_none()
        && matches!(service, "sts" | "sts-fips")
        && name.split('.').count() <= 2
}

/// The domain of Amazon's services in a region.
pub(super) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

impl Credentials {
    /// Keys that are valid for the next minutes.
    ///
    /// # Errors
    /// What assuming the role gave instead, with its trace.
    pub(super) async fn get(
        &self,
        surroundings: &Surroundings,
    ) -> Result<Arc<AwsCredential>, (Verdict, Trace)> {
        match self {
            Self::Static(credential) => Ok(Arc::clone(credential)),
            Self::Role(role) => role.keys(surroundings).await,
        }
    }

    /// The deployment's secrets behind the keys.
    pub(super) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Static(_) => Vec::new(),
            Self::Role(role) => role.identity.secrets(),
        }
    }

    /// Forgets assumed keys that were refused.
    pub(super) async fn forget(&self) {
        if let Self::Role(role) = self {
            *role.current.lock().await = None;
        }
    }
}

impl Role {
    /// The form that asks for the role's keys.
    fn question(&self) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "AssumeRole")
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", &self.role_arn)
            .append_pair("RoleSessionName", &self.session_name)
            .append_pair("DurationSeconds", &SESSION_SECONDS.to_string());
        form.append_pair("ExternalId", &self.external_id);
        form.finish()
    }

    async fn keys(&self, surroundings: &Surroundings) -> Result<Arc<AwsCredential>, (Verdict, Trace)> {
        let now = surroundings.env.now();
        // Held across the request on purpose: several batches at once need one answer.
        let mut current = self.current.lock().await;
        if let Some((credential, until)) = &*current
            && now < *until
        {
            return Ok(Arc::clone(credential));
        }
        let mut request = HttpRequest::new(Method::POST, self.sts.url.clone(), Bytes::from(self.question()));
        request.opened_only = self.sts.opened_only;
        request.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        let identity = AwsCredential {
            key_id: self.identity.access_key_id.clone(),
            secret_key: self.identity.secret_access_key.clone(),
            token: self.identity.session_token.clone(),
        };
        sign(&mut request, &identity, "sts", &self.region);
        let mut keys = None;
        let mut report = exchange::send(&surroundings.egress, request, |answer| {
            let text = String::from_utf8_lossy(&answer.body);
            if answer.status.is_success() {
                keys = parse_keys(&text);
                if keys.is_none() {
                    return Verdict::Misconfigured {
                        reason: "the answer to AssumeRole has no credentials".to_owned(),
                    };
                }
            }
            match exchange::by_status(answer) {
                Verdict::Split { reason } => Verdict::Misconfigured { reason },
                other => other,
            }
        })
        .await;
        // The answer holds keys, readable by us or not.
        if report.trace.status.is_some_and(|status| (200..300).contains(&status)) {
            report.trace.answer = "an answer to AssumeRole".to_owned();
        }
        match keys {
            Some(credential) if report.verdict == Verdict::Accepted => {
                let life = (SESSION_SECONDS - RENEW_BEFORE_SECONDS) * 1_000_000;
                let until = Timestamp::from_micros(now.as_micros() + life);
                let credential = Arc::new(credential);
                *current = Some((Arc::clone(&credential), until));
                Ok(credential)
            }
            _ => Err((report.verdict, report.trace)),
        }
    }
}

/// The external id of a tenant: what its roles' trust policies must ask for. It is ours to give, so
/// that no tenant can use another's (the "confused deputy" of AWS's documents).
pub(super) fn external_id(tenant: &TenantId) -> String {
    let digest = Sha256::new().chain_update("recount external id\0").chain_update(tenant.as_ref()).finalize();
    format!("recount-{}", &hex::encode(digest)[..32])
}

/// What is shown to a tenant that sets up a role.
pub(super) fn assigned(tenant: &TenantId) -> Map<String, Value> {
    Map::from_iter([("external_id".to_owned(), external_id(tenant).into())])
}

/// Reads the three texts out of STS's XML; their characters are never escaped there.
fn parse_keys(xml: &str) -> Option<AwsCredential> {
    let text = |name: &str| {
        let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
        let end = start + xml[start..].find(&format!("</{name}>"))?;
        let text = &xml[start..end];
        // They go into headers.
        text.bytes().all(|b| b.is_ascii_graphic()).then(|| text.to_owned())
    };
    Some(AwsCredential {
        key_id: text("AccessKeyId")?,
        secret_key: text("SecretAccessKey")?,
        token: Some(text("SessionToken")?),
    })
}

/// Signs with AWS Signature Version 4. Headers added later are not covered.
pub(super) fn sign(request: &mut HttpRequest, credential: &AwsCredential, service: &str, region: &str) {
    let mut signed = http::Request::new(HttpRequestBody::from(request.body.clone()));
    *signed.method_mut() = request.method.clone();
    *signed.uri_mut() = request.url.as_str().parse().expect("a url is a uri");
    *signed.headers_mut() = std::mem::take(&mut request.headers);
    AwsAuthorizer::new(credential, service, region).authorize(&mut signed, None);
    request.headers = std::mem::take(signed.headers_mut());
}
