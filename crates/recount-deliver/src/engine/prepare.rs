//! From a stream's row to something that can send.

use std::sync::Arc;

use recount_event::{Filter, TenantId};
use recount_store::{
    SecretKey, SecretPlace,
    streams::{Stream, StreamId},
};
use serde_json::{Map, Value};

use crate::{
    destinations::{
        self, BatchPolicy, BatchSettings, ConfigError, Destination, Item, Kind, Report, Scrubber, Secrets,
        Setup, Surroundings, Verdict,
    },
    formats::Format,
};

/// What secrets are sealed as.
const SECRET_FIELD: &str = "streams.destination";

/// A stream that is ready to send.
pub(crate) struct Prepared {
    pub(crate) kind: &'static Kind,
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) filter: Filter,
    pub(crate) policy: BatchPolicy,
    pub(crate) scrubber: Scrubber,
}

/// Opens the secrets of a stream.
///
/// # Errors
/// What is wrong with the deployment's key.
pub(crate) fn open_secrets(key: Option<&SecretKey>, stream: &Stream) -> Result<Secrets, String> {
    let Some(key) = key else {
        return Err(NO_KEY.to_owned());
    };
    let plain =
        key.open(place(&stream.tenant, &stream.id), &stream.secrets).map_err(|error| error.to_string())?;
    let members: Map<String, Value> = serde_json::from_slice(&plain)
        .map_err(|_| "the sealed secrets are not what was sealed".to_owned())?;
    Ok(Secrets::new(members))
}

/// Seals the secrets of a stream.
///
/// # Errors
/// If the deployment has no key.
pub(crate) fn seal_secrets(
    key: Option<&SecretKey>,
    surroundings: &Surroundings,
    tenant: &TenantId,
    id: &StreamId,
    secrets: &Secrets,
) -> Result<Vec<u8>, String> {
    let Some(key) = key else {
        return Err(NO_KEY.to_owned());
    };
    let plain = serde_json::to_vec(secrets.members()).expect("a JSON object always encodes");
    Ok(key.seal(place(tenant, id), &plain, &*surroundings.env.entropy))
}

const NO_KEY: &str = "this deployment has no key for stored secrets; set RECOUNT_SECRET_KEY";

fn place<'a>(tenant: &'a TenantId, id: &'a StreamId) -> SecretPlace<'a> {
    SecretPlace { tenant, field: SECRET_FIELD, id: id.as_str() }
}

/// Builds a destination from its parts.
///
/// # Errors
/// The member that is wrong, and why.
pub(crate) fn build(
    kind: &'static Kind,
    config: &Map<String, Value>,
    secrets: &Secrets,
    format: Format,
    (tenant, id): (&TenantId, &StreamId),
    surroundings: &Surroundings,
) -> Result<(Arc<dyn Destination>, Scrubber), ConfigError> {
    let destination =
        (kind.build)(&Setup { config, secrets, format, tenant, stream: id.as_str(), surroundings })?;
    let scrubber = Scrubber::new(secrets, &destination.derived_secrets());
    Ok((destination, scrubber))
}

/// Prepares a stored stream.
///
/// # Errors
/// In words, what a person must change: what is stored was right when it was stored.
pub(crate) fn prepare(
    stream: &Stream,
    key: Option<&SecretKey>,
    surroundings: &Surroundings,
) -> Result<Prepared, String> {
    let kind = destinations::kind(&stream.destination_type)
        .ok_or_else(|| format!("this version has no destination {}", stream.destination_type))?;
    let format = Format::by_name(&stream.format)
        .ok_or_else(|| format!("this version has no format {}", stream.format))?;
    let config: Map<String, Value> = serde_json::from_str(&stream.destination)
        .map_err(|error| format!("the stored destination: {error}"))?;
    let settings: BatchSettings =
        serde_json::from_str(&stream.batch).map_err(|error| format!("the stored batch settings: {error}"))?;
    let secrets = open_secrets(key, stream)?;
    let (destination, scrubber) =
        build(kind, &config, &secrets, format, (&stream.tenant, &stream.id), surroundings)
            .map_err(|error| error.to_string())?;
    Ok(Prepared {
        kind,
        destination,
        scrubber,
        filter: Filter::parse(&stream.filter).map_err(|error| format!("the stored filter: {error}"))?,
        policy: kind.limits.policy(&settings).map_err(|(_, detail)| detail)?,
    })
}

/// How a stream's batches are cut, without preparing all of it.
pub(crate) fn policy(stream: &Stream) -> Option<BatchPolicy> {
    let settings: BatchSettings = serde_json::from_str(&stream.batch).ok()?;
    destinations::kind(&stream.destination_type)?.limits.policy(&settings).ok()
}

/// Makes everything that a destination said fit to be kept and shown: without secrets, without
/// control characters (which neither an event's reason nor every database takes).
pub(crate) fn scrub(report: &mut Report, scrubber: &Scrubber) {
    let clean = |text: &mut String| *text = printable(&scrubber.scrub(text));
    clean(&mut report.trace.request);
    clean(&mut report.trace.answer);
    clean_verdict(&mut report.verdict, &clean);
}

fn clean_verdict(verdict: &mut Verdict, clean: &impl Fn(&mut String)) {
    match verdict {
        Verdict::Accepted => {}
        Verdict::Partly { rest, .. } => {
            if let Some(rest) = rest {
                clean_verdict(rest, clean);
            }
        }
        Verdict::Items(items) => {
            for item in items {
                match item {
                    Item::Accepted => {}
                    Item::Retry { reason } | Item::Refused { reason } => clean(reason),
                }
            }
        }
        Verdict::Retry { reason, .. }
        | Verdict::Split { reason }
        | Verdict::Misconfigured { reason }
        | Verdict::Gone { reason } => clean(reason),
    }
}

/// Lines and tabs stay; what else controls a terminal becomes U+FFFD.
fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}")
}
