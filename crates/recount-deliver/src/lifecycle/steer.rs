//! Switching on, halting, going back, and exchanging the signing secret.

use recount_event::Timestamp;
use recount_store::{
    TenantLog,
    streams::{StreamChange, StreamStatus},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    By, LifecycleError, Start, StreamView, Streams,
    record::{Record, metadata, record},
};
use crate::destinations::{self, signature::SigningSecret};

/// Longest time, in seconds, for which the former signing secret still signs.
const OVERLAP_SECONDS_MAX: u64 = 30 * 24 * 3_600;

/// A webhook's new signing secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RotatedSecret {
    /// The new secret, shown this once.
    pub secret: String,
    /// Until when the former one signs too.
    pub previous_valid_until: String,
}

impl Streams {
    /// Switches a stream on. What is configured must have passed a test, unless `untested` says that
    /// it need not; that is recorded with its reason.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Conflict`, `Unavailable`.
    pub async fn enable(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        untested: bool,
        reason: Option<String>,
    ) -> Result<StreamView, LifecycleError> {
        let stream = self.stream(log, id).await?;
        if stream.tested_at.is_none() && !untested {
            return Err(LifecycleError::State(
                "what is configured has not passed a test; test it, or enable it with without_test"
                    .to_owned(),
            ));
        }
        let overridden = stream.tested_at.is_none();
        record(
            log,
            by,
            Record {
                action: "enabled",
                stream: (&stream.id, &stream.name),
                description: format!(
                    "Stream {} enabled{}",
                    stream.name,
                    if overridden { " without a passed test" } else { "" }
                ),
                reason,
                metadata: metadata([("tested", (!overridden).into()), ("cursor", stream.cursor.into())]),
            },
        )
        .await?;
        self.set_status(log, &stream, StreamStatus::Active, String::new()).await
    }

    /// Halts a stream, which keeps its place.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Conflict`, `Unavailable`.
    pub async fn pause(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        reason: Option<String>,
    ) -> Result<StreamView, LifecycleError> {
        let stream = self.stream(log, id).await?;
        if stream.status != StreamStatus::Active {
            return Err(LifecycleError::State(format!(
                "the stream is {}, not active",
                stream.status.as_str()
            )));
        }
        record(
            log,
            by,
            Record {
                action: "paused",
                stream: (&stream.id, &stream.name),
                description: format!("Stream {} paused", stream.name),
                reason: reason.clone(),
                metadata: metadata([("cursor", stream.cursor.into())]),
            },
        )
        .await?;
        self.set_status(log, &stream, StreamStatus::Paused, reason.unwrap_or_default()).await
    }

    /// Lets a paused or disabled stream go on where it stands. One that is active tries again at
    /// once.
    ///
    /// # Errors
    /// `NotFound`, `State`, `Conflict`, `Unavailable`.
    pub async fn resume(&self, log: &TenantLog, by: &By, id: &str) -> Result<StreamView, LifecycleError> {
        let stream = self.stream(log, id).await?;
        if stream.status == StreamStatus::Draft {
            return Err(LifecycleError::State("the stream is a draft; test and enable it".to_owned()));
        }
        record(
            log,
            by,
            Record {
                action: "resumed",
                stream: (&stream.id, &stream.name),
                description: format!("Stream {} resumed", stream.name),
                reason: None,
                metadata: metadata([("cursor", stream.cursor.into())]),
            },
        )
        .await?;
        self.set_status(log, &stream, StreamStatus::Active, String::new()).await
    }

    /// Moves a stream to another place of the log: back to send again, or forward to give up what
    /// lies between.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict`, `Unavailable`.
    pub async fn replay(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        from: &Start,
    ) -> Result<StreamView, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let cursor = from.resolve(log, "/from").await?;
        record(
            log,
            by,
            Record {
                action: "replayed",
                stream: (&stream.id, &stream.name),
                description: format!("Stream {} moved from seq {} to {cursor}", stream.name, stream.cursor),
                reason: None,
                metadata: metadata([("from_seq", stream.cursor.into()), ("to_seq", cursor.into())]),
            },
        )
        .await?;
        let change = StreamChange { cursor: Some(cursor), ..StreamChange::default() };
        let stream = log.streams().change(&stream, &change).await?;
        self.view(log, &stream, &log.extent().await?).await
    }

    /// Gives a webhook a new signing secret; for a while the former one signs too.
    ///
    /// # Errors
    /// `NotFound`, `State` for another destination, `Invalid`, `Conflict`, `Unavailable`.
    pub async fn rotate_secret(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        overlap_seconds: u64,
    ) -> Result<RotatedSecret, LifecycleError> {
        let stream = self.stream(log, id).await?;
        if destinations::kind(&stream.destination_type)
            .is_none_or(|kind| (kind.generate)(&self.env).is_empty())
        {
            return Err(LifecycleError::State(format!("{} has no signing secret", stream.destination_type)));
        }
        if overlap_seconds > OVERLAP_SECONDS_MAX {
            return Err(LifecycleError::invalid(
                "/overlap_seconds",
                format!("an overlap has at most {OVERLAP_SECONDS_MAX} seconds"),
            ));
        }
        let fresh = SigningSecret::generate(&self.env).to_text();
        let overlap_us = i64::try_from(overlap_seconds * 1_000_000).expect("bounded above");
        let until = Timestamp::from_micros(self.env.now().as_micros() + overlap_us);
        let mut secrets = self.secrets(&stream)?;
        let members = secrets.members_mut();
        if let Some(former) = members.insert("secret".to_owned(), Value::from(fresh.as_str())) {
            members.insert("previous_secret".to_owned(), former);
            members.insert("previous_secret_until".to_owned(), json!(until.as_micros()));
        }
        let sealed = self.seal(log, &stream.id, &secrets)?;
        record(
            log,
            by,
            Record {
                action: "secret_rotated",
                stream: (&stream.id, &stream.name),
                description: format!("Signing secret of stream {} exchanged", stream.name),
                reason: None,
                metadata: metadata([("previous_valid_until", until.to_string().into())]),
            },
        )
        .await?;
        let change = StreamChange {
            destination: Some((stream.destination.clone(), sealed)),
            ..StreamChange::default()
        };
        log.streams().change(&stream, &change).await?;
        Ok(RotatedSecret { secret: fresh, previous_valid_until: until.to_string() })
    }

    async fn set_status(
        &self,
        log: &TenantLog,
        stream: &recount_store::streams::Stream,
        status: StreamStatus,
        reason: String,
    ) -> Result<StreamView, LifecycleError> {
        let change = StreamChange { status: Some((status, reason)), ..StreamChange::default() };
        let stream = log.streams().change(stream, &change).await?;
        self.view(log, &stream, &log.extent().await?).await
    }
}
