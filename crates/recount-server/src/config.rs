//! What a server is started with, and every limit of the HTTP side.

use std::time::Duration;

use recount_event::limits;

/// The longest body of a route other than ingest, in bytes.
pub const ADMIN_BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest ingest body as sent, in bytes; the same limit holds after decompression.
pub const INGEST_BODY_BYTES_MAX: usize = limits::BATCH_BYTES_MAX;
/// Bodies of at least this many bytes are parsed off the async threads.
pub const PARSE_INLINE_BYTES_MAX: usize = 32 * 1024;
/// The longest path and query, in bytes: room for a filter of full length, percent-encoded.
pub const URI_BYTES_MAX: usize = 32 * 1024;
/// Most events on one page of a list or feed.
pub const PAGE_EVENTS_MAX: usize = 1_000;
/// Events on a page that did not ask for a number.
pub const PAGE_EVENTS_DEFAULT: usize = 50;
/// The longest a feed request waits for events, in seconds.
pub const FEED_WAIT_SECONDS_MAX: u64 = 60;
/// Most fields of one facets request.
pub const FACET_FIELDS_MAX: usize = 5;
/// Most values of one facet.
pub const FACET_VALUES_MAX: usize = 100;
/// Values of a facet that did not ask for a number.
pub const FACET_VALUES_DEFAULT: usize = 10;
/// Up to how many rows the portal should take an export at once rather than as a job.
pub const EXPORT_INLINE_ROWS_MAX: u64 = 10_000;
/// A comment is sent on an idle event stream this often, so that proxies keep it open.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long an export's file is kept.
pub const EXPORT_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// The longest saved view, in bytes of JSON.
pub const SAVED_VIEW_BYTES_MAX: usize = 16 * 1024;
/// The longest name of a key, view or export, in characters.
pub const NAME_CHARS_MAX: usize = 200;

/// Everything [`serve`](crate::serve) needs besides the store.
#[derive(Debug, Clone, Default)]
pub struct ServerConfig {
    /// The origin under which people reach this server, without a slash at the end; portal links
    /// start with it. `None`: taken from each request's `Host`.
    pub public_url: Option<String>,
    /// Origins that may use tenants' keys and host tokens from a browser. Session tokens carry their own.
    pub allowed_origins: Vec<String>,
    /// Origins that may show the hosted portal in a frame.
    pub frame_ancestors: Vec<String>,
    /// Whose portal it is.
    pub portal: PortalBrand,
    /// The vendor's own JWTs, if they are accepted.
    pub host_tokens: Option<HostTokens>,
    /// What streams may reach, and whether this node delivers.
    pub delivery: recount_deliver::DeliveryConfig,
    /// Limits of connections, memory and time.
    pub limits: ServerLimits,
}

/// Whose portal the hosted one is. All of it is public: it is in the page that anyone can load.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct PortalBrand {
    /// The vendor's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The accent colour, as `#2f62d9`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// The page of the vendor's application that lets people in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_url: Option<String>,
}

/// Bounds of what the HTTP side holds at once and how long it waits.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections open at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// Bytes of ingest bodies, after decompression, held at once.
    pub ingest_bytes_in_flight_max: usize,
    /// How long an ingest body waits for its share of those bytes before it is told to come back.
    pub ingest_wait: Duration,
    /// How long a client may take to send a request's head.
    pub header_timeout: Duration,
    /// How long a client may pause while sending a body.
    pub body_idle_timeout: Duration,
    /// How long a client may take no bytes of an answer.
    pub write_idle_timeout: Duration,
    /// How long open requests get to finish at shutdown.
    pub drain_timeout: Duration,
    /// What one list, histogram or facets request may look at, in bytes of stored data.
    pub scan_bytes_max: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            ingest_bytes_in_flight_max: 256 * 1024 * 1024,
            ingest_wait: Duration::from_secs(2),
            header_timeout: Duration::from_secs(15),
            body_idle_timeout: Duration::from_secs(30),
            write_idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(20),
            scan_bytes_max: 4 * 1024 * 1024 * 1024,
        }
    }
}

/// How the vendor's own JWTs are checked (RFC 8725: everything is pinned here, nothing is taken
/// from the token's header but the key's id).
#[derive(Debug, Clone)]
pub struct HostTokens {
    /// The only accepted `iss`.
    pub issuer: String,
    /// The only accepted `aud`.
    pub audience: String,
    /// The only accepted algorithm.
    pub algorithm: HostTokenAlgorithm,
    /// Where the keys come from.
    pub keys: HostTokenKeys,
    /// The claim that holds the tenant (`tenant`).
    pub tenant_claim: String,
    /// Scopes that such a token has when it has no `scope` claim; a claim can only narrow them.
    pub scopes: recount_store::access::ScopeSet,
    /// Origins that may use such tokens from a browser.
    pub origins: Vec<String>,
}

/// Signature algorithms accepted for host tokens; symmetric ones are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostTokenAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// Where the keys that verify host tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostTokenKeys {
    /// One public key in PEM.
    Pem(String),
    /// The URL of a JSON Web Key Set, fetched through the egress rules and kept for some minutes.
    JwksUrl(String),
}
