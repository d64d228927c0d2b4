//! Holding connections: how many, how slow, and how they end.

mod timed_stream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use self::timed_stream::TimedStream;
use crate::config::ServerLimits;
use crate::observe::keep_metrics_small;
use crate::state::AppState;
use crate::{exporting, routes};

/// Requests that one HTTP/2 connection may have open.
const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// The longest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long to rest when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then drains: no new connections, open streams and long-polls end at
/// once, other requests get [`ServerLimits::drain_timeout`]. The store is left to the caller.
///
/// # Errors
/// Never for one connection's sake; only if the listener itself is of no use.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    listener.local_addr()?;
    let limits = state.config.limits.clone();
    let router = routes::router(state.clone());
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let mut background = JoinSet::new();
    background.spawn(exporting::run_jobs(state.clone()));
    if let Some(metrics) = state.metrics.clone() {
        background.spawn(keep_metrics_small(metrics, state.closing.clone()));
    }
    let engine = state.delivery.start(state.store());

    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
            () = shutdown.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => spawn_connection(stream, permit, router.clone(), &graceful, &limits),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    drop(listener);
    state.closing.cancel();
    let stop_engine = async {
        if let Some(engine) = engine {
            engine.shutdown().await;
        }
    };
    let drain = async {
        tokio::join!(graceful.shutdown(), stop_engine);
        while background.join_next().await.is_some() {}
    };
    if tokio::time::timeout(limits.drain_timeout, drain).await.is_err() {
        tracing::warn!(
            seconds = limits.drain_timeout.as_secs(),
            "some requests did not end in time and were cut off"
        );
    }
    Ok(())
}

fn spawn_connection(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
    limits: &ServerLimits,
) {
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(TimedStream::new(stream, limits.header_timeout, limits.write_idle_timeout));
    let service =
        hyper::service::service_fn(move |request: Request<Incoming>| router.clone().oneshot(request));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(HEAD_BYTES_MAX * 8);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.header_timeout)
        .keep_alive_timeout(limits.header_timeout);
    let connection = builder.serve_connection(io, service).into_owned();
    let connection = graceful.watch(connection);
    metrics::gauge!("recount_http_connections").increment(1.0);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended with an error");
        }
        metrics::gauge!("recount_http_connections").decrement(1.0);
        drop(permit);
    });
}
