//! The only way out to an address that a tenant chose.
//!
//! Webhooks, bucket endpoints, SIEM intakes, syslog hosts and JWKS documents are all reached
//! through here, so that one place decides what a tenant can make the server connect to:
//!
//! - a name is resolved by us, every address is checked against the [`AddressPolicy`], and only
//!   a checked address is connected to (a second answer of the name server can't slip in between);
//! - redirects are never followed;
//! - HTTPS and a short list of ports, unless the deployment opened the address range;
//! - every answer is bounded in bytes and every exchange in time.

mod client;
mod dial;
mod policy;
mod resolve;

pub use client::{Answer, EgressClient, EgressError, Exchange, HttpRequest};
pub use dial::TcpDialer;
pub use policy::{AddressPolicy, Refusal};
pub use resolve::{Resolve, StaticResolver, SystemResolver};
pub use rustls::pki_types::CertificateDer;

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;
use rustls::pki_types::pem::PemObject as _;

/// TCP ports that HTTPS destinations may use at public addresses.
///
/// 443 and its alternate; 8088 is Splunk's HTTP event collector, 9200 and 9243 Elasticsearch's.
pub const HTTPS_PORTS: &[u16] = &[443, 8443, 8088, 9200, 9243];

/// TCP ports that syslog over TLS may use at public addresses (RFC 5425 assigns 6514).
pub const SYSLOG_PORTS: &[u16] = &[6514, 443, 8443];

/// How long resolving a name and connecting to it may take together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one exchange may take from its first byte to its last, connecting included.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long resolving one name may take; part of [`CONNECT_TIMEOUT`].
pub const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many names are resolved at once. The system's resolver blocks a thread for each, so slow
/// name servers of some tenants would else take all threads that files and databases need.
pub const RESOLVED_AT_ONCE_MAX: usize = 32;

/// How many addresses of one name are tried.
pub const ADDRESSES_TRIED_MAX: usize = 8;

/// What the deployment decides about outgoing connections.
#[derive(Clone)]
pub struct EgressConfig {
    /// Ranges that are reachable beyond public space, over plain HTTP and at any port too
    /// (`RECOUNT_EGRESS_ALLOW`).
    pub allow: Vec<IpNet>,
    /// Ports allowed at public addresses beyond [`HTTPS_PORTS`] and [`SYSLOG_PORTS`].
    pub ports: Vec<u16>,
    /// Certificate authorities trusted beyond the public ones.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Who resolves names; the operating system if `None`.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// How long one exchange may take; [`EXCHANGE_TIMEOUT`] unless a test can't wait for that.
    pub exchange_timeout: Duration,
}

impl Default for EgressConfig {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            ports: Vec::new(),
            extra_roots: Vec::new(),
            resolver: None,
            exchange_timeout: EXCHANGE_TIMEOUT,
        }
    }
}

/// Reads certificates in PEM; `None` if there is none, or something else.
#[must_use]
pub fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.ok().filter(|certificates| !certificates.is_empty())
}
