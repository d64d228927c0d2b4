//! The `recount` program: the server, the demo, the importer and the client commands.
//!
//! `main.rs` only calls [`run`]. Each command has a file in [`commands`]; [`config`] holds the
//! server's settings, [`import`] brings foreign logs in, [`client`] speaks to a server.

pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod exit;
pub mod import;
pub mod output;
pub mod server;
pub mod telemetry;
pub mod when;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use exit::{Exit, Failed};

/// Runs the program with those arguments; prints what went wrong.
#[must_use]
pub fn run(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(cli::protect_negations(arguments)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes; clap knows where each is to be printed.
            let _ = error.print();
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            return ExitCode::from(exit.code());
        }
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::new(Exit::Failure, format!("cannot start: {error}")))
        .and_then(|runtime| {
            let outcome = runtime.block_on(dispatch(cli.command));
            // A command that is done has finished what matters. What it gave up, the look-up of a
            // name that nobody answers, must not keep the program from ending.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failed) => {
            let message = failed.to_string();
            if !message.is_empty() {
                eprintln!("{} {message}", output::Paint::stderr().red("error:"));
            }
            ExitCode::from(failed.exit.code())
        }
    }
}

async fn dispatch(command: Command) -> Result<Exit, Failed> {
    match command {
        Command::Serve(command) => Box::pin(command.run()).await,
        Command::Demo(command) => Box::pin(command.run()).await,
        Command::Import(command) => Box::pin(command.run()).await,
        Command::Search(command) => command.run().await,
        Command::Tail(command) => command.run().await,
        Command::Export(command) => command.run().await,
        Command::Keys(command) => command.run().await,
        Command::Tenants(command) => command.run().await,
        Command::Streams(command) => command.run().await,
        Command::Config(command) => command.run(),
        Command::Completions(command) => command.run(),
    }
}
