//! Carries frames over TLS, one connection per batch.
//!
//! A connection per batch costs a handshake and buys the only sign of life that syslog has: the
//! receiver's orderly close in answer to ours. A write that merely filled a buffer, of this machine
//! or of the receiver's, is not taken for a delivery.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::FutureExt as _;
use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    classify::{End, classify},
    config::{Config, FACILITY_MAX, MESSAGE_BYTES_RANGE},
    encode,
};
use crate::{
    destinations::{Batch, ConfigError, Destination, Report, Setup, Trace, Verdict},
    egress::{SYSLOG_PORTS, TcpDialer, certificates},
    formats::Format,
};

/// How often it is looked whether the receiver's machine has our last byte.
const LAST_BYTE_LOOK: Duration = Duration::from_millis(5);

struct Syslog {
    config: Config,
    server_name: ServerName<'static>,
    tls: TlsConnector,
    dialer: TcpDialer,
    /// How long sending may take, and then the receiver's closing.
    patience: Duration,
    format: Format,
}

pub(super) fn build(setup: &Setup<'_>) -> Result<Arc<dyn Destination>, ConfigError> {
    let config: Config = setup.parse()?;
    if config.facility > FACILITY_MAX {
        return Err(ConfigError::at("facility", format!("a facility is 0 to {FACILITY_MAX}")));
    }
    if !MESSAGE_BYTES_RANGE.contains(&config.message_bytes_max) {
        return Err(ConfigError::at(
            "message_bytes_max",
            format!("{} to {} bytes", MESSAGE_BYTES_RANGE.start(), MESSAGE_BYTES_RANGE.end()),
        ));
    }
    // The same checks as for a url, on what is no url.
    let shown = if config.host.contains(':') { format!("[{}]", config.host) } else { config.host.clone() };
    if url::Host::parse(&shown).is_err() {
        return Err(ConfigError::at("host", format!("{:?} is not a host", config.host)));
    }
    let name = config.server_name.clone().unwrap_or_else(|| config.host.clone());
    let server_name = ServerName::try_from(name.clone())
        .map_err(|_| ConfigError::at("server_name", format!("{name:?} is not a name for a certificate")))?;
    let egress = &setup.surroundings.egress;
    let tls = tls_config(&config, setup.secrets.text("client_key"), egress.extra_roots())?;
    Ok(Arc::new(Syslog {
        server_name,
        tls: TlsConnector::from(Arc::new(tls)),
        dialer: egress.dialer(),
        patience: egress.exchange_timeout(),
        format: setup.format,
        config,
    }))
}

fn tls_config(
    config: &Config,
    client_key: Option<&str>,
    extra_roots: &[CertificateDer<'static>],
) -> Result<ClientConfig, ConfigError> {
    let certificates = |name: &str, pem: &str| {
        certificates(pem)
            .ok_or_else(|| ConfigError::at(name, format!("{name} is not one or more certificates in PEM")))
    };
    let mut roots = RootCertStore::empty();
    match &config.ca {
        Some(pem) => {
            for certificate in certificates("ca", pem)? {
                roots.add(certificate).map_err(|error| ConfigError::at("ca", error.to_string()))?;
            }
        }
        None => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            roots.add_parsable_certificates(extra_roots.iter().cloned());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_root_certificates(roots);
    let mut tls = match (&config.client_certificate, client_key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(pem), Some(key)) => {
            let chain = certificates("client_certificate", pem)?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(|_| ConfigError::at("client_key", "client_key is not a private key in PEM"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| ConfigError::at("client_key", error.to_string()))
        }
        (Some(_), None) => Err(ConfigError::at("client_key", "client_certificate needs client_key")),
        (None, Some(_)) => Err(ConfigError::at("client_certificate", "client_key needs client_certificate")),
    }?;
    // rsyslog hands out sessions that it then refuses (OpenSSL's "session id context uninitialized"): every batch
    // but the first would take two attempts or three.
    tls.resumption = Resumption::disabled();
    Ok(tls)
}

#[async_trait]
impl Destination for Syslog {
    async fn send(&self, batch: &Batch) -> Report {
        let mut frames = Vec::new();
        for event in &batch.events {
            if let Err(error) = encode::frame(event, self.format, &self.config, &mut frames) {
                return error.into_report();
            }
        }
        let end = self.carry(&frames).await;
        let verdict = classify(&end);
        let answer = match &verdict {
            Verdict::Accepted => "sent; the receiver closed in order (syslog has no acknowledgement)",
            Verdict::Retry { reason, .. } | Verdict::Misconfigured { reason } => reason,
            other => unreachable!("no end of a connection means {other:?}"),
        };
        Report {
            trace: Trace {
                request: format!("syslog+tls {}:{}", self.config.host, self.config.port),
                request_bytes: frames.len() as u64,
                status: None,
                answer: Trace::bounded(answer),
            },
            verdict,
        }
    }
}

impl Syslog {
    async fn carry(&self, frames: &[u8]) -> End {
        let socket = match self.dialer.connect(&self.config.host, self.config.port, SYSLOG_PORTS).await {
            Ok(socket) => socket,
            Err(error) => return End::Unreachable(error),
        };
        let sent = async {
            let mut stream = self.tls.connect(self.server_name.clone(), socket).await?;
            stay(&mut stream)?;
            stream.write_all(frames).await?;
            stream.flush().await?;
            stay(&mut stream)?;
            // Says that there is no more. TCP stays open: a receiver that sees its end first need
            // not answer.
            stream.get_mut().1.send_close_notify();
            stream.flush().await?;
            Ok::<_, io::Error>(stream)
        };
        let mut stream = match timeout(self.patience, sent).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return End::Failed(error),
            Err(_) => {
                return End::Failed(io::Error::new(io::ErrorKind::TimedOut, "timed out while sending"));
            }
        };
        match timeout(self.patience, closed(&mut stream)).await {
            Ok(Ok(())) => End::Closed,
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => End::Cut,
            Ok(Err(error)) => End::Failed(error),
            Err(_) => End::StillOpen,
        }
    }
}

/// Fails if the receiver has said goodbye before we did: then its goodbye is no answer to ours.
fn stay(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while let Some(read) = stream.read(&mut ignored).now_or_never() {
        if read? == 0 {
            let text = "the receiver closed before it had everything";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, text));
        }
    }
    Ok(())
}

/// Waits for the receiver's close_notify and the end of its connection, and makes sure that its
/// machine took our last byte.
///
/// A receiver that closes before it has read everything resets the connection, but that may show
/// only after its goodbye, which was already on its way when ours was sent.
async fn closed(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    let mut ignored = [0; 1024];
    // With TLS 1.3 a refused certificate of ours shows only now, as an alert.
    while stream.read(&mut ignored).await? > 0 {}
    let socket = stream.get_mut().0;
    socket.shutdown().await?;
    while socket.read(&mut ignored).await? > 0 {}
    // Both directions have ended; the connection is gone once the receiver has acknowledged ours,
    // or has answered it with a reset.
    while socket.peer_addr().is_ok() {
        tokio::time::sleep(LAST_BYTE_LOOK).await;
    }
    match socket.take_error()? {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
