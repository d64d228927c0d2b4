//! Posts to the collector and waits for the indexers where asked to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{
    classify::{HecAnswer, classify},
    config::Config,
    encode,
};
use crate::{
    destinations::{Batch, ConfigError, Destination, Report, Setup, Surroundings, Verdict, exchange},
    egress::HttpRequest,
    formats::{Format, gzip},
};

/// How long the indexers may take to acknowledge before the batch is sent again, in exchanges of the
/// longest kind: a minute.
const ACKNOWLEDGE_EXCHANGES_MAX: u32 = 2;

/// The first pause between two questions for an acknowledgement; it doubles.
const ACKNOWLEDGE_PAUSE_FIRST: Duration = Duration::from_millis(100);

/// The longest pause between two questions (Splunk recommends not to ask more often than 10 s for
/// long waits).
const ACKNOWLEDGE_PAUSE_MAX: Duration = Duration::from_secs(10);

struct Splunk {
    events_url: Url,
    acks_url: Url,
    authorization: HeaderValue,
    channel: String,
    config: Config,
    format: Format,
    surroundings: Surroundings,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    let base = setup.url("url", &config.url)?;
    let at = |path: &str| {
        let mut url = base.clone();
        let prefix = base.path().trim_end_matches('/').trim_end_matches("/services/collector").to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url.set_query(None);
        url
    };
    // The channel separates streams in the acknowledgements; it must be a GUID and stay the same.
    let channel = channel_of(setup.stream);
    let mut acks_url = at("/services/collector/ack");
    acks_url.set_query(Some(&format!("channel={channel}")));
    let mut authorization = HeaderValue::from_str(&format!("Splunk {}", setup.secret("token")?))
        .map_err(|_| ConfigError::at("token", "the token has characters that a header can't carry"))?;
    authorization.set_sensitive(true);
    Ok(Arc::new(Splunk {
        events_url: at("/services/collector/event"),
        acks_url,
        authorization,
        channel,
        config,
        format: setup.format,
        surroundings: setup.surroundings.clone(),
    }))
}

/// A GUID made of the stream's id.
fn channel_of(stream: &str) -> String {
    use sha2::Digest as _;
    let hash = hex::encode(sha2::Sha256::digest(stream.as_bytes()));
    format!("{}-{}-{}-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32])
}

#[async_trait]
impl Destination for Splunk {
    async fn send(&self, batch: &Batch) -> Report {
        let body = match encode::body(batch, self.format, &self.config) {
            Ok(body) => body,
            Err(error) => return error.into_report(),
        };
        let mut request = self.request(self.events_url.clone(), gzip(&body));
        request.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let mut ack_id = None;
        let mut report = exchange::send(&self.surroundings.egress, request, |answer| {
            ack_id = HecAnswer::read(answer).ack_id;
            classify(answer)
        })
        .await;
        if self.config.acknowledge && report.verdict == Verdict::Accepted {
            report.verdict = match ack_id {
                Some(ack_id) => self.acknowledged(ack_id).await,
                None => Verdict::Misconfigured {
                    reason: "the collector gave no ackId: switch on indexer acknowledgement for the \
                             token, or set acknowledge to false"
                        .to_owned(),
                },
            };
        }
        report
    }
}

impl Splunk {
    fn request(&self, url: Url, body: Vec<u8>) -> HttpRequest {
        let mut request = HttpRequest::new(Method::POST, url, Bytes::from(body));
        request.headers.insert(header::AUTHORIZATION, self.authorization.clone());
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.config.acknowledge {
            let channel = HeaderValue::from_str(&self.channel).expect("a GUID is visible ASCII");
            request.headers.insert("x-splunk-request-channel", channel);
        }
        request
    }

    /// Asks until the indexers have the batch. "Not yet" and "never" look the same, so after a while
    /// the batch is sent again.
    async fn acknowledged(&self, ack_id: u64) -> Verdict {
        #[derive(Deserialize)]
        struct Acks {
            acks: HashMap<String, bool>,
        }
        let patience = self.surroundings.egress.exchange_timeout() * ACKNOWLEDGE_EXCHANGES_MAX;
        let ask =
            async {
                let mut pause = ACKNOWLEDGE_PAUSE_FIRST;
                loop {
                    let body = json!({ "acks": [ack_id] }).to_string().into_bytes();
                    let request = self.request(self.acks_url.clone(), body);
                    let mut found = false;
                    let report = exchange::send(&self.surroundings.egress, request, |answer| {
                        match serde_json::from_slice::<Acks>(&answer.body) {
                            Ok(acks) if answer.status.is_success() => {
                                found = acks.acks.get(&ack_id.to_string()).copied().unwrap_or(false);
                                Verdict::Accepted
                            }
                            _ => classify(answer),
                        }
                    })
                    .await;
                    match report.verdict {
                        Verdict::Accepted if found => return Verdict::Accepted,
                        // Asking failed; the events may be there, so ask again until the time is up.
                        Verdict::Accepted | Verdict::Retry { .. } => {}
                        Verdict::Split { reason } => return Verdict::Misconfigured { reason },
                        other => return other,
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(ACKNOWLEDGE_PAUSE_MAX);
                }
            };
        tokio::time::timeout(patience, ask).await.unwrap_or_else(|_| Verdict::Retry {
            reason: format!(
                "the indexers did not acknowledge within {} s; it may arrive twice",
                patience.as_secs()
            ),
            after: None,
        })
    }
}
