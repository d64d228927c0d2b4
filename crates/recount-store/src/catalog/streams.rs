//! SQL of streams: their rows, and the fenced steps of their cursors.

use recount_event::{TenantId, Timestamp};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::leases;
use super::stream_records::{count_dead_letters, keep_attempt};
use super::{Catalog, CatalogError, CatalogTx, CommitPoint, on_read, on_tx};
use crate::streams::{
    NewStream, STREAMS_PER_TENANT_MAX, SettleError, Settlement, Stream, StreamChange, StreamHealth, StreamId,
    StreamStatus,
};

/// How long a deleted stream's row stays, in microseconds: longer than any node goes without looking.
const TOMBSTONES_KEPT_US: i64 = 3_600 * 1_000_000;

/// Whether a stream was inserted.
pub(crate) enum Inserted {
    Yes,
    TooMany,
}

const COLUMNS: &str = "s.id, s.tenant, s.name, s.destination_type, s.destination, s.secrets, s.format, s.filter, \
     s.batch, s.status, s.status_reason, s.revision, s.tested_at, s.cursor_seq, s.stretches, s.health, s.failures, s.refusals, \
     s.retry_at, s.attempts, s.delivered, s.dead_letters, s.last_success_at, s.last_error_at, s.last_error, \
     s.created_at, s.created_by, s.changed_at";

/// A row of `streams`, not yet checked. `next_seq` is there in joins with `tenants`.
struct StreamRow {
    texts: [String; 14],
    secrets: Vec<u8>,
    numbers: [i64; 10],
    moments: [Option<i64>; 3],
    next_seq: Option<i64>,
}

const TEXTS: [&str; 14] = [
    "id",
    "tenant",
    "name",
    "destination_type",
    "destination",
    "format",
    "filter",
    "batch",
    "status",
    "status_reason",
    "health",
    "last_error",
    "created_by",
    "stretches",
];
const NUMBERS: [&str; 10] = [
    "revision",
    "cursor_seq",
    "failures",
    "refusals",
    "retry_at",
    "attempts",
    "delivered",
    "dead_letters",
    "created_at",
    "changed_at",
];
const MOMENTS: [&str; 3] = ["tested_at", "last_success_at", "last_error_at"];

impl<'r, R> FromRow<'r, R> for StreamRow
where
    R: Row,
    for<'c> &'c str: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let (mut texts, mut numbers, mut moments) = ([const { String::new() }; 14], [0; 10], [None; 3]);
        for (slot, name) in texts.iter_mut().zip(TEXTS) {
            *slot = row.try_get(name)?;
        }
        for (slot, name) in numbers.iter_mut().zip(NUMBERS) {
            *slot = row.try_get(name)?;
        }
        for (slot, name) in moments.iter_mut().zip(MOMENTS) {
            *slot = row.try_get(name)?;
        }
        Ok(Self {
            texts,
            secrets: row.try_get("secrets")?,
            numbers,
            moments,
            next_seq: row.try_get("next_seq")?,
        })
    }
}

impl StreamRow {
    fn check(self) -> Result<(Stream, u64), CatalogError> {
        let [
            id,
            tenant,
            name,
            destination_type,
            destination,
            format,
            filter,
            batch,
            status,
            status_reason,
            health,
            last_error,
            created_by,
            stretches,
        ] = self.texts;
        let [
            revision,
            cursor,
            failures,
            refusals,
            retry_at,
            attempts,
            delivered,
            dead_letters,
            created_at,
            changed_at,
        ] = self.numbers;
        let corrupt =
            |what: &str| CatalogError::Corrupt { object: format!("stream {id}"), what: what.to_owned() };
        let [tested_at, last_success_at, last_error_at] =
            self.moments.map(|at| at.map(Timestamp::from_micros));
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let small = |number: i64| u32::try_from(number).unwrap_or(0);
        let stream = Stream {
            tenant: tenant.parse().map_err(|_| corrupt("its tenant is no tenant's name"))?,
            status: StreamStatus::from_catalog(&status).ok_or_else(|| corrupt("unknown status"))?,
            health: StreamHealth::from_catalog(&health).ok_or_else(|| corrupt("unknown health"))?,
            id: StreamId::from_text(&id),
            name,
            destination_type,
            destination,
            secrets: self.secrets,
            format,
            filter,
            batch,
            status_reason,
            revision,
            tested_at,
            cursor: count(cursor),
            stretches: stretches.split(',').filter_map(|end| end.parse().ok()).collect(),
            failures: small(failures),
            refusals: small(refusals),
            retry_at: (retry_at > 0).then(|| Timestamp::from_micros(retry_at)),
            attempts: count(attempts),
            delivered: count(delivered),
            dead_letters: count(dead_letters),
            last_success_at,
            last_error_at,
            last_error,
            created_at: Timestamp::from_micros(created_at),
            created_by,
            changed_at: Timestamp::from_micros(changed_at),
        };
        Ok((stream, self.next_seq.map_or(0, count)))
    }
}

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS}, t.next_seq AS next_seq FROM streams s LEFT JOIN tenants t ON t.tenant = s.tenant {rest}"
    ))
}

/// Ends of batches as the catalog holds them.
fn ends(stretches: &[u64]) -> String {
    stretches.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// `$first, …` for so many values.
fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// A count or a `seq` as the catalog holds it.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Catalog {
    /// Stores a draft unless the tenant has too many streams.
    pub(crate) async fn insert_stream(
        &self,
        tenant: &TenantId,
        new: &NewStream,
        now: Timestamp,
    ) -> Result<Inserted, CatalogError> {
        let mut tx = self.begin().await?;
        let (count,): (i64,) = on_tx!(tx, |db| {
            sqlx::query_as("SELECT COUNT(*) FROM streams WHERE tenant = $1 AND status <> 'deleted'")
                .bind(tenant.as_ref() as &str)
                .fetch_one(db)
                .await?
        });
        if count >= i64::from(STREAMS_PER_TENANT_MAX) {
            return Ok(Inserted::TooMany);
        }
        on_tx!(tx, |db| {
            sqlx::query(
                "INSERT INTO streams (id, tenant, shard, name, destination_type, destination, secrets, format, \
                 filter, batch, status, status_reason, revision, cursor_seq, health, failures, refusals, retry_at, \
                 attempts, delivered, dead_letters, last_error, created_at, created_by, changed_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'draft', '', 1, $11, 'unknown', 0, 0, 0, \
                 0, 0, 0, '', $12, $13, $12)",
            )
            .bind(new.id.as_str())
            .bind(tenant.as_ref() as &str)
            .bind(i64::from(new.id.shard()))
            .bind(new.name.as_str())
            .bind(new.destination_type.as_str())
            .bind(new.destination.as_str())
            .bind(new.secrets.as_slice())
            .bind(new.format.as_str())
            .bind(new.filter.as_str())
            .bind(new.batch.as_str())
            .bind(number(new.cursor))
            .bind(now.as_micros())
            .bind(new.created_by.as_str())
            .execute(db)
            .await?;
        });
        self.commit(tx, CommitPoint::Streams).await?;
        Ok(Inserted::Yes)
    }

    /// One stream, of any tenant or only of the given one.
    pub(crate) async fn stream(
        &self,
        tenant: Option<&TenantId>,
        id: &StreamId,
    ) -> Result<Option<Stream>, CatalogError> {
        let row: Option<StreamRow> = on_read!(self, |db| {
            sqlx::query_as(select("WHERE s.id = $1 AND s.status <> 'deleted'"))
                .bind(id.as_str())
                .fetch_optional(db)
                .await?
        });
        let found = row.map(StreamRow::check).transpose()?.map(|(stream, _)| stream);
        Ok(found.filter(|stream| tenant.is_none_or(|tenant| stream.tenant == *tenant)))
    }

    /// All streams of a tenant, the oldest first.
    pub(crate) async fn tenant_streams(&self, tenant: &TenantId) -> Result<Vec<Stream>, CatalogError> {
        let rows: Vec<StreamRow> = on_read!(self, |db| {
            sqlx::query_as(select(
                "WHERE s.tenant = $1 AND s.status <> 'deleted' ORDER BY s.created_at, s.id",
            ))
            .bind(tenant.as_ref() as &str)
            .fetch_all(db)
            .await?
        });
        rows.into_iter().map(|row| Ok(row.check()?.0)).collect()
    }

    /// All active streams of the shards, each with its log's next `seq`.
    pub(crate) async fn active_streams(&self, shards: &[u32]) -> Result<Vec<(Stream, u64)>, CatalogError> {
        if shards.is_empty() {
            return Ok(Vec::new());
        }
        let rest = format!("WHERE s.status = 'active' AND s.shard IN ({})", placeholders(1, shards.len()));
        let rows: Vec<StreamRow> = on_read!(self, |db| {
            let mut query = sqlx::query_as(select(&rest));
            for shard in shards {
                query = query.bind(i64::from(*shard));
            }
            query.fetch_all(db).await?
        });
        let mut streams = Vec::with_capacity(rows.len());
        for row in rows {
            match row.check() {
                Ok(stream) => streams.push(stream),
                // One damaged row must not stop all streams.
                Err(error) => tracing::error!(error = %error, "a stream is left out"),
            }
        }
        Ok(streams)
    }

    /// Ids and revisions of the streams that people changed since `since`.
    pub(crate) async fn changed_streams(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(StreamId, i64)>, CatalogError> {
        let rows: Vec<(String, i64)> = on_read!(self, |db| {
            sqlx::query_as("SELECT id, revision FROM streams WHERE changed_at >= $1")
                .bind(since.as_micros())
                .fetch_all(db)
                .await?
        });
        Ok(rows.into_iter().map(|(id, revision)| (StreamId::from_text(&id), revision)).collect())
    }

    /// Applies a person's change to the revision that they saw, and a change of status to the status
    /// that they saw (a destination may have disabled the stream since); says whether it was still so.
    pub(crate) async fn change_stream(
        &self,
        tenant: &TenantId,
        seen: &Stream,
        change: &StreamChange,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        let (destination, secrets) = match &change.destination {
            Some((destination, secrets)) => (destination.as_str(), secrets.as_slice()),
            None => (seen.destination.as_str(), seen.secrets.as_slice()),
        };
        let status = change.status.as_ref().map(|(status, _)| status.as_str());
        let reason = change.status.as_ref().map(|(_, reason)| reason.as_str());
        let tested_at = change.tested_at.unwrap_or(seen.tested_at);
        // Batches are not what they were.
        let recut = change.cursor.is_some()
            || change.destination.is_some()
            || change.format.is_some()
            || change.filter.is_some()
            || change.batch.is_some();
        let mut tx = self.begin().await?;
        let changed = on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE streams SET name = $1, destination = $2, secrets = $3, format = $4, filter = $5, batch = $6, \
                 status = COALESCE($7, status), status_reason = COALESCE($8, status_reason), tested_at = $9, \
                 cursor_seq = COALESCE($10, cursor_seq), stretches = CASE WHEN $16 THEN '' ELSE stretches END, \
                 revision = revision + 1, failures = 0, refusals = 0, retry_at = 0, changed_at = $11 \
                 WHERE id = $12 AND tenant = $13 AND revision = $14 AND status <> 'deleted' \
                 AND status = COALESCE($15, status)",
            )
            .bind(change.name.as_deref().unwrap_or(&seen.name))
            .bind(destination)
            .bind(secrets)
            .bind(change.format.as_deref().unwrap_or(&seen.format))
            .bind(change.filter.as_deref().unwrap_or(&seen.filter))
            .bind(change.batch.as_deref().unwrap_or(&seen.batch))
            .bind(status)
            .bind(reason)
            .bind(tested_at.map(Timestamp::as_micros))
            .bind(change.cursor.map(number))
            .bind(now.as_micros())
            .bind(seen.id.as_str())
            .bind(tenant.as_ref() as &str)
            .bind(seen.revision)
            .bind(change.status.as_ref().map(|_| seen.status.as_str()))
            .bind(recut)
            .execute(db)
            .await?
            .rows_affected()
        });
        self.commit(tx, CommitPoint::Streams).await?;
        Ok(changed == 1)
    }

    /// Deletes a stream and what hangs on it; says whether it was there.
    ///
    /// A tombstone without secrets stays for a while, so that other nodes see the change.
    pub(crate) async fn delete_stream(
        &self,
        tenant: &TenantId,
        id: &StreamId,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        let mut tx = self.begin().await?;
        let deleted = on_tx!(tx, |db| {
            sqlx::query(
                "UPDATE streams SET status = 'deleted', destination = '{}', secrets = $1, revision = revision + 1, \
                 changed_at = $2 WHERE id = $3 AND tenant = $4 AND status <> 'deleted'",
            )
            .bind(&[][..] as &[u8])
            .bind(now.as_micros())
            .bind(id.as_str())
            .bind(tenant.as_ref() as &str)
            .execute(db)
            .await?
            .rows_affected()
        });
        if deleted == 0 {
            return Ok(false);
        }
        for sql in
            ["DELETE FROM stream_attempts WHERE stream = $1", "DELETE FROM dead_letters WHERE stream = $1"]
        {
            on_tx!(tx, |db| sqlx::query(sql).bind(id.as_str()).execute(db).await.map(drop)?);
        }
        on_tx!(tx, |db| {
            sqlx::query("DELETE FROM streams WHERE status = 'deleted' AND changed_at < $1")
                .bind(now.as_micros() - TOMBSTONES_KEPT_US)
                .execute(db)
                .await
                .map(drop)?;
        });
        self.commit(tx, CommitPoint::Streams).await?;
        Ok(true)
    }

    /// Takes the steps of several streams in one transaction, each fenced by its lease, by the
    /// revision that was worked with and by the place that the cursor was at.
    pub(crate) async fn settle_streams(
        &self,
        settlements: &[Settlement],
    ) -> Result<Vec<Result<(), SettleError>>, CatalogError> {
        let mut tx = self.begin().await?;
        let mut checked: Vec<(&leases::Lease, bool)> = Vec::new();
        let mut order: Vec<usize> = (0..settlements.len()).collect();
        // Rows are locked in the order of ids, so that two nodes can't wait for each other.
        order.sort_by(|a, b| settlements[*a].stream.cmp(&settlements[*b].stream));
        let mut results = vec![Ok(()); settlements.len()];
        for index in order {
            let settlement = &settlements[index];
            let lease = &settlement.lease.0;
            let known = checked.iter().find(|(seen, _)| *seen == lease).map(|(_, held)| *held);
            let held = match known {
                Some(held) => held,
                None => {
                    let held = match leases::check(&mut tx, lease).await {
                        Ok(()) => true,
                        Err(CatalogError::Fenced { .. }) => false,
                        Err(error) => return Err(error),
                    };
                    checked.push((lease, held));
                    held
                }
            };
            results[index] = if held { settle(&mut tx, settlement).await? } else { Err(SettleError::Fenced) };
        }
        self.commit(tx, CommitPoint::Streams).await?;
        Ok(results)
    }
}

async fn settle(
    tx: &mut CatalogTx,
    settlement: &Settlement,
) -> Result<Result<(), SettleError>, CatalogError> {
    let progress = &settlement.progress;
    let stepped = on_tx!(*tx, |db| {
        sqlx::query(
            "UPDATE streams SET cursor_seq = $1, status = $2, status_reason = $3, health = $4, failures = $5, \
             refusals = $6, retry_at = $7, attempts = $8, delivered = $9, \
             last_success_at = $10, last_error_at = $11, last_error = $12, stretches = $13 \
             WHERE id = $14 AND revision = $15 AND cursor_seq = $16 AND status = 'active'",
        )
        .bind(number(progress.cursor))
        .bind(progress.status.as_str())
        .bind(progress.status_reason.as_str())
        .bind(progress.health.as_str())
        .bind(i64::from(progress.failures))
        .bind(i64::from(progress.refusals))
        .bind(progress.retry_at.map_or(0, Timestamp::as_micros))
        .bind(number(progress.attempts))
        .bind(number(progress.delivered))
        .bind(progress.last_success_at.map(Timestamp::as_micros))
        .bind(progress.last_error_at.map(Timestamp::as_micros))
        .bind(progress.last_error.as_str())
        .bind(ends(&progress.stretches))
        .bind(settlement.stream.as_str())
        .bind(settlement.revision)
        .bind(number(settlement.from))
        .execute(db)
        .await?
        .rows_affected()
    });
    if stepped == 0 {
        return Ok(Err(SettleError::Changed));
    }
    for attempt in &settlement.attempts {
        keep_attempt(tx, &settlement.stream, attempt).await?;
    }
    for letter in &settlement.dead_letters {
        on_tx!(*tx, |db| {
            sqlx::query(
                "INSERT INTO dead_letters (stream, seq, event_id, at, reason, replays) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (stream, seq) DO UPDATE SET at = excluded.at, reason = excluded.reason",
            )
            .bind(settlement.stream.as_str())
            .bind(number(letter.seq))
            .bind(letter.event_id.as_str())
            .bind(letter.at.as_micros())
            .bind(letter.reason.as_str())
            .bind(i64::from(letter.replays))
            .execute(db)
            .await
            .map(drop)?;
        });
    }
    if !settlement.dead_letters.is_empty() {
        count_dead_letters(tx, &settlement.stream).await?;
    }
    Ok(Ok(()))
}
