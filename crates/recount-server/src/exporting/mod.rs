//! Making files of events: NDJSON, CSV and Parquet, streamed at constant memory, at once or as a job.

mod csv_rows;
mod csv_view;
mod jobs;
mod parquet_rows;

pub(crate) use csv_view::CsvView;
pub(crate) use jobs::run_jobs;

use std::io::Write as _;
use std::panic::resume_unwind;
use std::pin::pin;

use async_stream::try_stream;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join;
use futures::{Stream, StreamExt as _};
use recount_store::{ReadError, StoredEvent};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use self::parquet_rows::ParquetRows;

/// How a file of events is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    /// One event per line, exactly as the API serves it.
    #[default]
    Ndjson,
    /// The same, compressed.
    #[serde(rename = "ndjson.gz")]
    NdjsonGz,
    /// A table for spreadsheets; cells that they would run as formulas are neutralised.
    Csv,
    /// A table for analysis, with the whole event in a column.
    Parquet,
}

impl ExportFormat {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Ndjson, Self::NdjsonGz, Self::Csv, Self::Parquet];

    /// The name in the API, which is also the file's extension.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::NdjsonGz => "ndjson.gz",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Reads the name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }

    /// The media type of the file.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::NdjsonGz => "application/gzip",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// What a format leaves open, as jobs keep it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct ExportOptions {
    /// The columns of CSV; all of an event's members if absent.
    pub(crate) columns: Option<Vec<String>>,
    /// The zone of the times in such columns.
    pub(crate) zone: Option<String>,
}

impl ExportOptions {
    /// The view of a CSV, if one was asked for.
    ///
    /// # Errors
    /// The member that is wrong, and how.
    pub(crate) fn view(&self, format: ExportFormat) -> Result<Option<CsvView>, (&'static str, String)> {
        match (&self.columns, &self.zone) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(("zone", "it goes with columns".to_owned())),
            (Some(_), _) if format != ExportFormat::Csv => {
                Err(("columns", "only CSV has columns; the other formats hold whole events".to_owned()))
            }
            (Some(columns), zone) => CsvView::new(columns, zone.as_deref()).map(Some),
        }
    }
}

/// A file that is being written: its pieces, put together, are the file.
pub(crate) enum FileEncoder {
    Ndjson,
    NdjsonGz(Box<GzEncoder<Vec<u8>>>),
    Csv { begun: bool, view: Option<CsvView> },
    Parquet(Box<ParquetRows>),
}

impl FileEncoder {
    /// Begins a file; `view` is for CSV.
    pub(crate) fn new(format: ExportFormat, view: Option<CsvView>) -> Self {
        match format {
            ExportFormat::Ndjson => Self::Ndjson,
            ExportFormat::NdjsonGz => {
                Self::NdjsonGz(Box::new(GzEncoder::new(Vec::new(), Compression::default())))
            }
            ExportFormat::Csv => Self::Csv { begun: false, view },
            ExportFormat::Parquet => Self::Parquet(Box::new(ParquetRows::new())),
        }
    }

    /// Takes events; gives the next piece, which may be empty.
    ///
    /// # Errors
    /// If a stored line is damaged.
    fn rows(&mut self, events: &[StoredEvent]) -> Result<Bytes, ReadError> {
        match self {
            Self::Ndjson => Ok(lines(events).into()),
            Self::NdjsonGz(encoder) => {
                encoder.write_all(&lines(events)).expect("writing to memory can't fail");
                Ok(std::mem::take(encoder.get_mut()).into())
            }
            Self::Csv { begun, view } => {
                let head = !std::mem::replace(begun, true);
                view.as_ref().map_or_else(|| csv_rows::rows(head, events), |view| view.rows(head, events))
            }
            Self::Parquet(rows) => rows.rows(events),
        }
    }

    /// The last piece.
    ///
    /// # Errors
    /// Never in practice; as [`rows`](Self::rows).
    fn end(&mut self) -> Result<Bytes, ReadError> {
        match self {
            Self::Ndjson => Ok(Bytes::new()),
            Self::NdjsonGz(encoder) => {
                encoder.try_finish().expect("writing to memory can't fail");
                Ok(std::mem::take(encoder.get_mut()).into())
            }
            // A file without events still has its head.
            Self::Csv { .. } => self.rows(&[]),
            Self::Parquet(rows) => Ok(rows.end()),
        }
    }
}

/// A piece of a file.
pub(crate) struct Piece {
    /// What comes next in the file; may be empty.
    pub(crate) bytes: Bytes,
    /// How many events are in it.
    pub(crate) events: u64,
}

/// The file of `chunks`, piece by piece. A failure ends it, after what could be read before.
///
/// Encoding keeps a processor busy for milliseconds, so it is done off the async threads, while the next
/// chunk is read.
pub(crate) fn pieces(
    mut encoder: FileEncoder,
    chunks: impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send,
) -> impl Stream<Item = Result<Piece, ReadError>> + Send {
    try_stream! {
        let mut chunks = pin!(chunks);
        let mut chunk = chunks.next().await;
        while let Some(events) = chunk {
            let events = events?;
            let count = events.len() as u64;
            let encode = spawn_blocking(move || {
                let bytes = encoder.rows(&events);
                (encoder, bytes)
            });
            let (encoded, next) = join(encode, chunks.next()).await;
            let (returned, bytes) = encoded.map_err(|error| match error.try_into_panic() {
                // It goes on here as it would have without a thread.
                Ok(panic) => resume_unwind(panic),
                Err(_) => ReadError::Cancelled,
            })?;
            yield Piece { bytes: bytes?, events: count };
            (encoder, chunk) = (returned, next);
        }
        yield Piece { bytes: encoder.end()?, events: 0 };
    }
}

fn lines(events: &[StoredEvent]) -> Vec<u8> {
    let bytes: usize = events.iter().map(|event| event.line.len() + 80).sum();
    let mut out = Vec::with_capacity(bytes);
    for event in events {
        event.write_json(&mut out);
        out.push(b'\n');
    }
    out
}
