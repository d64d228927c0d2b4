//! Names of objects, and which events go into which.
//!
//! `{prefix}/{first_seq}-{last_seq}-{hash}.{extension}`: the name follows from what the object
//! holds, so a retry after a lost answer finds its own object and is done, and a batch that is cut
//! differently, or filtered differently, never hides behind another's name.

use recount_event::{Timestamp, read_fields};
use recount_store::StoredEvent;
use sha2::{Digest as _, Sha256};

use super::config::{Config, File, Layout, PLACEHOLDERS, PREFIX};
use crate::{
    destinations::{ConfigError, template::Template},
    formats::{EncodeError, Format, OcsfClass, OcsfVersion, class_of},
};

/// Hex digits of the content's hash in a name.
const HASH_DIGITS: usize = 16;

/// Longest folder, in bytes: keys have 1,024, and the file's name needs some.
const PREFIX_BYTES_MAX: usize = 900;

const HOUR_MICROS: i64 = 3_600 * 1_000_000;

/// Digits of a seq in a name, so that names sort as their events do.
const SEQ_DIGITS: usize = 12;

/// How names are made.
#[derive(Debug, Clone)]
pub(super) struct Names {
    template: Template,
    layout: Layout,
    /// The version whose classes `{class}` names.
    ocsf: Option<OcsfVersion>,
}

/// Events of one batch that go into one object.
pub(super) struct Group<'a> {
    pub(super) prefix: String,
    pub(super) events: Vec<&'a StoredEvent>,
}

impl Names {
    pub(super) fn new(config: &Config, format: Format) -> Result<Self, ConfigError> {
        let text = match config.layout {
            Layout::Partitioned => config.prefix.clone().unwrap_or_else(|| PREFIX.to_owned()),
            Layout::SecurityLake => security_lake(config, format)?,
        };
        let template = Template::parse(text.trim_matches('/'), |name| PLACEHOLDERS.contains(&name)).map_err(
            |detail| ConfigError::at("prefix", format!("{detail}; known are {}", PLACEHOLDERS.join(", "))),
        )?;
        if text.len() > PREFIX_BYTES_MAX || text.chars().any(char::is_control) || text.contains("//") {
            return Err(ConfigError::at(
                "prefix",
                format!("a prefix has at most {PREFIX_BYTES_MAX} bytes, no control characters and no //"),
            ));
        }
        if template.names("class") && !format.is_ocsf() {
            return Err(ConfigError::at("prefix", "{class} is there in the OCSF formats only"));
        }
        let ocsf = format.ocsf_version().filter(|_| template.names("class"));
        Ok(Self { template, layout: config.layout, ocsf })
    }

    /// Splits a batch by prefix, in the order of first events.
    ///
    /// Partitions follow the time of receipt, which never decreases along a log: a batch touches few
    /// of them, and none is written to after the next has begun. Security Lake wants the day of the
    /// event itself, and its class.
    pub(super) fn groups<'a>(
        &self,
        tenant: &str,
        stream: &str,
        events: &'a [StoredEvent],
    ) -> Result<Vec<Group<'a>>, EncodeError> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        // Events beside each other mostly go to the same place, so its name is made once for them.
        let mut latest: Option<(Place, usize)> = None;
        for event in events {
            let fields = || read_fields(&event.line).map_err(|error| EncodeError::corrupt(event, &error));
            let class = match self.ocsf {
                Some(version) => Some(class_of(&fields()?, version)),
                None => None,
            };
            let time = match self.layout {
                Layout::Partitioned => event.received_at,
                Layout::SecurityLake => fields()?.occurred_at,
            };
            let place = Place { hour: time.as_micros().div_euclid(HOUR_MICROS), class };
            if let Some((known, index)) = &latest
                && *known == place
            {
                groups[*index].events.push(event);
                continue;
            }
            let prefix = self.prefix(tenant, stream, time, class);
            let index = match groups.iter().position(|group| group.prefix == prefix) {
                Some(index) => index,
                None => {
                    groups.push(Group { prefix, events: Vec::new() });
                    groups.len() - 1
                }
            };
            groups[index].events.push(event);
            latest = Some((place, index));
        }
        Ok(groups)
    }

    fn prefix(&self, tenant: &str, stream: &str, time: Timestamp, class: Option<OcsfClass>) -> String {
        let parts = Parts::of(time);
        self.template.fill(|name| {
            Some(match name {
                "tenant" => tenant.to_owned(),
                "stream" => stream.to_owned(),
                "class" => class.map(|class| class.to_string()).unwrap_or_default(),
                "dt" => parts.dt.clone(),
                "year" => parts.dt[..4].to_owned(),
                "month" => parts.dt[5..7].to_owned(),
                "day" => parts.dt[8..10].to_owned(),
                _ => parts.hour.clone(),
            })
        })
    }
}

/// What the name of an event's folder depends on, besides tenant and stream.
#[derive(PartialEq, Eq)]
struct Place {
    hour: i64,
    class: Option<OcsfClass>,
}

impl Group<'_> {
    /// The object's key.
    pub(super) fn key(&self, content: &[u8], file: File, test: bool) -> String {
        let (first, last) = match (self.events.first(), self.events.last()) {
            (Some(first), Some(last)) => (first.seq, last.seq),
            _ => (0, 0),
        };
        let hash = hex::encode(Sha256::digest(content));
        let extension = match file {
            File::NdjsonGz => "ndjson.gz",
            File::Parquet => "parquet",
        };
        let test = if test { "recount-test-" } else { "" };
        let name =
            format!("{test}{first:0SEQ_DIGITS$}-{last:0SEQ_DIGITS$}-{}.{extension}", &hash[..HASH_DIGITS]);
        if self.prefix.is_empty() { name } else { format!("{}/{name}", self.prefix) }
    }
}

fn security_lake(config: &Config, format: Format) -> Result<String, ConfigError> {
    if !format.is_ocsf() || config.file != File::Parquet {
        return Err(ConfigError::at("layout", "security_lake needs an OCSF format and \"file\":\"parquet\""));
    }
    let Some(account) =
        config.account_id.as_deref().filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))
    else {
        return Err(ConfigError::at("account_id", "security_lake needs account_id, 12 digits"));
    };
    let source = config.source.as_deref().unwrap_or("recount");
    if source.is_empty() || !source.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Err(ConfigError::at("source", "a source is made of letters, digits, _ and -"));
    }
    // A custom source has one class; the class goes into its name, as Security Lake asks for.
    Ok(format!(
        "ext/{source}_{{class}}/region={}/accountId={account}/eventDay={{year}}{{month}}{{day}}",
        config.region
    ))
}

/// Date and hour of a moment, UTC, as text.
struct Parts {
    dt: String,
    hour: String,
}

impl Parts {
    fn of(time: Timestamp) -> Self {
        // "2026-11-23T14:32:07Z": the normal text has fixed places up to the seconds.
        let text = time.to_string();
        Self { dt: text[..10].to_owned(), hour: text[11..13].to_owned() }
    }
}
