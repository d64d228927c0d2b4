//! What a tenant sets up for syslog.

use serde::{Deserialize, Serialize};

/// The public members; `client_key` (PEM) is the secret one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Name or address of the receiver.
    pub(super) host: String,
    /// Its port.
    #[serde(default = "port")]
    pub(super) port: u16,
    /// Certificate authorities (PEM) that the receiver's certificate must come from; the public
    /// ones if absent.
    #[serde(default)]
    pub(super) ca: Option<String>,
    /// The name in the receiver's certificate if it is not `host`.
    #[serde(default)]
    pub(super) server_name: Option<String>,
    /// Our certificate and its chain (PEM), for receivers that ask for one.
    #[serde(default)]
    pub(super) client_certificate: Option<String>,
    /// The facility, 0 to 23; 13 is "log audit".
    #[serde(default = "facility")]
    pub(super) facility: u8,
    /// `HOSTNAME` of each message.
    #[serde(default = "name")]
    pub(super) hostname: String,
    /// `APP-NAME` of each message.
    #[serde(default = "name")]
    pub(super) app_name: String,
    /// The longest message, in bytes, that the receiver takes.
    #[serde(default = "message_bytes_max")]
    pub(super) message_bytes_max: usize,
}

/// RFC 5425 assigns it.
fn port() -> u16 {
    6514
}

fn facility() -> u8 {
    13
}

fn name() -> String {
    "recount".to_owned()
}

/// Receivers must take 2,048 bytes and should take 8,192 (RFC 5425 section 4.3.1).
fn message_bytes_max() -> usize {
    8_192
}

/// Range of `message_bytes_max`.
pub(super) const MESSAGE_BYTES_RANGE: std::ops::RangeInclusive<usize> = 2_048..=256 * 1024;

/// Largest facility (RFC 5424 section 6.2.1).
pub(super) const FACILITY_MAX: u8 = 23;
