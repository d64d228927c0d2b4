//! Configuration of the server: one table of settings, four layers, one meaning.
//!
//! [`SETTINGS`] is the only place where a setting is described. The commented defaults file,
//! `recount config`, `docs/configuration.md` and the checks all derive from it. Values come, in
//! rising order of precedence, from the defaults, a file (`--config` or `RECOUNT_CONFIG`), the
//! environment, and flags.

mod load;
mod render;
mod settings;
mod suggest;
mod value;

pub use load::{Loader, Origin, Resolved};
pub use render::{defaults_toml, in_force_json, in_force_toml, reference_markdown};
pub use settings::{SETTINGS, Setting, setting};
pub use suggest::closest;
pub use value::{Kind, Value};

/// A mistake in the configuration, in words that name the place, the value and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that a setting cannot have.
    #[error("{place}: {key} = {value}: expected {expected}")]
    Value {
        /// The file and line, environment variable or flag.
        place: String,
        /// The setting.
        key: String,
        /// What was written; `(hidden)` for secrets.
        value: String,
        /// What can be written instead.
        expected: String,
    },
    /// A name that is no setting.
    #[error("{place}: there is no setting {name}{suggestion}")]
    Unknown {
        /// The file and line, environment variable or flag.
        place: String,
        /// What was written.
        name: String,
        /// `; did you mean …?`, or empty.
        suggestion: String,
    },
    /// A file that is not TOML.
    #[error("{place}: this is not TOML: {detail}")]
    Syntax {
        /// The file and line.
        place: String,
        /// What the parser says.
        detail: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {detail}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        detail: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Together(String),
}
