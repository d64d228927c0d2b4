//! The command line: which commands there are, and what `--help` says.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::exit::Exit;

const ABOUT: &str = "The audit log that a vendor's customers use themselves: one binary, one log per tenant";

const EXAMPLES: &str = "\
Examples:
  recount demo                                   look around with 100,000 made-up events
  recount serve                                  run a server; everything in ./recount-data
  recount keys create --tenant acme --scope events:read
  recount import trail/*.json.gz --map cloudtrail --tenant acme
  recount search actor:ada outcome:denied --from 7d
  recount tail -f action:user.*
  recount export --format csv -o events.csv

Client commands take --server, --key and --tenant, or RECOUNT_SERVER, RECOUNT_KEY and
RECOUNT_TENANT. Settings of the server: `recount config --defaults`.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "recount", version, about = ABOUT, after_help = EXAMPLES, after_long_help = long_help(), max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a server
    Serve(commands::serve::Serve),
    /// Run a server with believable events of three companies, and keep new ones coming
    Demo(commands::demo::Demo),
    /// Bring in audit logs that you already keep
    Import(commands::import::Import),
    /// Find events
    Search(commands::search::Search),
    /// Show the newest events, and with -f the next ones as they come
    Tail(commands::tail::Tail),
    /// Take all matching events out as a file
    Export(commands::export::Export),
    /// Make, list and revoke API keys
    Keys(commands::keys::Keys),
    /// Create and look at tenants
    Tenants(commands::tenants::Tenants),
    /// Set up and watch continuous exports
    Streams(commands::streams::Streams),
    /// Show the server's configuration
    Config(commands::config::ConfigCommand),
    /// Print completions for a shell
    Completions(commands::completions::Completions),
}

fn long_help() -> String {
    let codes: Vec<String> =
        Exit::TABLE.iter().map(|(exit, meaning)| format!("  {:>3}  {meaning}", exit.code())).collect();
    format!("{EXAMPLES}\n\nExit codes:\n{}", codes.join("\n"))
}

/// Makes filter terms like `-action:user.login` look unlike options, so that they can be written
/// without `--` before them. A leading space does it; the filter language ignores it.
pub fn protect_negations(arguments: impl Iterator<Item = std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    arguments
        .map(|argument| match argument.to_str() {
            Some(text) if is_negated_term(text) => format!(" {text}").into(),
            _ => argument,
        })
        .collect()
}

/// `-name:…`, where the name is that of a field.
fn is_negated_term(text: &str) -> bool {
    let Some((name, _)) = text.strip_prefix('-').and_then(|rest| rest.split_once(':')) else { return false };
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, is_negated_term};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn negated_terms_are_told_from_options() {
        assert!(is_negated_term("-action:user.login") && is_negated_term("-metadata.plan:pro"));
        assert!(
            !is_negated_term("--from")
                && !is_negated_term("-f")
                && !is_negated_term("-o/tmp/x:y")
                && !is_negated_term("a:b")
        );
    }
}
