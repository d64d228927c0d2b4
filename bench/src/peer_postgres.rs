//! PostgreSQL as an audit log: one row an event, the usual four indexes, durable commits.

use std::time::{Duration, Instant};

use anyhow::Context;
use recount_demo::Workload;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::search::{Timing, Timings};
use crate::search_queries::Query;
use crate::timing::Latencies;

/// The table and indexes that a vendor makes who keeps audit events in PostgreSQL.
const SCHEMA: &[&str] = &[
    "DROP TABLE IF EXISTS audit_events",
    "CREATE TABLE audit_events (
        tenant text NOT NULL, id text NOT NULL, occurred_at timestamptz NOT NULL,
        actor_id text NOT NULL, action text NOT NULL, body jsonb NOT NULL,
        PRIMARY KEY (tenant, id))",
    "CREATE INDEX ON audit_events (tenant, occurred_at DESC)",
    "CREATE INDEX ON audit_events (tenant, actor_id, occurred_at DESC)",
    "CREATE INDEX ON audit_events (tenant, action, occurred_at DESC)",
];

const INSERT: &str = "INSERT INTO audit_events (tenant, id, occurred_at, actor_id, action, body)
    SELECT event->>'tenant', event->>'id', (event->>'occurred_at')::timestamptz,
           event->'actor'->>'id', event->>'action', event
    FROM jsonb_array_elements($1::jsonb) AS event
    ON CONFLICT DO NOTHING";

/// The same appends: `batches` JSON arrays over `connections` connections, each batch one
/// statement and one durable commit. Returns the time it took.
pub(crate) async fn append(connections: usize, batches: Vec<String>) -> anyhow::Result<Duration> {
    let pool = connect(connections).await?;
    for statement in SCHEMA {
        sqlx::query(*statement).execute(&pool).await?;
    }
    let batches = std::sync::Arc::new(std::sync::Mutex::new(batches));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (pool, batches) = (pool.clone(), batches.clone());
        tasks.spawn(async move {
            loop {
                let next = batches.lock().ok().and_then(|mut batches| batches.pop());
                let Some(batch) = next else { return Ok(()) };
                sqlx::query(INSERT).bind(batch).execute(&pool).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        let done: Result<(), sqlx::Error> = done?;
        done.context("PostgreSQL refused a batch")?;
    }
    Ok(started.elapsed())
}

/// Bytes on disk of the table with its indexes, and its rows.
pub(crate) async fn size() -> anyhow::Result<(i64, i64)> {
    let pool = connect(1).await?;
    let bytes = sqlx::query_scalar("SELECT pg_total_relation_size('audit_events')").fetch_one(&pool).await?;
    let rows = sqlx::query_scalar("SELECT count(*) FROM audit_events").fetch_one(&pool).await?;
    Ok((bytes, rows))
}

/// Loads the newest `count` events of a tenant with `size` events, and analyses.
pub(crate) async fn load(workload: &Workload, size: u64, count: u64) -> anyhow::Result<()> {
    const STATEMENT_EVENTS: u64 = 10_000;
    let pool = connect(1).await?;
    for statement in SCHEMA {
        sqlx::query(*statement).execute(&pool).await?;
    }
    let mut line = String::new();
    for first in ((size - count)..size).step_by(usize::try_from(STATEMENT_EVENTS)?) {
        let mut batch = String::from("[");
        for index in first..size.min(first + STATEMENT_EVENTS) {
            line.clear();
            workload.write_event(0, index, size, &mut line);
            batch.push_str(if batch.len() > 1 { "," } else { "" });
            batch.push_str(&line);
        }
        batch.push(']');
        sqlx::query(INSERT).bind(batch).execute(&pool).await?;
    }
    sqlx::query("VACUUM ANALYZE audit_events").execute(&pool).await?;
    Ok(())
}

/// Times the queries, one connection, warm after the first.
pub(crate) async fn ask(queries: &[Query], repeats: usize) -> anyhow::Result<Timings> {
    const SLOW: Duration = Duration::from_millis(500);
    const SLOW_REPEATS: usize = 3;
    let pool = connect(1).await?;
    let mut timings = Timings::new();
    for query in queries {
        let (mut latencies, mut cold) = (Latencies::default(), Duration::ZERO);
        let mut wanted = repeats;
        let mut repeat = 0;
        while repeat <= wanted {
            let started = Instant::now();
            sqlx::query(AssertSqlSafe(query.postgres.as_str())).fetch_all(&pool).await?;
            if repeat == 0 {
                cold = started.elapsed();
                wanted = if cold > SLOW { SLOW_REPEATS } else { repeats };
            } else {
                latencies.push(started.elapsed());
            }
            repeat += 1;
        }
        let timing = Timing {
            cold: cold.as_secs_f64() * 1e3,
            p50: latencies.percentile_ms(50.0),
            p99: latencies.percentile_ms(99.0),
        };
        timings.insert(query.name.to_owned(), timing);
    }
    Ok(timings)
}

async fn connect(connections: usize) -> anyhow::Result<PgPool> {
    let url = std::env::var("RECOUNT_BENCH_POSTGRES")
        .context("RECOUNT_BENCH_POSTGRES is not set; start through `cargo xtask bench`")?;
    let pool = PgPoolOptions::new()
        .max_connections(u32::try_from(connections)?)
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query("SET synchronous_commit = on").execute(connection).await?;
                Ok(())
            })
        })
        .connect(&url)
        .await?;
    Ok(pool)
}
