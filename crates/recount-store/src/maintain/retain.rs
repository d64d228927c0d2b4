//! Retention: the beginning of a log that is kept no longer is removed, and the log says so.
//!
//! One transaction takes the old rows and segments away, moves the log's `first_seq`, and appends
//! `recount.retention.applied`. A segment or row that holds both old and newer events is written anew
//! without the old ones, so that nothing stays behind for being beside something younger.

use metrics::counter;
use recount_event::{TenantId, Timestamp};
use recount_segment::{ColumnId, ColumnSet, Row, Segment, id_hash};

use super::{GARBAGE_DELAY, WorkError, Workshop};
use crate::catalog::leases::{self, Lease};
use crate::catalog::segments::{self, SegmentMeta};
use crate::catalog::tail::{self, LogLayout, NewTailBatch, TailBatchMeta};
use crate::catalog::tenants::{TenantAdvance, TenantRow};
use crate::catalog::{CatalogError, CatalogTx, CommitPoint, garbage, retention, tenants};
use crate::measure;
use crate::own_event::{OwnActor, OwnEvent, OwnTarget};
use crate::retention::Retention;
use crate::tail_batch::{self, Encoder};

/// Tenants read at once while looking for expired events.
const SCAN_PAGE: u32 = 1_000;

/// What is left of the part of a log that holds the first event that is kept.
#[derive(Default)]
struct Remainder {
    segment: Option<SegmentMeta>,
    batch: Option<NewTailBatch>,
}

impl Workshop {
    /// Tenants with events that are kept no longer.
    pub(crate) async fn find_expired(&self) -> Result<Vec<TenantId>, WorkError> {
        let midnight = Retention::of_days(1).cutoff(self.after(std::time::Duration::from_secs(86_400)));
        let mut found: Vec<TenantId> = Vec::new();
        loop {
            self.check_cancelled()?;
            let after = found.last().map_or("", AsRef::as_ref);
            let page = self.catalog.tenants_to_trim(self.retention, midnight, after, SCAN_PAGE).await?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page);
        }
    }

    /// Removes the tenant's events that are kept no longer.
    pub(crate) async fn retain(&self, tenant: &TenantId, lease: &Lease) -> Result<(), WorkError> {
        let Some(before) = self.catalog.tenant(tenant).await? else { return Ok(()) };
        let Some(retention) = self.retention.of_tenant(before.retention_days) else { return Ok(()) };
        let cutoff = retention.cutoff(self.env.now());
        let Some(layout) = self.catalog.layout(tenant).await? else { return Ok(()) };
        let first_kept = self.first_kept(tenant, &layout, cutoff).await?;
        if first_kept == layout.first_seq {
            return Ok(());
        }
        let (segments, tail) = (&layout.segments, &layout.tail);
        let old_segments = &segments[..segments.partition_point(|segment| segment.first_seq < first_kept)];
        let old_batches = &tail[..tail.partition_point(|batch| batch.first_seq < first_kept)];
        let remainder = self.rest_from(tenant, first_kept, old_segments, old_batches).await?;
        self.check_cancelled()?;

        let mut tx = self.catalog.begin().await?;
        leases::check(&mut tx, lease).await?;
        let locked = tenants::lock(&mut tx, std::slice::from_ref(tenant)).await?;
        let conflict = || CatalogError::Conflict { object: format!("the log of tenant {tenant}") };
        // Removing is for good: whoever has set another retention meanwhile must find it obeyed.
        let is_as_before = |row: &&TenantRow| {
            (row.first_seq, row.retention_days) == (layout.first_seq, before.retention_days)
        };
        let row = locked.first().filter(is_as_before).ok_or_else(conflict)?;
        for segment in old_segments {
            segments::delete(&mut tx, tenant, segment).await?;
            garbage::discard(&mut tx, &segment.object, self.after(GARBAGE_DELAY)).await?;
        }
        if let Some(segment) = &remainder.segment {
            segments::insert(&mut tx, tenant, segment, self.env.now()).await?;
            garbage::take_intent(&mut tx, &segment.object).await?;
        }
        self.shorten_tail(&mut tx, tenant, old_batches, remainder.batch).await?;
        retention::move_first_seq(&mut tx, tenant, first_kept).await?;
        let removed = layout.first_seq..first_kept;
        let next_seq = self.append_record(&mut tx, row, retention, cutoff, &removed).await?;
        self.catalog.commit(tx, CommitPoint::Retain).await?;

        self.heads.announce([(tenant, next_seq)]);
        counter!(measure::REMOVED_EVENTS).increment(removed.end - removed.start);
        tracing::info!(
            tenant = tenant.as_ref(),
            events = removed.end - removed.start,
            first_seq = first_kept,
            days = retention.days(),
            "removed events that are kept no longer"
        );
        Ok(())
    }

    /// The `seq` of the first event that was received at `cutoff` or later, or the log's end.
    async fn first_kept(
        &self,
        tenant: &TenantId,
        layout: &LogLayout,
        cutoff: Timestamp,
    ) -> Result<u64, WorkError> {
        if let Some(segment) = layout.segments.iter().find(|segment| segment.max_received >= cutoff) {
            if segment.min_received >= cutoff {
                return Ok(segment.first_seq);
            }
            let opened = self.segments.segment_to_merge(segment).await?;
            let found = first_received(&opened, cutoff).await.map_err(std::sync::Arc::new)?;
            return found.ok_or_else(|| WorkError::Corrupt {
                object: segment.object.clone(),
                what: format!("it holds no event received at {cutoff} or later, the catalog says it does"),
            });
        }
        let Some(batch) = layout.tail.iter().find(|batch| batch.max_received >= cutoff) else {
            return Ok(layout.next_seq);
        };
        let rows = self.read_tail(tenant, std::slice::from_ref(batch)).await?;
        let first = rows.iter().find(|row| row.received_at >= cutoff);
        Ok(first.map_or(batch.end_seq(), |row| row.seq))
    }

    /// Writes anew what is kept of the segment, or the row of the tail, that holds `first_kept`
    /// and earlier events too.
    async fn rest_from(
        &self,
        tenant: &TenantId,
        first_kept: u64,
        segments: &[SegmentMeta],
        batches: &[TailBatchMeta],
    ) -> Result<Remainder, WorkError> {
        let mut rest = Remainder::default();
        if let Some(segment) = segments.last().filter(|segment| segment.last_seq >= first_kept) {
            let opened = self.segments.segment_to_merge(segment).await?;
            let encoded = self.merge(vec![opened], first_kept, true).await?;
            let stats = encoded.stats;
            if (stats.first_seq, stats.last_seq) != (first_kept, segment.last_seq) {
                return Err(WorkError::Corrupt {
                    object: segment.object.clone(),
                    what: format!(
                        "from seq {first_kept} on it holds {} to {}",
                        stats.first_seq, stats.last_seq
                    ),
                });
            }
            rest.segment = Some(self.put_segment(tenant, encoded).await?);
        }
        if let Some(batch) = batches.last().filter(|batch| batch.end_seq() > first_kept) {
            let mut rows = self.read_tail(tenant, std::slice::from_ref(batch)).await?;
            rows.retain(|row| row.seq >= first_kept);
            rest.batch = Some(batch_of(tenant, &rows)?);
        }
        Ok(rest)
    }

    async fn shorten_tail(
        &self,
        tx: &mut CatalogTx,
        tenant: &TenantId,
        old: &[TailBatchMeta],
        rest: Option<NewTailBatch>,
    ) -> Result<(), WorkError> {
        let sum = |of: fn(&TailBatchMeta) -> u64| old.iter().map(of).sum::<u64>();
        let mut change = (old.len() as u64, sum(|batch| batch.events), sum(|batch| batch.raw_bytes));
        tail::delete(tx, tenant, old).await?;
        if let Some(rest) = rest {
            change.0 -= 1;
            change.1 -= rest.meta.events;
            change.2 -= rest.meta.raw_bytes;
            tail::insert(tx, vec![rest]).await?;
        }
        let (batches, events, bytes) = change;
        let less = |by: u64| -by.cast_signed();
        Ok(tenants::tail_changed(tx, tenant, less(batches), less(events), less(bytes)).await?)
    }

    /// Appends the event that says what was removed; returns the log's new end.
    async fn append_record(
        &self,
        tx: &mut CatalogTx,
        row: &TenantRow,
        retention: Retention,
        cutoff: Timestamp,
        removed: &std::ops::Range<u64>,
    ) -> Result<u64, WorkError> {
        let tenant = &row.tenant;
        let event = record(tenant, retention, cutoff, removed)
            .to_event(tenant, &self.env, None)
            .map_err(|error| WorkError::Encode(error.to_string()))?;
        let received_at = self.env.now().max(row.last_received_at);
        let stored = Row { seq: row.next_seq, received_at, line: event.line.as_str().into() };
        let batch = batch_of(tenant, std::slice::from_ref(&stored))?;
        let next_seq = row.next_seq + 1;
        let raw_bytes = batch.meta.raw_bytes;
        let advance = TenantAdvance { tenant: tenant.clone(), next_seq, events: 1, raw_bytes, received_at };
        if tenants::advance(tx, &[advance]).await? != 1 {
            return Err(CatalogError::Conflict { object: format!("the log of tenant {tenant}") }.into());
        }
        tail::insert(tx, vec![batch]).await?;
        Ok(next_seq)
    }
}

fn record(
    tenant: &TenantId,
    retention: Retention,
    cutoff: Timestamp,
    removed: &std::ops::Range<u64>,
) -> OwnEvent {
    let events = removed.end - removed.start;
    let mut event = OwnEvent::new("recount.retention.applied", OwnActor::recount());
    event.targets = vec![OwnTarget { kind: "log".to_owned(), id: tenant.to_string(), name: None }];
    event.description = Some(format!(
        "{events} events received before {cutoff} were removed: events are kept for {} days",
        retention.days()
    ));
    event.metadata.insert("events".to_owned(), events.into());
    event.metadata.insert("first_seq".to_owned(), removed.start.into());
    event.metadata.insert("last_seq".to_owned(), (removed.end - 1).into());
    event.metadata.insert("received_before".to_owned(), cutoff.to_string().into());
    event.metadata.insert("retention_days".to_owned(), retention.days().into());
    event
}

/// The lowest `seq` of the segment's events received at `cutoff` or later.
async fn first_received(
    segment: &Segment,
    cutoff: Timestamp,
) -> Result<Option<u64>, recount_segment::SegmentError> {
    let wanted = ColumnSet::EMPTY.with(ColumnId::Seq).with(ColumnId::ReceivedAt);
    let mut first: Option<u64> = None;
    for row_group in 0..segment.row_groups().len() {
        let columns = segment.columns(row_group, wanted, None).await?;
        let kept = (0..columns.len()).filter(|row| columns.received_at(*row) >= cutoff);
        first = first.into_iter().chain(kept.map(|row| columns.seq(row)).min()).min();
    }
    Ok(first)
}

/// A row of the tail that holds these events, which are not none and follow each other.
fn batch_of(tenant: &TenantId, rows: &[Row]) -> Result<NewTailBatch, WorkError> {
    let corrupt = |seq: u64, what: String| WorkError::Corrupt {
        object: format!("event {seq} of tenant {tenant}"),
        what,
    };
    let mut id_hashes = Vec::with_capacity(rows.len() * 8);
    let (mut min_occurred, mut max_occurred) = (Timestamp::MAX, Timestamp::MIN);
    for row in rows {
        let fields = recount_event::read_fields(row.line.as_str())
            .map_err(|error| corrupt(row.seq, error.to_string()))?;
        id_hashes.extend_from_slice(&id_hash(&fields.id).to_le_bytes());
        min_occurred = min_occurred.min(fields.occurred_at);
        max_occurred = max_occurred.max(fields.occurred_at);
    }
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err(corrupt(0, "there is none to write".to_owned()));
    };
    let meta = TailBatchMeta {
        first_seq: first.seq,
        events: rows.len() as u64,
        raw_bytes: rows.iter().map(|row| row.line.len() as u64).sum(),
        min_occurred,
        max_occurred,
        min_received: first.received_at,
        max_received: last.received_at,
    };
    let encode = |mut encoder: Encoder| {
        encoder.encode(rows.iter().map(|row| row.line.as_str()), &tail_batch::runs(rows))
    };
    let body = Encoder::new().and_then(encode).map_err(|error| WorkError::Encode(error.to_string()))?;
    Ok(NewTailBatch { tenant: tenant.clone(), meta, id_hashes, body })
}
