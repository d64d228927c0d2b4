//! `bench search`: the questions analysts ask, over HTTP, beside ClickHouse and PostgreSQL.

mod answers;
mod clickhouse;
mod first_page;
mod load;
mod plot;
mod postgres;
mod queries;
mod table;

use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use recount_demo::{Workload, WorkloadOptions, zipf_sizes};
use recount_event::Timestamp;

use crate::client::Connection;
use crate::report::{say, write};
use crate::server::Server;
use crate::timing::Latencies;
use answers::{Asked, Engine};
use queries::{Query, UNTIL_MICROS, queries};

/// Options of the suite. With `--events 1000000 --largest 300000` it runs in minutes.
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
    /// Repetitions of each question
    #[arg(long, default_value_t = 60)]
    repeats: usize,
    /// Leaves ClickHouse out
    #[arg(long)]
    no_clickhouse: bool,
    /// Leaves PostgreSQL out
    #[arg(long)]
    no_postgres: bool,
    /// Leaves PostgreSQL's GIN indexes out, which take the longest to build
    #[arg(long)]
    no_gin: bool,
    /// Instead of all this: the first page of a tenant with that many events beside one with a million
    #[arg(long, value_name = "EVENTS")]
    first_page: Option<u64>,
    /// Prints only; leaves docs/benchmarks.md as it is
    #[arg(long)]
    dry_run: bool,
}

/// Everything that was measured.
struct Measured {
    sizes: Vec<u64>,
    rest_bytes: f64,
    /// Events a second of a streamed export, by format.
    exports: Vec<(&'static str, f64)>,
    large: Engine,
    small: Engine,
    clickhouse: Option<clickhouse::ClickHouse>,
    postgres: Option<postgres::Postgres>,
}

/// Loads, asks, compares, prints and writes the tables and the plot.
pub(crate) async fn run(args: &SearchArgs) -> anyhow::Result<()> {
    if let Some(events) = args.first_page {
        let text = first_page::run(events, args.repeats).await?;
        return publish(args, "first-page", &text);
    }
    let workload = Workload::new(WorkloadOptions::until(Timestamp::from_micros(UNTIL_MICROS)));
    let sizes = zipf_sizes(args.events, args.largest, args.smallest);
    let (large, small) = (Workload::tenant(0), Workload::tenant(sizes.len() as u64 - 1));
    let queries = queries(&workload, sizes[0]);

    let mut server = Server::start(&[]).await?;
    load::recount(&server, &workload, &sizes).await?;
    server.settle_down().await?;
    let rest_bytes = server.stored_bytes().await? as f64 / args.events as f64;
    say(&format!("{} events of {} tenants, {rest_bytes:.0} bytes each at rest", args.events, sizes.len()));
    let mut measured = Measured {
        exports: exports(&server, &large, sizes[0]).await?,
        large: ask(&mut server, &large, &queries, args.repeats, true).await?,
        small: ask(&mut server, &small, &queries, args.repeats, false).await?,
        clickhouse: None,
        postgres: None,
        rest_bytes,
        sizes,
    };
    drop(server);
    if !args.no_clickhouse {
        say("ClickHouse: loading");
        let folder = tempfile::tempdir()?;
        load::files(folder.path(), &workload, &measured.sizes)?;
        let peer = clickhouse::ask(folder.path(), [&large, &small], &queries, args.repeats)?;
        ensure!(peer.size.1 == args.events, "ClickHouse holds {} events", peer.size.1);
        compare("ClickHouse", &queries, &measured.large, &peer.large)?;
        compare("ClickHouse", &queries, &measured.small, &peer.small)?;
        measured.clickhouse = Some(peer);
    }
    if !args.no_postgres {
        say("PostgreSQL: loading");
        let count = measured.sizes[0];
        let peer = postgres::ask(&workload, count, &queries, args.repeats, !args.no_gin).await?;
        compare("PostgreSQL", &queries, &measured.large, &peer.btree)?;
        measured.postgres = Some(peer);
    }
    let text = table::table(&queries, &measured)?;
    if !args.dry_run {
        plot::plot(&queries, &measured)?;
    }
    publish(args, "search", &text)
}

fn publish(args: &SearchArgs, part: &str, text: &str) -> anyhow::Result<()> {
    say(text);
    if args.dry_run { Ok(()) } else { write(part, text) }
}

/// Asks every question about a tenant, as that tenant; if `cold`, first of a server just started
/// whose files are not in memory.
async fn ask(
    server: &mut Server,
    tenant: &str,
    queries: &[Query],
    repeats: usize,
    cold: bool,
) -> anyhow::Result<Engine> {
    let key = server.key(Some(tenant), "events:read").await?;
    let mut engine = Engine::new();
    for query in queries {
        let path = query.path();
        let cold = if cold {
            server.restart().await?;
            let mut connection = Connection::open(server.port, Some(&key)).await?;
            let began = Instant::now();
            connection.get_ok(&path).await?;
            Some(began.elapsed().as_secs_f64() * 1e3)
        } else {
            None
        };
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let answer = answers::own(query.shape, &connection.get_ok(&path).await?)
            .with_context(|| format!("the answer to {path}"))?;
        let mut latencies = Latencies::default();
        for _ in 0..repeats {
            let began = Instant::now();
            connection.get_ok(&path).await?;
            latencies.push(began.elapsed());
        }
        let (p50, p99) = (latencies.percentile_ms(50.0), latencies.percentile_ms(99.0));
        say(&format!("{tenant}, {}: p50 {p50:.2} ms, p99 {p99:.2} ms, cold {cold:.2?}", query.name));
        engine.insert(query.name.to_owned(), Asked { answer, cold, p50, p99 });
    }
    Ok(engine)
}

/// Fails if a peer answers otherwise: then somebody's answer is wrong, and no time counts.
fn compare(peer: &str, queries: &[Query], own: &Engine, others: &Engine) -> anyhow::Result<()> {
    for query in queries {
        let (Some(own), Some(other)) = (own.get(query.name), others.get(query.name)) else { continue };
        ensure!(
            own.answer.agrees(&other.answer),
            "{peer} answers `{}` otherwise:\n{:?}\n{:?}",
            query.name,
            own.answer,
            other.answer
        );
    }
    Ok(())
}

/// Events a second of the whole tenant's export.
async fn exports(server: &Server, tenant: &str, events: u64) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let key = server.key(Some(tenant), "events:read exports:write").await?;
    let mut rates = Vec::new();
    for format in ["ndjson", "csv"] {
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let began = Instant::now();
        let bytes = connection.drain(&format!("/v1/export?format={format}")).await?;
        let rate = events as f64 / began.elapsed().as_secs_f64();
        say(&format!("export as {format}: {rate:.0} events/s, {} MB", bytes / 1_000_000));
        rates.push((format, rate));
    }
    Ok(rates)
}
