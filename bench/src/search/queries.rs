//! The questions of `bench search`, each in three languages: Recount's API, ClickHouse, PostgreSQL.

use recount_demo::Workload;
use recount_event::Timestamp;
use serde_json::Value;

/// Every question is about events before this moment; the newest event is just before it.
pub(crate) const UNTIL_MICROS: i64 = 1_782_900_000_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
/// Rows of a page.
const LIMIT: u32 = 50;
/// Values of a facet.
const FACET_LIMIT: u32 = 10;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// How many events.
    Count,
    /// The newest page.
    List,
    /// The most frequent actions.
    Actions,
    /// The most frequent actors.
    Actors,
    /// Counts by day and outcome.
    Days,
}

/// One question.
pub(crate) struct Query {
    pub(crate) name: &'static str,
    /// The p50 to reach on the large tenant, in milliseconds.
    pub(crate) target_ms: Option<u32>,
    pub(crate) shape: Shape,
    /// How many days back from the newest event, if not all.
    days: Option<i64>,
    /// The same condition for each engine.
    filter: String,
    clickhouse: String,
    postgres: String,
}

/// The questions about the large tenant with `count` events: those of the engines' comparison that
/// the design rests on, then words, and counts under a filter.
pub(crate) fn queries(workload: &Workload, count: u64) -> Vec<Query> {
    let middle = event(workload, count / 2, count);
    let (trace, action) = (text(&middle, "/metadata/trace"), text(&middle, "/action"));
    let (target_type, target_id) = (text(&middle, "/targets/0/type"), text(&middle, "/targets/0/id"));
    let inside = &trace[2..trace.len() - 2];
    let ask = |name, target_ms, shape, days, filter: &str, clickhouse: &str, postgres: &str| Query {
        name,
        target_ms,
        shape,
        days,
        filter: filter.to_owned(),
        clickhouse: clickhouse.to_owned(),
        postgres: postgres.to_owned(),
    };
    let list = |name, target_ms, filter: &str, clickhouse: &str, postgres: &str| {
        ask(name, target_ms, Shape::List, None, filter, clickhouse, postgres)
    };
    let actor = |id: &str| (format!("actor.id:{id}"), format!("actor_id = '{id}'"));
    let by_actor = |name, target_ms, id: &str| {
        let (filter, sql) = actor(id);
        list(name, target_ms, &filter, &sql, &sql)
    };
    let word = |name, target_ms, word: &str| {
        let has = format!("hasToken(body, '{word}')");
        list(name, target_ms, word, &has, &like(word))
    };
    let phrase = |name, text: &str| {
        list(name, None, &format!("\"{text}\""), &format!("body LIKE '%{text}%'"), &like(text))
    };
    let (action_filter, action_sql) = (format!("action:{action}"), format!("action = '{action}'"));
    let (actor_filter, actor_sql) = actor("u_00000");
    vec![
        ask("count of all", None, Shape::Count, None, "", "1", "true"),
        list("newest 50", Some(4), "", "1", "true"),
        by_actor("frequent actor", Some(10), "u_00000"),
        by_actor("rare actor", Some(40), "u_04999"),
        list("one action", Some(10), &action_filter, &action_sql, &action_sql),
        list(
            "one target",
            Some(10),
            &format!("target:{target_type}/{target_id}"),
            &format!("target = '{target_type}/{target_id}'"),
            &format!("body @> '{{\"targets\":[{{\"type\":\"{target_type}\",\"id\":\"{target_id}\"}}]}}'"),
        ),
        ask("30 days, facet action", Some(20), Shape::Actions, Some(30), "", "1", "true"),
        ask("30 days, facet actor", Some(20), Shape::Actors, Some(30), "", "1", "true"),
        ask("90 days, histogram by day", Some(20), Shape::Days, Some(90), "", "1", "true"),
        phrase("part of a word, one hit", inside),
        phrase("part of a word, common", "nterpris"),
        phrase("part of a word, nowhere", "zqxnowher"),
        word("rare word", Some(25), &trace),
        word("common word", None, "enterprise"),
        word("word that is nowhere", Some(25), "zzqxnowhere"),
        list(
            "action and word",
            None,
            &format!("{action_filter} enterprise"),
            &format!("{action_sql} AND hasToken(body, 'enterprise')"),
            &format!("{action_sql} AND {}", like("enterprise")),
        ),
        ask(
            "30 days, facet actor of one action",
            Some(20),
            Shape::Actors,
            Some(30),
            &action_filter,
            &action_sql,
            &action_sql,
        ),
        ask(
            "90 days, histogram of one actor",
            Some(20),
            Shape::Days,
            Some(90),
            &actor_filter,
            &actor_sql,
            &actor_sql,
        ),
    ]
}

impl Query {
    /// Path and query of the API.
    pub(crate) fn path(&self) -> String {
        let (what, more) = match self.shape {
            Shape::List => ("", format!("limit={LIMIT}")),
            Shape::Actions => ("/facets", format!("fields=action&limit={FACET_LIMIT}")),
            Shape::Actors => ("/facets", format!("fields=actor.id&limit={FACET_LIMIT}")),
            Shape::Count => ("/histogram", "interval=10w".to_owned()),
            Shape::Days => ("/histogram", "interval=1d".to_owned()),
        };
        let from = self.from().map_or_else(String::new, |from| format!("&from={from}"));
        format!("/v1/events{what}?{more}{from}&to={}&filter={}", until(), encode(&self.filter))
    }

    /// The question in ClickHouse's SQL.
    pub(crate) fn clickhouse(&self, tenant: &str) -> String {
        let time = |text: &str| format!("toDateTime64('{}', 6, 'UTC')", text.trim_end_matches('Z'));
        let select = match self.shape {
            Shape::Count => ("count() AS n", ""),
            Shape::List => ("id, body", "ORDER BY occurred_at DESC LIMIT 50"),
            Shape::Actions => ("action AS value, count() AS n", "GROUP BY value ORDER BY n DESC LIMIT 10"),
            Shape::Actors => ("actor_id AS value, count() AS n", "GROUP BY value ORDER BY n DESC LIMIT 10"),
            Shape::Days => (
                "concat(toString(toDate(occurred_at)), ' ', outcome) AS value, count() AS n",
                "GROUP BY value",
            ),
        };
        self.sql(tenant, select, &self.clickhouse, time, "events")
    }

    /// The question in PostgreSQL's SQL; counts come as text and number.
    pub(crate) fn postgres(&self, tenant: &str) -> String {
        let time = |text: &str| format!("'{text}'");
        let select = match self.shape {
            Shape::Count => ("'' AS value, count(*) AS n", ""),
            Shape::List => ("id AS value, 0::bigint AS n, body::text", "ORDER BY occurred_at DESC LIMIT 50"),
            Shape::Actions => ("action AS value, count(*) AS n", "GROUP BY value ORDER BY n DESC LIMIT 10"),
            Shape::Actors => ("actor_id AS value, count(*) AS n", "GROUP BY value ORDER BY n DESC LIMIT 10"),
            Shape::Days => (
                "to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD ') || coalesce(body->>'outcome', 'success') AS value, count(*) AS n",
                "GROUP BY value",
            ),
        };
        self.sql(tenant, select, &self.postgres, time, "audit_events")
    }

    fn sql(
        &self,
        tenant: &str,
        (columns, end): (&str, &str),
        condition: &str,
        time: impl Fn(&str) -> String,
        table: &str,
    ) -> String {
        let from =
            self.from().map_or_else(String::new, |from| format!(" AND occurred_at >= {}", time(&from)));
        format!(
            "SELECT {columns} FROM {table} WHERE tenant = '{tenant}' AND occurred_at < {}{from} AND {condition} {end}",
            time(&until())
        )
    }

    fn from(&self) -> Option<String> {
        self.days.map(|days| Timestamp::from_micros(UNTIL_MICROS - days * DAY_MICROS).to_string())
    }
}

fn until() -> String {
    Timestamp::from_micros(UNTIL_MICROS).to_string()
}

fn like(text: &str) -> String {
    format!("body::text LIKE '%{text}%'")
}

fn event(workload: &Workload, index: u64, count: u64) -> Value {
    let mut line = String::new();
    workload.write_event(0, index, count, &mut line);
    serde_json::from_str(&line).unwrap_or_default()
}

fn text(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
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
