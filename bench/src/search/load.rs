//! Filling the engines with the same events.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use recount_demo::Workload;

use crate::client::Connection;
use crate::report::say;
use crate::server::Server;

const BATCH_EVENTS: u64 = 1_000;
const CONNECTIONS: usize = 4;
/// Events of one file of lines.
const FILE_EVENTS: u64 = 500_000;

/// Sends all tenants' events to a server; their logs grow together, as they do in life.
pub(crate) async fn recount(server: &Server, workload: &Workload, sizes: &[u64]) -> anyhow::Result<()> {
    let key = server.key(None, "events:write").await?;
    let mut jobs: Vec<(f64, u64, u64)> = Vec::new();
    for (tenant, &size) in (0..).zip(sizes) {
        for first in (0..size).step_by(usize::try_from(BATCH_EVENTS)?) {
            jobs.push((first as f64 / size as f64, tenant, first));
        }
    }
    jobs.sort_by(|left, right| left.0.total_cmp(&right.0));
    let (jobs, sizes) = (Arc::new(jobs), Arc::new(sizes.to_vec()));
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(server.port, Some(&key)).await?;
        let (jobs, sizes, next, workload) = (jobs.clone(), sizes.clone(), next.clone(), workload.clone());
        tasks.spawn(async move {
            while let Some(&(_, tenant, first)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let size = sizes[tenant as usize];
                let mut body = String::from("[");
                for index in first..size.min(first + BATCH_EVENTS) {
                    if index > first {
                        body.push(',');
                    }
                    workload.write_event(tenant, index, size, &mut body);
                }
                body.push(']');
                connection.append(body.into()).await?;
            }
            anyhow::Ok(())
        });
    }
    while !tasks.is_empty() {
        tokio::select! {
            done = tasks.join_next() => if let Some(done) = done { done??; },
            () = tokio::time::sleep(Duration::from_secs(10)) => {
                let done = next.load(Ordering::Relaxed).min(jobs.len());
                say(&format!("loaded {done} of {} batches in {:.0} s", jobs.len(), started.elapsed().as_secs_f64()));
            }
        }
    }
    Ok(())
}

/// Writes all tenants' events as lines into files of a folder.
pub(crate) fn files(folder: &Path, workload: &Workload, sizes: &[u64]) -> anyhow::Result<()> {
    let mut written: u64 = 0;
    let mut file: Option<std::io::BufWriter<std::fs::File>> = None;
    let mut line = String::new();
    for (tenant, &size) in (0..).zip(sizes) {
        for index in 0..size {
            if written.is_multiple_of(FILE_EVENTS) {
                if let Some(mut full) = file.take() {
                    full.flush()?;
                }
                let path = folder.join(format!("{:04}.ndjson", written / FILE_EVENTS));
                file = Some(std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?));
            }
            line.clear();
            workload.write_event(tenant, index, size, &mut line);
            line.push('\n');
            if let Some(file) = &mut file {
                file.write_all(line.as_bytes())?;
            }
            written += 1;
        }
    }
    if let Some(mut last) = file {
        last.flush()?;
    }
    ensure!(written == sizes.iter().sum::<u64>(), "all events are written");
    Ok(())
}
