//! `POST /v1/exports`: start an export job.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use recount_event::Filter;
use recount_store::access::{NewExport, Scope};
use serde::Deserialize;

use super::Export;
use crate::config::EXPORT_KEPT;
use crate::exporting::{ExportFormat, ExportOptions};
use crate::extract::{Authenticated, JsonBody, Params};
use crate::problem::Problem;
use crate::routes::events::OrderParam;
use crate::routes::{TenantParam, body_name, body_time};
use crate::state::AppState;

/// An export job to be started.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewExportBody {
    /// A name for people and for the file.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "October"
    )]
    name: Option<String>,
    /// How the file is written.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::format_schema, required = false)]
    format: ExportFormat,
    /// Which events, in the filter language.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::nullable_filter_schema, required = false)]
    filter: Option<String>,
    /// The earliest `occurred_at`, inclusive.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::nullable_time_schema, required = false)]
    from: Option<String>,
    /// The latest `occurred_at`, exclusive.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::nullable_time_schema, required = false)]
    to: Option<String>,
    /// Newest (`desc`) or oldest (`asc`) first.
    #[serde(default)]
    #[schema(schema_with = crate::openapi::order_schema, required = false)]
    order: OrderParam,
    /// The columns of CSV, as a view of the log has them: `time`, `actor`, `action`, `target`,
    /// `outcome`, `ip`, or any path into an event, like `metadata.plan`. All members if absent.
    #[serde(default)]
    #[schema(required = false, max_items = 50, example = json!(["time", "actor", "metadata.plan"]))]
    columns: Option<Vec<String>>,
    /// The time zone of `time` in those columns (IANA). UTC if absent.
    #[serde(default)]
    #[schema(example = "Europe/Paris")]
    zone: Option<String>,
}

/// Start an export job
///
/// For answers too large to wait for: the file is made in the background, has a size and a SHA-256,
/// survives restarts and is kept for seven days.
#[utoipa::path(
    post,
    path = "/v1/exports",
    tag = "exports",
    params(TenantParam),
    request_body = NewExportBody,
    responses((status = 202, description = "The job", body = Export)),
)]
pub(crate) async fn create(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<TenantParam>,
    JsonBody(body): JsonBody<NewExportBody>,
) -> Result<Response, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::ExportsWrite).await?;
    let from = body_time("/from", body.from.as_deref())?;
    let to = body_time("/to", body.to.as_deref())?;
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(Problem::invalid_body("/from", format!("{from} is after to, {to}")));
    }
    let filter = Filter::parse(body.filter.as_deref().unwrap_or_default())
        .map_err(|error| Problem::from(error).at_pointer("/filter"))?;
    let options = ExportOptions { columns: body.columns, zone: body.zone };
    let view = options.view(body.format);
    let view = view.map_err(|(member, detail)| Problem::invalid_body(&format!("/{member}"), detail))?;
    let options = view.is_some().then(|| serde_json::to_string(&options).expect("options are plain data"));
    let new = NewExport {
        name: body.name.as_deref().map(|name| body_name("/name", name)).transpose()?.unwrap_or_default(),
        format: body.format.as_str().to_owned(),
        options,
        filter,
        from,
        to,
        order: body.order.into(),
        keep: EXPORT_KEPT,
    };
    let export = state.store().create_export(&log, &credential, new).await?;
    state.export_made.notify_one();
    let location = format!("/v1/exports/{}", export.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(Export::from(export))).into_response())
}
