//! Logs of the server: text for people, JSON for machines, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::exit::{Exit, Failed};

/// Begins to log.
///
/// # Errors
/// If the level is no filter.
pub fn begin(level: &str, format: &str) -> Result<(), Failed> {
    let filter = EnvFilter::try_new(level).map_err(|error| {
        Failed::new(Exit::Config, format!("log.level = {level:?}: {error}"))
            .hint("expected error, warn, info, debug, trace, or a filter like info,recount_store=debug")
    })?;
    let on_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = if format == "text" || (format == "auto" && on_terminal) {
        let colours = on_terminal && crate::output::Paint::stderr().is_on();
        builder.with_ansi(colours).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    begun.map_err(|error| Failed::new(Exit::Failure, format!("cannot begin to log: {error}")))
}
