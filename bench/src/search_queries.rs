//! The queries of `bench search`, each in three languages: Recount's API, ClickHouse, PostgreSQL.

use recount_demo::Workload;
use serde_json::Value;

use crate::search::UNTIL_MICROS;

/// One question.
pub(crate) struct Query {
    pub(crate) name: &'static str,
    /// The p50 to reach on the large tenant, in milliseconds.
    pub(crate) target_ms: Option<u32>,
    /// Path and query of the API, without the tenant.
    pub(crate) path: String,
    /// With `{tenant}` for the tenant's id.
    pub(crate) clickhouse: String,
    /// With the large tenant as the only one in the table.
    pub(crate) postgres: String,
}

/// The questions about a large tenant with `count` events.
pub(crate) fn queries(workload: &Workload, count: u64) -> Vec<Query> {
    let middle = event(workload, count / 2, count);
    let request = text(&middle, "/context/request_id").replace("req_", "");
    let target = format!("{}/{}", text(&middle, "/targets/0/type"), text(&middle, "/targets/0/id"));
    let action = text(&middle, "/action");
    let from_30 = day_text(30);
    let from_90 = day_text(90);
    let list = |name, target_ms, filter: &str, clickhouse: String, postgres: String| Query {
        name,
        target_ms,
        path: format!("/v1/events?limit=50&filter={}", encode(filter)),
        clickhouse: format!(
            "SELECT body FROM events WHERE tenant = '{{tenant}}' AND {clickhouse} ORDER BY occurred_at DESC LIMIT 50"
        ),
        postgres: format!(
            "SELECT body FROM audit_events WHERE {postgres} ORDER BY occurred_at DESC LIMIT 50"
        ),
    };
    let counts = |name, target_ms, path: String, clickhouse: String, postgres: String| Query {
        name,
        target_ms,
        path,
        clickhouse,
        postgres,
    };
    let by_word = |word: &str| format!("hasToken(body, '{word}')");
    let by_like = |word: &str| format!("body::text LIKE '%{word}%'");
    vec![
        list("newest 50", Some(4), "", "1".into(), "true".into()),
        list(
            "frequent actor",
            Some(10),
            "actor.id:u_00000",
            "actor_id = 'u_00000'".into(),
            "actor_id = 'u_00000'".into(),
        ),
        list(
            "rare actor",
            Some(40),
            "actor.id:u_04999",
            "actor_id = 'u_04999'".into(),
            "actor_id = 'u_04999'".into(),
        ),
        list(
            "one action",
            Some(10),
            &format!("action:{action}"),
            format!("action = '{action}'"),
            format!("action = '{action}'"),
        ),
        list(
            "one target",
            Some(10),
            &format!("target:{target}"),
            format!("target = '{target}'"),
            format!("body @> '{{\"targets\":[{{\"id\":\"{}\"}}]}}'", text(&middle, "/targets/0/id")),
        ),
        list("rare word", Some(25), &request, by_word(&request), by_like(&request)),
        list("common word", None, "enterprise", by_word("enterprise"), by_like("enterprise")),
        list("word that is nowhere", Some(25), "zzqxnowhere", by_word("zzqxnowhere"), by_like("zzqxnowhere")),
        list(
            "action and word",
            None,
            &format!("action:{action} enterprise"),
            format!("action = '{action}' AND hasToken(body, 'enterprise')"),
            format!("action = '{action}' AND body::text LIKE '%enterprise%'"),
        ),
        counts(
            "30 days, facet action",
            Some(20),
            format!("/v1/events/facets?fields=action&from={from_30}"),
            facet("action", &from_30, "1"),
            pg_facet("action", &from_30),
        ),
        counts(
            "30 days, facet actor",
            Some(20),
            format!("/v1/events/facets?fields=actor.id&from={from_30}"),
            facet("actor_id", &from_30, "1"),
            pg_facet("actor_id", &from_30),
        ),
        counts(
            "30 days, facet actor of one action",
            Some(20),
            format!(
                "/v1/events/facets?fields=actor.id&from={from_30}&filter={}",
                encode(&format!("action:{action}"))
            ),
            facet("actor_id", &from_30, &format!("action = '{action}'")),
            pg_facet("actor_id", &from_30),
        ),
        counts(
            "90 days, histogram by day",
            Some(20),
            format!("/v1/events/histogram?interval=1d&from={from_90}&to={}", day_text(0)),
            histogram(&from_90, "1"),
            pg_histogram(&from_90),
        ),
        counts(
            "90 days, histogram of one actor",
            Some(20),
            format!(
                "/v1/events/histogram?interval=1d&from={from_90}&to={}&filter=actor.id:u_00000",
                day_text(0)
            ),
            histogram(&from_90, "actor_id = 'u_00000'"),
            pg_histogram(&from_90),
        ),
    ]
}

fn facet(column: &str, from: &str, and: &str) -> String {
    format!(
        "SELECT {column}, count() AS n FROM events WHERE tenant = '{{tenant}}' AND occurred_at >= parseDateTimeBestEffort('{from}') AND {and} GROUP BY {column} ORDER BY n DESC LIMIT 10"
    )
}

fn pg_facet(column: &str, from: &str) -> String {
    format!(
        "SELECT {column}, count(*) AS n FROM audit_events WHERE occurred_at >= '{from}' GROUP BY {column} ORDER BY n DESC LIMIT 10"
    )
}

fn histogram(from: &str, and: &str) -> String {
    format!(
        "SELECT toStartOfDay(occurred_at) AS day, outcome, count() FROM events WHERE tenant = '{{tenant}}' AND occurred_at >= parseDateTimeBestEffort('{from}') AND {and} GROUP BY day, outcome ORDER BY day"
    )
}

fn pg_histogram(from: &str) -> String {
    format!(
        "SELECT date_trunc('day', occurred_at) AS day, body->>'outcome', count(*) FROM audit_events WHERE occurred_at >= '{from}' GROUP BY 1, 2 ORDER BY 1"
    )
}

fn event(workload: &Workload, index: u64, count: u64) -> Value {
    let mut line = String::new();
    workload.write_event(0, index, count, &mut line);
    serde_json::from_str(&line).unwrap_or_default()
}

fn text(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The moment `days` before the newest event, RFC 3339.
fn day_text(days: i64) -> String {
    const DAY_MICROS: i64 = 86_400_000_000;
    recount_event::Timestamp::from_micros(UNTIL_MICROS - days * DAY_MICROS).to_string()
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
