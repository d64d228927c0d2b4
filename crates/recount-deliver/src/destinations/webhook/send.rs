//! Signs and posts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use recount_event::Timestamp;
use serde_json::Value;
use url::Url;

use super::{
    classify::classify,
    config::{Config, Payload},
    encode,
    signature::SigningSecret,
};
use crate::{
    destinations::{Batch, ConfigError, Destination, Report, Setup, Surroundings, Trace, Verdict, exchange},
    egress::HttpRequest,
    formats::Format,
};

/// How long the messages of one batch are posted before what has arrived is reported.
const SLICE: Duration = Duration::from_secs(5);

struct Webhook {
    url: Url,
    payload: Payload,
    format: Format,
    secret: SigningSecret,
    /// The secret before the last rotation, and until when it still signs.
    previous: Option<(SigningSecret, Timestamp)>,
    surroundings: Surroundings,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    let parse = |name, text: &str| SigningSecret::parse(text).map_err(|detail| ConfigError::at(name, detail));
    let until = setup.secrets.members().get("previous_secret_until").and_then(Value::as_i64);
    Ok(Arc::new(Webhook {
        url: setup.url("url", &config.url)?,
        payload: config.payload,
        format: setup.format,
        secret: parse("secret", setup.secret("secret")?)?,
        previous: match (setup.secrets.text("previous_secret"), until) {
            (Some(text), Some(until)) => {
                Some((parse("previous_secret", text)?, Timestamp::from_micros(until)))
            }
            _ => None,
        },
        surroundings: setup.surroundings.clone(),
    }))
}

#[async_trait]
impl Destination for Webhook {
    async fn send(&self, batch: &Batch) -> Report {
        let messages = match encode::messages(batch, self.format, self.payload) {
            Ok(messages) => messages,
            Err(error) => return error.into_report(),
        };
        let (started, count) = (Instant::now(), messages.len());
        let mut last = Report { trace: Trace::default(), verdict: Verdict::Accepted };
        for (done, message) in messages.into_iter().enumerate() {
            // What has arrived is written down now and then, however many messages there are.
            if started.elapsed() > SLICE {
                last.verdict = Verdict::Partly { accepted: done, rest: None };
                break;
            }
            last = self.post(message).await;
            if last.verdict != Verdict::Accepted {
                if count > 1 {
                    last.verdict = Verdict::Partly { accepted: done, rest: Some(Box::new(last.verdict)) };
                }
                break;
            }
        }
        last
    }
}

impl Webhook {
    async fn post(&self, message: encode::Message) -> Report {
        let now = self.surroundings.env.now();
        let seconds = now.as_micros().div_euclid(1_000_000);
        let mut signatures = self.secret.sign(&message.id, seconds, &message.body);
        if let Some((previous, until)) = &self.previous
            && now < *until
        {
            signatures.push(' ');
            signatures.push_str(&previous.sign(&message.id, seconds, &message.body));
        }
        let mut request = HttpRequest::new(Method::POST, self.url.clone(), Bytes::from(message.body));
        let headers = &mut request.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let text = |text: &str| HeaderValue::from_str(text).expect("ids and base64 are visible ASCII");
        headers.insert("webhook-id", text(&message.id));
        headers.insert("webhook-timestamp", HeaderValue::from(seconds));
        headers.insert("webhook-signature", text(&signatures));
        exchange::send(&self.surroundings.egress, request, classify).await
    }
}
