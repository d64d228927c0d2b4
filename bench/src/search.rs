//! `bench search`: the questions analysts ask, over HTTP, beside ClickHouse and PostgreSQL.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use recount_demo::{Workload, WorkloadOptions, zipf_sizes};
use recount_event::Timestamp;

use crate::client::Connection;
use crate::report::{machine, say, write};
use crate::search_plot::plot;
use crate::search_queries::{Query, queries};
use crate::server::Server;
use crate::timing::Latencies;
use crate::{peer_clickhouse, peer_postgres};

/// Options of the suite.
#[derive(Args)]
pub(crate) struct SearchArgs {
    /// Events of all tenants
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Events of the largest tenant; the others follow by Zipf's law
    #[arg(long, default_value_t = 3_000_000)]
    largest: u64,
    /// Events of the smallest tenants
    #[arg(long, default_value_t = 1_000)]
    smallest: u64,
    /// Events of the largest tenant that PostgreSQL gets; 0 leaves it out
    #[arg(long, default_value_t = 1_000_000)]
    postgres_events: u64,
    /// Leaves ClickHouse out
    #[arg(long)]
    no_clickhouse: bool,
    /// Repetitions of each query
    #[arg(long, default_value_t = 60)]
    repeats: usize,
    /// Prints only; leaves docs/benchmarks.md as it is
    #[arg(long)]
    dry_run: bool,
}

const BATCH_EVENTS: u64 = 1_000;
const LOAD_CONNECTIONS: usize = 4;
/// The newest event is just before this moment.
pub(crate) const UNTIL_MICROS: i64 = 1_782_900_000_000_000;

/// A query's latencies in milliseconds.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
pub(crate) struct Timing {
    pub(crate) cold: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Timings of one engine by query name.
pub(crate) type Timings = BTreeMap<String, Timing>;

/// Loads, asks, prints and writes the table and the plot.
pub(crate) async fn run(args: &SearchArgs) -> anyhow::Result<()> {
    let workload = Workload::new(WorkloadOptions::until(Timestamp::from_micros(UNTIL_MICROS)));
    let sizes = zipf_sizes(args.events, args.largest, args.smallest);
    let small = sizes.len() as u64 - 1;
    let mut server = Server::start(&[]).await?;
    load(&server, &workload, &sizes).await?;
    server.settle_down().await?;
    let events: u64 = sizes.iter().sum();
    let rest = server.object_bytes()? as f64 / events as f64;
    say(&format!("{events} events of {} tenants, {rest:.0} bytes each at rest", sizes.len()));

    let queries = queries(&workload, sizes[0]);
    server.restart().await?;
    let large_timings = ask(&server, &Workload::tenant(0), &queries, args.repeats).await?;
    let small_timings = ask(&server, &Workload::tenant(small), &queries, args.repeats).await?;
    let clickhouse = if args.no_clickhouse {
        Timings::new()
    } else {
        say("loading ClickHouse from the same segments");
        peer_clickhouse::ask(&server.data(), &[0, small], &queries, args.repeats)?
    };
    let postgres = if args.postgres_events == 0 {
        Timings::new()
    } else {
        say("loading PostgreSQL");
        let count = args.postgres_events.min(sizes[0]);
        peer_postgres::load(&workload, sizes[0], count).await?;
        peer_postgres::ask(&queries, args.repeats).await?
    };
    let text = table(args, &sizes, rest, &queries, &large_timings, &small_timings, &clickhouse, &postgres)?;
    say(&text);
    if !args.dry_run {
        write("search", &text)?;
        plot(&queries, &large_timings, &clickhouse)?;
    }
    Ok(())
}

async fn load(server: &Server, workload: &Workload, sizes: &[u64]) -> anyhow::Result<()> {
    let key = server.key(None, "events:write").await?;
    let mut jobs: Vec<(f64, u64, u64)> = Vec::new();
    for (tenant, &size) in sizes.iter().enumerate() {
        for first in (0..size).step_by(usize::try_from(BATCH_EVENTS)?) {
            jobs.push((first as f64 / size as f64, tenant as u64, first));
        }
    }
    // All tenants' logs grow together, as they do in life.
    jobs.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (jobs, sizes) = (Arc::new(jobs), Arc::new(sizes.to_vec()));
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..LOAD_CONNECTIONS {
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let (jobs, sizes, next, workload) = (jobs.clone(), sizes.clone(), next.clone(), workload.clone());
        tasks.spawn(async move {
            while let Some(&(_, tenant, first)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let size = sizes[tenant as usize];
                let mut body = String::new();
                for index in first..size.min(first + BATCH_EVENTS) {
                    workload.write_event(tenant, index, size, &mut body);
                    body.push('\n');
                }
                let (status, answer) = connection.post("/v1/events", body.into()).await?;
                ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
            }
            anyhow::Ok(())
        });
    }
    while !tasks.is_empty() {
        tokio::select! {
            done = tasks.join_next() => if let Some(done) = done { done??; },
            () = tokio::time::sleep(Duration::from_secs(10)) => {
                let done = next.load(Ordering::Relaxed) * BATCH_EVENTS as usize;
                say(&format!("loaded about {done} events in {:.0} s", started.elapsed().as_secs_f64()));
            }
        }
    }
    Ok(())
}

async fn ask(server: &Server, tenant: &str, queries: &[Query], repeats: usize) -> anyhow::Result<Timings> {
    let mut connection = server.operator().await?;
    // The operator's look at the tenant is recorded once; that is not what is measured.
    let path = format!("/v1/events?limit=1&tenant={tenant}");
    let (status, answer) = connection.get(&path).await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
    let mut timings = Timings::new();
    for query in queries {
        let path = format!("{}&tenant={tenant}", query.path);
        let mut latencies = Latencies::default();
        let mut cold = 0.0;
        for repeat in 0..=repeats {
            let started = Instant::now();
            let (status, answer) = connection.get(&path).await?;
            let elapsed = started.elapsed();
            ensure!(status == 200, "{path}: {status}: {}", String::from_utf8_lossy(&answer));
            if repeat == 0 {
                cold = elapsed.as_secs_f64() * 1e3;
            } else {
                latencies.push(elapsed);
            }
        }
        let timing = Timing { cold, p50: latencies.percentile_ms(50.0), p99: latencies.percentile_ms(99.0) };
        say(&format!("{tenant} {}: {timing:.2?}", query.name));
        timings.insert(query.name.to_owned(), timing);
    }
    Ok(timings)
}

#[expect(clippy::too_many_arguments, reason = "a table of everything that was measured")]
fn table(
    args: &SearchArgs,
    sizes: &[u64],
    rest: f64,
    queries: &[Query],
    large: &Timings,
    small: &Timings,
    clickhouse: &Timings,
    postgres: &Timings,
) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "{}. {} events of {} tenants; the largest has {}, the smallest {}; {rest:.0} bytes an event at rest. Milliseconds; Recount over HTTP, ClickHouse (chdb) in its process, PostgreSQL over TCP with {} events of the largest tenant. The ratio is ClickHouse's p50 over Recount's: above 1, Recount is faster.\n",
        machine(),
        sizes.iter().sum::<u64>(),
        sizes.len(),
        sizes[0],
        sizes[sizes.len() - 1],
        args.postgres_events
    )?;
    writeln!(
        text,
        "| query | target | Recount p50 | p99 | cold | ClickHouse p50 | p99 | ratio | PostgreSQL p50 | small tenant p50 |"
    )?;
    writeln!(text, "|---|---|---|---|---|---|---|---|---|---|")?;
    for query in queries {
        let cell = |timing: Option<&Timing>, pick: fn(&Timing) -> f64| {
            timing.map_or_else(|| "–".to_owned(), |timing| format!("{:.1}", pick(timing)))
        };
        let (own, other) = (large.get(query.name), clickhouse.get(query.name));
        let ratio = match (own, other) {
            (Some(own), Some(other)) => format!("{:.1}×", other.p50 / own.p50),
            _ => "–".to_owned(),
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {ratio} | {} | {} |",
            query.name,
            query.target_ms.map_or_else(|| "–".to_owned(), |target| format!("{target}")),
            cell(own, |timing| timing.p50),
            cell(own, |timing| timing.p99),
            cell(own, |timing| timing.cold),
            cell(other, |timing| timing.p50),
            cell(other, |timing| timing.p99),
            cell(postgres.get(query.name), |timing| timing.p50),
            cell(small.get(query.name), |timing| timing.p50),
        )?;
    }
    writeln!(text, "\n![Recount and ClickHouse, milliseconds](images/bench-search.svg)")?;
    Ok(text)
}
