//! How far an import came, in a file, so that the next run goes on from there.
//!
//! Repeating an import is safe without it (ids make sure of that); the file saves sending again
//! what the server has. It also makes importing a growing log a matter of one repeated command.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::input::Source;
use crate::exit::{Exit, Failed};

/// So much of a file's beginning tells whether it is the same.
const FINGERPRINT_BYTES: u64 = 4_096;
const VERSION: u32 = 1;

/// How far each file came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    files: Vec<Progress>,
}

/// How far one file came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    path: PathBuf,
    size_bytes: u64,
    fingerprint: String,
    fingerprint_bytes: u64,
    /// Records from the beginning that are done: stored, known, skipped or rejected.
    records: u64,
}

impl State {
    /// Reads the state, or begins a new one; checks that the files are still those.
    ///
    /// # Errors
    /// If it cannot be read, or a file is another one than before.
    pub fn open(path: &Path, sources: &[Source]) -> Result<Self, Failed> {
        let mut state = match std::fs::read_to_string(path) {
            Ok(text) => {
                serde_json::from_str::<Self>(&text).ok().filter(|state| state.version == VERSION).ok_or_else(
                    || Failed::new(Exit::Config, format!("{} is not the state of an import", path.display())),
                )?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Self { version: VERSION, files: Vec::new() }
            }
            Err(error) => {
                return Err(Failed::new(Exit::Failure, format!("cannot read {}: {error}", path.display())));
            }
        };
        for source in sources {
            let Source::File(file) = source else {
                return Err(Failed::new(
                    Exit::Usage,
                    "--resume needs files: standard input cannot be read again",
                ));
            };
            state.meet(path, file)?;
        }
        Ok(state)
    }

    fn meet(&mut self, state_path: &Path, file: &Path) -> Result<(), Failed> {
        let unreadable = |error: std::io::Error| {
            Failed::new(Exit::NotFound, format!("cannot open {}: {error}", file.display()))
        };
        let path = std::fs::canonicalize(file).map_err(unreadable)?;
        let size_bytes = std::fs::metadata(&path).map_err(unreadable)?.len();
        let Some(known) = self.files.iter_mut().find(|known| known.path == path) else {
            let fingerprint_bytes = size_bytes.min(FINGERPRINT_BYTES);
            let fingerprint = fingerprint(&path, fingerprint_bytes).map_err(unreadable)?;
            self.files.push(Progress { path, size_bytes, fingerprint, fingerprint_bytes, records: 0 });
            return Ok(());
        };
        let same = size_bytes >= known.size_bytes
            && fingerprint(&path, known.fingerprint_bytes).map_err(unreadable)? == known.fingerprint;
        if !same {
            return Err(Failed::new(Exit::Config, format!("{} is not the file that {} is about", file.display(), state_path.display()))
                .hint("remove the state file to import it from the beginning; what the server has is not added again"));
        }
        known.size_bytes = size_bytes;
        Ok(())
    }

    /// Records of that source that are done.
    #[must_use]
    pub fn done(&self, source: &Source) -> u64 {
        self.find(source).map_or(0, |index| self.files[index].records)
    }

    /// Notes that so many records are done.
    pub fn advance(&mut self, source: &Source, records: u64) {
        if let Some(index) = self.find(source) {
            let known = &mut self.files[index];
            known.records = known.records.max(records);
        }
    }

    /// Writes it so that it is whole or not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Failed> {
        let text = serde_json::to_string_pretty(self).expect("the state has plain members only");
        let beside = path.with_extension("tmp");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|error| Failed::new(Exit::Failure, format!("cannot write {}: {error}", path.display())))
    }

    fn find(&self, source: &Source) -> Option<usize> {
        let Source::File(file) = source else { return None };
        let path = std::fs::canonicalize(file).ok()?;
        self.files.iter().position(|known| known.path == path)
    }
}

fn fingerprint(path: &Path, bytes: u64) -> std::io::Result<String> {
    let mut head = Vec::new();
    File::open(path)?.take(bytes).read_to_end(&mut head)?;
    Ok(Sha256::digest(&head).iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}
