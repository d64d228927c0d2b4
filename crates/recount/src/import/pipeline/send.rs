//! Sends one batch and reads what the server says about each event.

use std::io::Write as _;

use reqwest::{Method, header};
use serde::Deserialize;

use super::Options;
use super::prepare::{Batch, Event};
use crate::client::{Client, Problem, Retry};
use crate::exit::{Exit, Failed};
use crate::import::rejects::Reject;

/// Fast: the network is rarely the limit, but often not on this machine.
const ZSTD_LEVEL: i32 = 1;
/// An event that the server could not take for now; the same event later is another matter.
const BUSY: &str = "busy";

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

/// Sends a batch, with the patience of the options. Events that the server can't take for now are
/// sent again, without the others.
pub(super) async fn send(client: &Client, options: &Options, batch: Batch) -> Result<Answered, Failed> {
    let mut answered = Answered { batch, new: 0, known: 0, rejects: Vec::new() };
    let mut left: Vec<&Event> = answered.batch.events.iter().collect();
    if options.dry_run || left.is_empty() {
        answered.new = left.len() as u64;
        return Ok(answered);
    }
    let name = options.sources[answered.batch.source].name();
    let mut retry = Retry::lasting(options.patience);
    loop {
        let mut busy = Vec::new();
        let mut reason = String::new();
        for (result, event) in results(client, retry.clone(), &left).await?.into_iter().zip(&left) {
            match result {
                EventResult::Stored { duplicate: true } => answered.known += 1,
                EventResult::Stored { duplicate: false } => answered.new += 1,
                EventResult::Refused { error } if error.code == BUSY => {
                    reason = error.detail;
                    busy.push(*event);
                }
                EventResult::Refused { error } => answered.rejects.push(rejected(&name, event, &error)),
            }
        }
        if busy.is_empty() {
            return Ok(answered);
        }
        if busy.len() < left.len() {
            retry = Retry::lasting(options.patience);
        }
        if !retry.pause(None).await {
            let counts = format!("{} of {} events", busy.len(), answered.batch.events.len());
            return Err(Failed::new(
                Exit::Unreachable,
                format!("the server could not take {counts} for too long: {reason}"),
            ));
        }
        left = busy;
    }
}

/// What the server says about each of these events, in their order.
async fn results(client: &Client, retry: Retry, events: &[&Event]) -> Result<Vec<EventResult>, Failed> {
    let body = pack(events)?;
    let request = || {
        client
            .request(Method::POST, "/v1/events", &[])
            .header(header::CONTENT_TYPE, "application/x-ndjson")
            .header(header::CONTENT_ENCODING, "zstd")
            .body(body.clone())
    };
    let (status, text) = client.answer_patiently(retry, request).await?;
    let answer: Answer = serde_json::from_str(&text).map_err(|_| Problem::read(status, &text).failed())?;
    if answer.results.len() != events.len() {
        return Err(Failed::new(
            Exit::Failure,
            format!("the server answered for {} of {} events", answer.results.len(), events.len()),
        ));
    }
    Ok(answer.results)
}

fn rejected(file: &str, event: &Event, error: &EventError) -> Reject {
    let EventError { code, detail, pointer } = error;
    Reject {
        file: file.to_owned(),
        line: event.source_line,
        reason: if pointer.is_empty() {
            format!("{code}: {detail}")
        } else {
            format!("{code}: {detail} (at {pointer})")
        },
        record: event.record.clone(),
    }
}

fn pack(events: &[&Event]) -> Result<Vec<u8>, Failed> {
    let failed =
        |error: std::io::Error| Failed::new(Exit::Failure, format!("cannot compress a batch: {error}"));
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(failed)?;
    for event in events {
        encoder.write_all(event.line.as_bytes()).and_then(|()| encoder.write_all(b"\n")).map_err(failed)?;
    }
    encoder.finish().map_err(failed)
}
