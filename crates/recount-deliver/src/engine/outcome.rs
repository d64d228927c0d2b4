//! Sends a batch until each of its events is accounted for: whole, or split around what is refused.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use recount_event::Timestamp;
use recount_store::{
    Env, StoredEvent,
    streams::{Attempt, AttemptRing, DeadLetter},
};
use serde_json::json;
use tokio::time::Instant;

use super::prepare::{Prepared, scrub};
use crate::destinations::{Batch, Item, Report, Verdict};

/// Events that are refused in a row, with nothing accepted between, before the fault is seen in the
/// destination and not in the events: the stream then keeps its place instead of its dead letters.
pub(crate) const REFUSALS_IN_ROW_MAX: u32 = 10;

/// Attempts of one batch that are written down one by one; a splitting makes many.
const ATTEMPTS_NOTED_MAX: usize = 16;

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// `seq`s that the destination has.
    pub(crate) accepted: Vec<u64>,
    /// Events that it refuses for good.
    pub(crate) dead: Vec<DeadLetter>,
    /// The first `seq` that is neither, if there is one.
    pub(crate) first_waiting: Option<u64>,
    /// Why the rest has to wait, if there is a rest.
    pub(crate) halt: Option<Halt>,
    /// What was tried, numbered from 0.
    pub(crate) attempts: Vec<Attempt>,
    /// How many attempts there were, noted or not.
    pub(crate) tried: u64,
}

/// Why a stream stops for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Halt {
    pub(crate) reason: String,
    pub(crate) kind: HaltKind,
    /// Whether everything was refused, so that nothing is a dead letter.
    pub(crate) held: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HaltKind {
    /// It may pass by itself.
    Transient { after: Option<Duration> },
    /// A person has to change something.
    Misconfigured,
    /// The destination wants no more, ever.
    Gone,
}

/// Sends `batch`. `refusals` are the dead letters in a row before it.
pub(crate) async fn deliver(prepared: &Prepared, env: &Env, batch: Batch, mut refusals: u32) -> Outcome {
    let mut outcome = Outcome::default();
    let seqs: Vec<u64> = batch.events.iter().map(|event| event.seq).collect();
    let mut parts = vec![batch];
    while let Some(part) = parts.pop() {
        let report = attempt(prepared, env, &part, &mut outcome).await;
        match report.verdict {
            Verdict::Accepted => {
                refusals = 0;
                outcome.accepted.extend(part.events.iter().map(|event| event.seq));
            }
            Verdict::Items(items) => {
                if let Some(halt) = take_items(&part, items, env.now(), &mut refusals, &mut outcome) {
                    outcome.halt = Some(halt);
                    break;
                }
            }
            Verdict::Split { reason } if part.events.len() > 1 => {
                if refusals >= REFUSALS_IN_ROW_MAX {
                    outcome.halt = Some(hold(&reason));
                    break;
                }
                let (first, second) = halves(part);
                parts.push(second);
                parts.push(first);
            }
            Verdict::Split { reason } => {
                if refusals >= REFUSALS_IN_ROW_MAX {
                    outcome.halt = Some(hold(&reason));
                    break;
                }
                refusals += 1;
                let event = &part.events[0];
                outcome.dead.push(letter(event, env.now(), reason));
            }
            Verdict::Retry { reason, after } => {
                outcome.halt = Some(Halt { reason, kind: HaltKind::Transient { after }, held: false });
                break;
            }
            Verdict::Misconfigured { reason } => {
                outcome.halt = Some(Halt { reason, kind: HaltKind::Misconfigured, held: false });
                break;
            }
            Verdict::Gone { reason } => {
                outcome.halt = Some(Halt { reason, kind: HaltKind::Gone, held: false });
                break;
            }
        }
    }
    if outcome.accepted.is_empty() && matches!(&outcome.halt, Some(halt) if halt.held) {
        // Refused all alike: nothing says that it is these events' fault, so they keep their place.
        outcome.dead.clear();
    }
    if outcome.halt.is_some() {
        let mut settled: BTreeSet<u64> = outcome.accepted.iter().copied().collect();
        settled.extend(outcome.dead.iter().map(|letter| letter.seq));
        outcome.first_waiting = seqs.into_iter().find(|seq| !settled.contains(seq));
    }
    outcome
}

fn hold(reason: &str) -> Halt {
    Halt {
        reason: format!(
            "{reason} (the destination has refused {REFUSALS_IN_ROW_MAX} events in a row; the stream keeps its place)"
        ),
        kind: HaltKind::Misconfigured,
        held: true,
    }
}

/// One exchange, noted without secrets.
async fn attempt(prepared: &Prepared, env: &Env, part: &Batch, outcome: &mut Outcome) -> Report {
    let at = env.now();
    let started = Instant::now();
    let mut report = prepared.destination.send(part).await;
    let took = started.elapsed();
    scrub(&mut report, &prepared.scrubber);
    let noted = note(part, &report, at, took, outcome.tried);
    outcome.tried += 1;
    metrics::counter!(
        "recount_stream_attempts_total",
        "destination" => prepared.kind.name,
        "outcome" => noted.outcome.clone(),
    )
    .increment(1);
    if outcome.attempts.len() < ATTEMPTS_NOTED_MAX {
        outcome.attempts.push(noted);
    }
    report
}

/// The attempt as it is kept.
pub(crate) fn note(part: &Batch, report: &Report, at: Timestamp, took: Duration, number: u64) -> Attempt {
    let (word, reason) = match &report.verdict {
        Verdict::Accepted => ("accepted", None),
        Verdict::Items(items) => {
            let reason = items.iter().find_map(|item| match item {
                Item::Accepted => None,
                Item::Retry { reason } | Item::Refused { reason } => Some(reason.as_str()),
            });
            (if reason.is_some() { "partly_accepted" } else { "accepted" }, reason)
        }
        Verdict::Retry { reason, .. } => ("retry", Some(reason.as_str())),
        Verdict::Split { reason } => ("refused", Some(reason.as_str())),
        Verdict::Misconfigured { reason } => ("misconfigured", Some(reason.as_str())),
        Verdict::Gone { reason } => ("gone", Some(reason.as_str())),
    };
    let detail = json!({
        "request": report.trace.request,
        "request_bytes": report.trace.request_bytes,
        "status": report.trace.status,
        "answer": report.trace.answer,
        "reason": reason,
    });
    Attempt {
        ring: match word {
            _ if part.test => AttemptRing::Manual,
            "accepted" => AttemptRing::Passed,
            _ => AttemptRing::Failed,
        },
        number,
        at,
        took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        first_seq: part.first_seq(),
        last_seq: part.last_seq(),
        events: part.events.len() as u64,
        outcome: word.to_owned(),
        detail: detail.to_string(),
    }
}

/// Accounts for each event of a part that the destination judged one by one.
fn take_items(
    part: &Batch,
    items: Vec<Item>,
    now: Timestamp,
    refusals: &mut u32,
    outcome: &mut Outcome,
) -> Option<Halt> {
    let mut waiting: Option<String> = None;
    let mut refused: Vec<(&StoredEvent, String)> = Vec::new();
    let mut accepted = false;
    for (event, item) in part.events.iter().zip(items) {
        match item {
            Item::Accepted => {
                accepted = true;
                outcome.accepted.push(event.seq);
            }
            Item::Retry { reason } => {
                waiting.get_or_insert(reason);
            }
            Item::Refused { reason } => refused.push((event, reason)),
        }
    }
    if accepted {
        *refusals = 0;
    }
    let count = u32::try_from(refused.len()).unwrap_or(u32::MAX);
    if let Some((_, reason)) = refused.first()
        && !accepted
        && refusals.saturating_add(count) > REFUSALS_IN_ROW_MAX
    {
        return Some(hold(reason));
    }
    if !accepted {
        *refusals += count;
    }
    outcome.dead.extend(refused.into_iter().map(|(event, reason)| letter(event, now, reason)));
    waiting.map(|reason| Halt { reason, kind: HaltKind::Transient { after: None }, held: false })
}

fn letter(event: &StoredEvent, at: Timestamp, reason: String) -> DeadLetter {
    let event_id =
        recount_event::read_fields(&event.line).map_or_else(|_| String::new(), |f| f.id.into_owned());
    DeadLetter { seq: event.seq, event_id, at, reason, replays: 0 }
}

fn halves(mut part: Batch) -> (Batch, Batch) {
    let second = part.events.split_off(part.events.len() / 2);
    let second = Batch { events: second, ..part.clone_empty() };
    (part, second)
}

impl Batch {
    fn clone_empty(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            stream: Arc::clone(&self.stream),
            events: Vec::new(),
            test: self.test,
        }
    }
}
