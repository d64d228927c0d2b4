//! Opens a bucket of an S3-compatible service.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::config::S3Location;

/// One request, retries not included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// All tries of one request together.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);
const RETRIES_MAX: usize = 6;

pub(super) fn open(location: &S3Location) -> Result<Arc<dyn ObjectStore>, String> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&location.bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIMEOUT,
            ..RetryConfig::default()
        });
    let plain = location.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"))
        || std::env::var("AWS_ENDPOINT_URL").is_ok_and(|url| url.starts_with("http://"));
    builder = builder.with_client_options(
        ClientOptions::new()
            .with_timeout(REQUEST_TIMEOUT)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_allow_http(plain),
    );
    if let Some(endpoint) = &location.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = &location.region {
        builder = builder.with_region(region);
    }
    if let Some(id) = &location.access_key_id {
        builder = builder.with_access_key_id(id);
    }
    if let Some(secret) = &location.secret_access_key {
        builder = builder.with_secret_access_key(secret);
    }
    Ok(Arc::new(builder.build().map_err(|error| error.to_string())?))
}
