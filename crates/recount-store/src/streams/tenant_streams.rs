//! People's side: the streams of one tenant.

use super::STREAMS_PER_TENANT_MAX;
use super::settle::{Attempt, DeadLetter};
use super::stream::{NewStream, Stream, StreamChange, StreamId};
use crate::catalog::CatalogError;
use crate::catalog::streams::Inserted;
use crate::tenant_log::TenantLog;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// There is no such stream in this tenant.
    #[error("not found")]
    NotFound,
    /// The tenant has as many streams as it may.
    #[error("a tenant has at most {STREAMS_PER_TENANT_MAX} streams; delete one first")]
    TooMany,
    /// Somebody else changed the stream at the same time.
    #[error("the stream was changed by someone else at the same time; look again and repeat")]
    Conflict,
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// The streams of one tenant.
pub struct TenantStreams<'a> {
    log: &'a TenantLog,
}

impl TenantLog {
    /// The tenant's streams.
    pub fn streams(&self) -> TenantStreams<'_> {
        TenantStreams { log: self }
    }
}

impl TenantStreams<'_> {
    /// All of them, the oldest first.
    ///
    /// # Errors
    /// [`StreamError::Catalog`] only.
    pub async fn list(&self) -> Result<Vec<Stream>, StreamError> {
        Ok(self.log.store.inner.catalog.tenant_streams(&self.log.tenant).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StreamError::NotFound`] for another tenant's too.
    pub async fn get(&self, id: &StreamId) -> Result<Stream, StreamError> {
        let found = self.log.store.inner.catalog.stream(Some(&self.log.tenant), id).await?;
        found.ok_or(StreamError::NotFound)
    }

    /// Creates a draft.
    ///
    /// # Errors
    /// [`StreamError::TooMany`].
    pub async fn create(&self, new: &NewStream) -> Result<Stream, StreamError> {
        let now = self.log.store.env().now();
        match self.log.store.inner.catalog.insert_stream(&self.log.tenant, new, now).await? {
            Inserted::Yes => self.get(&new.id).await,
            Inserted::TooMany => Err(StreamError::TooMany),
        }
    }

    /// Changes a stream that still has the revision of `stream`, and its status where that one has
    /// not changed by itself.
    ///
    /// # Errors
    /// [`StreamError::Conflict`] if it has another one.
    pub async fn change(&self, stream: &Stream, change: &StreamChange) -> Result<Stream, StreamError> {
        let now = self.log.store.env().now();
        if !self.log.store.inner.catalog.change_stream(&self.log.tenant, stream, change, now).await? {
            self.get(&stream.id).await?;
            return Err(StreamError::Conflict);
        }
        self.log.store.inner.stream_changes.notify_waiters();
        self.get(&stream.id).await
    }

    /// Deletes a stream with its attempts and dead letters.
    ///
    /// # Errors
    /// [`StreamError::NotFound`].
    pub async fn delete(&self, id: &StreamId) -> Result<(), StreamError> {
        let now = self.log.store.env().now();
        if !self.log.store.inner.catalog.delete_stream(&self.log.tenant, id, now).await? {
            return Err(StreamError::NotFound);
        }
        self.log.store.inner.stream_changes.notify_waiters();
        Ok(())
    }

    /// The kept attempts of a stream, the latest first.
    ///
    /// # Errors
    /// [`StreamError::Catalog`] only; check that the stream is the tenant's first.
    pub async fn attempts(&self, stream: &Stream, limit: u32) -> Result<Vec<Attempt>, StreamError> {
        Ok(self.log.store.inner.catalog.stream_attempts(&stream.id, limit).await?)
    }

    /// Keeps an attempt that a person asked for.
    ///
    /// # Errors
    /// [`StreamError::Catalog`] only.
    pub async fn keep_attempt(&self, stream: &Stream, attempt: &Attempt) -> Result<(), StreamError> {
        Ok(self.log.store.inner.catalog.keep_attempt(&stream.id, attempt).await?)
    }

    /// Dead letters in the order of `seq`, from `from` on.
    ///
    /// # Errors
    /// [`StreamError::Catalog`] only.
    pub async fn dead_letters(
        &self,
        stream: &Stream,
        from: u64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StreamError> {
        Ok(self.log.store.inner.catalog.dead_letters(&stream.id, from, limit).await?)
    }

    /// Takes dead letters off the list: they arrived, or somebody gave them up.
    ///
    /// # Errors
    /// [`StreamError::Catalog`] only.
    pub async fn forget_dead_letters(&self, stream: &Stream, seqs: &[u64]) -> Result<(), StreamError> {
        let now = self.log.store.env().now();
        self.log.store.inner.catalog.forget_dead_letters(&stream.id, seqs, now).await?;
        self.log.store.inner.stream_changes.notify_waiters();
        Ok(())
    }

    /// Notes that dead letters were sent again in vain, and what was said.
    ///
    /// # Errors
    /// [`StreamError::Catalog`] only.
    pub async fn note_replays(&self, stream: &Stream, refused: &[(u64, String)]) -> Result<(), StreamError> {
        Ok(self.log.store.inner.catalog.note_replays(&stream.id, refused).await?)
    }
}
