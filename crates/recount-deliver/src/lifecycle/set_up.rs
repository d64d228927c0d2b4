//! Creating, changing and deleting streams.

use recount_event::Filter;
use recount_store::{
    TenantLog,
    streams::{NewStream, Stream, StreamChange, StreamId, StreamStatus},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    By, LifecycleError, Start, StreamView, Streams,
    destination::{Given, check, check_batch},
    record::{Record, metadata, record},
};
use crate::{
    destinations::{self, BatchSettings, Secrets},
    engine::prepare,
    formats::Format,
};

/// Longest name of a stream, in characters.
const NAME_CHARS_MAX: usize = 128;

/// Most bytes of a destination's configuration, certificates included.
const DESTINATION_BYTES_MAX: usize = 64 * 1024;

/// A stream to be.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateStream {
    /// A name for people.
    pub name: String,
    /// `type` and the members of that destination (`docs/destinations/`). Secret members are taken
    /// and never shown again.
    #[schema(value_type = Object)]
    pub destination: Value,
    /// How events are written; the destination's usual format if absent.
    #[serde(default)]
    pub format: Option<String>,
    /// Which events, in the filter language; all if absent.
    #[serde(default)]
    pub filter: Option<String>,
    /// From where on; the next event if absent.
    #[serde(default)]
    pub start: Start,
    /// How large batches get.
    #[serde(default)]
    pub batch: BatchSettings,
}

/// What changes of a stream; absent members stay.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateStream {
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// All public members of the destination anew. A secret member that is absent stays, null takes
    /// it away; when the address changes, secrets that are sent to it must be given again.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub destination: Option<Value>,
    /// How events are written.
    #[serde(default)]
    pub format: Option<String>,
    /// Which events.
    #[serde(default)]
    pub filter: Option<String>,
    /// How large batches get.
    #[serde(default)]
    pub batch: Option<BatchSettings>,
}

/// A stream that was created.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CreatedStream {
    /// The stream.
    #[serde(flatten)]
    pub stream: StreamView,
    /// Secrets that were made for it, shown this once: a webhook's signing secret.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub secrets: Map<String, Value>,
}

impl Streams {
    /// Creates a draft: events from its start on wait for it, nothing is sent before it is enabled.
    ///
    /// # Errors
    /// `Invalid` with a pointer, `TooMany`, `NoSecretKey`, `Unavailable`.
    pub async fn create(
        &self,
        log: &TenantLog,
        by: &By,
        new: CreateStream,
    ) -> Result<CreatedStream, LifecycleError> {
        let id = StreamId::new(&self.env);
        let name = check_name(&new.name)?;
        let given = Given::read(&bounded(&new.destination)?.clone())?;
        let format = match &new.format {
            Some(name) => format_named(name)?,
            None => given.kind.formats[0],
        };
        let filter = parse_filter(new.filter.as_deref())?;
        check_batch(given.kind, &new.batch)?;
        let mut generated = (given.kind.generate)(&self.env);
        generated.retain(|name, _| !given.secrets.contains_key(name));
        let secrets = given.merged(&Secrets::new(generated.clone()));
        check(given.kind, &given.config, &secrets, format, (log.tenant(), &id), &self.surroundings)?;
        let sealed = self.seal(log, &id, &secrets)?;
        let cursor = new.start.resolve(log, "/start").await?;
        record(
            log,
            by,
            Record {
                action: "created",
                stream: (&id, name),
                description: format!("Stream {name} to {} created", given.kind.title),
                reason: None,
                metadata: metadata([
                    ("destination", given.kind.name.into()),
                    ("format", format.name().into()),
                    ("filter", filter.to_string().into()),
                    ("start_seq", cursor.into()),
                ]),
            },
        )
        .await?;
        let stream = log
            .streams()
            .create(&NewStream {
                id,
                name: name.to_owned(),
                destination_type: given.kind.name.to_owned(),
                destination: Value::Object(given.config).to_string(),
                secrets: sealed,
                format: format.name().to_owned(),
                filter: filter.to_string(),
                batch: json!(new.batch).to_string(),
                cursor,
                created_by: format!("{}/{}", by.actor.kind, by.actor.id),
            })
            .await?;
        Ok(CreatedStream { stream: self.view(log, &stream, &log.extent().await?).await?, secrets: generated })
    }

    /// Changes a stream. A new destination or format must pass a test before it is used: the
    /// stream becomes a draft again and keeps its place.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Conflict`, `NoSecretKey`, `Unavailable`.
    pub async fn update(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        update: UpdateStream,
    ) -> Result<StreamView, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let mut change = StreamChange::default();
        let mut changed: Vec<&str> = Vec::new();
        if let Some(name) = &update.name {
            change.name = Some(check_name(name)?.to_owned());
            changed.push("name");
        }
        if let Some(filter) = &update.filter {
            change.filter = Some(parse_filter(Some(filter))?.to_string());
            changed.push("filter");
        }
        let kind = destinations::kind(&stream.destination_type).ok_or_else(|| {
            LifecycleError::State(format!("this version has no {}", stream.destination_type))
        })?;
        if let Some(batch) = &update.batch {
            check_batch(kind, batch)?;
            change.batch = Some(json!(batch).to_string());
            changed.push("batch");
        }
        if update.destination.is_some() || update.format.is_some() {
            self.change_destination(log, &stream, &update, &mut change)?;
            changed.extend(update.destination.is_some().then_some("destination"));
            changed.extend(update.format.is_some().then_some("format"));
            change.tested_at = Some(None);
            if stream.status != StreamStatus::Draft {
                let reason = "its destination was changed; test and enable it again".to_owned();
                change.status = Some((StreamStatus::Draft, reason));
            }
        }
        record(
            log,
            by,
            Record {
                action: "updated",
                stream: (&stream.id, &stream.name),
                description: format!("Stream {} changed: {}", stream.name, changed.join(", ")),
                reason: None,
                metadata: metadata([("changed", changed.clone().into())]),
            },
        )
        .await?;
        let stream = log.streams().change(&stream, &change).await?;
        self.view(log, &stream, &log.extent().await?).await
    }

    fn change_destination(
        &self,
        log: &TenantLog,
        stream: &Stream,
        update: &UpdateStream,
        change: &mut StreamChange,
    ) -> Result<(), LifecycleError> {
        let stored: Map<String, Value> = serde_json::from_str(&stream.destination)
            .map_err(|error| LifecycleError::State(format!("the stored destination: {error}")))?;
        let stored_secrets = self.secrets(stream)?;
        let format = format_named(update.format.as_deref().unwrap_or(&stream.format))?;
        let given = match &update.destination {
            Some(destination) => Given::read(bounded(destination)?)?,
            None => Given {
                kind: destinations::kind(&stream.destination_type).ok_or(LifecycleError::NotFound)?,
                config: stored.clone(),
                secrets: Map::new(),
            },
        };
        if given.kind.name != stream.destination_type {
            return Err(LifecycleError::invalid(
                "/destination/type",
                format!(
                    "this stream goes to {}; create another for {}",
                    stream.destination_type, given.kind.name
                ),
            ));
        }
        given.check_same_address(&stored, &stored_secrets)?;
        let secrets = given.merged(&stored_secrets);
        check(given.kind, &given.config, &secrets, format, (log.tenant(), &stream.id), &self.surroundings)?;
        let sealed = self.seal(log, &stream.id, &secrets)?;
        change.destination = Some((Value::Object(given.config).to_string(), sealed));
        change.format = Some(format.name().to_owned());
        Ok(())
    }

    /// Deletes a stream with its attempts and dead letters.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn delete(&self, log: &TenantLog, by: &By, id: &str) -> Result<(), LifecycleError> {
        let stream = self.stream(log, id).await?;
        record(
            log,
            by,
            Record {
                action: "deleted",
                stream: (&stream.id, &stream.name),
                description: format!("Stream {} deleted", stream.name),
                reason: None,
                metadata: metadata([
                    ("cursor", stream.cursor.into()),
                    ("dead_letters", stream.dead_letters.into()),
                ]),
            },
        )
        .await?;
        Ok(log.streams().delete(&stream.id).await?)
    }

    pub(super) fn secrets(&self, stream: &Stream) -> Result<Secrets, LifecycleError> {
        prepare::open_secrets(self.key.as_ref(), stream).map_err(LifecycleError::NoSecretKey)
    }

    pub(super) fn seal(
        &self,
        log: &TenantLog,
        id: &StreamId,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, LifecycleError> {
        prepare::seal_secrets(self.key.as_ref(), &self.surroundings, log.tenant(), id, secrets)
            .map_err(LifecycleError::NoSecretKey)
    }
}

fn check_name(name: &str) -> Result<&str, LifecycleError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(LifecycleError::invalid("/name", format!("a name has 1 to {NAME_CHARS_MAX} characters")));
    }
    Ok(name)
}

fn bounded(destination: &Value) -> Result<&Value, LifecycleError> {
    if destination.to_string().len() > DESTINATION_BYTES_MAX {
        return Err(LifecycleError::invalid(
            "/destination",
            format!("a destination has at most {DESTINATION_BYTES_MAX} bytes"),
        ));
    }
    Ok(destination)
}

fn format_named(name: &str) -> Result<Format, LifecycleError> {
    Format::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        LifecycleError::invalid("/format", format!("{name:?} is no format; one of {}", names.join(", ")))
    })
}

fn parse_filter(text: Option<&str>) -> Result<Filter, LifecycleError> {
    match text {
        None => Ok(Filter::default()),
        Some(text) => Filter::parse(text).map_err(|error| LifecycleError::filter(&error)),
    }
}
