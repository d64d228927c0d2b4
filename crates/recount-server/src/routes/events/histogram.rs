//! `GET /v1/events/histogram`: counts over time.

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use recount_store::HistogramQuery;
use recount_store::access::Scope;
use serde::{Deserialize, Serialize};

use super::Selection;
use crate::extract::{Authenticated, Params};
use crate::problem::Problem;
use crate::state::AppState;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// The widest bucket, in seconds: ten years.
const INTERVAL_SECONDS_MAX: i64 = 10 * 366 * 86_400;

/// Query parameters of `GET /v1/events/histogram`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistogramParams {
    /// The tenant; needed with a credential of the vendor's side, else implied.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
    /// Which events, in the filter language.
    #[param(schema_with = crate::openapi::filter_schema)]
    filter: Option<String>,
    /// The earliest `occurred_at`, inclusive; the first matching event's if absent.
    #[param(schema_with = crate::openapi::time_schema)]
    from: Option<String>,
    /// The latest `occurred_at`, exclusive; after the last matching event if absent.
    #[param(schema_with = crate::openapi::time_schema)]
    to: Option<String>,
    /// Width of a bucket: seconds, or a number with `s`, `m`, `h`, `d` or `w`. Chosen from the
    /// range if absent.
    #[param(pattern = "^[1-9][0-9]{0,5}[smhdw]?$", example = "1h")]
    interval: Option<String>,
    /// IANA name of the zone by whose clocks buckets start (days at its midnights); UTC if absent. Buckets of more
    /// than an hour are longer or shorter where its clocks change.
    #[param(max_length = 64, example = "Europe/Paris")]
    zone: Option<String>,
}

/// Counts of events over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct HistogramAnswer {
    /// Width of a bucket, in seconds; by the clock where `zone`'s clocks change.
    interval_seconds: f64,
    /// The buckets from first to last, empty ones included.
    buckets: Vec<Bucket>,
    /// Events that were counted.
    total: u64,
    /// The log's end when it was counted: only events with a `seq` below it are in the counts.
    before_seq: u64,
    /// Whether every matching event was counted.
    exact: bool,
    /// If not exact: events from this time on were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    covered_from: Option<String>,
}

/// How many events of each outcome one bucket of time holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Bucket {
    /// The bucket's first moment.
    #[schema(format = DateTime)]
    start: String,
    /// Events with outcome `success`.
    success: u64,
    /// Events with outcome `failure`.
    failure: u64,
    /// Events with outcome `denied`.
    denied: u64,
}

/// Count events over time
///
/// Split by outcome, under the same filter and range as the list. Past a bound of work the answer
/// is marked `"exact": false` and says what it covers.
#[utoipa::path(
    get,
    path = "/v1/events/histogram",
    tag = "events",
    params(HistogramParams),
    responses((status = 200, description = "Counts", body = HistogramAnswer)),
)]
pub(crate) async fn histogram(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<HistogramParams>,
) -> Result<Json<HistogramAnswer>, Problem> {
    let log = state.tenant_log(&credential, params.tenant.as_deref(), Scope::EventsRead).await?;
    let selection = Selection::parse(params.filter.as_deref(), params.from.as_deref(), params.to.as_deref())?;
    let interval_micros = params.interval.as_deref().map(interval).transpose()?;
    let zone = params.zone.as_deref().map(zone).transpose()?;
    let histogram = log
        .histogram(&HistogramQuery {
            filter: selection.filter,
            from: selection.from,
            to: selection.to,
            interval_micros,
            zone,
            pin: None,
            max_scan_bytes: Some(state.config.limits.scan_bytes_max),
        })
        .await?;
    #[expect(clippy::cast_precision_loss, reason = "an interval is far below 2^53 microseconds")]
    let interval_seconds = histogram.interval_micros as f64 / 1e6;
    Ok(Json(HistogramAnswer {
        interval_seconds,
        total: histogram.events,
        before_seq: histogram.pin,
        exact: histogram.exact,
        covered_from: histogram.covered_from.map(|time| time.to_string()),
        buckets: histogram
            .buckets
            .into_iter()
            .map(|bucket| Bucket {
                start: bucket.start.to_string(),
                success: bucket.success,
                failure: bucket.failure,
                denied: bucket.denied,
            })
            .collect(),
    }))
}

fn interval(text: &str) -> Result<i64, Problem> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3_600),
        Some(b'd') => (&text[..text.len() - 1], 86_400),
        Some(b'w') => (&text[..text.len() - 1], 7 * 86_400),
        _ => (text, 1),
    };
    let seconds = digits.parse::<u32>().ok().and_then(|number| i64::from(number).checked_mul(unit));
    match seconds {
        Some(seconds) if (1..=INTERVAL_SECONDS_MAX).contains(&seconds) => Ok(seconds * MICROS_PER_SECOND),
        _ => Err(Problem::invalid_parameter(
            "interval",
            format!("{text:?} is not a width of time; use seconds, or 30s, 15m, 1h, 1d, 1w"),
        )),
    }
}

fn zone(name: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(name).map_err(|_| {
        let detail = format!("{name:?} is not a zone; use an IANA name like Europe/Paris, or UTC");
        Problem::invalid_parameter("zone", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        for (text, seconds) in
            [("60", 60), ("30s", 30), ("15m", 900), ("2h", 7_200), ("1d", 86_400), ("1w", 604_800)]
        {
            assert_eq!(interval(text).expect("valid"), seconds * MICROS_PER_SECOND);
        }
        for text in ["", "0", "h", "-1", "1y", "1.5h", "99999999w", "é"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
