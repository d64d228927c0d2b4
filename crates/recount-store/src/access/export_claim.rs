//! An export job in the hands of one node.
//!
//! A job is claimed by one node at a time. Its file is an object under the tenant's prefix with a
//! name per attempt, so a node that lost its claim can't damage what another one makes.

use std::time::Duration;

use bytes::Bytes;
use recount_event::{Filter, Timestamp};

use super::error::AccessError;
use super::exports::{ExportState, after, order, read_error, unavailable};
use crate::catalog::CatalogError;
use crate::catalog::exports::ExportRow;
use crate::objects::Upload;
use crate::{ScanQuery, Store, TenantLog};

/// How long a claim holds without a renewal.
const CLAIM_TTL: Duration = Duration::from_secs(60);
/// How long a file may take to make before its object counts as left behind.
const FILE_INTENT: Duration = Duration::from_secs(24 * 3600);
/// Tries before a job counts as failed.
const ATTEMPTS_MAX: i64 = 3;

/// How a job ended.
#[derive(Debug, Clone)]
pub enum ExportOutcome {
    /// The file is whole.
    Done {
        /// SHA-256 of the file, in hexadecimal.
        sha256: String,
    },
    /// It could not be made; `error` is shown to the tenant.
    Failed {
        /// What to tell.
        error: String,
    },
}

impl Store {
    /// Takes a waiting job for the node `holder`, if there is one.
    ///
    /// # Errors
    /// If the catalog or the object store does not answer.
    pub async fn claim_export(&self, holder: &str) -> Result<Option<ExportClaim>, AccessError> {
        let now = self.env().now();
        let claimed =
            self.catalog().claim_export(holder, now.as_micros(), after(now, CLAIM_TTL).as_micros()).await?;
        let Some(row) = claimed else { return Ok(None) };
        let object = format!("tenants/{}/exports/{}-{}.{}", row.tenant, row.id, row.attempts, row.format);
        let claim = ExportClaim { store: self.clone(), holder: holder.to_owned(), row, object, upload: None };
        if claim.row.attempts > ATTEMPTS_MAX {
            let error = format!("the export was tried {ATTEMPTS_MAX} times and never came to its end");
            claim.finish(ExportOutcome::Failed { error }).await?;
            return Ok(None);
        }
        Ok(Some(claim))
    }
}

/// A job in the hands of this node.
pub struct ExportClaim {
    store: Store,
    holder: String,
    row: ExportRow,
    object: String,
    upload: Option<Upload>,
}

impl ExportClaim {
    /// The log to read, and what to read of it.
    ///
    /// # Errors
    /// If the job's row is damaged.
    pub fn question(&self) -> Result<(TenantLog, ScanQuery), AccessError> {
        let corrupt = |what: &str| CatalogError::Corrupt {
            object: format!("export {}", self.row.id),
            what: what.to_owned(),
        };
        let tenant = self.row.tenant.parse().map_err(|_| corrupt("tenant is not a tenant id"))?;
        let query = ScanQuery {
            filter: Filter::parse(&self.row.filter).map_err(|_| corrupt("the filter does not parse"))?,
            from: self.row.from_us.map(Timestamp::from_micros),
            to: self.row.to_us.map(Timestamp::from_micros),
            order: order(&self.row),
            pin: Some(self.row.pin.cast_unsigned()),
            ..ScanQuery::default()
        };
        Ok((TenantLog::new(self.store.clone(), tenant), query))
    }

    /// The job's id.
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// The format's name.
    pub fn format(&self) -> &str {
        &self.row.format
    }

    /// How the file is written, as the job was given it.
    pub fn options(&self) -> Option<&str> {
        self.row.options.as_deref()
    }

    /// Appends to the file; `rows` is how many events these bytes complete.
    ///
    /// # Errors
    /// If the object store does not take them.
    pub async fn write(&mut self, bytes: Bytes, rows: u64) -> Result<(), AccessError> {
        if self.upload.is_none() {
            let until = after(self.store.env().now(), FILE_INTENT);
            self.store.catalog().intend_object(&self.object, until).await?;
            let upload = self.store.objects().upload(&self.object).await;
            self.upload = Some(upload.map_err(|error| unavailable(read_error(error)))?);
        }
        let upload = self.upload.as_mut().expect("begun just above");
        self.row.bytes += i64::try_from(bytes.len()).unwrap_or(0);
        self.row.rows_done += rows.cast_signed();
        upload.write(bytes).await.map_err(|error| unavailable(read_error(error)))
    }

    /// Shows the progress and keeps the claim; `false` if the job was deleted or is another node's.
    ///
    /// # Errors
    /// If the catalog does not answer.
    pub async fn renew(&mut self) -> Result<bool, AccessError> {
        let until = after(self.store.env().now(), CLAIM_TTL);
        Ok(self.store.catalog().renew_export(&self.holder, until.as_micros(), &self.row).await?)
    }

    /// Ends the job. The file exists, durably, before the job says so.
    ///
    /// # Errors
    /// If the catalog or the object store does not answer; the job is then tried again later.
    pub async fn finish(mut self, outcome: ExportOutcome) -> Result<(), AccessError> {
        let now = self.store.env().now();
        let kept = self.row.expires_at - self.row.created_at;
        match (outcome, self.upload.take()) {
            (ExportOutcome::Done { sha256 }, Some(upload)) => {
                upload.finish().await.map_err(|error| unavailable(read_error(error)))?;
                self.row.state = ExportState::Ready.as_str().to_owned();
                self.row.sha256 = Some(sha256);
                self.row.object = Some(self.object.clone());
            }
            (ExportOutcome::Done { .. }, None) => {
                self.row.state = ExportState::Failed.as_str().to_owned();
                self.row.error = Some("nothing was written".to_owned());
            }
            (ExportOutcome::Failed { error }, upload) => {
                if let Some(upload) = upload {
                    let _ = upload.abandon().await;
                }
                self.row.state = ExportState::Failed.as_str().to_owned();
                self.row.error = Some(error);
            }
        }
        self.row.finished_at = Some(now.as_micros());
        self.row.expires_at = now.as_micros().saturating_add(kept);
        self.store.catalog().finish_export(&self.holder, &self.row).await?;
        Ok(())
    }

    /// Gives the job back, to be taken again at once; for a node that stops.
    ///
    /// # Errors
    /// If the catalog does not answer; the claim then runs out by itself.
    pub async fn release(mut self) -> Result<(), AccessError> {
        if let Some(upload) = self.upload.take() {
            let _ = upload.abandon().await;
        }
        Ok(self.store.catalog().release_export(&self.holder, &self.row.tenant, &self.row.id).await?)
    }
}
