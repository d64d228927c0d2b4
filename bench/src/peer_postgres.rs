//! PostgreSQL as an audit log: one row an event, the usual four indexes, durable commits.

use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// The table that a vendor makes who keeps audit events in PostgreSQL.
pub(crate) const TABLE: &[&str] = &[
    "DROP TABLE IF EXISTS audit_events",
    "CREATE TABLE audit_events (
        tenant text NOT NULL, id text NOT NULL, occurred_at timestamptz NOT NULL,
        actor_id text NOT NULL, action text NOT NULL, body jsonb NOT NULL)",
];

/// Its usual four indexes.
pub(crate) const INDEXES: &[&str] = &[
    "ALTER TABLE audit_events ADD PRIMARY KEY (tenant, id)",
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
    for statement in TABLE.iter().chain(INDEXES) {
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

/// A pool whose commits are durable.
pub(crate) async fn connect(connections: usize) -> anyhow::Result<PgPool> {
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
