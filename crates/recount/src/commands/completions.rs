//! `recount completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failed};
use crate::output;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  recount completions bash > ~/.local/share/bash-completion/completions/recount
  recount completions zsh > \"${fpath[1]}/_recount\"
  recount completions fish > ~/.config/fish/completions/recount.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints them.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn run(self) -> Result<Exit, Failed> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "recount", &mut text);
        output::bytes(&text)?;
        Ok(Exit::Success)
    }
}
