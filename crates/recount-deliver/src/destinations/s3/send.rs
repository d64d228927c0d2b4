//! Signed conditional PUTs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderName, HeaderValue, Method, header};
use object_store::aws::AwsCredential;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use url::Url;

use super::{
    classify::{classify, expired},
    config::Config,
    credentials::{Credentials, Role, Sts, domain, external_id, sign},
    encode::{self, Object},
    layout::Names,
};
use crate::{
    destinations::{
        Batch, ConfigError, Destination, Report, Scrubber, Secrets, Setup, Surroundings, Trace, Verdict,
        exchange,
    },
    egress::HttpRequest,
    engine::prepare,
    formats::Format,
};

static CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-sha256");

/// What a service answers that has no conditional writes.
const NOT_IMPLEMENTED: u16 = 501;

/// How many objects of one batch are written at once.
const PUTS_AT_ONCE_MAX: usize = 8;

struct S3 {
    config: Config,
    /// The bucket's URL, ending in a slash.
    base: Url,
    names: Names,
    credentials: Credentials,
    /// Whether objects are written on condition that their names are free; until the service says
    /// that it can't.
    conditional: AtomicBool,
    format: Format,
    surroundings: Surroundings,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    };
    if !(3..=63).contains(&config.bucket.len()) || !plain(&config.bucket) || config.bucket.contains("..") {
        return Err(ConfigError::at("bucket", format!("{:?} is not a bucket's name", config.bucket)));
    }
    if !plain(&config.region) {
        return Err(ConfigError::at("region", format!("{:?} is not a region", config.region)));
    }
    Ok(Arc::new(S3 {
        base: base(setup, &config)?,
        names: Names::new(&config, setup.format)?,
        credentials: credentials(setup, &config)?,
        conditional: AtomicBool::new(true),
        format: setup.format,
        surroundings: setup.surroundings.clone(),
        config,
    }))
}

fn base(setup: &Setup<'_>, config: &Config) -> Result<Url, ConfigError> {
    let bucket = &config.bucket;
    let (name, text) = match &config.endpoint {
        Some(endpoint) => ("endpoint", endpoint.trim_end_matches('/').to_owned()),
        None => ("region", format!("https://s3.{}.{}", config.region, domain(&config.region))),
    };
    let mut url = setup.url(name, &text)?;
    // A bucket with a dot has no certificate as a host name.
    let in_path = config.path_style.unwrap_or(config.endpoint.is_some() || bucket.contains('.'));
    if in_path {
        let path = format!("{}/{bucket}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
    } else {
        let host = format!("{bucket}.{}", url.host_str().unwrap_or_default());
        url.set_host(Some(&host)).map_err(|_| ConfigError::at("bucket", format!("{host} is not a host")))?;
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    setup.url(name, url.as_str())
}

fn credentials(setup: &Setup<'_>, config: &Config) -> Result<Credentials, ConfigError> {
    match (&config.access_key_id, &config.role_arn) {
        (Some(id), None) => {
            let visible = |name: &'static str, text: &str| {
                if text.bytes().all(|b| b.is_ascii_graphic()) {
                    Ok(text.to_owned())
                } else {
                    Err(ConfigError::at(name, format!("{name} has characters that no key has")))
                }
            };
            Ok(Credentials::Static(Arc::new(AwsCredential {
                key_id: visible("access_key_id", id)?,
                secret_key: visible("secret_access_key", setup.secret("secret_access_key")?)?,
                token: setup
                    .secrets
                    .text("session_token")
                    .map(|text| visible("session_token", text))
                    .transpose()?,
            })))
        }
        (None, Some(role_arn)) => {
            let Some(identity) = &setup.surroundings.aws else {
                return Err(ConfigError::at(
                    "role_arn",
                    "this deployment has no AWS identity of its own to assume roles with; use an access key",
                ));
            };
            if !role_arn.starts_with("arn:") || !role_arn.contains(":role/") {
                return Err(ConfigError::at(
                    "role_arn",
                    "a role looks like arn:aws:iam::123456789012:role/name",
                ));
            }
            // The tenant can't choose it: with another tenant's, it could reach that one's bucket.
            let external_id = external_id(setup.tenant);
            if config.external_id.as_ref().is_some_and(|given| *given != external_id) {
                return Err(ConfigError::at(
                    "external_id",
                    format!(
                        "the external id of this tenant is {external_id}; put it into the role's trust policy"
                    ),
                ));
            }
            Ok(Credentials::Role(Box::new(Role {
                identity: Arc::clone(identity),
                sts: Sts::new(setup, &config.region, config.sts_endpoint.as_deref())?,
                region: config.region.clone(),
                role_arn: role_arn.clone(),
                external_id,
                session_name: "recount".to_owned(),
                current: Mutex::new(None),
            })))
        }
        (Some(_), Some(_)) => Err(ConfigError::at("role_arn", "give an access key or a role, not both")),
        (None, None) => {
            Err(ConfigError::at("access_key_id", "give access_key_id and secret_access_key, or role_arn"))
        }
    }
}

#[async_trait]
impl Destination for S3 {
    async fn send(&self, batch: &Batch) -> Report {
        let objects = match self.objects(batch).await {
            Ok(objects) => objects,
            Err(report) => return report,
        };
        let count = objects.len();
        // A batch may spread over hundreds of folders (days and classes, after a long rest).
        let mut puts =
            futures::stream::iter(objects).map(|object| self.put(object)).buffered(PUTS_AT_ONCE_MAX);
        let mut last = Report { trace: Trace::default(), verdict: Verdict::Accepted };
        let mut bytes = 0;
        while let Some(report) = puts.next().await {
            last = report;
            bytes += last.trace.request_bytes;
            if last.verdict != Verdict::Accepted {
                return last;
            }
        }
        last.trace.request_bytes = bytes;
        if count > 1 {
            last.trace.request.push_str(&format!(" (the last of {count} objects)"));
        }
        last
    }

    fn derived_secrets(&self) -> Vec<String> {
        self.credentials.secrets()
    }
}

impl S3 {
    /// Encodes the batch, away from the threads that serve connections: it can be tens of megabytes.
    async fn objects(&self, batch: &Batch) -> Result<Vec<Object>, Report> {
        let (names, format, file) = (self.names.clone(), self.format, self.config.file);
        let batch = batch.clone();
        let encoded = tokio::task::spawn_blocking(move || {
            let groups = names.groups(batch.tenant.as_ref(), &batch.stream, &batch.events)?;
            groups
                .iter()
                .map(|group| encode::object(group, format, file, batch.test))
                .collect::<Result<Vec<_>, _>>()
        });
        match encoded.await {
            Ok(Ok(objects)) => Ok(objects),
            Ok(Err(error)) => Err(error.into_report()),
            Err(error) => Err(Report {
                trace: Trace::default(),
                verdict: Verdict::Retry { reason: format!("encoding: {error}"), after: None },
            }),
        }
    }

    async fn put(&self, object: Object) -> Report {
        let credential = match self.credentials.get(&self.surroundings).await {
            Ok(credential) => credential,
            Err((verdict, trace)) => return Report { trace, verdict },
        };
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path(), encode_key(&object.key)));
        let checksum = STANDARD.encode(Sha256::digest(&object.bytes));
        let mut request = HttpRequest::new(Method::PUT, url, Bytes::from(object.bytes));
        let headers = &mut request.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(object.content_type));
        if let Some(encoding) = object.content_encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        headers.insert(CHECKSUM.clone(), HeaderValue::from_str(&checksum).expect("base64 is visible ASCII"));
        let mut report = self.exchange(request.clone(), &credential).await;
        if report.trace.status == Some(NOT_IMPLEMENTED) && self.conditional.swap(false, Ordering::Relaxed) {
            report = self.exchange(request, &credential).await;
        }
        // S3 shows what it tried to verify: headers too, with a session token that nobody set up.
        let secrets = std::iter::once(&credential.secret_key).chain(&credential.token).cloned();
        prepare::scrub(&mut report, &Scrubber::new(&Secrets::default(), &secrets.collect::<Vec<_>>()));
        report
    }

    /// One signed request. Some services don't know the condition; a name stands for its content, so
    /// that without it the same is written again at worst.
    async fn exchange(&self, mut request: HttpRequest, credential: &AwsCredential) -> Report {
        if self.conditional.load(Ordering::Relaxed) {
            request.headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        sign(&mut request, credential, "s3", &self.config.region);
        let mut stale = false;
        let report = exchange::send(&self.surroundings.egress, request, |answer| {
            stale = expired(answer);
            classify(answer)
        })
        .await;
        if stale {
            self.credentials.forget().await;
        }
        report
    }
}

/// Percent-encodes a key as SigV4 wants it: everything but unreserved characters and slashes.
fn encode_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
