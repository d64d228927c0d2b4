//! `GET /v1/events/facets`: the most frequent values of fields.

use axum::Json;
use axum::extract::State;
use recount_event::{Field, Filter, Matcher, Pattern, Term};
use recount_store::FacetsQuery;
use recount_store::access::Scope;
use serde::{Deserialize, Serialize};

use super::Selection;
use crate::config::{FACET_FIELDS_MAX, FACET_VALUES_DEFAULT, FACET_VALUES_MAX};
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::routes::page_limit;
use crate::state::AppState;

/// Query parameters of `GET /v1/events/facets`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FacetsParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// Up to five fields of the filter language, separated by commas.
    #[param(schema_with = crate::openapi::fields_schema, required = true)]
    fields: String,
    /// Which events, in the filter language.
    #[param(schema_with = crate::openapi::filter_schema)]
    filter: Option<String>,
    /// The earliest `occurred_at`, inclusive.
    #[param(schema_with = crate::openapi::time_schema)]
    from: Option<String>,
    /// The latest `occurred_at`, exclusive.
    #[param(schema_with = crate::openapi::time_schema)]
    to: Option<String>,
    /// Values of each field.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<usize>,
}

/// The most frequent values of fields.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FacetsAnswer {
    /// One entry per field, in the order of the question.
    facets: Vec<Facet>,
    /// Events that were counted.
    total: u64,
    /// Whether every matching event was counted.
    exact: bool,
    /// If not exact: events from this time on were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    covered_from: Option<String>,
}

/// The most frequent values of one field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Facet {
    /// The field, by its canonical name.
    field: String,
    /// Its most frequent values.
    values: Vec<FacetValue>,
    /// How many further values there are.
    other_values: u64,
}

/// One value and how many events have it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FacetValue {
    /// The value.
    value: String,
    /// Events that have it.
    count: u64,
}

/// Count values of fields
///
/// Under the same filter and range as the list. Any field of the filter language, `tags.x` and
/// `metadata.x` too. Past a bound of work the answer is marked `"exact": false`.
#[utoipa::path(
    get,
    path = "/v1/events/facets",
    tag = "events",
    params(FacetsParams),
    responses((status = 200, description = "Counts", body = FacetsAnswer)),
)]
pub(crate) async fn facets(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<FacetsParams>,
) -> Result<Json<FacetsAnswer>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let selection = Selection::parse(params.filter.as_deref(), params.from.as_deref(), params.to.as_deref())?;
    let fields = parse_fields(&params.fields)?;
    let limit = page_limit(params.limit, FACET_VALUES_DEFAULT, FACET_VALUES_MAX)?;
    let facets = log
        .facets(&FacetsQuery {
            filter: selection.filter,
            from: selection.from,
            to: selection.to,
            fields,
            limit,
            pin: None,
            max_scan_bytes: Some(state.config.limits.scan_bytes_max),
        })
        .await?;
    Ok(Json(FacetsAnswer {
        total: facets.events,
        exact: facets.exact,
        covered_from: facets.covered_from.map(|time| time.to_string()),
        facets: facets
            .fields
            .into_iter()
            .map(|counts| Facet {
                field: counts.field.to_string(),
                values: counts
                    .values
                    .into_iter()
                    .map(|value| FacetValue { value: value.value, count: value.count })
                    .collect(),
                other_values: counts.other_values,
            })
            .collect(),
    }))
}

fn parse_fields(text: &str) -> Result<Vec<Field>, Problem> {
    let fields = names(text).map(str::trim).map(parse_field).collect::<Result<Vec<_>, _>>()?;
    if fields.len() > FACET_FIELDS_MAX {
        return Err(Problem::invalid_parameter(
            "fields",
            format!("at most {FACET_FIELDS_MAX} fields at once"),
        ));
    }
    Ok(fields)
}

/// The names between commas; a comma within quotes belongs to a name.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let was_escaped = escaped;
        escaped = quoted && c == '\\' && !was_escaped;
        quoted ^= c == '"' && !was_escaped;
        c == ',' && !quoted
    })
}

/// A field is what a filter takes before its colon, so the filter's own reader reads it: `name:*`
/// must be that one field with nothing but the `*`.
fn parse_field(name: &str) -> Result<Field, Problem> {
    let invalid = |detail: String| Problem::invalid_parameter("fields", detail);
    let filter =
        Filter::parse(&format!("{name}:*")).map_err(|error| invalid(format!("{name:?}: {error}")))?;
    match filter.terms.as_slice() {
        [Term { negated: false, matcher: Matcher::Field { field, any } }]
            if *any == [Pattern::Prefix(String::new())] =>
        {
            Ok(field.clone())
        }
        _ => Err(invalid(format!("{name:?} is not a field"))),
    }
}
