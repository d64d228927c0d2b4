//! Streams as they are shown.

use recount_event::Timestamp;
use recount_store::{
    LogExtent, TenantLog,
    streams::{Attempt, AttemptRing, Stream},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Lag, LifecycleError, Streams, destination::shown};
use crate::destinations::{self, BatchSettings, KINDS, Secrets, Trace};

/// A stream.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StreamView {
    /// Its name for machines.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// `draft`, `active`, `paused` or `disabled`.
    pub status: String,
    /// Why it is halted, if somebody or something said why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status_reason: String,
    /// `type` and the destination's members; a secret one says only whether it is set.
    #[schema(value_type = Object)]
    pub destination: Value,
    /// How events are written.
    pub format: String,
    /// Which events.
    pub filter: String,
    /// How large batches get.
    pub batch: BatchSettings,
    /// When what is configured passed its test; null if it has not.
    pub tested_at: Option<String>,
    /// The `seq` of the next event to deliver.
    pub cursor: u64,
    /// `unknown`, `healthy`, `unhealthy` or `recovering`.
    pub health: String,
    /// How far it is behind its log.
    pub lag: Lag,
    /// Failed attempts in a row.
    pub failures: u32,
    /// When it tries again, if it rests.
    pub retry_at: Option<String>,
    /// When an attempt passed last.
    pub last_success_at: Option<String>,
    /// When an attempt failed last.
    pub last_error_at: Option<String>,
    /// What it said, verbatim but for secrets.
    pub last_error: Option<String>,
    /// Attempts since its creation.
    pub attempts: u64,
    /// Events accepted since its creation; one that arrived twice counts twice.
    pub delivered: u64,
    /// Events that the destination refused for good.
    pub dead_letters: u64,
    /// When it was created.
    pub created_at: String,
    /// By whom.
    pub created_by: String,
    /// When a person changed it last.
    pub changed_at: String,
}

/// One attempt.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AttemptView {
    /// `delivery`, or `manual` for a test or a dead letter sent again.
    pub kind: String,
    /// Counts the attempts of its kind.
    pub number: u64,
    /// When it began.
    pub at: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// `seq` of its first event.
    pub first_seq: u64,
    /// `seq` of its last event.
    pub last_seq: u64,
    /// How many events it carried.
    pub events: u64,
    /// `accepted`, `partly_accepted`, `retry`, `refused`, `misconfigured` or `gone`.
    pub outcome: String,
    /// What was asked and answered.
    #[serde(flatten)]
    pub trace: Trace,
    /// Why it failed.
    pub reason: Option<String>,
}

/// A kind of destination that streams can have.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DestinationKindView {
    /// The value of `type`.
    #[serde(rename = "type")]
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Formats that it takes, the usual one first.
    pub formats: Vec<String>,
    /// Members that are secret.
    pub secret_members: Vec<String>,
    /// The usual settings of its batches.
    pub batch: BatchSettings,
    /// Members that are assigned to this tenant (the external id of a role, say).
    #[schema(value_type = Object)]
    pub assigned: Map<String, Value>,
}

impl Streams {
    /// The kinds of destinations, for those who set up a stream.
    #[must_use]
    pub fn kinds(&self, log: &TenantLog) -> Vec<DestinationKindView> {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        KINDS
            .iter()
            .map(|kind| DestinationKindView {
                name: kind.name.to_owned(),
                title: kind.title.to_owned(),
                formats: kind.formats.iter().map(|format| format.name().to_owned()).collect(),
                secret_members: texts(kind.secret_members),
                batch: BatchSettings {
                    events_max: Some(kind.limits.events.0),
                    bytes_max: Some(kind.limits.bytes.0),
                    age_seconds_max: Some(kind.limits.age_seconds.0),
                },
                assigned: (kind.assigned)(log.tenant()),
            })
            .collect()
    }

    pub(super) async fn view(
        &self,
        log: &TenantLog,
        stream: &Stream,
        extent: &LogExtent,
    ) -> Result<StreamView, LifecycleError> {
        let config: Map<String, Value> = serde_json::from_str(&stream.destination).unwrap_or_default();
        // A key that has been lost must not hide the stream.
        let secrets = self.secrets(stream).unwrap_or_else(|_| Secrets::default());
        let destination = match destinations::kind(&stream.destination_type) {
            Some(kind) => shown(kind, &config, &secrets, log.tenant()),
            None => json!({ "type": stream.destination_type }),
        };
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Ok(StreamView {
            id: stream.id.to_string(),
            name: stream.name.clone(),
            status: stream.status.as_str().to_owned(),
            status_reason: stream.status_reason.clone(),
            destination,
            format: stream.format.clone(),
            filter: stream.filter.clone(),
            batch: serde_json::from_str(&stream.batch).unwrap_or_default(),
            tested_at: text(stream.tested_at),
            cursor: stream.cursor,
            health: stream.health.as_str().to_owned(),
            lag: self.lag(log, stream, extent).await?,
            failures: stream.failures,
            retry_at: text(stream.retry_at),
            last_success_at: text(stream.last_success_at),
            last_error_at: text(stream.last_error_at),
            last_error: (!stream.last_error.is_empty()).then(|| stream.last_error.clone()),
            attempts: stream.attempts,
            delivered: stream.delivered,
            dead_letters: stream.dead_letters,
            created_at: stream.created_at.to_string(),
            created_by: stream.created_by.clone(),
            changed_at: stream.changed_at.to_string(),
        })
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let detail: Value = serde_json::from_str(&attempt.detail).unwrap_or_default();
        Self {
            kind: if attempt.ring == AttemptRing::Manual { "manual" } else { "delivery" }.to_owned(),
            number: attempt.number,
            at: attempt.at.to_string(),
            took_ms: attempt.took_us as f64 / 1_000.0,
            first_seq: attempt.first_seq,
            last_seq: attempt.last_seq,
            events: attempt.events,
            outcome: attempt.outcome,
            reason: detail["reason"].as_str().map(str::to_owned),
            trace: serde_json::from_value(detail).unwrap_or_default(),
        }
    }
}
