//! SQL of what is kept of a stream's past: attempts and dead letters.

use recount_event::Timestamp;

use super::streams::number;
use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};
use crate::streams::{ATTEMPTS_KEPT, Attempt, AttemptRing, DeadLetter, StreamId};

impl Catalog {
    /// Keeps one attempt.
    pub(crate) async fn keep_attempt(
        &self,
        stream: &StreamId,
        attempt: &Attempt,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        keep_attempt(&mut tx, stream, attempt).await?;
        self.commit(tx, CommitPoint::Streams).await
    }

    /// The kept attempts of a stream, the latest first.
    pub(crate) async fn stream_attempts(
        &self,
        stream: &StreamId,
        limit: u32,
    ) -> Result<Vec<Attempt>, CatalogError> {
        type Columns = (i64, i64, i64, i64, i64, i64, i64, String, String);
        let rows: Vec<Columns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT ring, number, at, took_us, first_seq, last_seq, events, outcome, detail \
                 FROM stream_attempts WHERE stream = $1 ORDER BY at DESC, number DESC LIMIT $2",
            )
            .bind(stream.as_str())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(rows
            .into_iter()
            .map(|(ring, number, at, took_us, first_seq, last_seq, events, outcome, detail)| Attempt {
                ring: AttemptRing::from_number(ring),
                number: count(number),
                at: Timestamp::from_micros(at),
                took_us: count(took_us),
                first_seq: count(first_seq),
                last_seq: count(last_seq),
                events: count(events),
                outcome,
                detail,
            })
            .collect())
    }

    /// Dead letters of a stream in the order of `seq`.
    pub(crate) async fn dead_letters(
        &self,
        stream: &StreamId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, CatalogError> {
        let rows: Vec<(i64, String, i64, String, i64)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT seq, event_id, at, reason, replays FROM dead_letters \
                 WHERE stream = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
            )
            .bind(stream.as_str())
            .bind(number(from))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?
        });
        Ok(rows
            .into_iter()
            .map(|(seq, event_id, at, reason, replays)| DeadLetter {
                seq: u64::try_from(seq).unwrap_or(0),
                event_id,
                at: Timestamp::from_micros(at),
                reason,
                replays: u32::try_from(replays).unwrap_or(0),
            })
            .collect())
    }

    /// Takes dead letters off the list. A stream that fails, for the lack of room on it perhaps, is
    /// to try again at once.
    pub(crate) async fn forget_dead_letters(
        &self,
        stream: &StreamId,
        seqs: &[u64],
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        // The stream's row first, as deliveries lock it.
        on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE streams SET revision = revision + 1, retry_at = 0, changed_at = $1 \
                 WHERE id = $2 AND failures > 0",
            )
            .bind(now.as_micros())
            .bind(stream.as_str())
            .execute(db)
            .await
            .map(drop)?;
        });
        for seq in seqs {
            on_tx!(tx, |db| {
                sqlx::query("DELETE FROM dead_letters WHERE stream = $1 AND seq = $2")
                    .bind(stream.as_str())
                    .bind(number(*seq))
                    .execute(db)
                    .await
                    .map(drop)?;
            });
        }
        count_dead_letters(&mut tx, stream).await?;
        self.commit(tx, CommitPoint::Streams).await
    }

    /// Notes that dead letters were refused again.
    pub(crate) async fn note_replays(
        &self,
        stream: &StreamId,
        refused: &[(u64, String)],
    ) -> Result<(), CatalogError> {
        let mut tx = self.begin().await?;
        for (seq, reason) in refused {
            on_tx!(tx, |db| {
                sqlx::query("UPDATE dead_letters SET replays = replays + 1, reason = $1 WHERE stream = $2 AND seq = $3")
                    .bind(reason.as_str())
                    .bind(stream.as_str())
                    .bind(number(*seq))
                    .execute(db)
                    .await
                    .map(drop)?;
            });
        }
        self.commit(tx, CommitPoint::Streams).await
    }
}

pub(super) async fn count_dead_letters(tx: &mut CatalogTx, stream: &StreamId) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query(
            "UPDATE streams SET dead_letters = (SELECT COUNT(*) FROM dead_letters WHERE stream = $1) WHERE id = $1",
        )
        .bind(stream.as_str())
        .execute(db)
        .await
        .map(drop)?;
    });
    Ok(())
}

pub(super) async fn keep_attempt(
    tx: &mut CatalogTx,
    stream: &StreamId,
    attempt: &Attempt,
) -> Result<(), CatalogError> {
    on_tx!(*tx, |db| {
        sqlx::query(
            "INSERT INTO stream_attempts \
             (stream, ring, slot, number, at, took_us, first_seq, last_seq, events, outcome, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (stream, ring, slot) DO UPDATE SET number = excluded.number, at = excluded.at, \
             took_us = excluded.took_us, first_seq = excluded.first_seq, last_seq = excluded.last_seq, \
             events = excluded.events, outcome = excluded.outcome, detail = excluded.detail",
        )
        .bind(stream.as_str())
        .bind(attempt.ring.number())
        .bind(number(attempt.number % ATTEMPTS_KEPT))
        .bind(number(attempt.number))
        .bind(attempt.at.as_micros())
        .bind(number(attempt.took_us))
        .bind(number(attempt.first_seq))
        .bind(number(attempt.last_seq))
        .bind(number(attempt.events))
        .bind(attempt.outcome.as_str())
        .bind(attempt.detail.as_str())
        .execute(db)
        .await
        .map(drop)?;
    });
    Ok(())
}
