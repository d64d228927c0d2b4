//! Making files of events: NDJSON, CSV and Parquet, streamed at constant memory, at once or as a job.

mod csv_rows;
mod jobs;
mod parquet_rows;

pub(crate) use jobs::run_jobs;

use bytes::Bytes;
use recount_store::{ReadError, StoredEvent};
use serde::{Deserialize, Serialize};

use self::parquet_rows::ParquetRows;

/// How a file of events is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    /// One event per line, exactly as the API serves it.
    #[default]
    Ndjson,
    /// A table for spreadsheets; cells that they would run as formulas are neutralised.
    Csv,
    /// A table for analysis, with the whole event in a column.
    Parquet,
}

impl ExportFormat {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Parquet];

    /// The name in the API, which is also the file's extension.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
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
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// A file that is being written: its pieces, put together, are the file.
pub(crate) enum FileEncoder {
    Ndjson,
    Csv { begun: bool },
    Parquet(Box<ParquetRows>),
}

impl FileEncoder {
    /// Begins a file.
    pub(crate) fn new(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Ndjson => Self::Ndjson,
            ExportFormat::Csv => Self::Csv { begun: false },
            ExportFormat::Parquet => Self::Parquet(Box::new(ParquetRows::new())),
        }
    }

    /// Takes events; gives the next piece, which may be empty.
    ///
    /// # Errors
    /// If a stored line is damaged.
    pub(crate) fn rows(&mut self, events: &[StoredEvent]) -> Result<Bytes, ReadError> {
        match self {
            Self::Ndjson => {
                let bytes: usize = events.iter().map(|event| event.line.len() + 80).sum();
                let mut out = Vec::with_capacity(bytes);
                for event in events {
                    event.write_json(&mut out);
                    out.push(b'\n');
                }
                Ok(out.into())
            }
            Self::Csv { begun } => csv_rows::rows(!std::mem::replace(begun, true), events),
            Self::Parquet(rows) => rows.rows(events),
        }
    }

    /// The last piece.
    ///
    /// # Errors
    /// Never in practice; as [`rows`](Self::rows).
    pub(crate) fn end(&mut self) -> Result<Bytes, ReadError> {
        match self {
            Self::Ndjson => Ok(Bytes::new()),
            // A file without events still has its head.
            Self::Csv { .. } => self.rows(&[]),
            Self::Parquet(rows) => Ok(rows.end()),
        }
    }
}
