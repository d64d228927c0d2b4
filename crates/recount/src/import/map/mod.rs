//! Maps: how the records of a foreign log become events, as a TOML file.
//!
//! `docs/import.md` describes the language. [`Map::parse`] reads and checks a map once;
//! [`Map::apply`] turns one record into the [`Parts`] of an event.

mod apply;
mod expression;
mod file;
mod time;

use std::path::Path;

use super::json::Json;
use super::parts::Parts;
use file::MapFile;

pub use time::{TimeFormat, TimeRule};

/// The maps that come with the binary: name and text.
pub const SHIPPED_MAPS: [(&str, &str); 4] = [
    ("cloudtrail", include_str!("../maps/cloudtrail.toml")),
    ("gcp-audit", include_str!("../maps/gcp-audit.toml")),
    ("github-audit", include_str!("../maps/github-audit.toml")),
    ("okta", include_str!("../maps/okta.toml")),
];

/// Why a map cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Neither a shipped map nor a file.
    #[error("there is no map {name}: neither a file nor one of {shipped}{suggestion}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The shipped ones.
        shipped: String,
        /// `; did you mean …?`, or empty.
        suggestion: String,
    },
    /// The file cannot be read.
    #[error("cannot read map {path}: {detail}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        detail: String,
    },
    /// The text is not a map.
    #[error("map {name} is wrong: {detail}")]
    Invalid {
        /// The map's name or file.
        name: String,
        /// What is wrong, and where.
        detail: String,
    },
}

/// Why a record cannot become an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A member that every event needs has no value in the record.
    #[error("no {member}: the map finds no value for it in this record")]
    Missing {
        /// The event's member.
        member: &'static str,
    },
    /// A time that cannot be read.
    #[error("occurred_at: {detail}")]
    Time {
        /// What is wrong.
        detail: String,
    },
    /// A value that an event's member cannot have.
    #[error("{member}: {detail}")]
    Value {
        /// The event's member.
        member: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The record is not a JSON object.
    #[error("{0}")]
    NotAnObject(String),
}

/// A map that was read and checked.
#[derive(Clone, Debug)]
pub struct Map {
    name: String,
    file: MapFile,
}

impl Map {
    /// A shipped map by its name, or a map in a file.
    ///
    /// # Errors
    /// If there is neither, or it is not a map.
    pub fn named(name: &str) -> Result<Self, MapError> {
        if let Some((name, text)) = SHIPPED_MAPS.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(name, text);
        }
        let path = Path::new(name);
        if !path.exists() && !name.contains(['/', '.', '\\']) {
            let near = crate::config::closest(name, SHIPPED_MAPS.iter().map(|(shipped, _)| *shipped));
            return Err(MapError::Unknown {
                name: name.to_owned(),
                shipped: SHIPPED_MAPS.map(|(shipped, _)| shipped).join(", "),
                suggestion: near.map_or(String::new(), |near| format!("; did you mean {near}?")),
            });
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| MapError::Unreadable { path: name.to_owned(), detail: error.to_string() })?;
        Self::parse(name, &text)
    }

    /// Reads and checks a map.
    ///
    /// # Errors
    /// The first mistake in the text, with its place.
    pub fn parse(name: &str, text: &str) -> Result<Self, MapError> {
        let invalid = |detail: String| MapError::Invalid { name: name.to_owned(), detail };
        let file: MapFile =
            toml::from_str(text).map_err(|error| invalid(error.to_string().trim().to_owned()))?;
        file.check().map_err(invalid)?;
        Ok(Self { name: name.to_owned(), file })
    }

    /// Its name, or the file that it came from.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in a sentence.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.file.description
    }

    /// The members whose array holds the records, in a document that wraps them.
    #[must_use]
    pub fn wrappers(&self) -> &[String] {
        &self.file.records
    }

    /// The record that a record wraps, if it wraps one: an object, or a string that holds one.
    #[must_use]
    pub fn unwrap(&self, record: &Json<'_>) -> Option<String> {
        self.file.unwrap.as_ref().and_then(|pointer| apply::unwrapped(pointer, record))
    }

    /// The same map for records that are wrapped at that JSON pointer.
    ///
    /// # Errors
    /// If it is none.
    pub fn unwrapping(mut self, pointer: &str) -> Result<Self, MapError> {
        let invalid = |detail: String| MapError::Invalid { name: self.name.clone(), detail };
        self.file.unwrap = Some(expression::Expression::pointer(pointer).map_err(invalid)?);
        Ok(self)
    }

    /// Turns one record into an event. `tenant` is taken where the map names none.
    ///
    /// # Errors
    /// If the record lacks what every event needs.
    pub fn apply(&self, record: &Json<'_>, tenant: Option<&str>) -> Result<Parts, RecordError> {
        apply::apply(&self.file, record, tenant)
    }
}
