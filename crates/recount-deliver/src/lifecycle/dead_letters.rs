//! Events that a destination refused: looked at, sent again, given up.

use std::time::Duration;

use recount_store::{
    ReadError, TenantLog,
    streams::{AttemptRing, DeadLetter, Stream},
};
use serde::Serialize;

use super::{
    By, LifecycleError, Streams,
    record::{Record, metadata, record},
};
use crate::{
    destinations::Batch,
    engine::{outcome::deliver, prepare},
};

/// Most dead letters that are sent again at once.
const REDELIVERED_MAX: usize = 100;

/// A dead letter.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DeadLetterView {
    /// The event's `seq`.
    pub seq: u64,
    /// The event's id, under which it is read.
    pub event_id: String,
    /// When it was refused.
    pub at: String,
    /// What the destination said.
    pub reason: String,
    /// How often it was sent again in vain.
    pub replays: u32,
}

/// A page of dead letters.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DeadLetterList {
    /// In the order of `seq`.
    pub data: Vec<DeadLetterView>,
    /// The `cursor` of the next page, if there is one.
    pub next_cursor: Option<String>,
}

/// What became of dead letters that were sent again.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Redelivery {
    /// In the order of `seq`.
    pub results: Vec<RedeliveryResult>,
    /// How many dead letters are left.
    pub left: u64,
}

/// What became of one of them.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RedeliveryResult {
    /// The event's `seq`.
    pub seq: u64,
    /// Whether the destination has it now.
    pub accepted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Streams {
    /// Dead letters from `from` on.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn dead_letters(
        &self,
        log: &TenantLog,
        id: &str,
        from: u64,
        limit: u32,
    ) -> Result<DeadLetterList, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let mut letters = log.streams().dead_letters(&stream, from, limit.saturating_add(1)).await?;
        let next = if letters.len() > limit as usize {
            letters.pop().map(|letter| letter.seq.to_string())
        } else {
            None
        };
        Ok(DeadLetterList {
            data: letters.into_iter().map(DeadLetterView::from).collect(),
            next_cursor: next,
        })
    }

    /// Sends dead letters again: those named, or the first [`REDELIVERED_MAX`].
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `State` if what is stored can't be used, `Unavailable`.
    pub async fn redeliver(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        seqs: Option<Vec<u64>>,
    ) -> Result<Redelivery, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let letters = self.chosen(log, &stream, seqs).await?;
        let prepared = prepare::prepare(&stream, self.key.as_ref(), &self.surroundings)
            .map_err(LifecycleError::State)?;
        let mut events = Vec::new();
        let mut results: Vec<RedeliveryResult> = Vec::new();
        for letter in &letters {
            match log.feed(letter.seq, 1, Duration::ZERO).await {
                Ok(page) => events.extend(page.events),
                Err(ReadError::Removed { .. }) => {
                    results.push(RedeliveryResult {
                        seq: letter.seq,
                        accepted: false,
                        reason: Some("retention has just removed the event".to_owned()),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        record(
            log,
            by,
            Record {
                action: "dead_letters_replayed",
                stream: (&stream.id, &stream.name),
                description: format!("{} dead letters of stream {} sent again", events.len(), stream.name),
                reason: None,
                metadata: metadata([("events", events.len().into())]),
            },
        )
        .await?;
        if !events.is_empty() {
            let sent: Vec<u64> = events.iter().map(|event| event.seq).collect();
            let batch = Batch {
                tenant: stream.tenant.clone(),
                stream: stream.id.as_str().into(),
                events,
                test: false,
            };
            let outcome = deliver(&prepared, &self.env, batch, 0).await;
            let number = self.next_manual(log, &stream).await?;
            for (index, mut attempt) in outcome.attempts.into_iter().enumerate() {
                attempt.ring = AttemptRing::Manual;
                attempt.number = number + index as u64;
                log.streams().keep_attempt(&stream, &attempt).await?;
            }
            let mut refused: Vec<(u64, String)> = Vec::new();
            for seq in sent {
                if outcome.accepted.contains(&seq) {
                    results.push(RedeliveryResult { seq, accepted: true, reason: None });
                    continue;
                }
                let letter =
                    outcome.dead.iter().find(|letter| letter.seq == seq).map(|letter| letter.reason.clone());
                let halted = outcome.halt.as_ref().map(|halt| halt.reason.clone());
                let reason = letter.or(halted).unwrap_or_default();
                refused.push((seq, reason.clone()));
                results.push(RedeliveryResult { seq, accepted: false, reason: Some(reason) });
            }
            log.streams().forget_dead_letters(&stream, &outcome.accepted).await?;
            log.streams().note_replays(&stream, &refused).await?;
        }
        results.sort_by_key(|result| result.seq);
        Ok(Redelivery { results, left: self.stream(log, id).await?.dead_letters })
    }

    /// Gives dead letters up: they are taken off the list and stay in the log.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Unavailable`.
    pub async fn discard(
        &self,
        log: &TenantLog,
        by: &By,
        id: &str,
        seqs: Vec<u64>,
    ) -> Result<u64, LifecycleError> {
        let stream = self.stream(log, id).await?;
        let letters = self.chosen(log, &stream, Some(seqs)).await?;
        let seqs: Vec<u64> = letters.iter().map(|letter| letter.seq).collect();
        record(
            log,
            by,
            Record {
                action: "dead_letters_discarded",
                stream: (&stream.id, &stream.name),
                description: format!("{} dead letters of stream {} given up", seqs.len(), stream.name),
                reason: None,
                metadata: metadata([("seqs", seqs.clone().into())]),
            },
        )
        .await?;
        log.streams().forget_dead_letters(&stream, &seqs).await?;
        Ok(self.stream(log, id).await?.dead_letters)
    }

    async fn chosen(
        &self,
        log: &TenantLog,
        stream: &Stream,
        seqs: Option<Vec<u64>>,
    ) -> Result<Vec<DeadLetter>, LifecycleError> {
        let Some(mut seqs) = seqs else {
            return Ok(log.streams().dead_letters(stream, 0, REDELIVERED_MAX as u32).await?);
        };
        if seqs.len() > REDELIVERED_MAX {
            return Err(LifecycleError::invalid("/seqs", format!("at most {REDELIVERED_MAX} at once")));
        }
        seqs.sort_unstable();
        seqs.dedup();
        let mut letters = Vec::new();
        for seq in seqs {
            let found = log.streams().dead_letters(stream, seq, 1).await?.into_iter().next();
            match found.filter(|letter| letter.seq == seq) {
                Some(letter) => letters.push(letter),
                None => {
                    return Err(LifecycleError::invalid(
                        "/seqs",
                        format!("seq {seq} is no dead letter of this stream"),
                    ));
                }
            }
        }
        Ok(letters)
    }
}

impl From<DeadLetter> for DeadLetterView {
    fn from(letter: DeadLetter) -> Self {
        Self {
            seq: letter.seq,
            event_id: letter.event_id,
            at: letter.at.to_string(),
            reason: letter.reason,
            replays: letter.replays,
        }
    }
}
