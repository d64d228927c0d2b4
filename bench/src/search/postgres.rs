//! PostgreSQL on the large tenant's events: with the usual four indexes, then with two GIN indexes
//! as well.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context;
use recount_demo::Workload;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgPool, Row};

use super::answers::{Answer, Asked, Engine};
use super::queries::{Query, Shape};
use crate::peer_postgres::{INDEXES, TABLE, connect, size};
use crate::report::say;
use crate::timing::Latencies;

/// Indexes for what is inside the events: members and any text.
const GIN: &[&str] = &[
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ON audit_events USING gin (body jsonb_path_ops)",
    "CREATE INDEX ON audit_events USING gin ((body::text) gin_trgm_ops)",
];
/// Bytes of one message of COPY.
const COPY_BYTES: usize = 1 << 20;
/// Above this a question is asked a few times only, above that once more.
const SLOW: Duration = Duration::from_millis(500);
const SLOW_REPEATS: usize = 3;
const VERY_SLOW: Duration = Duration::from_secs(5);

/// What PostgreSQL made of it.
pub(crate) struct Postgres {
    pub(crate) btree: Engine,
    pub(crate) btree_size: (i64, i64),
    /// With GIN indexes as well, if they were asked for.
    pub(crate) gin: Engine,
    pub(crate) gin_size: (i64, i64),
}

/// Loads the large tenant's `count` events and asks about them.
pub(crate) async fn ask(
    workload: &Workload,
    count: u64,
    queries: &[Query],
    repeats: usize,
    with_gin: bool,
) -> anyhow::Result<Postgres> {
    let pool = connect(1).await?;
    execute(&pool, TABLE).await?;
    let began = Instant::now();
    load(&pool, workload, count).await?;
    execute(&pool, INDEXES).await?;
    execute(&pool, &["VACUUM ANALYZE audit_events"]).await?;
    say(&format!("PostgreSQL: loaded and indexed in {:.0} s", began.elapsed().as_secs_f64()));
    let btree = answers(&pool, queries, repeats).await?;
    let btree_size = size().await?;
    let (mut gin, mut gin_size) = (Engine::new(), (0, 1));
    if with_gin {
        let began = Instant::now();
        execute(&pool, &["SET maintenance_work_mem = '2GB'"]).await?;
        execute(&pool, GIN).await?;
        execute(&pool, &["VACUUM ANALYZE audit_events"]).await?;
        say(&format!("PostgreSQL: GIN indexes in {:.0} s", began.elapsed().as_secs_f64()));
        gin = answers(&pool, queries, repeats).await?;
        gin_size = size().await?;
    }
    Ok(Postgres { btree, btree_size, gin, gin_size })
}

async fn execute(pool: &PgPool, statements: &[&'static str]) -> anyhow::Result<()> {
    for statement in statements {
        sqlx::query(*statement).execute(pool).await.with_context(|| (*statement).to_owned())?;
    }
    Ok(())
}

/// The members of an event that have a column.
#[derive(Deserialize)]
struct Columns<'a> {
    id: &'a str,
    tenant: &'a str,
    occurred_at: &'a str,
    action: &'a str,
    #[serde(borrow)]
    actor: Actor<'a>,
}

#[derive(Deserialize)]
struct Actor<'a> {
    id: &'a str,
}

async fn load(pool: &PgPool, workload: &Workload, count: u64) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    let mut copy = connection
        .copy_in_raw("COPY audit_events (tenant, id, occurred_at, actor_id, action, body) FROM STDIN")
        .await?;
    let (mut line, mut rows) = (String::new(), Vec::with_capacity(COPY_BYTES + 4_096));
    for index in 0..count {
        line.clear();
        workload.write_event(0, index, count, &mut line);
        let event: Columns = serde_json::from_str(&line)?;
        let body = line.replace('\\', "\\\\");
        writeln!(
            rows,
            "{}\t{}\t{}\t{}\t{}\t{body}",
            event.tenant, event.id, event.occurred_at, event.actor.id, event.action
        )?;
        if rows.len() >= COPY_BYTES {
            copy.send(std::mem::take(&mut rows)).await?;
        }
    }
    copy.send(rows).await?;
    copy.finish().await?;
    Ok(())
}

async fn answers(pool: &PgPool, queries: &[Query], repeats: usize) -> anyhow::Result<Engine> {
    let mut engine = Engine::new();
    for query in queries {
        let sql = query.postgres(&Workload::tenant(0));
        let (mut latencies, mut answer, mut wanted) = (Latencies::default(), None, repeats);
        for repeat in 0.. {
            if repeat > wanted {
                break;
            }
            let began = Instant::now();
            let rows = sqlx::query(AssertSqlSafe(sql.as_str()))
                .fetch_all(pool)
                .await
                .with_context(|| sql.clone())?;
            let elapsed = began.elapsed();
            if answer.is_some() {
                latencies.push(elapsed);
                continue;
            }
            wanted = match elapsed {
                _ if elapsed > VERY_SLOW => 1,
                _ if elapsed > SLOW => SLOW_REPEATS,
                _ => repeats,
            };
            let pairs = rows
                .iter()
                .map(|row| {
                    Ok((row.try_get::<String, _>("value")?, row.try_get::<i64, _>("n")?.cast_unsigned()))
                })
                .collect::<Result<Vec<_>, sqlx::Error>>()?;
            answer = Some(match query.shape {
                Shape::List => Answer::Ids(pairs.into_iter().map(|(id, _)| id).collect()),
                _ => Answer::Counts(pairs.into_iter().collect()),
            });
        }
        let asked = Asked {
            answer: answer.context("a question was asked at least once")?,
            cold: None,
            p50: latencies.percentile_ms(50.0),
            p99: latencies.percentile_ms(99.0),
        };
        engine.insert(query.name.to_owned(), asked);
    }
    Ok(engine)
}
