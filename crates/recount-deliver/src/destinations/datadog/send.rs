//! Posts to the logs intake, version 2.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use url::Url;

use super::{
    classify::classify,
    config::{Config, SITES},
    encode,
};
use crate::{
    destinations::{Batch, ConfigError, Destination, Report, Setup, Surroundings, exchange},
    egress::HttpRequest,
    formats::{Format, gzip},
};

struct Datadog {
    url: Url,
    api_key: HeaderValue,
    config: Config,
    format: Format,
    surroundings: Surroundings,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    if !SITES.contains(&config.site.as_str()) {
        return Err(ConfigError::at(
            "site",
            format!("{:?} is not a Datadog site; one of {}", config.site, SITES.join(", ")),
        ));
    }
    if let Some(tag) = config.tags.iter().find(|tag| tag.contains(',')) {
        return Err(ConfigError::at("tags", format!("the tag {tag:?} has a comma")));
    }
    let url = match &config.url {
        Some(url) => setup.url("url", url)?,
        None => setup.url("site", &format!("https://http-intake.logs.{}/api/v2/logs", config.site))?,
    };
    let mut api_key = HeaderValue::from_str(setup.secret("api_key")?)
        .map_err(|_| ConfigError::at("api_key", "the key has characters that a header can't carry"))?;
    api_key.set_sensitive(true);
    Ok(Arc::new(Datadog {
        url,
        api_key,
        config,
        format: setup.format,
        surroundings: setup.surroundings.clone(),
    }))
}

#[async_trait]
impl Destination for Datadog {
    async fn send(&self, batch: &Batch) -> Report {
        let body = match encode::body(batch, self.format, &self.config, self.surroundings.env.now()) {
            Ok(body) => body,
            Err(error) => return error.into_report(),
        };
        let mut request = HttpRequest::new(Method::POST, self.url.clone(), Bytes::from(gzip(&body)));
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        request.headers.insert("dd-api-key", self.api_key.clone());
        exchange::send(&self.surroundings.egress, request, classify).await
    }
}
