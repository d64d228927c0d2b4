//! Folding: many small rows of a tail become one, so that reading a busy tenant's tail stays cheap
//! although its events come one by one.

use metrics::counter;
use recount_event::TenantId;
use recount_segment::Row;

use super::read_tail::Bodies;
use super::{WorkError, Workshop};
use crate::catalog::leases::{self, Lease};
use crate::catalog::tail::{self, NewTailBatch, TailBatchMeta};
use crate::catalog::{CommitPoint, tenants};
use crate::measure;
use crate::tail_batch::{self, Encoder};

/// Rows of at least this many events, or bytes, are left alone: each event is folded about twice at most.
const SMALL_EVENTS: u64 = 256;
const SMALL_BYTES: u64 = 256 * 1024;
/// Rows of so many bytes on average are joined as they are compressed: together they would become a third smaller at
/// best, for twice the work.
const JOINED_BYTES_MIN: u64 = 8 * 1024;
/// What one fold makes at most.
const FOLDED_EVENTS_MAX: u64 = 8_192;
const FOLDED_BYTES_MAX: u64 = 16 * 1024 * 1024;

impl Workshop {
    /// Folds the first run of small rows that is long enough; says whether there was one.
    pub(super) async fn fold(&self, tenant: &TenantId, lease: &Lease) -> Result<bool, WorkError> {
        let batches = self.catalog.tail_metas(tenant, 0..u64::MAX).await?;
        let least = usize::try_from(self.seal.fold_batches).unwrap_or(usize::MAX);
        let Some(run) = small_run(&batches, least) else { return Ok(false) };
        let (first_seq, end_seq) = (run[0].first_seq, run[run.len() - 1].end_seq());
        let meta = TailBatchMeta {
            first_seq,
            events: end_seq - first_seq,
            raw_bytes: run.iter().map(|batch| batch.raw_bytes).sum(),
            min_occurred: run.iter().map(|batch| batch.min_occurred).min().expect("not empty"),
            max_occurred: run.iter().map(|batch| batch.max_occurred).max().expect("not empty"),
            min_received: run[0].min_received,
            max_received: run[run.len() - 1].max_received,
        };
        // All is read before the transaction, for which appends wait. Rows never change: if they are still there
        // when they are deleted, this is what they hold.
        let id_hashes = self.catalog.tail_hashes(tenant, first_seq..end_seq).await?;
        let body = if meta.raw_bytes / run.len() as u64 >= JOINED_BYTES_MIN {
            self.with_bodies(tenant, run, Bodies::join).await?
        } else {
            let rows = self.read_tail(tenant, run).await?;
            match tokio::task::spawn_blocking(move || encode(&rows)).await {
                Ok(body) => body.map_err(|error| WorkError::Encode(error.to_string()))?,
                Err(error) => return Err(WorkError::Encode(error.to_string())),
            }
        };
        let count = run.len() as u64;

        let mut tx = self.catalog.begin().await?;
        leases::check(&mut tx, lease).await?;
        tenants::hold(&mut tx, tenant).await?;
        tail::delete(&mut tx, tenant, run).await?;
        if id_hashes.len() as u64 != meta.events * 8 {
            return Err(WorkError::Corrupt {
                object: format!("tail batches {first_seq} to {end_seq} of tenant {tenant}"),
                what: "they don't have one id hash per event".to_owned(),
            });
        }
        tail::insert(&mut tx, vec![NewTailBatch { tenant: tenant.clone(), meta, id_hashes, body }]).await?;
        tenants::tail_changed(&mut tx, tenant, 1 - count.cast_signed(), 0, 0).await?;
        self.catalog.commit(tx, CommitPoint::Fold).await?;
        counter!(measure::FOLDED_BATCHES).increment(count);
        Ok(true)
    }
}

fn encode(rows: &[Row]) -> std::io::Result<Vec<u8>> {
    Encoder::new()?.encode(rows.iter().map(|row| row.line.as_str()), &tail_batch::runs(rows))
}

/// The first run of at least `least` adjacent small rows, cut at what one fold makes.
fn small_run(batches: &[TailBatchMeta], least: usize) -> Option<&[TailBatchMeta]> {
    let is_small = |batch: &TailBatchMeta| batch.events < SMALL_EVENTS && batch.raw_bytes < SMALL_BYTES;
    let run = batches.chunk_by(|a, b| is_small(a) && is_small(b)).find(|run| run.len() >= least.max(2))?;
    let (mut events, mut bytes) = (0, 0);
    let count = run.iter().take_while(|batch| {
        events += batch.events;
        bytes += batch.raw_bytes;
        events <= FOLDED_EVENTS_MAX && bytes <= FOLDED_BYTES_MAX
    });
    Some(&run[..count.count().max(2)])
}

#[cfg(test)]
mod tests {
    use recount_event::Timestamp;

    use super::*;

    fn batches(events: &[u64]) -> Vec<TailBatchMeta> {
        let at = Timestamp::from_micros(0);
        let mut first_seq = 0;
        events
            .iter()
            .map(|&events| {
                let meta = TailBatchMeta {
                    first_seq,
                    events,
                    raw_bytes: events * 600,
                    min_occurred: at,
                    max_occurred: at,
                    min_received: at,
                    max_received: at,
                };
                first_seq += events;
                meta
            })
            .collect()
    }

    #[test]
    fn only_long_runs_of_small_rows_are_folded() {
        let small_then_large = batches(&[1, 1, 1, 5_000, 2, 2, 2, 2]);
        let run = small_run(&small_then_large, 4).expect("four small rows at the end");
        assert_eq!((run[0].first_seq, run.len()), (5_003, 4));
        assert!(small_run(&small_then_large, 5).is_none());
        assert!(small_run(&batches(&[1_000; 100]), 4).is_none());
    }

    #[test]
    fn one_fold_is_bounded() {
        let many = batches(&[200; 100]);
        let run = small_run(&many, 4).expect("a run");
        assert!(run.iter().map(|batch| batch.events).sum::<u64>() <= FOLDED_EVENTS_MAX);
        let wide: Vec<_> = batches(&[50; 100])
            .into_iter()
            .map(|batch| TailBatchMeta { raw_bytes: SMALL_BYTES - 1, ..batch })
            .collect();
        let run = small_run(&wide, 4).expect("a run");
        assert_eq!(run.len() as u64, FOLDED_BYTES_MAX / SMALL_BYTES);
    }
}
