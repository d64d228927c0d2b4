//! `recount export`: all matching events as a file.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures::StreamExt as _;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use reqwest::{Method, Response};

use super::query::{Query, need_tenant_hint};
use crate::client::{Client, Connection};
use crate::exit::{Exit, Failed};
use crate::output;

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// One event a line, exactly as stored
    Ndjson,
    /// A row an event, for spreadsheets
    Csv,
    /// Apache Parquet, for analytics
    Parquet,
}

/// Take all matching events out as a file
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file has every event that matched when the export began, once each, whatever its size. It is
written beside its name first, so a file with the name is a whole one. The export is an event in
the tenant's own log.

Examples:
  recount export > events.ndjson
  recount export actor:ada --from 30d --format csv -o ada.csv
  recount export --to 2026-01-01 | gzip > 2025.ndjson.gz")]
pub struct Export {
    #[command(flatten)]
    query: Query,
    /// How the file is written; the ending of -o decides if this is absent
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Oldest first
    #[arg(long)]
    oldest: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Export {
    /// Exports.
    ///
    /// # Errors
    /// If the filter is wrong, the server says no, or the file cannot be written.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?;
        let mut parameters = self.query.parameters()?;
        let format = self.format.unwrap_or_else(|| by_ending(self.output.as_deref()));
        parameters.push((
            "format",
            match format {
                ExportFormat::Ndjson => "ndjson",
                ExportFormat::Csv => "csv",
                ExportFormat::Parquet => "parquet",
            }
            .to_owned(),
        ));
        if self.oldest {
            parameters.push(("order", "asc".to_owned()));
        }
        if format == ExportFormat::Parquet && self.output.is_none() && output::is_terminal() {
            return Err(Failed::new(Exit::Usage, "Parquet is not for terminals: write it to a file with -o"));
        }
        let request = client.request(Method::GET, "/v1/export", &parameters);
        let response = client.send(request).await.map_err(|failed| need_tenant_hint(&client, failed))?;
        let progress = self.progress();
        let began = Instant::now();
        let bytes = match &self.output {
            Some(path) => to_file(&client, response, path, &progress).await?,
            None => to_stdout(&client, response, &progress).await?,
        };
        progress.finish_and_clear();
        if !self.quiet && (self.output.is_some() || output::errors_on_terminal()) {
            let name = self
                .output
                .as_ref()
                .map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
            eprintln!("{} to {name} in {:.1} s", HumanBytes(bytes), began.elapsed().as_secs_f64());
        }
        Ok(Exit::Success)
    }

    fn progress(&self) -> ProgressBar {
        let shown =
            !self.quiet && output::errors_on_terminal() && (self.output.is_some() || !output::is_terminal());
        if !shown {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{spinner} {bytes}  {bytes_per_sec}")
            .expect("the template is right");
        ProgressBar::no_length().with_style(style)
    }
}

fn by_ending(path: Option<&Path>) -> ExportFormat {
    match path.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("csv") => ExportFormat::Csv,
        Some("parquet") => ExportFormat::Parquet,
        _ => ExportFormat::Ndjson,
    }
}

async fn to_stdout(client: &Client, response: Response, progress: &ProgressBar) -> Result<u64, Failed> {
    copy(client, response, progress, output::bytes).await.and_then(|bytes| output::flush().map(|()| bytes))
}

/// Writes beside the name first, so that a file with the name is whole.
async fn to_file(
    client: &Client,
    response: Response,
    path: &Path,
    progress: &ProgressBar,
) -> Result<u64, Failed> {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(".partial");
    let beside = path.with_file_name(name);
    let failed = |error: std::io::Error| {
        let exit =
            if error.kind() == std::io::ErrorKind::StorageFull { Exit::DiskFull } else { Exit::Failure };
        Failed::new(exit, format!("cannot write {}: {error}", path.display()))
    };
    let mut file = File::create(&beside).map_err(failed)?;
    let copied = copy(client, response, progress, |bytes| file.write_all(bytes).map_err(failed)).await;
    let done = copied.and_then(|bytes| {
        file.sync_all().and_then(|()| std::fs::rename(&beside, path)).map_err(failed)?;
        Ok(bytes)
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    done
}

async fn copy(
    client: &Client,
    response: Response,
    progress: &ProgressBar,
    mut write: impl FnMut(&[u8]) -> Result<(), Failed>,
) -> Result<u64, Failed> {
    let mut body = response.bytes_stream();
    let mut total = 0;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            Failed::new(
                Exit::Unreachable,
                format!("{} broke off after {}: {error}", client.base(), HumanBytes(total)),
            )
            .hint("the file is not whole; export again")
        })?;
        write(&chunk)?;
        total += chunk.len() as u64;
        progress.set_position(total);
    }
    Ok(total)
}
