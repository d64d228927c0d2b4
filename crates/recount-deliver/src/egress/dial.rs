//! Checked TCP connections, for protocols that are not HTTP.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{net::TcpStream, time::timeout};
use url::Host;

use super::{
    ADDRESSES_TRIED_MAX, AddressPolicy, CONNECT_TIMEOUT, EgressError, policy::Zone, resolve::BoundedResolver,
};

/// Resolves, checks and connects.
#[derive(Clone)]
pub struct TcpDialer {
    policy: AddressPolicy,
    resolver: BoundedResolver,
    ports: Arc<[u16]>,
}

impl TcpDialer {
    pub(super) fn new(policy: AddressPolicy, resolver: BoundedResolver, ports: Vec<u16>) -> Self {
        Self { policy, resolver, ports: ports.into() }
    }

    /// Connects to the first address of `host` that is allowed and answers.
    ///
    /// `host` is a name or an address in any form that URLs know; `usual_ports` are the ports
    /// allowed at public addresses.
    ///
    /// # Errors
    /// [`EgressError::Refused`] if no address may be connected to, else what connecting gave.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        usual_ports: &[u16],
    ) -> Result<TcpStream, EgressError> {
        let addresses = self.checked(host, port, usual_ports);
        timeout(CONNECT_TIMEOUT, async {
            let mut last = None;
            for address in addresses.await? {
                match TcpStream::connect(address).await {
                    Ok(stream) => {
                        stream.set_nodelay(true).map_err(|error| EgressError::connect(&error))?;
                        return Ok(stream);
                    }
                    Err(error) => last = Some(error),
                }
            }
            Err(EgressError::connect(
                &last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
            ))
        })
        .await
        .map_err(|_| EgressError::Timeout { what: "connecting" })?
    }

    async fn checked(
        &self,
        host: &str,
        port: u16,
        usual_ports: &[u16],
    ) -> Result<Vec<SocketAddr>, EgressError> {
        let candidates = match parse_host(host)? {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            Host::Domain(name) => {
                self.resolver.resolve(&name).await.map_err(|error| EgressError::resolve(&name, &error))?
            }
        };
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in candidates.into_iter().take(ADDRESSES_TRIED_MAX) {
            match self.policy.zone(address) {
                Ok(Zone::Public) if !usual_ports.contains(&port) && !self.ports.contains(&port) => {
                    refused = Some(EgressError::Refused {
                        reason: format!("port {port} is not among those allowed at public addresses"),
                    });
                }
                Ok(_) => allowed.push(SocketAddr::new(address.to_canonical(), port)),
                Err(refusal) => refused = Some(EgressError::Refused { reason: refusal.to_string() }),
            }
        }
        match refused {
            Some(refused) if allowed.is_empty() => Err(refused),
            _ => Ok(allowed),
        }
    }
}

/// Reads a host the way URLs do, so that `0x7f.1` is seen as the address that it is.
fn parse_host(host: &str) -> Result<Host, EgressError> {
    let bare_v6 = host.parse::<std::net::Ipv6Addr>().ok().map(Host::Ipv6);
    match bare_v6 {
        Some(host) => Ok(host),
        None => Host::parse(host)
            .map_err(|error| EgressError::BadUrl { reason: format!("host {host:?}: {error}") }),
    }
}
