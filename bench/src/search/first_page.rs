//! `bench search --first-page`: whether a log's size shows in the time of its first page.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use recount_demo::Workload;

use crate::client::Connection;
use crate::machine::machine;
use crate::report::say;
use crate::server::Server;
use crate::timing::Latencies;
use crate::workload::{BATCH_EVENTS, Bodies};

/// Events of the tenant that the other is compared with.
const REFERENCE_EVENTS: u64 = 1_000_000;
const CONNECTIONS: usize = 8;
/// Pages that are asked for before time is taken.
const WARM_UP: usize = 20;
/// What a first page is filtered by.
const FILTERS: &[(&str, &str)] = &[
    ("newest 50", ""),
    ("newest 50, one actor", "actor.id:u_00000"),
    ("newest 50, denied", "outcome:denied"),
];

/// Loads both tenants, asks for their first pages, and makes the table.
pub(super) async fn run(events: u64, repeats: usize) -> anyhow::Result<String> {
    let mut server = Server::start(&[]).await?;
    // Numbers of the tenants, and their events.
    let tenants = [(1, REFERENCE_EVENTS), (0, events)];
    for (tenant, events) in tenants {
        load(&server, tenant, events).await?;
    }
    server.settle_down().await?;
    server.restart().await?;
    // What a server does in its first seconds is not what is asked here.
    server.settle_down().await?;
    let mut text = String::new();
    writeln!(
        text,
        "{}. One tenant with {REFERENCE_EVENTS} events, one with {events}, on one server. Milliseconds over HTTP, p50 and p99 of {repeats}, asked by turns.\n\n| first page | {REFERENCE_EVENTS} | | {events} | | ratio of p50 (target 1.5) |\n|---|---|---|---|---|---|",
        machine()
    )?;
    for (name, filter) in FILTERS {
        let path = format!("/v1/events?limit=50&filter={filter}");
        let mut readers = Vec::new();
        for (tenant, _) in tenants {
            let key = server.key(Some(&Workload::tenant(tenant)), "events:read").await?;
            readers.push((Connection::open(server.port, Some(&key)).await?, Latencies::default()));
        }
        // By turns, so that whatever else the machine does meets both.
        for round in 0..WARM_UP + repeats {
            for (connection, latencies) in &mut readers {
                let began = Instant::now();
                connection.get_ok(&path).await?;
                if round >= WARM_UP {
                    latencies.push(began.elapsed());
                }
            }
        }
        let times: Vec<_> = readers
            .iter_mut()
            .map(|(_, latencies)| (latencies.percentile_ms(50.0), latencies.percentile_ms(99.0)))
            .collect();
        let (small, large) = (times[0], times[1]);
        writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            small.0,
            small.1,
            large.0,
            large.1,
            large.0 / small.0
        )?;
    }
    Ok(text)
}

async fn load(server: &Server, tenant: u64, events: u64) -> anyhow::Result<()> {
    let key = server.key(Some(&Workload::tenant(tenant)), "events:write").await?;
    let bodies = Arc::new(Bodies::of_tenant(tenant));
    let next = Arc::new(AtomicU64::new(0));
    let batches = events / BATCH_EVENTS as u64;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
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
    let started = Instant::now();
    while !tasks.is_empty() {
        tokio::select! {
            done = tasks.join_next() => if let Some(done) = done { done??; },
            () = tokio::time::sleep(Duration::from_secs(20)) => {
                let count = next.load(Ordering::Relaxed).min(batches) * BATCH_EVENTS as u64;
                say(&format!("tenant {tenant}: {count} events, {:.0}/s", count as f64 / started.elapsed().as_secs_f64()));
            }
        }
    }
    Ok(())
}
