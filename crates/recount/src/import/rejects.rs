//! Records that were not imported: shown, counted, and written to a file with their reasons.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::json::{Json, push_string};
use crate::exit::{Exit, Failed};

/// A record that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The input that it is in.
    pub file: String,
    /// The line on which it begins.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// The record as it was.
    pub record: String,
}

impl Reject {
    /// The reject as one line of JSON: `{"file","line","reason","record"}`. `record` is the
    /// record itself, or a string if it is not JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"file\":");
        push_string(&mut out, &self.file);
        out.push_str(&format!(",\"line\":{},\"reason\":", self.line));
        push_string(&mut out, &self.reason);
        out.push_str(",\"record\":");
        if Json::parse(&self.record).is_ok() && !self.record.contains('\n') {
            out.push_str(&self.record);
        } else {
            push_string(&mut out, &self.record);
        }
        out.push('}');
        out
    }
}

/// The file of `--rejects`.
#[derive(Debug)]
pub struct RejectsFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl RejectsFile {
    /// Opens it; what was in it stays if the import resumes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(path: &Path, resumes: bool) -> Result<Self, Failed> {
        let file = OpenOptions::new().create(true).write(true).append(resumes).truncate(!resumes).open(path);
        match file {
            Ok(file) => Ok(Self { path: path.to_owned(), file: BufWriter::new(file) }),
            Err(error) => {
                Err(Failed::new(Exit::Failure, format!("cannot write {}: {error}", path.display())))
            }
        }
    }

    /// Adds one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, reject: &Reject) -> Result<(), Failed> {
        writeln!(self.file, "{}", reject.to_json()).map_err(|error| self.failed(&error))
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> Result<(), Failed> {
        self.file.flush().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Failed {
        Failed::new(Exit::Failure, format!("cannot write {}: {error}", self.path.display()))
    }
}
