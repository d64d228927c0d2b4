//! All of delivery of one node, put together from its configuration.

use std::{fmt, sync::Arc};

use recount_store::Store;

use crate::{
    destinations::{AwsIdentity, Surroundings},
    egress::{EgressClient, EgressConfig, EgressError},
    engine::{Engine, EngineConfig},
    lifecycle::Streams,
};

/// What a node's delivery is set up with.
#[derive(Clone)]
pub struct DeliveryConfig {
    /// What may be reached.
    pub egress: EgressConfig,
    /// The deployment's own identity at AWS; tenants' roles are assumed with it.
    pub aws: Option<AwsIdentity>,
    /// Pauses of the engine.
    pub engine: EngineConfig,
    /// Whether this node delivers; one that does not still lets people manage streams.
    pub run: bool,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self { egress: EgressConfig::default(), aws: None, engine: EngineConfig::default(), run: true }
    }
}

impl fmt::Debug for DeliveryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryConfig")
            .field("allow", &self.egress.allow)
            .field("ports", &self.egress.ports)
            .field("aws", &self.aws)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

/// A node's delivery: streams for people, the engine, and the way out for everything else that a
/// tenant or a deployment points at.
#[derive(Clone)]
pub struct Delivery {
    streams: Streams,
    surroundings: Surroundings,
    config: DeliveryConfig,
}

impl Delivery {
    /// Puts it together; nothing runs yet.
    ///
    /// # Errors
    /// If an extra certificate authority can't be read.
    pub fn new(store: &Store, config: DeliveryConfig) -> Result<Self, EgressError> {
        let surroundings = Surroundings {
            egress: EgressClient::new(&config.egress)?,
            env: store.env().clone(),
            aws: config.aws.clone().map(Arc::new),
        };
        Ok(Self { streams: Streams::new(store, surroundings.clone()), surroundings, config })
    }

    /// Streams as people manage them.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The way out.
    #[must_use]
    pub fn egress(&self) -> &EgressClient {
        &self.surroundings.egress
    }

    /// Starts the engine, unless this node does not deliver. Call it within a tokio runtime.
    #[must_use]
    pub fn start(&self, store: &Store) -> Option<Engine> {
        self.config.run.then(|| Engine::start(store, self.surroundings.clone(), self.config.engine))
    }
}
