//! Names to addresses: the operating system's resolver, or a fixed table.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tokio::{sync::Semaphore, time::timeout};

use super::{RESOLVE_TIMEOUT, RESOLVED_AT_ONCE_MAX};

/// Resolves a host name to all of its addresses.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of `host`, in the order to try them.
    ///
    /// # Errors
    /// Whatever the name service answered; an unknown name is an error, never an empty list.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver (`getaddrinfo`).
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address: SocketAddr| address.ip()).collect())
    }
}

/// Bounds any resolver in time and in look-ups at once.
#[derive(Clone)]
pub(super) struct BoundedResolver {
    inner: Arc<dyn Resolve>,
    permits: Arc<Semaphore>,
}

impl BoundedResolver {
    pub(super) fn new(inner: Arc<dyn Resolve>) -> Self {
        Self { inner, permits: Arc::new(Semaphore::new(RESOLVED_AT_ONCE_MAX)) }
    }

    pub(super) async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let bounded = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
            let (inner, host) = (Arc::clone(&self.inner), host.to_owned());
            // A look-up in the system can't be called off: the permit stays with it until it ends,
            // however long its caller waited.
            let looking = tokio::spawn(async move {
                let found = inner.resolve(&host).await;
                drop(permit);
                found
            });
            looking.await.map_err(io::Error::other)?
        };
        timeout(RESOLVE_TIMEOUT, bounded).await.unwrap_or_else(|_| {
            let text = format!("no answer of the name service within {} s", RESOLVE_TIMEOUT.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        })
    }
}

/// A fixed table: deployments without DNS, and tests of names whose answers change.
///
/// Each look-up of a name takes the next of its answers; the last one stays.
#[derive(Debug, Default)]
pub struct StaticResolver {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
}

impl StaticResolver {
    /// Adds a name with the answers that its look-ups get one after the other.
    #[must_use]
    pub fn with(self, host: &str, answers: &[&[IpAddr]]) -> Self {
        self.answers
            .lock()
            .expect("no holder panics")
            .insert(host.to_ascii_lowercase(), answers.iter().map(|a| a.to_vec()).collect());
        self
    }
}

#[async_trait]
impl Resolve for StaticResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.answers.lock().expect("no holder panics");
        let Some(queue) = answers.get_mut(&host.to_ascii_lowercase()) else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        };
        Ok(if queue.len() > 1 { queue.remove(0) } else { queue.first().cloned().unwrap_or_default() })
    }
}
