//! `cargo xtask`: the project's own chores. `test` runs everything CI runs, `tidy` enforces the
//! rules of the workspace, `bench` measures against peers, `ui` rebuilds the portal's assets.

mod bench;
mod environment;
mod run;
mod services;
mod test;
mod tidy;
mod ui;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs every check: formatting, lints, tests on both catalogs and S3, OpenAPI, browser
    Test(test::TestArgs),
    /// Checks the workspace's rules: crate dependencies, file sizes, headers, lock files
    Tidy,
    /// Measures Recount against peers and writes docs/benchmarks.md
    Bench(bench::BenchArgs),
    /// Rebuilds the portal's assets into crates/recount-ui/dist
    Ui(ui::UiArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Tidy => tidy::run(),
        Command::Bench(args) => bench::run(&args),
        Command::Ui(args) => ui::run(&args),
    }
}
