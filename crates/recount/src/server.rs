//! A running server: from settings to an open port, and back down without losing anything.

mod prepare;

use std::net::SocketAddr;
use std::time::Duration;

use recount_server::{AppState, ServerConfig};
use recount_store::{Env, OpenError, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Resolved;
use crate::exit::{Exit, Failed};

/// A server that answers.
pub struct Running {
    address: SocketAddr,
    store: Store,
    new_operator_key: Option<String>,
    stop: CancellationToken,
    signals: StopSignals,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Starts a server. A signal meanwhile ends the attempt, however long a database may take.
    ///
    /// # Errors
    /// Why it cannot start: each cause with its own exit code, and what to do about it.
    pub async fn start(settings: &Resolved) -> Result<Self, Failed> {
        // Before anything is open, so that a signal at any later moment stops it in order.
        let mut signals = StopSignals::listen()?;
        let store_config = prepare::store_config(settings)?;
        let server_config = prepare::server_config(settings)?;
        if prepare::needs_data_dir(settings) {
            prepare::data_dir(settings.text("data_dir").unwrap_or("./recount-data").as_ref())?;
        }
        // The port comes before the catalog: a second server on one machine is told at once.
        let listener = bind(settings.text("listen").unwrap_or_default()).await?;
        let address = listener.local_addr().map_err(|error| Failed::new(Exit::Address, error.to_string()))?;
        let metrics = recount_server::install_metrics()
            .map_err(|error| Failed::new(Exit::Failure, format!("cannot set up metrics: {error}")))?;
        let opened = signals.unless_one_comes(Store::open(store_config, Env::system())).await;
        let store = opened.ok_or_else(not_begun)?.map_err(|error| not_opened(&error))?;
        let stop = CancellationToken::new();
        let up = Self::serve(settings, store.clone(), server_config, metrics, listener, stop.clone());
        let up = signals.unless_one_comes(up).await.unwrap_or_else(|| Err(not_begun()));
        let (serving, new_operator_key) = match up {
            Ok(up) => up,
            Err(failed) => {
                store.shutdown().await;
                return Err(failed);
            }
        };
        tracing::info!(
            listen = %address,
            url = %format!("http://{address}"),
            version = env!("CARGO_PKG_VERSION"),
            "listening"
        );
        Ok(Self { address, store, new_operator_key, stop, signals, serving })
    }

    async fn serve(
        settings: &Resolved,
        store: Store,
        config: ServerConfig,
        metrics: metrics_exporter_prometheus::PrometheusHandle,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(JoinHandle<std::io::Result<()>>, Option<String>), Failed> {
        let given = prepare::secret(settings, "operator_key")?;
        let made = store.ensure_operator_key(given.as_deref()).await.map_err(|error| {
            Failed::new(Exit::Storage, format!("cannot install the operator's key: {error}"))
        })?;
        let state = AppState::new(store, config, Some(metrics))
            .await
            .map_err(|error| Failed::new(Exit::Config, error.to_string()))?;
        let serving = tokio::spawn(recount_server::serve(listener, state, stop));
        Ok((serving, made.map(|made| made.text)))
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The store behind it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The operator's key, if this start made it.
    #[must_use]
    pub fn new_operator_key(&self) -> Option<&str> {
        self.new_operator_key.as_deref()
    }

    /// Cancelled when the server begins to stop.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Does `work` while it serves; `None` if SIGTERM or SIGINT came first, and it is to be stopped.
    pub async fn unless_signalled<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        self.signals.unless_one_comes(work).await
    }

    /// Serves until SIGTERM or SIGINT, then [stops](Self::stop).
    ///
    /// # Errors
    /// If serving ended by itself.
    pub async fn until_stopped(mut self) -> Result<Exit, Failed> {
        tokio::select! {
            name = self.signals.next() => tracing::info!(signal = name, "stopping"),
            ended = &mut self.serving => {
                self.store.shutdown().await;
                let reason = match ended {
                    Ok(Ok(())) => "it ended".to_owned(),
                    Ok(Err(error)) => error.to_string(),
                    Err(error) => error.to_string(),
                };
                return Err(Failed::new(Exit::Failure, format!("the server stopped serving: {reason}")));
            }
        }
        self.stop().await
    }

    /// Stops without losing anything. A signal meanwhile stops it at once, which loses nothing that
    /// was acknowledged either.
    ///
    /// # Errors
    /// If it was stopped at once.
    pub async fn stop(self) -> Result<Exit, Failed> {
        let Self { store, stop, mut signals, serving, .. } = self;
        let down = async {
            stop.cancel();
            // It drains for its own limit at most.
            let _ = serving.await;
            store.shutdown().await;
        };
        tokio::select! {
            () = down => {
                tracing::info!("stopped");
                Ok(Exit::Success)
            }
            name = signals.next() => Err(Failed::new(Exit::Interrupted, format!("stopped at once by a second {name}"))),
        }
    }
}

/// SIGTERM and SIGINT, caught from [`StopSignals::listen`] on.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> Result<Self, Failed> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failed::new(Exit::Failure, format!("cannot listen for signals of the system: {error}"))
            })
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next of them and says its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Does `work`; `None`, with `work` given up, if one of them comes first.
    async fn unless_one_comes<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            name = self.next() => {
                tracing::info!(signal = name, "stopping");
                None
            }
        }
    }
}

/// A start that was called off: nothing went wrong, so there is nothing to say.
fn not_begun() -> Failed {
    Failed::new(Exit::Success, String::new())
}

async fn bind(listen: &str) -> Result<TcpListener, Failed> {
    TcpListener::bind(listen).await.map_err(|error| {
        let failed = Failed::new(Exit::Address, format!("cannot listen on {listen}: {error}"));
        match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                failed.hint("another program has that port: stop it, or choose another with --listen")
            }
            std::io::ErrorKind::PermissionDenied => {
                failed.hint("ports below 1024 need rights: choose a higher one with --listen")
            }
            _ => failed
                .hint("choose an address of this machine with --listen, as 127.0.0.1:8787 or 0.0.0.0:8787"),
        }
    })
}

fn not_opened(error: &OpenError) -> Failed {
    let text = error.to_string();
    let full = text.contains("disk is full") || text.contains("No space left");
    let exit = match error {
        _ if full => Exit::DiskFull,
        OpenError::InUse { .. } => Exit::InUse,
        OpenError::CatalogNewer { .. } => Exit::CatalogNewer,
        OpenError::SecretKey { .. } => Exit::Config,
        OpenError::Catalog { .. } | OpenError::Objects { .. } => Exit::Storage,
    };
    let failed = Failed::new(exit, text);
    match exit {
        Exit::DiskFull => failed.hint("make room on that disk; nothing that was acknowledged is lost"),
        Exit::Storage => failed.hint(
            "check the settings catalog and objects with `recount config`, and that both can be reached",
        ),
        _ => failed,
    }
}

/// How long a demo waits for its last append when it stops.
pub(crate) const DEMO_STOP_TIMEOUT: Duration = Duration::from_secs(5);
