//! Folding: many small rows of a tail become one, so that reading a busy tenant's tail stays cheap
//! although its events come one by one.
//!
//! Appends wait while a fold is written, so those of many tenants are written in one transaction: one sync of the
//! disk, and the rows of neighbours lie in the same pages of SQLite's file.

use metrics::counter;
use recount_event::TenantId;

use super::read_tail::{Bodies, range_of};
use super::{WorkError, Workshop, caught, report};
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
/// Folds are written together until they replace this many rows or bytes of lines: appends wait meanwhile.
const TOGETHER_ROWS_MAX: usize = 512;
const TOGETHER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// One tenant's small rows, and the row that will replace them.
struct Fold {
    lease: Lease,
    replaced: Vec<TailBatchMeta>,
    batch: NewTailBatch,
    /// Behind them is another run of small rows, long enough.
    more: bool,
}

impl Workshop {
    /// Folds one run of small rows of each of these tenants' tails, and names those that have another.
    ///
    /// What fails is reported, and does not keep the others from it.
    pub(crate) async fn fold_all(&self, due: Vec<(TenantId, Lease)>) -> Vec<TenantId> {
        let mut due = due.into_iter();
        let mut more = Vec::new();
        loop {
            let folds = self.prepare_together(&mut due).await;
            if folds.is_empty() {
                return more;
            }
            let folded: Vec<_> =
                folds.iter().map(|fold| (fold.batch.tenant.clone(), fold.lease.clone())).collect();
            more.extend(folds.iter().filter(|fold| fold.more).map(|fold| fold.batch.tenant.clone()));
            let Err(error) = self.write(folds).await else { continue };
            tracing::info!(error = %error, tenants = folded.len(), "folds are made one by one");
            for (tenant, lease) in folded {
                if let Err(error) = caught(self.fold(&tenant, &lease)).await {
                    report(&tenant, &error);
                }
            }
        }
    }

    /// The next folds that are written together; none once nothing is due, or the store is shutting down.
    async fn prepare_together(&self, due: &mut impl Iterator<Item = (TenantId, Lease)>) -> Vec<Fold> {
        let mut folds: Vec<Fold> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < TOGETHER_ROWS_MAX
            && bytes < TOGETHER_BYTES_MAX
            && let Some((tenant, lease)) = due.next()
        {
            match caught(self.prepare(&tenant, lease)).await {
                Ok(Some(fold)) => {
                    rows += fold.replaced.len();
                    bytes += fold.batch.meta.raw_bytes;
                    folds.push(fold);
                }
                Ok(None) => {}
                Err(error) => report(&tenant, &error),
            }
        }
        folds
    }

    /// Folds the first run of small rows that is long enough; says whether there was one.
    pub(crate) async fn fold(&self, tenant: &TenantId, lease: &Lease) -> Result<bool, WorkError> {
        let Some(fold) = self.prepare(tenant, lease.clone()).await? else { return Ok(false) };
        self.write(vec![fold]).await?;
        Ok(true)
    }

    /// Reads the first run of small rows that is long enough, and makes one of them.
    ///
    /// All is read before the transaction. Rows never change: if they are still there when they are deleted, this is
    /// what they hold.
    async fn prepare(&self, tenant: &TenantId, lease: Lease) -> Result<Option<Fold>, WorkError> {
        self.check_cancelled()?;
        let batches = self.catalog.tail_metas(tenant, 0..u64::MAX).await?;
        let least = usize::try_from(self.seal.fold_batches).unwrap_or(usize::MAX);
        let Some(run) = small_run(&batches, least) else { return Ok(None) };
        let range = range_of(run);
        let meta = TailBatchMeta {
            first_seq: range.start,
            events: range.end - range.start,
            raw_bytes: run.iter().map(|batch| batch.raw_bytes).sum(),
            min_occurred: run.iter().map(|batch| batch.min_occurred).min().expect("not empty"),
            max_occurred: run.iter().map(|batch| batch.max_occurred).max().expect("not empty"),
            min_received: run[0].min_received,
            max_received: run[run.len() - 1].max_received,
        };
        let (id_hashes, found) = self.catalog.tail_hashes_and_bodies(tenant, range.clone()).await?;
        let hash_bytes = id_hashes.len() as u64;
        let object = format!("tail batches {} to {} of tenant {tenant}", range.start, range.end);
        let (events, is_joined) = (meta.events, meta.raw_bytes / run.len() as u64 >= JOINED_BYTES_MIN);
        let make = move |bodies: &Bodies| {
            if hash_bytes != events * 8 {
                let what = "they don't have one id hash per event".to_owned();
                return Err(WorkError::Corrupt { object, what });
            }
            if is_joined { bodies.join() } else { encode(bodies) }
        };
        let body = self.with_bodies(tenant, run, found, make).await?;
        let behind = batches.partition_point(|batch| batch.first_seq < range.end);
        Ok(Some(Fold {
            lease,
            more: small_run(&batches[behind..], least).is_some(),
            replaced: run.to_vec(),
            batch: NewTailBatch { tenant: tenant.clone(), meta, id_hashes, body },
        }))
    }

    /// Puts the new rows in the place of those that they were made of, all or none.
    async fn write(&self, mut folds: Vec<Fold>) -> Result<(), WorkError> {
        if folds.is_empty() {
            return Ok(());
        }
        // Rows are locked in the order in which everybody locks them.
        folds.sort_unstable_by(|a, b| a.batch.tenant.cmp(&b.batch.tenant));
        let names: Vec<TenantId> = folds.iter().map(|fold| fold.batch.tenant.clone()).collect();
        let mut held: Vec<&Lease> = folds.iter().map(|fold| &fold.lease).collect();
        held.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        held.dedup();
        let replaced: usize = folds.iter().map(|fold| fold.replaced.len()).sum();

        let mut tx = self.catalog.begin().await?;
        for lease in held {
            leases::check(&mut tx, lease).await?;
        }
        tenants::hold(&mut tx, &names).await?;
        for fold in &folds {
            tail::delete(&mut tx, &fold.batch.tenant, &fold.replaced).await?;
        }
        let fewer: Vec<i64> = folds.iter().map(|fold| 1 - fold.replaced.len().cast_signed() as i64).collect();
        tail::insert(&mut tx, folds.into_iter().map(|fold| fold.batch).collect()).await?;
        for (tenant, batches) in names.iter().zip(fewer) {
            tenants::tail_changed(&mut tx, tenant, batches, 0, 0).await?;
        }
        self.catalog.commit(tx, CommitPoint::Fold).await?;
        counter!(measure::FOLDED_BATCHES).increment(replaced as u64);
        Ok(())
    }
}

fn encode(bodies: &Bodies) -> Result<Vec<u8>, WorkError> {
    let rows = bodies.decode()?;
    let body = Encoder::new().and_then(|mut encoder| {
        encoder.encode(rows.iter().map(|row| row.line.as_str()), &tail_batch::runs(&rows))
    });
    body.map_err(|error| WorkError::Encode(error.to_string()))
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
