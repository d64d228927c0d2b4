//! Exports: events as files, streamed at once or made as a job.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod file;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod stream;

use http::HeaderValue;
use recount_store::access::ExportInfo;
use serde::Serialize;

use super::events::OrderParam;
use super::me::ActorBody;
use crate::exporting::ExportOptions;

/// An export job.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Export {
    /// Its id.
    id: String,
    /// A name for people and for the file; empty if none was given.
    name: String,
    /// `queued`, `running`, `ready`, `failed` or `expired`.
    state: &'static str,
    /// `ndjson`, `ndjson.gz`, `csv` or `parquet`.
    format: String,
    /// The columns of CSV, if some were chosen.
    columns: Option<Vec<String>>,
    /// The time zone of those columns.
    zone: Option<String>,
    /// The filter.
    filter: String,
    /// The earliest `occurred_at`, inclusive.
    #[schema(format = DateTime)]
    from: Option<String>,
    /// The latest `occurred_at`, exclusive.
    #[schema(format = DateTime)]
    to: Option<String>,
    #[schema(schema_with = crate::openapi::order_schema)]
    order: OrderParam,
    /// Who asked for it.
    actor: ActorBody,
    /// The log's size when it was asked for: it holds events with `seq` below this.
    log_size: u64,
    /// Events written so far.
    rows: u64,
    /// Bytes written so far.
    bytes: u64,
    /// SHA-256 of the file, in hexadecimal, once it is ready.
    sha256: Option<String>,
    /// Why it failed.
    error: Option<String>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was done.
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// When the file is deleted.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<ExportInfo> for Export {
    fn from(info: ExportInfo) -> Self {
        // They were written by this crate; a job whose options are damaged fails by itself.
        let options: ExportOptions =
            info.options.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Self {
            columns: options.columns,
            zone: options.zone,
            state: info.state.as_str(),
            from: info.from.map(|time| time.to_string()),
            to: info.to.map(|time| time.to_string()),
            order: info.order.into(),
            actor: info.actor.into(),
            log_size: info.pin,
            rows: info.rows,
            bytes: info.bytes,
            created_at: info.created_at.to_string(),
            finished_at: info.finished_at.map(|time| time.to_string()),
            expires_at: info.expires_at.to_string(),
            id: info.id,
            name: info.name,
            format: info.format,
            filter: info.filter,
            sha256: info.sha256,
            error: info.error,
        }
    }
}

/// `attachment` with a file name of safe characters only, made of `stem`.
fn attachment(stem: &str, extension: &str) -> HeaderValue {
    const STEM_CHARS_MAX: usize = 80;
    let safe: String = stem
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .take(STEM_CHARS_MAX)
        .collect();
    HeaderValue::try_from(format!("attachment; filename=\"{safe}.{extension}\""))
        .expect("only safe ASCII is left")
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn a_file_name_cannot_break_its_header() {
        assert_eq!(attachment("a\"b\r\nc/../d é", "csv"), "attachment; filename=\"a-b--c-..-d--.csv\"");
    }
}
