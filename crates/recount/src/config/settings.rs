//! The table of settings. Everything that is said about a setting anywhere derives from here.

use super::value::{Kind, Value};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const DAY_SECONDS: u64 = 86_400;

/// One setting of the server.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in the file, with its table: `seal.age`.
    pub key: &'static str,
    /// The environment variable.
    pub env: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its default as it would be written; empty for none.
    pub default: &'static str,
    /// What it does, in one or more sentences.
    pub doc: &'static str,
}

impl Setting {
    /// The table that the setting is in; empty for the top.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// The name within its table.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }

    /// The value that holds when nobody sets one.
    ///
    /// # Panics
    /// If the table is wrong, which a test rules out.
    #[must_use]
    pub fn default_value(&self) -> Value {
        self.kind.parse(self.default).expect("the defaults in the table are valid")
    }
}

const fn row(
    key: &'static str,
    env: &'static str,
    kind: Kind,
    default: &'static str,
    doc: &'static str,
) -> Setting {
    Setting { key, env, kind, default, doc }
}

/// Finds a setting by its key.
#[must_use]
pub fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// Every setting, in the order in which it is documented.
pub static SETTINGS: &[Setting] = &[
    row(
        "data_dir",
        "RECOUNT_DATA_DIR",
        Kind::Path,
        "./recount-data",
        "The folder that holds everything: catalog, segments and the key for stored secrets. One process at a time.",
    ),
    row(
        "listen",
        "RECOUNT_LISTEN",
        Kind::Listen,
        "127.0.0.1:8787",
        "The address and port to listen on. Port 0 takes a free one. Recount speaks plain HTTP: put TLS in front of it.",
    ),
    row(
        "public_url",
        "RECOUNT_PUBLIC_URL",
        Kind::Url(&["http", "https"]),
        "",
        "The URL under which people reach this server, for portal links. Without it, each request's Host is taken.",
    ),
    row(
        "catalog",
        "RECOUNT_CATALOG",
        Kind::Url(&["sqlite", "postgres", "postgresql"]),
        "",
        "The SQL catalog: postgres://user:password@host/database, or sqlite:///path/to/file. Without it, a SQLite file in data_dir. Shown without its password.",
    ),
    row(
        "objects",
        "RECOUNT_OBJECTS",
        Kind::Url(&["s3", "file"]),
        "",
        "Where segments go: s3://bucket/prefix (credentials, region and endpoint from the usual AWS_* variables) or file:///path. Without it, a folder in data_dir.",
    ),
    row(
        "operator_key",
        "RECOUNT_OPERATOR_KEY",
        Kind::Secret(32),
        "",
        "Installs this secret as the first operator key at start. Without it, the first start makes one and prints it once.",
    ),
    row("operator_key_file", "RECOUNT_OPERATOR_KEY_FILE", Kind::Path, "", "A file that holds operator_key."),
    row(
        "secret_key",
        "RECOUNT_SECRET_KEY",
        Kind::Secret(43),
        "",
        "The key that encrypts what tenants' streams store (passwords, tokens): 32 bytes as 64 hexadecimal digits or as base64. Without it, data_dir/secret.key, made at the first start; with a catalog on PostgreSQL it has to be given, the same on every node.",
    ),
    row("secret_key_file", "RECOUNT_SECRET_KEY_FILE", Kind::Path, "", "A file that holds secret_key."),
    row(
        "create_tenants",
        "RECOUNT_CREATE_TENANTS",
        Kind::Flag,
        "true",
        "Whether the first event of an unknown tenant creates it. If not, its events are refused until an operator creates it.",
    ),
    row(
        "dedup_window_days",
        "RECOUNT_DEDUP_WINDOW_DAYS",
        Kind::Count(1, 3_650),
        "30",
        "For how many days an event's id is recognised, so that sending it again adds nothing.",
    ),
    row(
        "retention_days",
        "RECOUNT_RETENTION_DAYS",
        Kind::Count(1, 36_500),
        "",
        "For how many days events are kept after they were received, of tenants that have no retention of their own. Without it, for ever. Not fewer than dedup_window_days, and the same on every node.",
    ),
    row("node_name", "RECOUNT_NODE_NAME", Kind::Text, "recount", "The name of this node in logs and leases."),
    row(
        "shutdown_grace",
        "RECOUNT_SHUTDOWN_GRACE",
        Kind::Span(1, 600),
        "20s",
        "How long open requests may take to finish after SIGTERM or SIGINT.",
    ),
    row(
        "http.connections_max",
        "RECOUNT_HTTP_CONNECTIONS_MAX",
        Kind::Count(16, 1_000_000),
        "10000",
        "Connections open at once; further ones wait.",
    ),
    row(
        "http.ingest_in_flight",
        "RECOUNT_HTTP_INGEST_IN_FLIGHT",
        Kind::Size(32 * MIB, 64 * GIB),
        "256MiB",
        "Bytes of events, after decompression, that requests may hold at once; further ones wait shortly and are then told to come back (429).",
    ),
    row(
        "http.scan_max",
        "RECOUNT_HTTP_SCAN_MAX",
        Kind::Size(64 * MIB, 1024 * GIB),
        "4GiB",
        "What one search may look at, in bytes of stored data, before it is asked to narrow. Exports are not bound by it.",
    ),
    row(
        "http.allowed_origins",
        "RECOUNT_HTTP_ALLOWED_ORIGINS",
        Kind::Origins,
        "",
        "Origins whose pages may call the API with a tenant's key from a browser. Portal sessions carry their own.",
    ),
    row(
        "http.frame_ancestors",
        "RECOUNT_HTTP_FRAME_ANCESTORS",
        Kind::Origins,
        "",
        "Origins whose pages may show the hosted portal in a frame.",
    ),
    row(
        "portal.name",
        "RECOUNT_PORTAL_NAME",
        Kind::Text,
        "",
        "Your name, in the hosted portal's head and title. Without it, the tenant's.",
    ),
    row(
        "portal.accent",
        "RECOUNT_PORTAL_ACCENT",
        Kind::Colour,
        "",
        "The hosted portal's accent colour. Where it colours text it is made dark or light enough to read.",
    ),
    row(
        "portal.login_url",
        "RECOUNT_PORTAL_LOGIN_URL",
        Kind::Url(&["https", "http"]),
        "",
        "A page of your application that lets people into the portal. Whoever opens the portal without a session, or whose session has ended, is led there, with the page they wanted in return_to.",
    ),
    row(
        "host_tokens.issuer",
        "RECOUNT_HOST_TOKENS_ISSUER",
        Kind::Text,
        "",
        "Accepts JWTs of your own application from this issuer, as a second way into the portal. Needs audience, and jwks_url or public_key_file.",
    ),
    row(
        "host_tokens.audience",
        "RECOUNT_HOST_TOKENS_AUDIENCE",
        Kind::Text,
        "",
        "The audience that those tokens must name.",
    ),
    row(
        "host_tokens.algorithm",
        "RECOUNT_HOST_TOKENS_ALGORITHM",
        Kind::Choice(&["RS256", "ES256", "EdDSA"]),
        "RS256",
        "The only algorithm that is accepted, whatever a token says.",
    ),
    row(
        "host_tokens.jwks_url",
        "RECOUNT_HOST_TOKENS_JWKS_URL",
        Kind::Url(&["http", "https"]),
        "",
        "Where the issuer's keys are.",
    ),
    row(
        "host_tokens.public_key_file",
        "RECOUNT_HOST_TOKENS_PUBLIC_KEY_FILE",
        Kind::Path,
        "",
        "A file with the issuer's public key in PEM, instead of jwks_url.",
    ),
    row(
        "host_tokens.tenant_claim",
        "RECOUNT_HOST_TOKENS_TENANT_CLAIM",
        Kind::Text,
        "tenant",
        "The claim that holds the tenant's id.",
    ),
    row(
        "host_tokens.scopes",
        "RECOUNT_HOST_TOKENS_SCOPES",
        Kind::Text,
        "events:read",
        "Scopes of a token that names none, separated by spaces. A token's own scope claim can only narrow them.",
    ),
    row(
        "host_tokens.origins",
        "RECOUNT_HOST_TOKENS_ORIGINS",
        Kind::Origins,
        "",
        "Origins whose pages may use such tokens.",
    ),
    row(
        "egress.allow",
        "RECOUNT_EGRESS_ALLOW",
        Kind::Networks,
        "",
        "Networks that streams may reach besides public addresses; for those, plain HTTP and any port are allowed too.",
    ),
    row(
        "egress.ports",
        "RECOUNT_EGRESS_PORTS",
        Kind::Ports,
        "",
        "Ports that streams may reach at public addresses, besides 443, 8443, 8088, 9200 and 9243 for HTTPS and 6514, 443 and 8443 for syslog.",
    ),
    row(
        "egress.ca_file",
        "RECOUNT_EGRESS_CA_FILE",
        Kind::Path,
        "",
        "A file of certificate authorities (PEM) that streams trust besides the public ones, for destinations with certificates of your own.",
    ),
    row(
        "streams.deliver",
        "RECOUNT_STREAMS_DELIVER",
        Kind::Flag,
        "true",
        "Whether this node delivers tenants' streams. At least one node must; the others still let people manage them.",
    ),
    row(
        "streams.assume_roles",
        "RECOUNT_STREAMS_ASSUME_ROLES",
        Kind::Flag,
        "true",
        "Whether streams may assume the AWS roles that tenants name, with this deployment's own identity (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).",
    ),
    row(
        "store.maintain",
        "RECOUNT_STORE_MAINTAIN",
        Kind::Flag,
        "true",
        "Whether this node seals, compacts and clears away. At least one node must.",
    ),
    row(
        "store.append_queue_events",
        "RECOUNT_STORE_APPEND_QUEUE_EVENTS",
        Kind::Count(10_000, 100_000_000),
        "200000",
        "Events that may wait to be committed; beyond them senders are told to come back (429).",
    ),
    row(
        "store.append_queue",
        "RECOUNT_STORE_APPEND_QUEUE",
        Kind::Size(16 * MIB, 64 * GIB),
        "128MiB",
        "Bytes of events that may wait to be committed.",
    ),
    row(
        "store.catalog_connections",
        "RECOUNT_STORE_CATALOG_CONNECTIONS",
        Kind::Count(2, 1_000),
        "8",
        "Connections to PostgreSQL, or SQLite's readers.",
    ),
    row(
        "store.read_concurrency",
        "RECOUNT_STORE_READ_CONCURRENCY",
        Kind::Count(1, 1_000),
        "4",
        "Searches of one tenant that may run at once, so that one tenant's heavy ones leave room for others.",
    ),
    row(
        "seal.events",
        "RECOUNT_SEAL_EVENTS",
        Kind::Count(256, 10_000_000),
        "131072",
        "A tenant's tail of this many events becomes a segment at once.",
    ),
    row(
        "seal.raw",
        "RECOUNT_SEAL_RAW",
        Kind::Size(MIB, 16 * GIB),
        "64MiB",
        "A tail of this many bytes of events becomes a segment at once.",
    ),
    row(
        "seal.age",
        "RECOUNT_SEAL_AGE",
        Kind::Span(1, 365 * DAY_SECONDS),
        "15m",
        "A tail worth a file becomes a segment when its oldest event is this old.",
    ),
    row(
        "seal.age_max",
        "RECOUNT_SEAL_AGE_MAX",
        Kind::Span(1, 365 * DAY_SECONDS),
        "1d",
        "A small tail becomes a segment when its oldest event is this old.",
    ),
    row(
        "cache.columns",
        "RECOUNT_CACHE_COLUMNS",
        Kind::Size(MIB, 1024 * GIB),
        "512MiB",
        "Memory for decoded columns and tails, which makes repeated searches fast.",
    ),
    row(
        "cache.segments",
        "RECOUNT_CACHE_SEGMENTS",
        Kind::Size(MIB, 1024 * GIB),
        "128MiB",
        "Memory for opened segments: footers, statistics and filters.",
    ),
    row(
        "cache.dedup",
        "RECOUNT_CACHE_DEDUP",
        Kind::Size(MIB, 1024 * GIB),
        "256MiB",
        "Memory for recognising ids that were sent before.",
    ),
    row(
        "log.level",
        "RECOUNT_LOG_LEVEL",
        Kind::Text,
        "info",
        "What is logged: error, warn, info, debug or trace, or a filter like info,recount_store=debug.",
    ),
    row(
        "log.format",
        "RECOUNT_LOG_FORMAT",
        Kind::Choice(&["auto", "text", "json"]),
        "auto",
        "How it is logged: text for people, json for machines; auto is text on a terminal and json otherwise.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::SETTINGS;

    #[test]
    fn the_table_is_sound() {
        let mut keys = HashSet::new();
        let mut names = HashSet::new();
        for setting in SETTINGS {
            assert!(keys.insert(setting.key) && names.insert(setting.env), "{} twice", setting.key);
            assert_eq!(setting.env, format!("RECOUNT_{}", setting.key.replace('.', "_").to_uppercase()));
            assert!(setting.kind.parse(setting.default).is_ok(), "default of {}", setting.key);
            assert!(setting.doc.ends_with('.'), "{}", setting.key);
        }
    }
}
