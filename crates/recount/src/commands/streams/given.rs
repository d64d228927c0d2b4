//! Streams as they are given on the command line, as the API takes them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::config::{Kind, Value as Setting};
use crate::exit::{Exit, Failed};

/// Longest overlap of two signing secrets: 30 days, in seconds.
const OVERLAP_SECONDS_MAX: u64 = 30 * 86_400;

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// A name for people
    name: String,
    #[command(flatten)]
    changes: Changes,
    /// Where to begin: `beginning`, `now` (if absent), a seq or a time
    #[arg(long, value_name = "TIME|SEQ|beginning|now")]
    start: Option<String>,
}

// What a stream is made of. (A comment for clap would become the help of who flattens this.)
#[derive(Debug, clap::Args)]
pub(super) struct Changes {
    /// The destination as JSON: {"type":"webhook","url":…}
    #[arg(long, value_name = "JSON")]
    destination: Option<String>,
    /// Take the whole stream from a file of JSON (- for standard input): {"destination":{…},…};
    /// other options override it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How events are written: recount, ocsf, ocsf-1.1.0 or cef
    #[arg(long)]
    format: Option<String>,
    /// Which events, in the filter language
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<String>,
    /// How large batches get, as JSON: {"events_max":…,"bytes_max":…,"age_seconds_max":…}
    #[arg(long, value_name = "JSON")]
    batch: Option<String>,
}

impl Create {
    pub(super) fn body(self) -> Result<Value, Failed> {
        let mut body = self.changes.body(Some(self.name))?;
        if body.get("destination").is_none() {
            let text = "no destination: give --destination, or --file with a destination in it";
            return Err(Failed::new(Exit::Usage, text.to_owned()));
        }
        if let Some(start) = &self.start {
            body["start"] = place(start);
        }
        Ok(body)
    }
}

impl Changes {
    pub(super) fn body(self, name: Option<String>) -> Result<Value, Failed> {
        let mut body = match &self.file {
            Some(file) => read_json(file)?,
            None => json!({}),
        };
        for (member, option, text) in
            [("destination", "--destination", self.destination), ("batch", "--batch", self.batch)]
        {
            if let Some(text) = text {
                body[member] = serde_json::from_str(&text)
                    .map_err(|error| Failed::new(Exit::Usage, format!("{option} is not JSON: {error}")))?;
            }
        }
        for (member, value) in [("name", name), ("format", self.format), ("filter", self.filter)] {
            if let Some(value) = value {
                body[member] = value.into();
            }
        }
        Ok(body)
    }
}

fn read_json(file: &Path) -> Result<Value, Failed> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| Failed::new(Exit::NotFound, format!("cannot read {}: {error}", file.display())))?;
    match serde_json::from_str(&text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Failed::new(Exit::Usage, format!("{} holds no JSON object", file.display()))),
        Err(error) => Err(Failed::new(Exit::Usage, format!("{} is not JSON: {error}", file.display()))),
    }
}

/// `beginning`, `now`, a seq or a time, as the API takes it.
pub(super) fn place(text: &str) -> Value {
    match (text, text.parse::<u64>()) {
        ("beginning" | "now", _) => text.into(),
        (_, Ok(seq)) => json!({"seq": seq}),
        (time, Err(_)) => json!({"time": time}),
    }
}

/// Reads an overlap, in seconds.
pub(super) fn overlap(text: &str) -> Result<u64, String> {
    match Kind::Span(0, OVERLAP_SECONDS_MAX).parse(text)? {
        Setting::Span(span) => Ok(span.as_secs()),
        _ => Err(Kind::Span(0, OVERLAP_SECONDS_MAX).expected()),
    }
}
