//! What every handler shares.

use std::ops::Deref;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use recount_deliver::Delivery;
use recount_deliver::egress::EgressError;
use recount_event::TenantId;
use recount_store::access::{Credential, Scope};
use recount_store::{CatalogError, Store, TenantLog};
use recount_ui::Asset;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::body::BodyBudget;
use crate::config::{INGEST_BODY_BYTES_MAX, ServerConfig};
use crate::cursor::CursorKey;
use crate::host_tokens::{HostTokenError, HostTokenVerifier};
use crate::problem::Problem;

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The catalog did not give the deployment's secrets.
    #[error("can't read the deployment's secrets: {0}")]
    Catalog(#[from] CatalogError),
    /// The host tokens' configuration can't be used.
    #[error("host tokens: {0}")]
    HostTokens(#[from] HostTokenError),
    /// What is configured about outgoing connections can't be used.
    #[error("outgoing connections: {0}")]
    Egress(#[from] EgressError),
}

/// What every handler shares. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// The parts of [`AppState`].
pub struct Shared {
    pub(crate) store: Store,
    pub(crate) config: ServerConfig,
    pub(crate) cursors: CursorKey,
    pub(crate) budget: BodyBudget,
    pub(crate) host_tokens: Option<HostTokenVerifier>,
    /// The hosted portal's page, with the vendor's brand in it.
    pub(crate) portal_page: Asset,
    pub(crate) metrics: Option<PrometheusHandle>,
    /// Streams, their engine, and the way out to addresses that tenants chose.
    pub(crate) delivery: Delivery,
    /// Wakes the export runner when a job was made.
    pub(crate) export_made: Notify,
    /// Cancelled when the server closes; open streams end.
    pub(crate) closing: CancellationToken,
}

impl AppState {
    /// Puts the shared parts together. `metrics` is what `/metrics` shows.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub async fn new(
        store: Store,
        config: ServerConfig,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, StartError> {
        let cursors = CursorKey::new(store.deployment_secret("cursors").await?);
        let budget = BodyBudget::new(
            config.limits.ingest_bytes_in_flight_max,
            INGEST_BODY_BYTES_MAX,
            config.limits.ingest_wait,
        );
        let delivery = Delivery::new(&store, config.delivery.clone())?;
        let host_tokens = config.host_tokens.clone();
        let host_tokens =
            host_tokens.map(|tokens| HostTokenVerifier::new(tokens, delivery.egress())).transpose()?;
        let portal_page = crate::routes::portal::branded(&config.portal);
        Ok(Self(Arc::new(Shared {
            store,
            portal_page,
            config,
            cursors,
            budget,
            host_tokens,
            metrics,
            delivery,
            export_made: Notify::new(),
            closing: CancellationToken::new(),
        })))
    }

    /// The store behind the routes.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The log that a request is about: the credential's own, or the one that `named` names.
    pub(crate) async fn tenant_log(
        &self,
        credential: &Credential,
        named: Option<&str>,
        scope: Scope,
    ) -> Result<TenantLog, Problem> {
        credential.require(scope)?;
        let named = parse_tenant(named)?;
        Ok(credential.tenant_log(&self.0.store, named.as_ref(), scope).await?)
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Reads the `tenant` parameter.
pub(crate) fn parse_tenant(named: Option<&str>) -> Result<Option<TenantId>, Problem> {
    named
        .map(|text| text.parse::<TenantId>().map_err(|error| Problem::invalid_parameter("tenant", error)))
        .transpose()
}
