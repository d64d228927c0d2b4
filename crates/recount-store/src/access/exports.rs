//! Export jobs: a whole answer as a file, made in the background, kept for a while.
//!
//! Here is what people do with jobs; making the file is in `export_claim`.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use recount_event::{Filter, Timestamp};

use super::credential::{Actor, Credential};
use super::error::AccessError;
use crate::catalog::CatalogError;
use crate::catalog::exports::ExportRow;
use crate::objects::ObjectError;
use crate::{Order, OwnEvent, OwnTarget, ReadError, Store, TenantLog};

/// How long a file that nobody refers to is kept for downloads under way.
const DOWNLOAD_GRACE: Duration = Duration::from_secs(10 * 60);
/// Jobs that a tenant may have waiting or running.
const OPEN_EXPORTS_MAX: i64 = 10;
/// Expired files handled in one sweep.
const EXPIRED_PER_SWEEP: i64 = 100;

/// A job to be started.
#[derive(Debug, Clone)]
pub struct NewExport {
    /// A name for people and for the file.
    pub name: String,
    /// The format's name; the store does not look into it.
    pub format: String,
    /// How the file is written, where the format leaves a choice; the store does not look into it.
    pub options: Option<String>,
    /// Which events.
    pub filter: Filter,
    /// The earliest `occurred_at`, inclusive.
    pub from: Option<Timestamp>,
    /// The latest `occurred_at`, exclusive.
    pub to: Option<Timestamp>,
    /// In which order.
    pub order: Order,
    /// How long the file is kept.
    pub keep: Duration,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportState {
    /// Waits for a node.
    Queued,
    /// Being made.
    Running,
    /// The file can be downloaded.
    Ready,
    /// It could not be made.
    Failed,
    /// The file was deleted when its time was over.
    Expired,
}

impl ExportState {
    /// The name in the API and in the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Ready, Self::Failed, Self::Expired]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// A job as it stands.
#[derive(Debug, Clone)]
pub struct ExportInfo {
    /// Its id; ids grow with time.
    pub id: String,
    /// A name for people and for the file.
    pub name: String,
    /// How far it is.
    pub state: ExportState,
    /// The format's name.
    pub format: String,
    /// How the file is written, as it was given.
    pub options: Option<String>,
    /// The filter's text.
    pub filter: String,
    /// The earliest `occurred_at`, inclusive.
    pub from: Option<Timestamp>,
    /// The latest `occurred_at`, exclusive.
    pub to: Option<Timestamp>,
    /// In which order.
    pub order: Order,
    /// Who asked for it.
    pub actor: Actor,
    /// The log's size when it was asked for: the job holds events with `seq` below this.
    pub pin: u64,
    /// Events written so far.
    pub rows: u64,
    /// Bytes written so far.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
    /// When the file is deleted.
    pub expires_at: Timestamp,
}

impl Store {
    /// Starts a job. Its record is in the tenant's log before the job exists.
    ///
    /// # Errors
    /// [`AccessError::TooMany`] while too many jobs of the tenant are open.
    pub async fn create_export(
        &self,
        log: &TenantLog,
        creator: &Credential,
        new: NewExport,
    ) -> Result<ExportInfo, AccessError> {
        let tenant = log.tenant();
        if self.catalog().open_exports_count(tenant.as_ref()).await? >= OPEN_EXPORTS_MAX {
            return Err(AccessError::TooMany {
                detail: format!(
                    "{OPEN_EXPORTS_MAX} exports of this tenant are waiting or running; wait for one to finish"
                ),
            });
        }
        let pin = log.head().await.map_err(unavailable)?;
        let now = self.env().now();
        let actor = creator.actor();
        let row = ExportRow {
            tenant: tenant.to_string(),
            id: self.env().uuid_v7().to_string(),
            name: new.name,
            created_by: creator.reference(),
            actor: serde_json::to_string(&actor).expect("an actor has string members only"),
            format: new.format,
            options: new.options,
            filter: new.filter.to_string(),
            from_us: new.from.map(Timestamp::as_micros),
            to_us: new.to.map(Timestamp::as_micros),
            ascending: i64::from(new.order == Order::OldestFirst),
            state: ExportState::Queued.as_str().to_owned(),
            pin: i64::try_from(pin).unwrap_or(i64::MAX),
            created_at: now.as_micros(),
            expires_at: after(now, new.keep).as_micros(),
            ..ExportRow::default()
        };
        record_export(log, creator, "recount.export.created", &row).await?;
        self.catalog().insert_export(&row).await?;
        Ok(info(row)?)
    }

    /// One job of the log's tenant.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn export(&self, log: &TenantLog, id: &str) -> Result<ExportInfo, AccessError> {
        Ok(info(self.export_row(log, id).await?)?)
    }

    /// Jobs of the log's tenant made before the one with id `before`, newest first.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn exports(
        &self,
        log: &TenantLog,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ExportInfo>, AccessError> {
        const AFTER_ALL: &str = "~";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            self.catalog().exports_before(log.tenant().as_ref(), before.unwrap_or(AFTER_ALL), limit).await?;
        rows.into_iter().map(|row| Ok(info(row)?)).collect()
    }

    /// Removes a job and its file.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn delete_export(&self, log: &TenantLog, id: &str) -> Result<(), AccessError> {
        let row = self.export_row(log, id).await?;
        Ok(self.catalog().delete_export(&row, after(self.env().now(), DOWNLOAD_GRACE)).await?)
    }

    /// The file of a job that is ready, piece by piece; the download is in the log before it starts.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; `WrongState` while there is no file, or no longer.
    pub async fn export_file(
        &self,
        log: &TenantLog,
        reader: &Credential,
        id: &str,
    ) -> Result<(ExportInfo, BoxStream<'static, Result<Bytes, ReadError>>), AccessError> {
        let row = self.export_row(log, id).await?;
        let Some(object) = row.object.clone().filter(|_| row.state == "ready") else {
            return Err(AccessError::WrongState {
                detail: format!("the export is {}, so there is no file", row.state),
            });
        };
        record_export(log, reader, "recount.export.downloaded", &row).await?;
        let pieces = self.objects().stream(&object).await.map_err(|error| unavailable(read_error(error)))?;
        Ok((info(row)?, pieces.map(|piece| piece.map_err(read_error)).boxed()))
    }

    /// Marks files past their time as gone, and leaves them to the garbage collector.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn expire_exports(&self) -> Result<(), AccessError> {
        let now = self.env().now();
        for row in self.catalog().expired_exports(now.as_micros(), EXPIRED_PER_SWEEP).await? {
            self.catalog().expire_export(&row, after(now, DOWNLOAD_GRACE)).await?;
        }
        Ok(())
    }

    async fn export_row(&self, log: &TenantLog, id: &str) -> Result<ExportRow, AccessError> {
        self.catalog().export(log.tenant().as_ref(), id).await?.ok_or(AccessError::NotFound)
    }
}

async fn record_export(
    log: &TenantLog,
    by: &Credential,
    action: &str,
    row: &ExportRow,
) -> Result<(), AccessError> {
    let mut event = OwnEvent::new(action, by.actor().into());
    let done = if action.ends_with("downloaded") { "downloaded an export" } else { "started an export" };
    event.description = Some(format!("{} {done} as {}", by.name(), row.format));
    event.targets = vec![OwnTarget {
        kind: "export".to_owned(),
        id: row.id.clone(),
        name: Some(row.name.clone()).filter(|name| !name.is_empty()),
    }];
    event.metadata.insert("format".to_owned(), row.format.as_str().into());
    event.metadata.insert("filter".to_owned(), row.filter.as_str().into());
    Ok(log.record(event).await?)
}

fn info(row: ExportRow) -> Result<ExportInfo, CatalogError> {
    let corrupt =
        |what: &str| CatalogError::Corrupt { object: format!("export {}", row.id), what: what.to_owned() };
    Ok(ExportInfo {
        state: ExportState::parse(&row.state).ok_or_else(|| corrupt("unknown state"))?,
        actor: serde_json::from_str(&row.actor).map_err(|_| corrupt("actor is not readable"))?,
        order: order(&row),
        from: row.from_us.map(Timestamp::from_micros),
        to: row.to_us.map(Timestamp::from_micros),
        pin: row.pin.cast_unsigned(),
        rows: row.rows_done.cast_unsigned(),
        bytes: row.bytes.cast_unsigned(),
        created_at: Timestamp::from_micros(row.created_at),
        finished_at: row.finished_at.map(Timestamp::from_micros),
        expires_at: Timestamp::from_micros(row.expires_at),
        id: row.id,
        name: row.name,
        format: row.format,
        options: row.options,
        filter: row.filter,
        sha256: row.sha256,
        error: row.error,
    })
}

pub(super) fn order(row: &ExportRow) -> Order {
    if row.ascending == 0 { Order::NewestFirst } else { Order::OldestFirst }
}

pub(super) fn after(now: Timestamp, duration: Duration) -> Timestamp {
    Timestamp::from_micros(
        now.as_micros().saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
    )
}

pub(super) fn read_error(error: ObjectError) -> ReadError {
    match error {
        ObjectError::NotFound { name } => {
            ReadError::Corrupt { object: name, what: "the object is missing".to_owned() }
        }
        ObjectError::Unavailable { name, detail } => {
            ReadError::Unavailable { what: "the object store", cause: format!("{name}: {detail}") }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(super) fn unavailable(error: ReadError) -> AccessError {
    AccessError::Unavailable { detail: error.to_string() }
}
