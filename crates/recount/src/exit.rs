//! Exit codes, and the error that carries one.

use std::fmt;

/// How a command ended, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked.
    Success = 0,
    /// It failed for a reason without a code of its own.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The configuration, a map or a filter is wrong.
    Config = 3,
    /// It finished, but some records were rejected.
    Rejected = 4,
    /// The key is missing, unknown, expired or not allowed to do this.
    Denied = 5,
    /// There is no such thing.
    NotFound = 6,
    /// The server cannot be reached, or kept answering that it is busy.
    Unreachable = 7,
    /// The address to listen on is taken or not this machine's.
    Address = 10,
    /// The data folder cannot be written.
    NotWritable = 11,
    /// The disk is full.
    DiskFull = 12,
    /// The catalog was written by a newer version.
    CatalogNewer = 13,
    /// Another process uses the data folder.
    InUse = 14,
    /// The catalog or the object store cannot be reached.
    Storage = 15,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// All codes with their meaning, in order. `recount --help` and the docs print this table.
    pub const TABLE: [(Exit, &'static str); 15] = [
        (Exit::Success, "done"),
        (Exit::Failure, "failed for another reason"),
        (Exit::Usage, "the command line is wrong"),
        (Exit::Config, "the configuration, a map or a filter is wrong"),
        (Exit::Rejected, "finished, but some records were rejected"),
        (Exit::Denied, "the key is missing, unknown, expired or has no right to do this"),
        (Exit::NotFound, "there is no such tenant, event, key or stream"),
        (Exit::Unreachable, "the server cannot be reached or stayed busy"),
        (Exit::Address, "the address to listen on is taken or not this machine's"),
        (Exit::NotWritable, "the data folder cannot be written"),
        (Exit::DiskFull, "the disk is full"),
        (Exit::CatalogNewer, "the catalog was written by a newer version"),
        (Exit::InUse, "another process uses the data folder"),
        (Exit::Storage, "the catalog or the object store cannot be opened"),
        (Exit::Interrupted, "interrupted"),
    ];

    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Why a command failed: what to print, and how to exit.
#[derive(Debug)]
pub struct Failed {
    /// How to exit.
    pub exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failed {
    /// A failure with that message (lower case, naming the object).
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failed {}
