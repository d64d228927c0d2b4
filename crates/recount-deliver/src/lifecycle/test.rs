//! A real send of one event that says that it is a test.

use std::time::Instant;

use recount_event::{ParseContext, parse_event};
use recount_store::{
    StoredEvent, TenantLog,
    streams::{AttemptRing, Stream, StreamChange},
};
use serde::Serialize;
use serde_json::json;

use super::{
    AttemptView, By, LifecycleError, Streams,
    destination::passed,
    record::{Record, metadata, record},
};
use crate::{
    destinations::Batch,
    engine::{outcome::note, prepare},
};

/// What came of a test.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TestResult {
    /// Whether the destination took the event.
    pub passed: bool,
    /// What was asked and answered, and how long it took.
    #[serde(flatten)]
    pub attempt: AttemptView,
}

impl Streams {
    /// Sends one test event with what is configured now, and remembers whether it passed.
    ///
    /// # Errors
    /// `NotFound`, `State` if what is stored can't be used, `Conflict`, `Unavailable`.
    pub async fn test(&self, log: &TenantLog, by: &By, id: &str) -> Result<TestResult, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let prepared = prepare::prepare(&stream, self.key.as_ref(), &self.surroundings)
            .map_err(LifecycleError::State)?;
        let batch = self.test_batch(log, by, &stream)?;
        let at = self.env.now();
        let started = Instant::now();
        let mut report = prepared.destination.send(&batch).await;
        let took = started.elapsed();
        prepare::scrub(&mut report, &prepared.scrubber);
        let number = self.next_manual(log, &stream).await?;
        let attempt = note(&batch, &report, at, took, number);
        let passed = passed(&report.verdict);
        record(
            log,
            by,
            Record {
                action: "tested",
                stream: (&stream.id, &stream.name),
                description: format!(
                    "Stream {} tested: {}",
                    stream.name,
                    if passed { "passed" } else { "failed" }
                ),
                reason: None,
                metadata: metadata([("passed", passed.into()), ("status", json!(report.trace.status))]),
            },
        )
        .await?;
        log.streams().keep_attempt(&stream, &attempt).await?;
        let tested_at = passed.then(|| self.env.now());
        if tested_at.is_some() || stream.tested_at.is_some() {
            let change = StreamChange { tested_at: Some(tested_at), ..StreamChange::default() };
            log.streams().change(&stream, &change).await?;
        }
        Ok(TestResult { passed, attempt: AttemptView::from(attempt) })
    }

    /// The number of the next attempt that a person asks for.
    pub(super) async fn next_manual(&self, log: &TenantLog, stream: &Stream) -> Result<u64, LifecycleError> {
        let kept = log.streams().attempts(stream, u32::MAX).await?;
        let last = kept
            .iter()
            .filter(|attempt| attempt.ring == AttemptRing::Manual)
            .map(|attempt| attempt.number)
            .max();
        Ok(last.map_or(0, |last| last + 1))
    }

    fn test_batch(&self, log: &TenantLog, by: &By, stream: &Stream) -> Result<Batch, LifecycleError> {
        let now = self.env.now();
        let text = json!({
            "id": format!("recount-test-{}", self.env.uuid_v7().simple()),
            "tenant": log.tenant().as_ref() as &str,
            "occurred_at": now.to_string(),
            "action": "recount.stream.test",
            "actor": {"type": by.actor.kind, "id": by.actor.id},
            "targets": [{"type": "stream", "id": stream.id.as_str(), "name": stream.name}],
            "source": "recount",
            "description": format!("Test of stream {}: not an event of the log", stream.name),
        })
        .to_string();
        let context = ParseContext { tenant: Some(log.tenant()), allow_own_actions: true };
        let event = parse_event(&text, &context, &mut || self.env.uuid_v7())
            .map_err(|error| LifecycleError::State(format!("the test event: {}", error.detail)))?;
        Ok(Batch {
            tenant: log.tenant().clone(),
            stream: stream.id.as_str().into(),
            events: vec![StoredEvent { seq: 0, received_at: now, line: event.line.into() }],
            test: true,
        })
    }
}
