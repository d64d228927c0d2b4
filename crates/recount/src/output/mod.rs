//! What people see: text to standard output, colours on a terminal, and tables.

mod events;
mod table;

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;
use serde_json::value::RawValue;

pub use events::{event, event_table};
pub use table::table;

use crate::exit::{Exit, Failed};

/// Writes a line to standard output. A reader that went away (`| head`) ends the program quietly.
///
/// # Errors
/// If standard output cannot be written for another reason.
pub fn line(text: &str) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(|error| written(&error))
}

/// Writes bytes to standard output, as [`line`] does.
///
/// # Errors
/// As [`line`].
pub fn bytes(bytes: &[u8]) -> Result<(), Failed> {
    io::stdout().lock().write_all(bytes).map_err(|error| written(&error))
}

/// Makes what was written visible.
///
/// # Errors
/// As [`line`].
pub fn flush() -> Result<(), Failed> {
    io::stdout().lock().flush().map_err(|error| written(&error))
}

fn written(error: &io::Error) -> Failed {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failed::new(Exit::Success, String::new());
    }
    let exit = if error.kind() == io::ErrorKind::StorageFull { Exit::DiskFull } else { Exit::Failure };
    Failed::new(exit, format!("cannot write to standard output: {error}"))
}

/// What the server wrote, to be looked into. Numbers may lose digits here, so it is not printed.
#[must_use]
pub fn value(raw: &RawValue) -> Value {
    // A raw value is JSON by its type.
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// Whether standard output is for people.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
#[must_use]
pub fn errors_on_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Colours, if they are wanted: on a terminal, unless `NO_COLOR` is set or the terminal is dumb.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// For standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self { on: is_terminal() && wanted() }
    }

    /// For standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self { on: errors_on_terminal() && wanted() }
    }

    /// Whether colours are on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.on
    }

    /// Less important.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    /// More important.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    /// Went wrong.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.code("31", text)
    }

    /// Was not allowed.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.code("33", text)
    }

    /// Went well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.code("32", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && std::env::var("TERM").as_deref() != Ok("dumb")
}

/// Text of others made safe for a terminal: control and formatting characters become visible.
#[must_use]
pub fn safe(text: &str) -> String {
    let is_bidi =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().any(|c| c.is_control() || is_bidi(c)) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c }).collect()
}
