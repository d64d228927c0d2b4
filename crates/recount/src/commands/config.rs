//! `recount config`: what is in force, and the commented defaults.

use crate::commands::serve::Settings;
use crate::config::{defaults_toml, in_force_json, in_force_toml};
use crate::exit::{Exit, Failed};
use crate::output;

/// Show the server's configuration
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without options it prints what `recount serve` would run with, each value with where it came
from, secrets hidden. It exits with 3 if something is wrong.

Examples:
  recount config                                 what is in force
  recount config --defaults > recount.toml       a commented file to start from
  RECOUNT_CONFIG=recount.toml recount config --json")]
pub struct ConfigCommand {
    /// Print every setting with its default, as a commented file
    #[arg(long, conflicts_with = "json")]
    defaults: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

impl ConfigCommand {
    /// Prints it.
    ///
    /// # Errors
    /// If the configuration is wrong, or standard output cannot be written.
    pub fn run(self) -> Result<Exit, Failed> {
        if self.defaults {
            output::bytes(defaults_toml().as_bytes())?;
            return Ok(Exit::Success);
        }
        let resolved = self.settings.load(|_| {})?;
        if self.json {
            output::line(&in_force_json(&resolved).to_string())?;
        } else {
            output::bytes(in_force_toml(&resolved).as_bytes())?;
        }
        Ok(Exit::Success)
    }
}
