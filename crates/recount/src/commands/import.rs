//! `recount import`: bring in audit logs that you already keep.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::HumanCount;

use crate::client::{Client, Connection};
use crate::exit::{Exit, Failed};
use crate::import::input::{Format, Source};
use crate::import::pipeline::{self, Options, Summary};
use crate::import::{Map, MapError, SHIPPED_MAPS};
use crate::output;

/// Bring in audit logs that you already keep
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Takes NDJSON, JSON arrays, {\"Records\":[…]}, CSV and TSV with a header, each plain, gzipped or
zstd, of any size. A map says how a foreign record becomes an event; docs/import.md describes how
to write one. Without a map, records are Recount's own events, as `recount export` writes them.

Importing again adds nothing: an event's id is the source's own, or derived from the record.

Examples:
  recount import trail/*.json.gz --map cloudtrail --tenant acme
  recount import audit.csv --map ./our-log.toml --dry-run --show 3
  recount import big.ndjson.zst --map okta --tenant acme --resume big.state --rejects bad.ndjson
  aws logs filter-log-events --log-group-name trail | recount import - --map cloudtrail
  recount import --list-maps

Exit codes: 0 all imported, 4 some records rejected, others as in `recount --help`.")]
pub struct Import {
    /// Files, in this order; - is standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["list_maps", "print_map"])]
    files: Vec<PathBuf>,
    /// A shipped map's name, or a map's file
    #[arg(long, short, value_name = "NAME|FILE")]
    map: Option<String>,
    /// The record is within the record, at this JSON pointer: an object, or text that holds one
    #[arg(long, value_name = "POINTER", requires = "map")]
    unwrap: Option<String>,
    /// What the files are, if their beginning does not tell
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// Map and check everything, but send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the first N events as they are sent
    #[arg(long, value_name = "N", default_value_t = 0)]
    show: u64,
    /// Write rejected records to this file, each with its reason, as NDJSON
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Keep the progress in this file; the same command then goes on from there
    #[arg(long, value_name = "STATE")]
    resume: Option<PathBuf>,
    /// Requests under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    concurrency: u64,
    /// Events in one request
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    batch: u64,
    /// How many seconds to go on trying while the server is busy or away
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// List the shipped maps
    #[arg(long)]
    list_maps: bool,
    /// Print a shipped map, to start one of your own from
    #[arg(long, value_name = "NAME")]
    print_map: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Import {
    /// Imports.
    ///
    /// # Errors
    /// If the map is wrong, a file cannot be read, or the server says no.
    pub async fn run(self) -> Result<Exit, Failed> {
        if self.list_maps {
            return list_maps();
        }
        if let Some(name) = &self.print_map {
            return print_map(name);
        }
        let mut map = self.map.as_deref().map(Map::named).transpose().map_err(map_failed)?;
        if let Some(pointer) = &self.unwrap {
            map = map.map(|map| map.unwrapping(pointer)).transpose().map_err(map_failed)?;
        }
        let client = Client::new(&self.connection)?;
        let options = Options {
            sources: self.files.into_iter().map(Source::from_argument).collect(),
            format: self.format,
            map,
            tenant: client.tenant().map(str::to_owned),
            dry_run: self.dry_run,
            show: self.show,
            concurrency: usize::try_from(self.concurrency).expect("it is at most 64"),
            batch_events: usize::try_from(self.batch).expect("it is at most 10,000"),
            patience: Duration::from_secs(self.patience),
            rejects: self.rejects,
            resume: self.resume,
            quiet: self.quiet,
        };
        let summary = pipeline::run(&client, options).await?;
        if self.json {
            output::line(&serde_json::to_string(&summary).expect("the summary has plain members only"))?;
        } else {
            eprintln!("{}", describe(&summary));
        }
        Ok(if summary.rejected > 0 { Exit::Rejected } else { Exit::Success })
    }
}

fn describe(summary: &Summary) -> String {
    let count = |number: u64| HumanCount(number).to_string();
    let mut parts = if summary.dry_run {
        vec![format!("{} would be sent", count(summary.new))]
    } else {
        vec![format!("{} new", count(summary.new)), format!("{} known already", count(summary.known))]
    };
    parts.push(format!("{} rejected", count(summary.rejected)));
    for (number, what) in [
        (summary.cut, "cut to fit the limits"),
        (summary.left_out, "events of another Recount about itself left out"),
        (summary.passed_over, "passed over as done before"),
        (summary.unfinished, "still being written and left for the next run"),
    ] {
        if number > 0 {
            parts.push(format!("{} {what}", count(number)));
        }
    }
    let rate = (summary.records as f64 / summary.seconds.max(0.001)) as u64;
    format!(
        "{} records: {} ({:.1} s, {}/s)",
        count(summary.records),
        parts.join(", "),
        summary.seconds,
        count(rate)
    )
}

fn list_maps() -> Result<Exit, Failed> {
    let rows: Result<Vec<Vec<String>>, MapError> = SHIPPED_MAPS
        .iter()
        .map(|(name, text)| {
            Map::parse(name, text).map(|map| vec![(*name).to_owned(), map.description().to_owned()])
        })
        .collect();
    output::line(&output::table(&["map", "for"], &rows.map_err(map_failed)?))?;
    Ok(Exit::Success)
}

fn print_map(name: &str) -> Result<Exit, Failed> {
    match SHIPPED_MAPS.iter().find(|(shipped, _)| *shipped == name) {
        Some((_, text)) => {
            output::bytes(text.as_bytes())?;
            Ok(Exit::Success)
        }
        None => Err(Failed::new(Exit::Config, format!("there is no shipped map {name}"))
            .hint("`recount import --list-maps` lists them")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn map_failed(error: MapError) -> Failed {
    Failed::new(Exit::Config, error.to_string())
}
