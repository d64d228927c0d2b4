//! A stream's state after an attempt: where it stands, how it is doing, when it tries again.

use std::time::Duration;

use recount_event::{Outcome as EventOutcome, Timestamp};
use recount_store::{
    Env, OwnActor, OwnEvent, OwnTarget,
    streams::{Progress, Stream, StreamHealth, StreamStatus},
};

use super::{
    backoff::Backoff,
    outcome::{Halt, HaltKind},
};

/// Failures in a row after which a stream is unhealthy.
const UNHEALTHY_AFTER: u32 = 3;

/// How often, at the soonest, something is tried that only a person can repair.
const MISCONFIGURED_PAUSE_MIN: Duration = Duration::from_secs(10);

/// The state that a stream's row has.
pub(super) fn of(stream: &Stream) -> Progress {
    Progress {
        cursor: stream.cursor,
        stretches: stream.stretches.clone(),
        status: stream.status,
        status_reason: stream.status_reason.clone(),
        health: stream.health,
        failures: stream.failures,
        refusals: stream.refusals,
        retry_at: stream.retry_at,
        attempts: stream.attempts,
        delivered: stream.delivered,
        last_success_at: stream.last_success_at,
        last_error_at: stream.last_error_at,
        last_error: stream.last_error.clone(),
    }
}

/// Takes a step into the row that is held in memory, once it is durable.
pub(super) fn apply(stream: &mut Stream, progress: Progress) {
    stream.cursor = progress.cursor;
    stream.stretches = progress.stretches;
    stream.status = progress.status;
    stream.status_reason = progress.status_reason;
    stream.health = progress.health;
    stream.failures = progress.failures;
    stream.refusals = progress.refusals;
    stream.retry_at = progress.retry_at;
    stream.attempts = progress.attempts;
    stream.delivered = progress.delivered;
    stream.last_success_at = progress.last_success_at;
    stream.last_error_at = progress.last_error_at;
    stream.last_error = progress.last_error;
}

/// Something was accepted.
pub(super) fn passed(progress: &mut Progress, now: Timestamp, caught_up: bool) {
    progress.failures = 0;
    progress.refusals = 0;
    progress.retry_at = None;
    progress.last_success_at = Some(now);
    progress.health = match progress.health {
        StreamHealth::Unhealthy | StreamHealth::Recovering if !caught_up => StreamHealth::Recovering,
        _ => StreamHealth::Healthy,
    };
}

/// Something failed. Returns the pause.
pub(super) fn failed(progress: &mut Progress, halt: &Halt, env: &Env, backoff: &Backoff) -> Duration {
    let now = env.now();
    progress.failures = progress.failures.saturating_add(1);
    progress.last_error_at = Some(now);
    progress.last_error = halt.reason.clone();
    let (asked, at_once) = match halt.kind {
        HaltKind::Transient { after } => (after, false),
        HaltKind::Misconfigured => (Some(MISCONFIGURED_PAUSE_MIN.min(backoff.longest)), true),
        HaltKind::Gone => {
            progress.status = StreamStatus::Disabled;
            progress.status_reason = halt.reason.clone();
            (None, true)
        }
    };
    if at_once || progress.failures >= UNHEALTHY_AFTER {
        progress.health = StreamHealth::Unhealthy;
    }
    let pause = backoff.pause(progress.failures, asked, &*env.entropy);
    let pause_us = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
    progress.retry_at = Some(Timestamp::from_micros(now.as_micros().saturating_add(pause_us)));
    pause
}

/// The event to record when a stream's state has changed for those who watch it, if it has.
pub(super) fn event(stream: &Stream, progress: &Progress) -> Option<OwnEvent> {
    let (action, what, outcome) = match (stream.health, progress.health, progress.status) {
        (_, _, StreamStatus::Disabled) if stream.status != StreamStatus::Disabled => {
            ("recount.stream.disabled", "asked for no more events and was disabled", EventOutcome::Failure)
        }
        (StreamHealth::Unhealthy, StreamHealth::Recovering | StreamHealth::Healthy, _) => {
            ("recount.stream.recovered", "delivers again", EventOutcome::Success)
        }
        (before, StreamHealth::Unhealthy, _) if before != StreamHealth::Unhealthy => {
            ("recount.stream.unhealthy", "can't deliver and keeps its place", EventOutcome::Failure)
        }
        _ => return None,
    };
    let mut event = own_event(stream, action);
    event.outcome = outcome;
    event.description = Some(format!("Stream {} {what}", stream.name));
    if outcome != EventOutcome::Success {
        event.reason = Some(progress.last_error.clone());
    }
    event.metadata.insert("cursor".to_owned(), progress.cursor.into());
    Some(event)
}

/// An event about the stream.
pub(super) fn own_event(stream: &Stream, action: &str) -> OwnEvent {
    let mut event = OwnEvent::new(action, OwnActor::recount());
    event.targets.push(OwnTarget {
        kind: "stream".to_owned(),
        id: stream.id.to_string(),
        name: Some(stream.name.clone()),
    });
    event.metadata.insert("destination".to_owned(), stream.destination_type.as_str().into());
    event
}
