//! `POST /v1/events`: append events.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use recount_event::{EventError, NewEvent, ParseContext, TenantId};
use recount_store::{Appended, Env, EventRefused};
use serde::{Deserialize, Serialize};

use crate::body::{BodyFormat, BodyPermit, Coding, DecompressionTurn, collect, decompress, read_events};
use crate::config::{INGEST_BODY_BYTES_MAX, PARSE_INLINE_BYTES_MAX};
use crate::extract::{Authenticated, Params};
use crate::observe::OwnBody;
use crate::problem::{Problem, ProblemCode};
use crate::state::{AppState, parse_tenant};

/// Query parameters of `POST /v1/events`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IngestParams {
    /// The tenant of events that name none, and then the only one that events may name.
    #[param(schema_with = crate::openapi::tenant_schema)]
    tenant: Option<String>,
}

/// The outcome of every event, in the order in which they were sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct IngestAnswer {
    /// One entry per event.
    results: Vec<IngestResult>,
}

/// The outcome of one event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes for OpenAPI what is written by hand")]
pub(crate) enum IngestResult {
    /// It is durable.
    Accepted {
        /// The event's id, as sent or as assigned.
        id: String,
        /// Its place in the tenant's log.
        seq: u64,
        /// Whether the log had it already; then nothing was stored.
        duplicate: bool,
    },
    /// It was refused, and the others were not.
    Refused {
        /// Why.
        error: IngestError,
    },
}

/// Why one event was refused.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct IngestError {
    /// A stable name.
    code: String,
    /// What is wrong and what is expected.
    detail: String,
    /// JSON pointer to the place in the event.
    pointer: String,
}

/// Append events
///
/// The body is a JSON array of events, one event, or NDJSON (one event per line), plain or
/// compressed (`Content-Encoding: gzip` or `zstd`). Each event gets its own result, in order: good
/// events are stored even if others are refused. Events with a result that is not an error are
/// durable. Sending an event again with the same `id` is safe: it keeps its `seq`. An event whose
/// error is `busy` can't be taken for now: send it again a little later, without the others.
///
/// An array whose JSON is broken is refused as a whole; in NDJSON a broken line is its own error.
#[utoipa::path(
    post,
    path = "/v1/events",
    tag = "events",
    params(IngestParams),
    request_body(content(
        (inline(crate::openapi::EventBatch) = "application/json"),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "All events are stored", body = IngestAnswer),
        (status = 207, description = "Some events are stored", body = IngestAnswer),
        (status = 400, description = "No event is stored: each has an error, or the body can't be read", content(
            (IngestAnswer = "application/json"),
            (crate::problem::ProblemBody = "application/problem+json"),
        )),
    ),
)]
pub(crate) async fn ingest(
    State(state): State<AppState>,
    credential: Authenticated,
    Params(params): Params<IngestParams>,
    request: Request,
) -> Result<Response, Problem> {
    let access = credential.ingest()?;
    let named = parse_tenant(params.tenant.as_deref())?;
    let tenant = match (access.tenant(), named) {
        (None, named) => named,
        (Some(_), named) => Some(credential.tenant_for(named.as_ref())?),
    };
    let (parts, body) = request.into_parts();
    let coding = Coding::of(&parts.headers)?;
    let format = BodyFormat::of(&parts.headers)?;
    let (bytes, permit) =
        collect(&parts.headers, body, INGEST_BODY_BYTES_MAX, &state.budget, &state.config.limits).await?;
    let env = state.store().env().clone();
    let (batch, _permit) = if coding == Coding::Identity && bytes.len() < PARSE_INLINE_BYTES_MAX {
        (parse(&bytes, format, tenant.as_ref(), &env)?, permit)
    } else {
        let turn = match coding {
            Coding::Identity => None,
            Coding::Gzip | Coding::Zstd => Some(state.budget.decompression_turn().await?),
        };
        let work = move || read(&bytes, coding, turn, format, tenant.as_ref(), &env, permit);
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())??
    };
    metrics::counter!("recount_ingest_events_total", "outcome" => "refused")
        .increment(batch.errors.len() as u64);
    let results = if batch.events.is_empty() {
        Vec::new()
    } else {
        state.store().append(&access, batch.events).await?
    };
    answer(&batch.ids, &batch.errors, &results)
}

/// The events of a body, and what is wrong with the others.
struct Batch {
    events: Vec<NewEvent>,
    /// The ids of `events`.
    ids: Ids,
    /// The place in the body, and the mistake, of each event that was refused; in order.
    errors: VecDeque<(usize, EventError)>,
}

impl Batch {
    fn with_capacity(events: usize) -> Self {
        Self { events: Vec::with_capacity(events), ids: Ids::with_capacity(events), errors: VecDeque::new() }
    }
}

/// Ids of events, in one text: a batch has thousands.
struct Ids {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Ids {
    fn with_capacity(events: usize) -> Self {
        const ID_BYTES: usize = 40;
        Self { text: String::with_capacity(events * ID_BYTES), ends: Vec::with_capacity(events) }
    }

    fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }
}

fn read(
    bytes: &Bytes,
    coding: Coding,
    turn: Option<DecompressionTurn>,
    format: BodyFormat,
    tenant: Option<&TenantId>,
    env: &Env,
    mut permit: BodyPermit,
) -> Result<(Batch, BodyPermit), Problem> {
    let batch = if coding == Coding::Identity {
        parse(bytes, format, tenant, env)?
    } else {
        let plain = decompress(coding, bytes, INGEST_BODY_BYTES_MAX, &mut permit)?;
        drop(turn);
        parse(&plain, format, tenant, env)?
    };
    Ok((batch, permit))
}

fn parse(body: &[u8], format: BodyFormat, tenant: Option<&TenantId>, env: &Env) -> Result<Batch, Problem> {
    const EVENT_BYTES: usize = 512;
    let context = ParseContext { tenant, allow_own_actions: false };
    let mut assign_id = || env.uuid_v7();
    let (mut batch, mut at) = (Batch::with_capacity(body.len() / EVENT_BYTES + 1), 0);
    read_events(format, body, &context, &mut assign_id, |result| {
        match result {
            Ok(event) => {
                batch.ids.push(&event.id);
                batch.events.push(event);
            }
            Err(error) => batch.errors.push_back((at, error)),
        }
        at += 1;
    })?;
    Ok(batch)
}

fn answer(
    ids: &Ids,
    errors: &VecDeque<(usize, EventError)>,
    results: &[Result<Appended, EventRefused>],
) -> Result<Response, Problem> {
    const RESULT_BYTES: usize = 96;
    let total = ids.len() + errors.len();
    let accepted = results.iter().filter(|result| result.is_ok()).count();
    if accepted == 0
        && let Some(problem) = to_be_sent_again(results)
    {
        return Err(problem);
    }
    let mut out = Vec::with_capacity(total * RESULT_BYTES + 16);
    out.extend_from_slice(br#"{"results":["#);
    let mut good = ids.iter().zip(results);
    let mut bad = errors.iter().peekable();
    for at in 0..total {
        if at > 0 {
            out.push(b',');
        }
        if let Some((_, error)) = bad.next_if(|(place, _)| *place == at) {
            write_error(&mut out, error.code.as_str(), &error.detail, &error.pointer);
            continue;
        }
        match good.next().ok_or_else(Problem::internal)? {
            (id, Ok(appended)) => {
                out.extend_from_slice(br#"{"id":"#);
                write_string(&mut out, id);
                write!(out, r#","seq":{},"duplicate":{}}}"#, appended.seq, appended.duplicate)
                    .expect("memory");
            }
            (_, Err(refused)) => {
                let code = match refused {
                    EventRefused::UnknownTenant { .. } => "unknown_tenant",
                    EventRefused::WrongTenant { .. } => "tenant_mismatch",
                    EventRefused::TailFull { .. } | EventRefused::Unverified { .. } => "busy",
                    EventRefused::Damaged { .. } => "data_damaged",
                };
                write_error(&mut out, code, &refused.to_string(), "/tenant");
            }
        }
    }
    out.extend_from_slice(b"]}");
    let status = match accepted {
        all if all == total => StatusCode::OK,
        0 => StatusCode::BAD_REQUEST,
        _ => StatusCode::MULTI_STATUS,
    };
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], out).into_response();
    response.extensions_mut().insert(OwnBody);
    Ok(response)
}

/// The answer to a batch of which nothing was stored, if that is not the events' own fault.
fn to_be_sent_again(results: &[Result<Appended, EventRefused>]) -> Option<Problem> {
    const PAUSE: Duration = Duration::from_secs(5);
    /// Damage takes a person to repair.
    const DAMAGE_PAUSE: Duration = Duration::from_secs(60);
    let refused = || results.iter().filter_map(|result| result.as_ref().err());
    if refused()
        .any(|refused| matches!(refused, EventRefused::TailFull { .. } | EventRefused::Unverified { .. }))
    {
        let detail = "the log can't take these events now; send the same events again";
        return Some(Problem::new(ProblemCode::Busy, detail).retry_after(PAUSE));
    }
    let damaged = refused().find(|refused| matches!(refused, EventRefused::Damaged { .. }))?;
    Some(Problem::new(ProblemCode::DataDamaged, damaged.to_string()).retry_after(DAMAGE_PAUSE))
}

fn write_error(out: &mut Vec<u8>, code: &str, detail: &str, pointer: &str) {
    out.extend_from_slice(br#"{"error":{"code":"#);
    write_string(out, code);
    out.extend_from_slice(br#","detail":"#);
    write_string(out, detail);
    out.extend_from_slice(br#","pointer":"#);
    write_string(out, pointer);
    out.extend_from_slice(b"}}");
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing to memory can't fail");
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use serde_json::Value;

    use super::*;

    const STORED: Result<Appended, EventRefused> = Ok(Appended { seq: 7, duplicate: false });

    fn ids(all: &[&str]) -> Ids {
        let mut ids = Ids::with_capacity(all.len());
        all.iter().for_each(|id| ids.push(id));
        ids
    }

    fn full() -> Result<Appended, EventRefused> {
        Err(EventRefused::TailFull { tenant: "acme".to_owned() })
    }

    fn damaged() -> Result<Appended, EventRefused> {
        Err(EventRefused::Damaged { tenant: "acme".to_owned(), object: "tenants/acme/x".to_owned() })
    }

    #[tokio::test]
    async fn what_is_busy_or_damaged_is_said_per_event_beside_what_is_stored() {
        let ids = ids(&["a", "b", "c"]);
        let answer = answer(&ids, &VecDeque::new(), &[STORED, full(), damaged()]).expect("an answer");
        assert_eq!(answer.status(), StatusCode::MULTI_STATUS);
        let body = answer.into_body().collect().await.expect("in memory").to_bytes();
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["results"][0]["seq"], 7);
        assert_eq!(body["results"][1]["error"]["code"], "busy");
        assert_eq!(body["results"][2]["error"]["code"], "data_damaged");
        assert!(body["results"][2]["error"]["detail"].as_str().is_some_and(|d| d.contains("tenants/acme/x")));
    }

    #[test]
    fn a_batch_of_which_nothing_is_stored_is_a_problem_with_a_pause() {
        let ids = ids(&["a", "b"]);
        for (results, code, status) in
            [([full(), damaged()], "busy", 429), ([damaged(), damaged()], "data_damaged", 500)]
        {
            let problem = answer(&ids, &VecDeque::new(), &results).expect_err("a problem");
            assert_eq!((problem.code(), problem.status().as_u16()), (code, status));
            assert!(problem.into_response().headers().contains_key(header::RETRY_AFTER));
        }
    }
}
