//! Sends one batch and reads what the server says about each event.

use std::io::Write as _;

use reqwest::{Method, header};
use serde::Deserialize;

use super::Options;
use super::prepare::Batch;
use crate::client::{Client, Problem, Retry};
use crate::exit::{Exit, Failed};
use crate::import::rejects::Reject;

/// Fast: the network is rarely the limit, but often not on this machine.
const ZSTD_LEVEL: i32 = 1;

/// A batch with what became of its events.
pub(super) struct Answered {
    pub(super) batch: Batch,
    pub(super) new: u64,
    pub(super) known: u64,
    pub(super) rejects: Vec<Reject>,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<EventResult>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum EventResult {
    Refused { error: EventError },
    Stored { duplicate: bool },
}

#[derive(Deserialize)]
struct EventError {
    code: String,
    detail: String,
    #[serde(default)]
    pointer: String,
}

/// Sends a batch, with the patience of the options.
pub(super) async fn send(client: &Client, options: &Options, batch: Batch) -> Result<Answered, Failed> {
    if options.dry_run || batch.events.is_empty() {
        let new = batch.events.len() as u64;
        return Ok(Answered { batch, new, known: 0, rejects: Vec::new() });
    }
    let body = pack(&batch)?;
    let request = || {
        client
            .request(Method::POST, "/v1/events", &[])
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .header(header::CONTENT_ENCODING, "zstd")
            .body(body.clone())
    };
    let (status, text) = client.answer_patiently(Retry::lasting(options.patience), request).await?;
    let answer: Answer = match serde_json::from_str(&text) {
        Ok(answer) => answer,
        Err(_) => return Err(Problem::read(status, &text).failed()),
    };
    if answer.results.len() != batch.events.len() {
        return Err(Failed::new(
            Exit::Failure,
            format!("the server answered for {} of {} events", answer.results.len(), batch.events.len()),
        ));
    }
    let name = options.sources[batch.source].name();
    let (mut new, mut known, mut rejects) = (0, 0, Vec::new());
    for (result, event) in answer.results.into_iter().zip(&batch.events) {
        match result {
            EventResult::Stored { duplicate: true } => known += 1,
            EventResult::Stored { duplicate: false } => new += 1,
            EventResult::Refused { error } => rejects.push(Reject {
                file: name.clone(),
                line: event.source_line,
                reason: if error.pointer.is_empty() {
                    format!("{}: {}", error.code, error.detail)
                } else {
                    format!("{}: {} (at {})", error.code, error.detail, error.pointer)
                },
                record: event.record.clone(),
            }),
        }
    }
    Ok(Answered { batch, new, known, rejects })
}

fn pack(batch: &Batch) -> Result<Vec<u8>, Failed> {
    let failed =
        |error: std::io::Error| Failed::new(Exit::Failure, format!("cannot compress a batch: {error}"));
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(failed)?;
    for event in &batch.events {
        encoder.write_all(event.line.as_bytes()).and_then(|()| encoder.write_all(b"\n")).map_err(failed)?;
    }
    encoder.finish().map_err(failed)
}
