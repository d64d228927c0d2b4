//! Fills the templates in and sends.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use serde_json::Value;

use super::{
    classify::classify,
    config::{Body, Compression, Config, HEADERS_MAX, Method, PLACEHOLDERS, RESERVED_HEADERS},
    encode,
};
use crate::{
    destinations::{
        Batch, ConfigError, Destination, Report, Secrets, Setup, Surroundings, Trace, Verdict, exchange,
        template::Template,
    },
    egress::HttpRequest,
    formats::{Format, gzip},
};

struct Https {
    config: Config,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    secrets: Secrets,
    format: Format,
    surroundings: Surroundings,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    let known = |name: &str| match name.strip_prefix("secret.") {
        Some(name) => secret(setup.secrets, name).is_some(),
        None => PLACEHOLDERS.contains(&name),
    };
    let template = |at: &str, text: &str| {
        Template::parse(text, known).map_err(|detail| {
            let names = PLACEHOLDERS.join(", ");
            ConfigError::at(at, format!("{detail}; known are {names}, and secret.NAME for a NAME in secrets"))
        })
    };
    if config.headers.len() > HEADERS_MAX {
        return Err(ConfigError::at("headers", format!("more than {HEADERS_MAX} headers")));
    }
    if config.envelope.is_some() && config.body != Body::Array {
        return Err(ConfigError::at("envelope", "an envelope needs \"body\":\"array\""));
    }
    if config.envelope_in_array && config.envelope.is_none() {
        return Err(ConfigError::at("envelope_in_array", "envelope_in_array needs an envelope"));
    }
    let mut headers = Vec::new();
    for (name, value) in &config.headers {
        let at = format!("headers/{name}");
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| ConfigError::at(&at, format!("{name:?} is not a header's name")))?;
        if RESERVED_HEADERS.contains(&parsed.as_str()) {
            return Err(ConfigError::at(&at, format!("{name} is set by the client")));
        }
        headers.push((parsed, template(&at, value)?));
    }
    let url = template("url", &config.url)?;
    let destination = Https {
        url,
        headers,
        secrets: setup.secrets.clone(),
        format: setup.format,
        surroundings: setup.surroundings.clone(),
        config,
    };
    // What can be wrong only once it is filled in shows with any batch.
    let sample =
        Batch { tenant: setup.tenant.clone(), stream: setup.stream.into(), events: Vec::new(), test: true };
    setup.url("url", &destination.fill(&destination.url, &sample))?;
    destination.filled_headers(&sample)?;
    Ok(Arc::new(destination))
}

#[async_trait]
impl Destination for Https {
    async fn send(&self, batch: &Batch) -> Report {
        let body = match encode::body(batch, self.format, &self.config) {
            Ok(body) => body,
            Err(error) => return error.into_report(),
        };
        let request = match self.request(batch, body) {
            Ok(request) => request,
            Err(error) => {
                return Report {
                    trace: Trace::default(),
                    verdict: Verdict::Misconfigured { reason: error.to_string() },
                };
            }
        };
        let success = &self.config.success_statuses;
        let mut report =
            exchange::send(&self.surroundings.egress, request, |answer| classify(answer, success)).await;
        // The url as it was set up: what was filled in may be secret.
        let method = report.trace.request.split(' ').next().unwrap_or_default();
        report.trace.request = format!("{method} {}", self.config.url);
        report
    }
}

impl Https {
    fn request(&self, batch: &Batch, body: Vec<u8>) -> Result<HttpRequest, ConfigError> {
        let url = self.fill(&self.url, batch);
        let url =
            url.parse().map_err(|error| ConfigError::at("url", format!("the filled-in url: {error}")))?;
        let method = match self.config.method {
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
        };
        let body = match self.config.compression {
            Compression::Gzip => gzip(&body),
            Compression::None => body,
        };
        let mut request = HttpRequest::new(method, url, Bytes::from(body));
        request.headers = self.filled_headers(batch)?;
        request
            .headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static(encode::media_type(self.format, &self.config)));
        if self.config.compression == Compression::Gzip {
            request.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(request)
    }

    fn filled_headers(&self, batch: &Batch) -> Result<http::HeaderMap, ConfigError> {
        self.headers
            .iter()
            .map(|(name, template)| {
                let value = HeaderValue::from_str(&self.fill(template, batch)).map_err(|_| {
                    ConfigError::at(
                        &format!("headers/{name}"),
                        format!("the value of {name} has characters that a header can't carry"),
                    )
                })?;
                Ok((name.clone(), value))
            })
            .collect()
    }

    fn fill(&self, template: &Template, batch: &Batch) -> String {
        template.fill(|name| match name {
            "tenant" => Some(batch.tenant.to_string()),
            "stream" => Some(batch.stream.to_string()),
            "batch_id" => Some(batch.id()),
            "first_seq" => Some(batch.first_seq().to_string()),
            "last_seq" => Some(batch.last_seq().to_string()),
            "count" => Some(batch.events.len().to_string()),
            _ => secret(&self.secrets, name.strip_prefix("secret.")?).map(str::to_owned),
        })
    }
}

fn secret<'a>(secrets: &'a Secrets, name: &str) -> Option<&'a str> {
    secrets.members().get("secrets")?.get(name).and_then(Value::as_str)
}
