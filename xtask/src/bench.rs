//! `cargo xtask bench`: release builds of the benchmarks in `bench/`, beside their peers, and of the
//! portal in a browser.

use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::environment::{install_for_bench, install_npm, python_program};
use crate::run::{cargo, check, root, test_folder};
use crate::services::postgres::Postgres;
use crate::services::seaweedfs::{ACCESS_KEY, BUCKET, SECRET_KEY, SeaweedFs};

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// What is measured
    suite: Suite,
    /// Arguments for the suite itself; `-- --help` lists them
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Suite {
    /// Appends over HTTP, beside PostgreSQL
    Ingest,
    /// The list, facet and histogram queries, beside ClickHouse and PostgreSQL
    Search,
    /// Delivery to S3 and webhooks, idle streams
    Streams,
    /// The portal in Chromium: first rows, typing, scrolling
    Portal,
}

/// Starts the peers, builds and runs the suite.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    install_for_bench()?;
    let suite = match args.suite {
        Suite::Ingest => "ingest",
        Suite::Search => "search",
        Suite::Streams => "streams",
        Suite::Portal => return portal(),
    };
    let services = test_folder().join("services");
    std::fs::create_dir_all(&services)?;
    let postgres = Postgres::start(&services.join("bench-postgres"))?;
    let seaweedfs = match args.suite {
        Suite::Streams => Some(SeaweedFs::start(&services.join("bench-seaweedfs"))?),
        _ => None,
    };
    let programs = build()?;
    check(
        Command::new(programs.join("recount-bench"))
            .arg(suite)
            .args(&args.arguments)
            .env("RECOUNT_BENCH_POSTGRES", &postgres.url)
            .env("RECOUNT_BENCH_S3_ENDPOINT", seaweedfs.as_ref().map_or("", |server| &server.endpoint))
            .env("RECOUNT_BENCH_S3_BUCKET", BUCKET)
            .env("RECOUNT_BENCH_S3_ACCESS_KEY", ACCESS_KEY)
            .env("RECOUNT_BENCH_S3_SECRET_KEY", SECRET_KEY)
            .env("RECOUNT_BENCH_PYTHON", python_program("python")),
    )
}

/// Builds both programs at once, and returns their folder: apart, their dependencies would be
/// compiled twice, each with the features that one of them needs.
fn build() -> anyhow::Result<PathBuf> {
    check(cargo().args(["build", "--release", "--package", "recount", "--package", "recount-bench"]))?;
    Ok(root().join("target/release"))
}

/// What a person waits for; measured by a script, since the browser is driven from Node.
fn portal() -> anyhow::Result<()> {
    let web = root().join("web");
    install_npm(&web)?;
    let binary = build()?.join("recount");
    check(Command::new("node").current_dir(&web).arg("scripts/bench.mjs").env("RECOUNT_BIN", binary))
}
