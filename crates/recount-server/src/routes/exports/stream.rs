//! `GET /v1/export`: the whole answer as a file, streamed.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use http::{HeaderValue, header};
use recount_store::access::Scope;
use recount_store::{OwnActor, OwnEvent, OwnTarget, ReadError, ScanQuery, StoredEvent};
use serde::Deserialize;

use super::attachment;
use crate::exporting::{ExportFormat, ExportOptions, FileEncoder, pieces};
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::events::{OrderParam, Selection};
use crate::state::AppState;

/// Query parameters of `GET /v1/export`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// How the file is written.
    #[param(schema_with = crate::openapi::format_schema)]
    format: Option<ExportFormat>,
    /// Which events, in the filter language.
    #[param(schema_with = crate::openapi::filter_schema)]
    filter: Option<String>,
    /// The earliest `occurred_at`, inclusive.
    #[param(schema_with = crate::openapi::time_schema)]
    from: Option<String>,
    /// The latest `occurred_at`, exclusive.
    #[param(schema_with = crate::openapi::time_schema)]
    to: Option<String>,
    /// Newest (`desc`) or oldest (`asc`) first.
    #[param(schema_with = crate::openapi::order_schema)]
    order: Option<OrderParam>,
    /// The columns of CSV, separated by commas, as a view of the log has them: `time`, `actor`,
    /// `action`, `target`, `outcome`, `ip`, or any path into an event, like `metadata.plan`.
    columns: Option<String>,
    /// The time zone of `time` in those columns (IANA), like `Europe/Paris`. UTC if absent.
    zone: Option<String>,
}

/// Export events
///
/// Streams every matching event of the log as it is at the beginning: any size, each exactly once.
/// The file is whole if and only if the transfer ends properly; a failure in between cuts the
/// connection (so does retention, if it removes events before they are read). The export is recorded in the tenant's log before the first byte.
///
/// Without `columns`, those of CSV are `seq`, `id`, `occurred_at`, `received_at`, `action`, `outcome`,
/// `actor_type`, `actor_id`, `actor_name`, `actor_email`, `target_type`, `target_id`, `target_name`
/// (the first target's), `targets` (all, as JSON), `ip`, `user_agent`, `location`, `session_id`,
/// `request_id`, `source`, `description`, `reason`, and `changes`, `tags`, `metadata` as JSON. Cells
/// that spreadsheets would run as formulas (they begin with `=`, `+`, `-`, `@`, tab or carriage
/// return) get a single quote before them. Parquet has the same columns, untouched, and the whole
/// event in `event`.
#[utoipa::path(
    get,
    path = "/v1/export",
    tag = "exports",
    params(ExportParams),
    responses((status = 200, description = "The file", content(
        (String = "application/x-ndjson"),
        (String = "text/csv"),
        (Vec<u8> = "application/vnd.apache.parquet"),
    ))),
)]
pub(crate) async fn stream(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::ExportsWrite).await?;
    let selection = Selection::parse(params.filter.as_deref(), params.from.as_deref(), params.to.as_deref())?;
    let format = params.format.unwrap_or_default();
    let columns = params.columns.map(|names| names.split(',').map(ToOwned::to_owned).collect());
    let view = ExportOptions { columns, zone: params.zone }.view(format);
    let view = view.map_err(|(name, detail)| Problem::invalid_parameter(name, detail))?;
    // The export's own record is not part of it: the reader asked for the log as it was.
    let pin = log.head().await?;
    let mut event = OwnEvent::new("recount.export.taken", OwnActor::from(credential.actor()));
    event.description = Some(format!("{} exported events as {}", credential.name(), format.as_str()));
    event.targets = vec![OwnTarget { kind: "log".to_owned(), id: log.tenant().to_string(), name: None }];
    event.metadata.insert("format".to_owned(), format.as_str().into());
    event.metadata.insert("filter".to_owned(), selection.filter.to_string().into());
    log.record(event).await?;

    let query = ScanQuery {
        filter: selection.filter,
        from: selection.from,
        to: selection.to,
        order: params.order.unwrap_or_default().into(),
        pin: Some(pin),
        ..ScanQuery::default()
    };
    let mut chunks = Box::pin(log.scan(query));
    // The first chunk is awaited here, so that what fails at once is told as a problem.
    let first = chunks.next().await.transpose()?;
    let chunks = futures::stream::iter(first.map(Ok)).chain(chunks);
    let body = Body::from_stream(file(FileEncoder::new(format, view), chunks));
    let mut response = ([(header::CONTENT_TYPE, format.media_type())], body).into_response();
    let disposition = attachment(&format!("{}-events", log.tenant()), format.as_str());
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn file(
    encoder: FileEncoder,
    chunks: impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send,
) -> impl Stream<Item = Result<bytes::Bytes, ReadError>> + Send {
    pieces(encoder, chunks).filter_map(|piece| {
        if let Err(error) = &piece {
            tracing::error!(%error, "an export was cut off");
        }
        // Compression keeps what it was given for a while.
        let bytes = piece.map(|piece| piece.bytes);
        std::future::ready(Some(bytes).filter(|bytes| !matches!(bytes, Ok(bytes) if bytes.is_empty())))
    })
}
