//! From settings to what store and server are opened with, and the checks before.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use recount_deliver::DeliveryConfig;
use recount_deliver::destinations::AwsIdentity;
use recount_deliver::egress::{CertificateDer, EgressConfig, certificates};
use recount_server::{
    HostTokenAlgorithm, HostTokenKeys, HostTokens, PortalBrand, ServerConfig, ServerLimits,
};
use recount_store::access::ScopeSet;
use recount_store::{CatalogLocation, ObjectsLocation, S3Location, SealPolicy, SecretKeySource, StoreConfig};

use crate::config::Resolved;
use crate::exit::{Exit, Failed};

/// A file that is written and removed to see whether the data folder can be used.
const PROBE_FILE: &str = ".recount-write-test";
const PROBE_BYTES: usize = 64 * 1024;

/// Whether anything is kept in the data folder.
pub(super) fn needs_data_dir(settings: &Resolved) -> bool {
    let shared = settings.text("catalog").is_some_and(|url| url.starts_with("postgres"));
    !(shared && settings.text("objects").is_some())
}

/// Makes the data folder, readable by its owner only, and checks that it can be written.
pub(super) fn data_dir(path: &Path) -> Result<(), Failed> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| not_writable(path, &error))?;
    let probe = path.join(PROBE_FILE);
    let written = std::fs::File::create(&probe)
        .and_then(|mut file| file.write_all(&[0; PROBE_BYTES]).and_then(|()| file.sync_all()));
    let removed = std::fs::remove_file(&probe);
    written.and(removed).map_err(|error| not_writable(path, &error))
}

fn not_writable(path: &Path, error: &std::io::Error) -> Failed {
    let exit =
        if error.kind() == std::io::ErrorKind::StorageFull { Exit::DiskFull } else { Exit::NotWritable };
    let failed = Failed::new(exit, format!("cannot write the data folder {}: {error}", path.display()));
    match exit {
        Exit::DiskFull => failed.hint("make room on that disk; nothing that was acknowledged is lost"),
        _ => failed.hint("give the folder to this user, or choose another with --data-dir"),
    }
}

/// A secret from its setting or its file.
pub(super) fn secret(settings: &Resolved, key: &str) -> Result<Option<String>, Failed> {
    if let Some(text) = settings.text(key) {
        return Ok(Some(text.to_owned()));
    }
    let file_key = format!("{key}_file");
    settings.text(&file_key).map(|path| read_setting_file(settings, &file_key, path)).transpose()
}

fn read_setting_file(settings: &Resolved, key: &str, path: &str) -> Result<String, Failed> {
    std::fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(|error| {
        Failed::new(
            Exit::Config,
            format!("{}: {key} = {path:?}: cannot read the file: {error}", settings.origin(key)),
        )
    })
}

/// What the store is opened with.
pub(super) fn store_config(settings: &Resolved) -> Result<StoreConfig, Failed> {
    let data_dir = PathBuf::from(settings.text("data_dir").unwrap_or("./recount-data"));
    let embedded = StoreConfig::embedded(&data_dir);
    let catalog = match settings.text("catalog") {
        Some(url) => match url.strip_prefix("sqlite://") {
            Some(path) => CatalogLocation::Sqlite(path.into()),
            None => CatalogLocation::Postgres(url.to_owned()),
        },
        None => embedded.catalog,
    };
    let objects = match settings.text("objects") {
        Some(url) => objects(url),
        None => embedded.objects,
    };
    if matches!((&catalog, &objects), (CatalogLocation::Postgres(_), ObjectsLocation::Folder(_))) {
        tracing::warn!(
            "the catalog is shared, the objects are in a folder: every node must see that same folder"
        );
    }
    let secret_key = match (settings.text("secret_key"), settings.text("secret_key_file")) {
        (Some(text), _) => Some(SecretKeySource::Value(text.to_owned())),
        (None, Some(path)) => Some(SecretKeySource::File(path.into())),
        (None, None) => embedded.secret_key,
    };
    let number = |key: &str| usize::try_from(settings.number(key)).unwrap_or(usize::MAX);
    let narrow = |key: &str| u32::try_from(settings.number(key)).unwrap_or(u32::MAX);
    Ok(StoreConfig {
        secret_key,
        create_tenants: settings.flag("create_tenants"),
        dedup_window_days: narrow("dedup_window_days"),
        retention_days: settings
            .optional_number("retention_days")
            .map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        seal: SealPolicy {
            events: settings.number("seal.events"),
            raw_bytes: settings.number("seal.raw"),
            age: settings.span("seal.age"),
            age_max: settings.span("seal.age_max"),
            ..SealPolicy::default()
        },
        maintain: settings.flag("store.maintain"),
        append_queue_events_max: number("store.append_queue_events"),
        append_queue_bytes_max: number("store.append_queue"),
        dedup_cache_bytes: settings.number("cache.dedup"),
        segment_cache_bytes: settings.number("cache.segments"),
        column_cache_bytes: settings.number("cache.columns"),
        read_concurrency_per_tenant: number("store.read_concurrency"),
        catalog_connections: narrow("store.catalog_connections"),
        node_name: settings.text("node_name").unwrap_or("recount").to_owned(),
        ..StoreConfig::at(catalog, objects)
    })
}

fn objects(url: &str) -> ObjectsLocation {
    if let Some(path) = url.strip_prefix("file://") {
        return ObjectsLocation::Folder(path.into());
    }
    let rest = url.strip_prefix("s3://").unwrap_or(url);
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    ObjectsLocation::S3(S3Location {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        ..S3Location::default()
    })
}

/// What the HTTP side is started with.
pub(super) fn server_config(settings: &Resolved) -> Result<ServerConfig, Failed> {
    let number = |key: &str| usize::try_from(settings.number(key)).unwrap_or(usize::MAX);
    Ok(ServerConfig {
        public_url: settings.text("public_url").map(|url| url.trim_end_matches('/').to_owned()),
        allowed_origins: settings.list("http.allowed_origins").to_vec(),
        frame_ancestors: settings.list("http.frame_ancestors").to_vec(),
        portal: PortalBrand {
            name: settings.text("portal.name").map(ToOwned::to_owned),
            accent: settings.text("portal.accent").map(ToOwned::to_owned),
            login_url: settings.text("portal.login_url").map(ToOwned::to_owned),
        },
        host_tokens: host_tokens(settings)?,
        delivery: DeliveryConfig {
            egress: EgressConfig {
                allow: networks(settings.list("egress.allow")),
                ports: settings.list("egress.ports").iter().filter_map(|port| port.parse().ok()).collect(),
                extra_roots: certificate_authorities(settings)?,
                ..EgressConfig::default()
            },
            aws: settings.flag("streams.assume_roles").then(aws_identity).flatten(),
            run: settings.flag("streams.deliver"),
            ..DeliveryConfig::default()
        },
        limits: ServerLimits {
            connections_max: number("http.connections_max"),
            ingest_bytes_in_flight_max: number("http.ingest_in_flight"),
            drain_timeout: settings.span("shutdown_grace"),
            scan_bytes_max: settings.number("http.scan_max"),
            ..ServerLimits::default()
        },
    })
}

/// Networks; a single address is a network of one.
fn networks(items: &[String]) -> Vec<IpNet> {
    let parse = |item: &String| item.parse().ok().or_else(|| item.parse::<IpAddr>().ok().map(IpNet::from));
    items.iter().filter_map(parse).collect()
}

/// Certificate authorities that streams trust besides the public ones.
fn certificate_authorities(settings: &Resolved) -> Result<Vec<CertificateDer<'static>>, Failed> {
    let key = "egress.ca_file";
    let Some(path) = settings.text(key) else { return Ok(Vec::new()) };
    certificates(&read_setting_file(settings, key, path)?).ok_or_else(|| {
        let text = format!("{}: {key} = {path:?}: expected certificates in PEM", settings.origin(key));
        Failed::new(Exit::Config, text)
    })
}

/// The deployment's own identity at AWS, from the usual variables.
fn aws_identity() -> Option<AwsIdentity> {
    Some(AwsIdentity {
        access_key_id: std::env::var("AWS_ACCESS_KEY_ID").ok()?,
        secret_access_key: std::env::var("AWS_SECRET_ACCESS_KEY").ok()?,
        session_token: std::env::var("AWS_SESSION_TOKEN").ok(),
    })
}

fn host_tokens(settings: &Resolved) -> Result<Option<HostTokens>, Failed> {
    let Some(issuer) = settings.text("host_tokens.issuer") else { return Ok(None) };
    let keys = match (settings.text("host_tokens.jwks_url"), settings.text("host_tokens.public_key_file")) {
        (Some(url), _) => HostTokenKeys::JwksUrl(url.to_owned()),
        (None, path) => HostTokenKeys::Pem(read_setting_file(
            settings,
            "host_tokens.public_key_file",
            path.unwrap_or_default(),
        )?),
    };
    let text = |key: &str| settings.text(key).unwrap_or_default().to_owned();
    let scopes = text("host_tokens.scopes");
    Ok(Some(HostTokens {
        issuer: issuer.to_owned(),
        audience: text("host_tokens.audience"),
        algorithm: match text("host_tokens.algorithm").as_str() {
            "ES256" => HostTokenAlgorithm::Es256,
            "EdDSA" => HostTokenAlgorithm::EdDsa,
            _ => HostTokenAlgorithm::Rs256,
        },
        keys,
        tenant_claim: text("host_tokens.tenant_claim"),
        scopes: ScopeSet::parse(&scopes).map_err(|error| {
            let origin = settings.origin("host_tokens.scopes");
            Failed::new(Exit::Config, format!("{origin}: host_tokens.scopes = {scopes:?}: {error}"))
        })?,
        origins: settings.list("host_tokens.origins").to_vec(),
    }))
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::{Exit, not_writable};

    #[test]
    fn a_full_disk_is_told_apart() {
        let full = not_writable("/data".as_ref(), &Error::from(ErrorKind::StorageFull));
        assert_eq!(full.exit, Exit::DiskFull);
        assert!(full.to_string().contains("/data") && full.to_string().contains("make room"));
        assert_eq!(
            not_writable("/data".as_ref(), &Error::from(ErrorKind::PermissionDenied)).exit,
            Exit::NotWritable
        );
    }
}
