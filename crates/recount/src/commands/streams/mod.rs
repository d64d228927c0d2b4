//! `recount streams`: set up, test, watch and repair continuous exports.

mod dead_letters;
mod given;
mod shown;

use serde_json::{Value, json};

use self::{
    dead_letters::DeadLetters,
    given::{Changes, Create, place},
    shown::{list, one, test_result},
};
use super::keys::escape;
use crate::client::{Client, Connection};
use crate::exit::{Exit, Failed};

/// Set up, test, watch and repair continuous exports
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A stream carries a tenant's log to a destination, continuously and in order, and never skips an
event. It is created as a draft, tested (a real send of one event, whose answer is shown), and then
enabled. When its destination fails, it keeps its place, tries again by itself, and says why in
`show` and `attempts`. Events that the destination refuses for good wait as dead letters.

Destinations: `recount streams destinations`; the members of each: docs/destinations/.
Secrets belong into a file (--file), not on a command line, which others on the machine can see.

Examples:
  recount streams create siem --destination '{\"type\":\"webhook\",\"url\":\"https://siem.example.com\"}'
  recount streams create archive --file bucket.json --format ocsf --start beginning
  recount streams test st_01 && recount streams enable st_01
  recount streams list
  recount streams attempts st_01
  recount streams pause st_01 --reason 'the SIEM moves tonight'
  recount streams replay st_01 --from 2026-11-01T00:00:00Z
  recount streams dead-letters list st_01
  recount streams dead-letters replay st_01

Exit codes: 1 a test failed, or a dead letter was refused again; others as in `recount --help`.")]
pub struct Streams {
    #[command(subcommand)]
    command: StreamsCommand,
    #[command(flatten)]
    connection: Connection,
    /// Print JSON, as the server gave it
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum StreamsCommand {
    /// List streams with their health
    List,
    /// Show one stream: what is set up, how far it has come, its last error
    Show {
        /// Its id
        id: String,
    },
    /// List the kinds of destinations, and what is assigned to the tenant
    Destinations,
    /// Create a stream, as a draft
    Create(Create),
    /// Change a stream; what is not named stays
    Update(Update),
    /// Really send one event, and show what came back
    Test {
        /// Its id
        id: String,
    },
    /// Begin to deliver
    Enable {
        /// Its id
        id: String,
        /// Even though what is configured has not passed a test
        #[arg(long)]
        without_test: bool,
        /// Why; recorded in the tenant's log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Stop delivering; the stream keeps its place
    Pause {
        /// Its id
        id: String,
        /// Why; shown with the stream and recorded in the tenant's log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Go on after a pause, or at once after failures
    Resume {
        /// Its id
        id: String,
    },
    /// Move a stream to another place of the log
    #[command(after_help = "\
Back, to send everything since then again, with the same ids; or forward (`now`), to leave out what
lies between. Times are those at which the log received the events.")]
    Replay {
        /// Its id
        id: String,
        /// From this time (RFC 3339) or seq on, from the `beginning`, or from `now`
        #[arg(long, value_name = "TIME|SEQ|beginning|now")]
        from: String,
    },
    /// Show the latest attempts to deliver, with what was asked and answered
    Attempts {
        /// Its id
        id: String,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=300))]
        limit: u64,
    },
    /// List, send again or give up events that the destination refused
    DeadLetters(DeadLetters),
    /// Exchange a webhook's signing secret; the new one is printed this once
    RotateSecret {
        /// Its id
        id: String,
        /// How long the former secret signs too, as 0s, 1h, 7d (at most 30d)
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = given::overlap)]
        overlap: u64,
    },
    /// Delete a stream; its attempts and dead letters go with it
    Delete {
        /// Its id
        id: String,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
With another destination or format the stream becomes a draft again: it keeps its place, and must
pass a test before it is enabled. A destination is given whole; only its secrets stay if they are
left out, unless its address changes.")]
struct Update {
    /// Its id
    id: String,
    /// Another name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    changes: Changes,
}

impl Streams {
    /// Does it.
    ///
    /// # Errors
    /// If the server says no.
    pub async fn run(self) -> Result<Exit, Failed> {
        let client = Client::new(&self.connection)?;
        let json = self.json;
        let act = async |id: &str, verb: &str, body: Value| {
            one(&client.post(&path(id, &format!("/{verb}")), &body).await?, json)
        };
        match self.command {
            StreamsCommand::List => {
                let streams = client.all_pages("/v1/streams", &[]).await?;
                list(&streams, json, shown::STREAM_COLUMNS)
            }
            StreamsCommand::Show { id } => one(&client.get(&path(&id, ""), &[]).await?, json),
            StreamsCommand::Destinations => {
                let kinds = client.all_pages("/v1/streams/destinations", &[]).await?;
                list(&kinds, json, shown::DESTINATION_COLUMNS)
            }
            StreamsCommand::Create(create) => one(&client.post("/v1/streams", &create.body()?).await?, json),
            StreamsCommand::Update(update) => {
                let body = update.changes.body(update.name)?;
                one(&client.patch(&path(&update.id, ""), &body).await?, json)
            }
            StreamsCommand::Test { id } => {
                return test_result(&client.post(&path(&id, "/test"), &json!({})).await?, json);
            }
            StreamsCommand::Enable { id, without_test, reason } => {
                act(&id, "enable", with_reason(json!({"without_test": without_test}), reason)).await
            }
            StreamsCommand::Pause { id, reason } => act(&id, "pause", with_reason(json!({}), reason)).await,
            StreamsCommand::Resume { id } => act(&id, "resume", json!({})).await,
            StreamsCommand::Replay { id, from } => act(&id, "replay", json!({"from": place(&from)})).await,
            StreamsCommand::Attempts { id, limit } => {
                let attempts: Value =
                    client.get(&path(&id, "/attempts"), &[("limit", limit.to_string())]).await?;
                list(attempts["data"].as_array().map_or(&[], Vec::as_slice), json, shown::ATTEMPT_COLUMNS)
            }
            StreamsCommand::DeadLetters(letters) => return letters.run(&client, json).await,
            StreamsCommand::RotateSecret { id, overlap } => {
                act(&id, "rotate-secret", json!({"overlap_seconds": overlap})).await
            }
            StreamsCommand::Delete { id } => client.delete(&path(&id, "")).await,
        }?;
        Ok(Exit::Success)
    }
}

fn with_reason(mut body: Value, reason: Option<String>) -> Value {
    if let Some(reason) = reason {
        body["reason"] = reason.into();
    }
    body
}

fn path(id: &str, rest: &str) -> String {
    format!("/v1/streams/{}{rest}", escape(id))
}
