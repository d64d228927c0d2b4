//! `recount streams dead-letters`: what a destination refused for good.

use serde_json::{Value, json};

use super::{
    path,
    shown::{DEAD_LETTER_COLUMNS, REDELIVERY_COLUMNS, list},
};
use crate::client::Client;
use crate::exit::{Exit, Failed};
use crate::output;

/// Most dead letters of one request.
const LETTERS_AT_ONCE_MAX: usize = 100;

/// List, send again or give up events that the destination refused
#[derive(Debug, clap::Args)]
pub(super) struct DeadLetters {
    #[command(subcommand)]
    command: DeadLettersCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DeadLettersCommand {
    /// List them with the destination's reasons
    List {
        /// The stream's id
        id: String,
    },
    /// Send them again; those that are taken now leave the list
    Replay {
        /// The stream's id
        id: String,
        /// Their seqs, as listed; the first 100 if none is named
        #[arg(value_name = "SEQ", num_args = 0..=LETTERS_AT_ONCE_MAX)]
        seqs: Vec<u64>,
    },
    /// Take them off the list; the events stay in the log
    Discard {
        /// The stream's id
        id: String,
        /// Their seqs, as listed
        #[arg(value_name = "SEQ", required = true, num_args = 1..=LETTERS_AT_ONCE_MAX)]
        seqs: Vec<u64>,
    },
}

impl DeadLetters {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Exit, Failed> {
        match self.command {
            DeadLettersCommand::List { id } => {
                let letters = client.all_pages(&path(&id, "/dead-letters"), &[]).await?;
                list(&letters, json, DEAD_LETTER_COLUMNS)?;
                Ok(Exit::Success)
            }
            DeadLettersCommand::Replay { id, seqs } => {
                let body = if seqs.is_empty() { json!({}) } else { json!({"seqs": seqs}) };
                let answer: Value = client.post(&path(&id, "/dead-letters/replay"), &body).await?;
                replayed(&answer, json)
            }
            DeadLettersCommand::Discard { id, seqs } => {
                let body = json!({"seqs": seqs});
                let answer: Value = client.post(&path(&id, "/dead-letters/discard"), &body).await?;
                if json {
                    output::line(&answer.to_string())?;
                } else {
                    eprintln!("{} left on the list", answer["left"]);
                }
                Ok(Exit::Success)
            }
        }
    }
}

fn replayed(answer: &Value, json: bool) -> Result<Exit, Failed> {
    let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
    list(results, json, REDELIVERY_COLUMNS)?;
    if !json {
        eprintln!("{} left on the list", answer["left"]);
    }
    let taken = results.iter().all(|result| result["accepted"] == true);
    Ok(if taken { Exit::Success } else { Exit::Failure })
}
