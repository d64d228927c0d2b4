//! Sends a batch until each of its events is accounted for: whole, or split around what is refused.

use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use recount_event::Timestamp;
use recount_store::{
    Env, StoredEvent,
    streams::{Attempt, AttemptRing, DeadLetter},
};
use serde_json::json;
use tokio::time::Instant;

use super::prepare::{Prepared, scrub};
use crate::destinations::{Batch, Item, Report, Trace, Verdict};

/// Events that are refused in a row, with nothing accepted between, before the fault is seen in the
/// destination and not in the events: the stream then keeps its place instead of its dead letters.
pub(crate) const REFUSALS_IN_ROW_MAX: u32 = 10;

/// The HTTP status that speaks of a body's size, where others put an event in question.
const TOO_LARGE: u16 = 413;

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
    /// Why the rest has to wait, if there is a rest; without a reason it can be sent at once.
    pub(crate) halt: Option<Halt>,
    /// Where the batches end that are to be tried again, as seqs.
    pub(crate) ends: Vec<u64>,
    /// The least number of events that the destination said were too large together.
    pub(crate) too_large: Option<usize>,
    /// The attempt that has to be repeated: its number of events, and how long it took.
    pub(crate) failed: Option<(usize, Duration)>,
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
    // Parts of the batch, the first one last, and what is known of them already.
    let mut parts: Vec<(Batch, Option<Verdict>)> = vec![(batch, None)];
    while let Some((mut part, judged)) = parts.pop() {
        let verdict = match judged {
            Some(verdict) => verdict,
            None => attempt(prepared, env, &part, &mut outcome).await,
        };
        let end = part.last_seq() + 1;
        let halt = match verdict {
            Verdict::Accepted => {
                refusals = 0;
                outcome.accepted.extend(part.events.iter().map(|event| event.seq));
                None
            }
            Verdict::Partly { accepted, rest } => {
                let others = part.events.split_off(accepted.min(part.events.len()));
                let others = Batch { events: others, ..part.clone_empty() };
                if !part.events.is_empty() {
                    refusals = 0;
                    outcome.accepted.extend(part.events.iter().map(|event| event.seq));
                }
                match rest {
                    _ if others.events.is_empty() => {}
                    Some(rest) => parts.push((others, Some(*rest))),
                    None => break,
                }
                None
            }
            Verdict::Items(items) => take_items(&part, items, env.now(), &mut refusals, &mut outcome),
            Verdict::Split { reason } if refusals >= REFUSALS_IN_ROW_MAX => Some(hold(&reason)),
            Verdict::Split { .. } if part.events.len() > 1 => {
                let (first, second) = halves(part);
                parts.push((second, None));
                parts.push((first, None));
                None
            }
            Verdict::Split { reason } => {
                refusals += 1;
                let event = &part.events[0];
                outcome.dead.push(letter(event, env.now(), reason));
                None
            }
            Verdict::Retry { reason, after } => {
                Some(Halt { reason, kind: HaltKind::Transient { after }, held: false })
            }
            Verdict::Misconfigured { reason } => {
                Some(Halt { reason, kind: HaltKind::Misconfigured, held: false })
            }
            Verdict::Gone { reason } => Some(Halt { reason, kind: HaltKind::Gone, held: false }),
        };
        if halt.is_some() {
            outcome.halt = halt;
            outcome.ends.push(end);
            outcome.ends.extend(parts.iter().rev().map(|(part, _)| part.last_seq() + 1));
            break;
        }
    }
    if outcome.accepted.is_empty() && matches!(&outcome.halt, Some(halt) if halt.held) {
        // Refused all alike: nothing says that it is these events' fault, so they keep their place.
        outcome.dead.clear();
        outcome.ends = seqs.last().map(|last| last + 1).into_iter().collect();
    }
    let mut settled: BTreeSet<u64> = outcome.accepted.iter().copied().collect();
    settled.extend(outcome.dead.iter().map(|letter| letter.seq));
    outcome.first_waiting = seqs.into_iter().find(|seq| !settled.contains(seq));
    if outcome.first_waiting.is_some() && outcome.halt.is_none() && settled.is_empty() {
        let reason = "the answer accounts for none of the events".to_owned();
        outcome.halt = Some(Halt { reason, kind: HaltKind::Transient { after: None }, held: false });
    }
    outcome
}

impl Outcome {
    /// There is no room for its dead letters: from the first of them on, the batch waits.
    pub(crate) fn hold_dead(mut self, reason: String, end: u64) -> Self {
        let first = self.dead.first().map(|letter| letter.seq);
        self.dead.clear();
        self.first_waiting = self.first_waiting.into_iter().chain(first).min();
        self.halt = Some(Halt { reason, kind: HaltKind::Misconfigured, held: true });
        self.ends = vec![end];
        self
    }
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
async fn attempt(prepared: &Prepared, env: &Env, part: &Batch, outcome: &mut Outcome) -> Verdict {
    let at = env.now();
    let started = Instant::now();
    // A defect in a destination is that destination's trouble, with pauses, attempts and all.
    let sent = AssertUnwindSafe(prepared.destination.send(part)).catch_unwind().await;
    let mut report = sent.unwrap_or_else(|_| broken());
    let took = started.elapsed();
    scrub(&mut report, &prepared.scrubber);
    let events = part.events.len();
    match &report.verdict {
        Verdict::Retry { .. } => outcome.failed = Some((events, took)),
        Verdict::Split { .. } if events > 1 && report.trace.status == Some(TOO_LARGE) => {
            outcome.too_large = Some(outcome.too_large.map_or(events, |least| least.min(events)));
        }
        _ => {}
    }
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
    report.verdict
}

fn broken() -> Report {
    let reason = "Recount's own code broke off while sending; its log says where".to_owned();
    let trace = Trace { answer: reason.clone(), ..Trace::default() };
    Report { trace, verdict: Verdict::Retry { reason, after: None } }
}

/// The attempt as it is kept.
pub(crate) fn note(part: &Batch, report: &Report, at: Timestamp, took: Duration, number: u64) -> Attempt {
    let mut events = part.events.len();
    let (word, reason) = match &report.verdict {
        Verdict::Accepted => ("accepted", None),
        Verdict::Partly { accepted, rest: None } => {
            events = events.min(*accepted);
            ("accepted", None)
        }
        Verdict::Partly { rest: Some(rest), .. } => ("partly_accepted", rest.reason()),
        verdict @ Verdict::Items(_) => {
            let reason = verdict.reason();
            (if reason.is_some() { "partly_accepted" } else { "accepted" }, reason)
        }
        verdict @ Verdict::Retry { .. } => ("retry", verdict.reason()),
        verdict @ Verdict::Split { .. } => ("refused", verdict.reason()),
        verdict @ Verdict::Misconfigured { .. } => ("misconfigured", verdict.reason()),
        verdict @ Verdict::Gone { .. } => ("gone", verdict.reason()),
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
        last_seq: part.events[..events].last().map_or(0, |event| event.seq),
        events: events as u64,
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

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use async_trait::async_trait;
    use recount_event::Filter;
    use recount_store::streams::AttemptRing;

    use super::*;
    use crate::destinations::{self, BatchSettings, Destination, Scrubber, Secrets};

    /// Gives prepared verdicts, the last one first; panics when there are none.
    struct Prophet(Mutex<Vec<Verdict>>);

    #[async_trait]
    impl Destination for Prophet {
        async fn send(&self, _batch: &Batch) -> Report {
            let verdict = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            Report { trace: Trace::default(), verdict: verdict.expect("a verdict is left") }
        }
    }

    async fn outcome_of(mut verdicts: Vec<Verdict>) -> Outcome {
        verdicts.reverse();
        let kind = destinations::kind("webhook").expect("it is there");
        let prepared = Prepared {
            kind,
            destination: Arc::new(Prophet(Mutex::new(verdicts))),
            filter: Filter::parse("").expect("an empty filter"),
            policy: kind.limits.policy(&BatchSettings::default()).expect("the usual settings"),
            scrubber: Scrubber::new(&Secrets::default(), &[]),
        };
        let event = |seq| StoredEvent { seq, received_at: Timestamp::MIN, line: "{}".into() };
        let tenant = "acme".parse().expect("a tenant's name");
        let batch = Batch { tenant, stream: "s".into(), events: (0..4).map(event).collect(), test: false };
        deliver(&prepared, &Env::system(), batch, 0).await
    }

    fn retry(after: Option<Duration>) -> Verdict {
        Verdict::Retry { reason: "later".to_owned(), after }
    }

    #[tokio::test]
    async fn a_destination_that_panics_has_failed() {
        let outcome = outcome_of(Vec::new()).await;
        let halt = outcome.halt.expect("it waits");
        assert_eq!(halt.kind, HaltKind::Transient { after: None });
        assert!(halt.reason.contains("broke off"), "{}", halt.reason);
        assert_eq!((outcome.tried, outcome.first_waiting, outcome.ends), (1, Some(0), vec![4]));
        assert_eq!(outcome.attempts[0].ring, AttemptRing::Failed);
    }

    #[tokio::test]
    async fn what_arrived_before_a_pause_counts_and_the_pause_too() {
        let after = Some(Duration::from_secs(9));
        let verdict = Verdict::Partly { accepted: 3, rest: Some(Box::new(retry(after))) };
        let outcome = outcome_of(vec![verdict]).await;
        assert_eq!((outcome.accepted, outcome.first_waiting), (vec![0, 1, 2], Some(3)));
        assert_eq!(outcome.halt.expect("it waits").kind, HaltKind::Transient { after });
    }

    #[tokio::test]
    async fn a_slice_of_a_batch_is_reported_without_a_failure() {
        let outcome = outcome_of(vec![Verdict::Partly { accepted: 2, rest: None }]).await;
        assert_eq!((outcome.accepted, outcome.first_waiting), (vec![0, 1], Some(2)));
        assert_eq!((outcome.halt, outcome.attempts[0].events), (None, 2));
    }

    #[tokio::test]
    async fn parts_that_are_to_be_tried_again_are_cut_in_the_same_places() {
        let split = || Verdict::Split { reason: "too large".to_owned() };
        let outcome = outcome_of(vec![split(), split(), retry(None)]).await;
        assert_eq!(outcome.ends, [1, 2, 4]);
        let outcome = outcome_of(vec![split(), Verdict::Accepted, retry(None)]).await;
        assert_eq!((outcome.ends, outcome.first_waiting), (vec![4], Some(2)));
    }
}
