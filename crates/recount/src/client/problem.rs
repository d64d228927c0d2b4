//! The server's errors (RFC 9457) in words for people.

use serde::Deserialize;

use crate::exit::{Exit, Failed};

/// A problem document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// One line for people.
    pub title: String,
    /// What is wrong this time.
    pub detail: String,
    /// The stable name.
    pub code: String,
    /// The member that is wrong.
    pub pointer: Option<String>,
    /// Where in the filter the mistake starts, in characters.
    pub position: Option<usize>,
    /// How many characters of it are wrong.
    pub length: Option<usize>,
}

impl Problem {
    /// Reads the body of an answer; anything that is not a problem document becomes one.
    #[must_use]
    pub fn read(status: u16, body: &str) -> Self {
        match serde_json::from_str::<Self>(body) {
            Ok(problem) if !problem.code.is_empty() || !problem.title.is_empty() => {
                Self { status, ..problem }
            }
            _ => {
                let first = body.lines().next().unwrap_or_default();
                let detail: String = first.chars().filter(|c| !c.is_control()).take(200).collect();
                Self { status, title: format!("the server answered {status}"), detail, ..Self::default() }
            }
        }
    }

    /// The problem as a failure of a command.
    #[must_use]
    pub fn failed(&self) -> Failed {
        Failed::new(self.exit(), self.to_string())
    }

    /// The same, with the place of a mistake in the filter shown below it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.status {
            401 | 403 => Exit::Denied,
            404 => Exit::NotFound,
            429 | 502..=504 => Exit::Unreachable,
            400 if self.code == "invalid_filter" => Exit::Config,
            _ => Exit::Failure,
        }
    }

    /// The filter with the mistake underlined; `None` if the problem is about something else.
    #[must_use]
    pub fn underline(&self, filter: &str) -> Option<String> {
        let (position, length) = (self.position?, self.length.unwrap_or(1).max(1));
        Some(format!("  {filter}\n  {}{}", " ".repeat(position), "^".repeat(length)))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        match &self.pointer {
            Some(pointer) if !pointer.is_empty() => write!(f, " (at {pointer})"),
            _ => Ok(()),
        }
    }
}
