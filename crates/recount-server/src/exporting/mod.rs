//! Making files of events: NDJSON, CSV and Parquet, streamed at constant memory, at once or as a job.

mod csv_rows;
mod csv_view;
mod jobs;
mod ndjson_rows;
mod parquet_rows;
mod pieces;

pub(crate) use csv_view::CsvView;
pub(crate) use jobs::run_jobs;
pub(crate) use pieces::{FileEncoder, pieces};

use serde::{Deserialize, Serialize};

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
