//! Benchmarks of Recount beside its peers, in the same run. `cargo xtask bench` starts the peers,
//! builds in release mode and calls this program; results go to docs/benchmarks.md.

mod client;
mod ingest;
mod machine;
mod peer_postgres;
mod report;
mod search;
mod server;
mod streams;
mod timing;
mod workload;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "recount-bench", about = "Benchmarks of Recount beside its peers")]
struct Cli {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Subcommand)]
enum Suite {
    /// Appends over HTTP, beside PostgreSQL
    Ingest(ingest::IngestArgs),
    /// The queries of analysts, beside ClickHouse and PostgreSQL
    Search(search::SearchArgs),
    /// Delivery to a bucket and a webhook, and idle streams
    Streams(streams::StreamsArgs),
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().suite {
        Suite::Ingest(args) => ingest::run(&args).await,
        Suite::Search(args) => search::run(&args).await,
        Suite::Streams(args) => streams::run(&args).await,
    }
}
