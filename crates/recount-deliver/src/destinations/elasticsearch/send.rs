//! Posts to `_bulk`.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use url::Url;

use super::{
    classify::classify,
    config::{Config, check_index},
    encode,
};
use crate::{
    destinations::{
        Batch, ConfigError, Destination, Report, Setup, Surroundings, exchange, template::Template,
    },
    egress::HttpRequest,
    formats::Format,
};

/// Longest answer: 10,000 items, each with an error of a few hundred bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

struct Elasticsearch {
    url: Url,
    authorization: Option<HeaderValue>,
    /// `user:password` as it is sent.
    encoded: Option<String>,
    format: Format,
    surroundings: Surroundings,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    let template = Template::parse(&config.index, |name| name == "tenant")
        .map_err(|detail| ConfigError::at("index", detail))?;
    let index = template.fill(|_| Some(setup.tenant.as_ref().to_lowercase()));
    check_index(&index).map_err(|detail| ConfigError::at("index", detail))?;
    let mut url = setup.url("url", &config.url)?;
    url.path_segments_mut()
        .map_err(|()| ConfigError::at("url", "the url can't have a path"))?
        .pop_if_empty()
        .extend([index.as_str(), "_bulk"]);
    let (authorization, encoded) = match (setup.secrets.text("api_key"), &config.username) {
        (Some(_), Some(_)) => {
            return Err(ConfigError::at("username", "give an api_key or a username, not both"));
        }
        (Some(key), None) => (Some(format!("ApiKey {key}")), None),
        (None, Some(user)) => {
            let encoded = STANDARD.encode(format!("{user}:{}", setup.secret("password")?));
            (Some(format!("Basic {encoded}")), Some(encoded))
        }
        (None, None) => (None, None),
    };
    let authorization = authorization
        .map(|text| HeaderValue::from_str(&text))
        .transpose()
        .map_err(|_| ConfigError::at("api_key", "the key has characters that a header can't carry"))?;
    Ok(Arc::new(Elasticsearch {
        url,
        authorization,
        encoded,
        format: setup.format,
        surroundings: setup.surroundings.clone(),
    }))
}

#[async_trait]
impl Destination for Elasticsearch {
    async fn send(&self, batch: &Batch) -> Report {
        let body = match encode::body(batch, self.format) {
            Ok(body) => body,
            Err(error) => return error.into_report(),
        };
        let mut request = HttpRequest::new(Method::POST, self.url.clone(), Bytes::from(body));
        request.answer_bytes_max = ANSWER_BYTES_MAX;
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        if let Some(authorization) = &self.authorization {
            request.headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        exchange::send(&self.surroundings.egress, request, |answer| classify(answer, batch.events.len()))
            .await
    }

    fn derived_secrets(&self) -> Vec<String> {
        self.encoded.iter().cloned().collect()
    }
}
