//! People's side of streams: set up, test, switch on, halt, replay, repair, watch.
//!
//! Every change is first written to the tenant's own log, then made: whoever reads the log may see
//! a change that failed, never miss one that happened.

mod dead_letters;
mod destination;
pub(crate) mod lag;
mod record;
mod set_up;
mod start;
mod steer;
mod test;
mod view;

use recount_event::FilterError;
use recount_store::{
    AppendError, Env, OwnActor, ReadError, SecretKey, Store, TenantLog,
    streams::{Stream, StreamError, StreamId},
};
use thiserror::Error;

pub use dead_letters::{DeadLetterList, DeadLetterView, Redelivery, RedeliveryResult};
pub use lag::Lag;
pub use set_up::{CreateStream, CreatedStream, UpdateStream};
pub use start::Start;
pub use steer::RotatedSecret;
pub use test::TestResult;
pub use view::{AttemptView, DestinationKindView, StreamView};

use crate::destinations::{ConfigError, Surroundings};

/// Streams as people manage them. Cheap to clone.
#[derive(Clone)]
pub struct Streams {
    env: Env,
    key: Option<SecretKey>,
    surroundings: Surroundings,
    waiting: lag::Waiting,
}

/// Who does something.
#[derive(Debug, Clone)]
pub struct By {
    /// The key or person.
    pub actor: OwnActor,
    /// From which address.
    pub ip: Option<String>,
}

/// Why something was not done, by what the caller should do.
#[derive(Debug, Error)]
pub enum LifecycleError {
    /// There is no such stream in this tenant.
    #[error("there is no such stream")]
    NotFound,
    /// Something in the request is wrong.
    #[error("{detail}")]
    Invalid {
        /// Where, as a JSON pointer into the request.
        pointer: String,
        /// What is wrong and what is expected.
        detail: String,
    },
    /// The stream is not in a state for this.
    #[error("{0}")]
    State(String),
    /// The tenant has as many streams as it may.
    #[error("{0}")]
    TooMany(String),
    /// Somebody changed the stream at the same time: look again and repeat.
    #[error("{0}")]
    Conflict(String),
    /// The deployment can't keep secrets.
    #[error("{0}")]
    NoSecretKey(String),
    /// The log or the catalog does not answer now: repeat later.
    #[error("{0}")]
    Unavailable(String),
}

impl LifecycleError {
    fn invalid(pointer: &str, detail: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.to_owned(), detail: detail.into() }
    }

    fn destination(error: ConfigError) -> Self {
        Self::Invalid { pointer: format!("/destination{}", error.pointer), detail: error.detail }
    }

    fn filter(error: &FilterError) -> Self {
        Self::invalid("/filter", error.to_string())
    }
}

impl From<StreamError> for LifecycleError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::NotFound => Self::NotFound,
            StreamError::TooMany => Self::TooMany(error.to_string()),
            StreamError::Conflict => Self::Conflict(error.to_string()),
            StreamError::Catalog(error) => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<ReadError> for LifecycleError {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<AppendError> for LifecycleError {
    fn from(error: AppendError) -> Self {
        Self::Unavailable(format!("the change can't be recorded: {error}"))
    }
}

impl Streams {
    /// Streams of `store`, with what the deployment provides.
    #[must_use]
    pub fn new(store: &Store, surroundings: Surroundings) -> Self {
        Self {
            env: store.env().clone(),
            key: store.secret_key().cloned(),
            surroundings,
            waiting: lag::Waiting::default(),
        }
    }

    /// All streams of the tenant, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, log: &TenantLog) -> Result<Vec<StreamView>, LifecycleError> {
        let extent = log.extent().await?;
        let mut views = Vec::new();
        for stream in log.streams().list().await? {
            views.push(self.view(log, &stream, &extent).await?);
        }
        Ok(views)
    }

    /// One stream.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn get(&self, log: &TenantLog, id: &str) -> Result<StreamView, LifecycleError> {
        let stream = self.stream(log, id).await?;
        self.view(log, &stream, &log.extent().await?).await
    }

    /// The kept attempts, the latest first.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn attempts(
        &self,
        log: &TenantLog,
        id: &str,
        limit: u32,
    ) -> Result<Vec<AttemptView>, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let attempts = log.streams().attempts(&stream, limit).await?;
        Ok(attempts.into_iter().map(AttemptView::from).collect())
    }

    async fn stream(&self, log: &TenantLog, id: &str) -> Result<Stream, LifecycleError> {
        Ok(log.streams().get(&StreamId::from_text(id)).await?)
    }
}
