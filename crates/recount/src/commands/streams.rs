//! `recount streams`: set up and watch continuous exports.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::keys::escape;
use crate::client::{Client, Connection};
use crate::exit::{Exit, Failed};
use crate::output;

/// Set up and watch continuous exports
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A stream is tested before it is enabled: `test` really sends, and shows what came back.

Examples:
  recount streams create siem --destination '{\"type\":\"webhook\",\"url\":\"https://siem.example.com\"}'
  recount streams create archive --file stream.json
  recount streams test st_01 && recount streams enable st_01
  recount streams list
  recount streams attempts st_01
  recount streams replay st_01 --from 2026-11-01T00:00:00Z")]
pub struct Streams {
    #[command(subcommand)]
    command: StreamsCommand,
    #[command(flatten)]
    connection: Connection,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum StreamsCommand {
    /// List streams with their health
    List,
    /// Show one stream
    Show {
        /// Its id
        id: String,
    },
    /// Create a stream
    Create(Create),
    /// Send a test, and show what came back
    Test {
        /// Its id
        id: String,
    },
    /// Begin to deliver
    Enable {
        /// Its id
        id: String,
        /// Even though no test has passed; this is recorded
        #[arg(long)]
        without_test: bool,
    },
    /// Stop delivering; the stream keeps its place
    Pause {
        /// Its id
        id: String,
    },
    /// Go on after a pause
    Resume {
        /// Its id
        id: String,
    },
    /// Deliver again from a place
    Replay {
        /// Its id
        id: String,
        /// From this time (RFC 3339) or seq on, or `beginning`
        #[arg(long, value_name = "TIME|SEQ|beginning")]
        from: String,
    },
    /// Show the latest attempts to deliver
    Attempts {
        /// Its id
        id: String,
    },
    /// Show events that the destination refused
    DeadLetters {
        /// Its id
        id: String,
    },
    /// Delete a stream
    Delete {
        /// Its id
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// A name for people
    name: String,
    /// The destination as JSON: {"type":"webhook","url":…}
    #[arg(long, value_name = "JSON", required_unless_present = "file")]
    destination: Option<String>,
    /// Take the whole stream from a file of JSON (- for standard input); other options override it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How events are written, as `recount`, `ocsf`, `cef`
    #[arg(long)]
    format: Option<String>,
    /// Which events, in the filter language
    #[arg(long)]
    filter: Option<String>,
    /// Where to begin: beginning, now, a seq or a time
    #[arg(long)]
    start: Option<String>,
}

impl Streams {
    /// Does it.
    ///
    /// # Errors
    /// If the server says no, or a test failed.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?;
        let json = self.json;
        match self.command {
            StreamsCommand::List => {
                let streams = client.all_pages("/v1/streams", &[]).await?;
                print_list(
                    &streams,
                    json,
                    &["id", "name", "status", "health", "destination.type", "lag.events", "last_error"],
                )
            }
            StreamsCommand::Show { id } => print_one(&client.get(&path(&id, ""), &[]).await?, json),
            StreamsCommand::Create(create) => {
                print_one(&client.post("/v1/streams", &create.body()?).await?, json)
            }
            StreamsCommand::Test { id } => {
                let result = client.post(&path(&id, "/test"), &json!({})).await?;
                print_one(&result, json)?;
                let passed = result.get("passed").or_else(|| result.get("ok")).and_then(Value::as_bool);
                return Ok(if passed == Some(false) { Exit::Failure } else { Exit::Success });
            }
            StreamsCommand::Enable { id, without_test } => {
                let body = json!({"without_test": without_test});
                print_one(&client.post(&path(&id, "/enable"), &body).await?, json)
            }
            StreamsCommand::Pause { id } => {
                print_one(&client.post(&path(&id, "/pause"), &json!({})).await?, json)
            }
            StreamsCommand::Resume { id } => {
                print_one(&client.post(&path(&id, "/resume"), &json!({})).await?, json)
            }
            StreamsCommand::Replay { id, from } => {
                print_one(&client.post(&path(&id, "/replay"), &json!({"from": place(&from)})).await?, json)
            }
            StreamsCommand::Attempts { id } => {
                let attempts = client.all_pages(&path(&id, "/attempts"), &[]).await?;
                print_list(&attempts, json, &["at", "outcome", "status", "events", "took_ms", "reason"])
            }
            StreamsCommand::DeadLetters { id } => {
                let letters = client.all_pages(&path(&id, "/dead-letters"), &[]).await?;
                print_list(&letters, json, &["seq", "event_id", "at", "replays", "reason"])
            }
            StreamsCommand::Delete { id } => client.delete(&path(&id, "")).await,
        }?;
        Ok(Exit::Success)
    }
}

impl Create {
    fn body(&self) -> Result<Value, Failed> {
        let mut body = match &self.file {
            Some(file) => read_json(file)?,
            None => json!({}),
        };
        let wrong = |what: &str, error: &serde_json::Error| {
            Failed::new(Exit::Usage, format!("{what} is not JSON: {error}"))
        };
        body["name"] = self.name.clone().into();
        if let Some(text) = &self.destination {
            body["destination"] =
                serde_json::from_str(text).map_err(|error| wrong("--destination", &error))?;
        }
        for (name, value) in [("format", &self.format), ("filter", &self.filter)] {
            if let Some(value) = value {
                body[name] = value.clone().into();
            }
        }
        if let Some(start) = &self.start {
            body["start"] = place(start);
        }
        Ok(body)
    }
}

fn read_json(file: &std::path::Path) -> Result<Value, Failed> {
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
fn place(text: &str) -> Value {
    match (text, text.parse::<u64>()) {
        ("beginning" | "now", _) => text.into(),
        (_, Ok(seq)) => json!({"seq": seq}),
        (time, Err(_)) => json!({"time": time}),
    }
}

fn path(id: &str, rest: &str) -> String {
    format!("/v1/streams/{}{rest}", escape(id))
}

fn print_one(value: &Value, as_json: bool) -> Result<(), Failed> {
    if as_json {
        return output::line(&value.to_string());
    }
    let mut rows = Vec::new();
    flatten("", value, &mut rows);
    output::line(&output::table(&["", ""], &rows).lines().skip(1).collect::<Vec<_>>().join("\n"))
}

fn flatten(prefix: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, inner, rows);
            }
        }
        Value::Null => {}
        Value::String(text) => rows.push(vec![prefix.to_owned(), text.clone()]),
        other => rows.push(vec![prefix.to_owned(), other.to_string()]),
    }
}

fn print_list(items: &[Value], as_json: bool, columns: &[&str]) -> Result<(), Failed> {
    if as_json {
        return items.iter().try_for_each(|item| output::line(&item.to_string()));
    }
    let cell = |item: &Value, column: &str| match item.pointer(&format!("/{}", column.replace('.', "/"))) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "–".to_owned(),
        Some(other) => other.to_string(),
    };
    let rows: Vec<Vec<String>> =
        items.iter().map(|item| columns.iter().map(|column| cell(item, column)).collect()).collect();
    output::line(&output::table(columns, &rows))
}
