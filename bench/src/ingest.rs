//! `bench ingest`: how fast events go in, durably, and what they weigh at rest.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;

use crate::client::Connection;
use crate::machine::{machine, speed};
use crate::peer_postgres;
use crate::report::{say, write};
use crate::server::Server;
use crate::timing::Latencies;
use crate::workload::{BATCH_EVENTS, Bodies};

/// Options of the suite.
#[derive(Args)]
pub(crate) struct IngestArgs {
    /// Events of the sustained run
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Events that PostgreSQL gets (it is slower: its rate is from fewer)
    #[arg(long, default_value_t = 500_000)]
    peer_events: u64,
    /// Seconds of the run with one event a request
    #[arg(long, default_value_t = 20)]
    single_seconds: u64,
    /// Tenants of the run with one event a tenant
    #[arg(long, default_value_t = 100_000)]
    tenants: u64,
    /// Prints only; leaves docs/benchmarks.md as it is
    #[arg(long)]
    dry_run: bool,
}

const BATCH_CONNECTIONS: usize = 8;
const SINGLE_CONNECTIONS: usize = 16;

/// Runs the four measurements and PostgreSQL's, prints and writes the table.
pub(crate) async fn run(args: &IngestArgs) -> anyhow::Result<()> {
    let sustained = sustained(args).await?;
    let single = single(args).await?;
    let many = many_tenants(args).await?;
    let peer = peer(args).await?;
    let mut text = String::new();
    writeln!(text, "{}. Client and server share the cores.\n", machine())?;
    writeln!(text, "| | Recount | target | PostgreSQL | ratio |\n|---|---|---|---|---|")?;
    writeln!(
        text,
        "| batches of {BATCH_EVENTS}, {BATCH_CONNECTIONS} connections, {} events: events/s | {:.0} | 150,000 | {:.0} | {:.1}× |",
        args.events,
        sustained.rate,
        peer.rate,
        sustained.rate / peer.rate
    )?;
    writeln!(
        text,
        "| bytes an event at rest ({:.0} sent) | {:.0} | 130 | {:.0} | {:.1}× |",
        sustained.sent_bytes,
        sustained.rest_bytes,
        peer.rest_bytes,
        peer.rest_bytes / sustained.rest_bytes
    )?;
    writeln!(
        text,
        "| one event a request, {SINGLE_CONNECTIONS} connections: events/s | {:.0} | 8,000 | | |",
        single.rate
    )?;
    writeln!(text, "| … p50 / p99, ms | {:.1} / {:.1} | – / 25 | | |", single.p50, single.p99)?;
    writeln!(
        text,
        "| {} tenants, one event each a round: events/s | {:.0} | 15,000 | | |",
        args.tenants, many.rate
    )?;
    writeln!(text, "| … memory when idle afterwards, MB | {:.0} | 300 | | |", many.idle_bytes as f64 / 1e6)?;
    writeln!(
        text,
        "\nWith all cores busy, each compressed {:.0} MB/s of events (zstd, level 1) before the sustained run and {:.0} MB/s after it. During the run the server used {:.2} of 2 cores; the tails held at most {} events, at most {} of them in tails due to be sealed, and {:.0} s after the last answer sealing and merging had nothing left to do. PostgreSQL got {} events.",
        sustained.speed_before,
        sustained.speed_after,
        sustained.server_cores,
        sustained.tail_events_max,
        sustained.due_events_max,
        sustained.settle_seconds,
        args.peer_events
    )?;
    say(&text);
    if !args.dry_run {
        write("ingest", &text)?;
    }
    Ok(())
}

struct Sustained {
    rate: f64,
    sent_bytes: f64,
    rest_bytes: f64,
    server_cores: f64,
    tail_events_max: u64,
    due_events_max: u64,
    settle_seconds: f64,
    /// Of the machine, see [`speed`].
    speed_before: f64,
    speed_after: f64,
}

async fn sustained(args: &IngestArgs) -> anyhow::Result<Sustained> {
    let speed_before = speed();
    let server = Server::start(&[]).await?;
    let key = server.key(None, "events:write").await?;
    let bodies = Arc::new(Bodies::new(0));
    let batches = args.events / BATCH_EVENTS as u64;
    let next = Arc::new(AtomicU64::new(0));
    let sent = Arc::new(AtomicU64::new(0));
    let (started, cpu) = (Instant::now(), server.processor_seconds()?);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..BATCH_CONNECTIONS {
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let (bodies, next, sent) = (bodies.clone(), next.clone(), sent.clone());
        tasks.spawn(async move {
            loop {
                let batch = next.fetch_add(1, Ordering::Relaxed);
                if batch >= batches {
                    return anyhow::Ok(());
                }
                let body = bodies.batch(batch);
                sent.fetch_add(body.len() as u64, Ordering::Relaxed);
                connection.append(body).await?;
            }
        });
    }
    let (mut tail_events_max, mut due_events_max) = (0, 0);
    while !tasks.is_empty() {
        tokio::select! {
            done = tasks.join_next() => if let Some(done) = done { done??; },
            () = tokio::time::sleep(Duration::from_secs(2)) => {
                let (tail, due) = server.tail_events().await?;
                tail_events_max = tail_events_max.max(tail);
                due_events_max = due_events_max.max(due);
                let count = next.load(Ordering::Relaxed).min(batches) * BATCH_EVENTS as u64;
                say(&format!("{count} events, {:.0}/s, tail {tail}, of it due {due}", count as f64 / started.elapsed().as_secs_f64()));
            }
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    let server_cores = (server.processor_seconds()? - cpu) / elapsed;
    let settle = Instant::now();
    server.settle_down().await?;
    let events = (batches * BATCH_EVENTS as u64) as f64;
    let settle_seconds = settle.elapsed().as_secs_f64();
    let speed_after = speed();
    let rest = server.stored_bytes().await? as f64 / events;
    Ok(Sustained {
        rate: events / elapsed,
        sent_bytes: sent.load(Ordering::Relaxed) as f64 / events,
        rest_bytes: rest,
        server_cores,
        tail_events_max,
        due_events_max,
        settle_seconds,
        speed_before,
        speed_after,
    })
}

struct Single {
    rate: f64,
    p50: f64,
    p99: f64,
}

async fn single(args: &IngestArgs) -> anyhow::Result<Single> {
    let server = Server::start(&[]).await?;
    let key = server.key(None, "events:write").await?;
    let bodies = Arc::new(Bodies::new(1));
    let next = Arc::new(AtomicU64::new(0));
    let (started, limit) = (Instant::now(), Duration::from_secs(args.single_seconds));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..SINGLE_CONNECTIONS {
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let (bodies, next) = (bodies.clone(), next.clone());
        tasks.spawn(async move {
            let mut latencies = Latencies::default();
            while started.elapsed() < limit {
                let body = bodies.single(next.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                let (status, answer) = connection.post("/v1/events", body).await?;
                latencies.push(sent.elapsed());
                ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
            }
            Ok(latencies)
        });
    }
    let mut latencies = Latencies::default();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    Ok(Single {
        rate: next.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64(),
        p50: latencies.percentile_ms(50.0),
        p99: latencies.percentile_ms(99.0),
    })
}

struct ManyTenants {
    rate: f64,
    idle_bytes: u64,
}

async fn many_tenants(args: &IngestArgs) -> anyhow::Result<ManyTenants> {
    const ROUNDS: u64 = 3;
    let server = Server::start(&[]).await?;
    let key = server.key(None, "events:write").await?;
    let bodies = Arc::new(Bodies::one_per_tenant(args.tenants));
    let batches = ROUNDS * args.tenants / BATCH_EVENTS as u64;
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..BATCH_CONNECTIONS {
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let (bodies, next) = (bodies.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let batch = next.fetch_add(1, Ordering::Relaxed);
                if batch >= batches {
                    return anyhow::Ok(());
                }
                connection.append(bodies.batch(batch)).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let rate = (batches * BATCH_EVENTS as u64) as f64 / started.elapsed().as_secs_f64();
    server.settle_down().await?;
    Ok(ManyTenants { rate, idle_bytes: server.resident_bytes()? })
}

struct Peer {
    rate: f64,
    rest_bytes: f64,
}

async fn peer(args: &IngestArgs) -> anyhow::Result<Peer> {
    let bodies = Bodies::new(0);
    let batches = args.peer_events / BATCH_EVENTS as u64;
    let texts = (0..batches)
        .map(|batch| String::from_utf8(bodies.batch(batch).to_vec()))
        .collect::<Result<Vec<_>, _>>()?;
    let elapsed = peer_postgres::append(BATCH_CONNECTIONS, texts).await?;
    let (bytes, rows) = peer_postgres::size().await?;
    Ok(Peer {
        rate: (batches * BATCH_EVENTS as u64) as f64 / elapsed.as_secs_f64(),
        rest_bytes: bytes as f64 / rows as f64,
    })
}
