//! Sealing: the oldest part of a tenant's tail becomes a segment.

use std::time::Instant;

use metrics::{counter, histogram};
use recount_event::TenantId;
use recount_segment::{EncodedSegment, EventBatch, Row, SegmentOptions, SegmentWriter};

use super::{INTENT_LENGTH, WorkError, Workshop};
use crate::catalog::leases::{self, Lease};
use crate::catalog::segments::{self, SegmentMeta};
use crate::catalog::tail::{self, TailBatchMeta};
use crate::catalog::{CommitPoint, garbage, tenants};
use crate::measure;
use crate::objects::segment_name;

impl Workshop {
    /// Seals up to one segment's worth of the tail; says whether there was anything.
    pub(super) async fn seal_one(&self, tenant: &TenantId, lease: &Lease) -> Result<bool, WorkError> {
        let began = Instant::now();
        let mut batches = self.catalog.tail_metas(tenant, 0..u64::MAX).await?;
        batches.truncate(self.batches_of_one_segment(&batches));
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(false) };
        let (first_seq, end_seq) = (first.first_seq, last.end_seq());

        let rows = self.read_tail(tenant, &batches).await?;
        let encoded = encode(rows).await?;
        let stats = encoded.stats;
        if (stats.first_seq, stats.last_seq + 1) != (first_seq, end_seq) {
            return Err(WorkError::Corrupt {
                object: format!("the tail of tenant {tenant}"),
                what: format!(
                    "expected seq {first_seq} to {end_seq}, got {} to {}",
                    stats.first_seq, stats.last_seq
                ),
            });
        }
        self.check_cancelled()?;

        let segment = self.put_segment(tenant, encoded).await?;
        let events = i64::try_from(end_seq - first_seq).unwrap_or(i64::MAX);
        let raw_bytes: u64 = batches.iter().map(|batch| batch.raw_bytes).sum();
        let mut tx = self.catalog.begin().await?;
        leases::check(&mut tx, lease).await?;
        tenants::hold(&mut tx, std::slice::from_ref(tenant)).await?;
        tail::delete(&mut tx, tenant, &batches).await?;
        let removed = i64::try_from(batches.len()).unwrap_or(i64::MAX);
        tenants::tail_changed(&mut tx, tenant, -removed, -events, -raw_bytes.cast_signed()).await?;
        segments::insert(&mut tx, tenant, &segment, self.env.now()).await?;
        garbage::take_intent(&mut tx, &segment.object).await?;
        self.catalog.commit(tx, CommitPoint::Seal).await?;

        counter!(measure::SEALED_EVENTS).increment(segment.rows());
        counter!(measure::SEALED_BYTES).increment(segment.bytes);
        histogram!(measure::SEAL_SECONDS).record(began.elapsed());
        tracing::debug!(
            tenant = tenant.as_ref(),
            events = segment.rows(),
            bytes = segment.bytes,
            "sealed a segment"
        );
        Ok(true)
    }

    /// How many of the tail's oldest rows make one segment.
    fn batches_of_one_segment(&self, batches: &[TailBatchMeta]) -> usize {
        let (mut events, mut raw_bytes) = (0, 0);
        for (count, batch) in batches.iter().enumerate() {
            let is_worthwhile = events * 2 >= self.seal.events || raw_bytes * 2 >= self.seal.raw_bytes;
            events += batch.events;
            raw_bytes += batch.raw_bytes;
            // Not a few rows above a row group, which would begin another one.
            if is_worthwhile && (events > self.seal.events || raw_bytes > self.seal.raw_bytes) {
                return count;
            }
        }
        batches.len()
    }

    /// Stores a segment under a new name, with an intent; the caller's transaction takes the intent.
    pub(super) async fn put_segment(
        &self,
        tenant: &TenantId,
        encoded: EncodedSegment,
    ) -> Result<SegmentMeta, WorkError> {
        let EncodedSegment { bytes, stats } = encoded;
        let object = segment_name(tenant, stats.first_seq, stats.last_seq, self.env.uuid_v7());
        self.catalog.intend_object(&object, self.after(INTENT_LENGTH)).await?;
        let meta = SegmentMeta {
            first_seq: stats.first_seq,
            last_seq: stats.last_seq,
            bytes: bytes.len() as u64,
            min_occurred: stats.min_occurred,
            max_occurred: stats.max_occurred,
            min_received: stats.min_received,
            max_received: stats.max_received,
            object,
        };
        self.objects.put(&meta.object, bytes).await?;
        Ok(meta)
    }
}

async fn encode(rows: Vec<Row>) -> Result<EncodedSegment, WorkError> {
    let encode = move || {
        let batch = EventBatch::from_rows(&rows)?;
        drop(rows);
        let mut writer = SegmentWriter::new(SegmentOptions::FRESH);
        writer.push(&batch)?;
        writer.finish()
    };
    match tokio::task::spawn_blocking(encode).await {
        Ok(encoded) => encoded.map_err(|error| WorkError::Encode(error.to_string())),
        Err(error) => Err(WorkError::Encode(error.to_string())),
    }
}
