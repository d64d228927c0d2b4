//! Reads rows of a tail for work on them.

use std::ops::Range;

use recount_event::TenantId;
use recount_segment::Row;

use super::{WorkError, Workshop};
use crate::catalog::CatalogError;
use crate::catalog::tail::TailBatchMeta;
use crate::tail_batch::{self, CorruptBatch};

/// Bodies read from the catalog at once, in bytes of lines.
const READ_BYTES: u64 = 16 * 1024 * 1024;

impl Workshop {
    /// The events of adjacent rows of the tail, in seq order, checked.
    pub(super) async fn read_tail(
        &self,
        tenant: &TenantId,
        batches: &[TailBatchMeta],
    ) -> Result<Vec<Row>, WorkError> {
        let mut rows = Vec::new();
        let mut rest = batches;
        while !rest.is_empty() {
            self.check_cancelled()?;
            let mut bytes = 0;
            let count = rest
                .iter()
                .take_while(|batch| {
                    let fits = bytes == 0 || bytes + batch.raw_bytes <= READ_BYTES;
                    bytes += batch.raw_bytes.max(1);
                    fits
                })
                .count();
            let (part, later) = rest.split_at(count);
            rest = later;
            let found = self.catalog.tail_bodies(tenant, range_of(part)).await?;
            rows.append(&mut self.with_bodies(tenant, part, found, Bodies::decode).await?);
        }
        Ok(rows)
    }

    /// Works on the bodies that were `found` of adjacent rows of the tail, off the async threads.
    pub(super) async fn with_bodies<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        batches: &[TailBatchMeta],
        found: Vec<(u64, Vec<u8>)>,
        work: impl FnOnce(&Bodies) -> Result<T, WorkError> + Send + 'static,
    ) -> Result<T, WorkError> {
        let expected = batches.iter().map(|batch| (batch.first_seq, batch.events)).collect();
        let bodies = Bodies { tenant: tenant.clone(), expected, found };
        let done = tokio::task::spawn_blocking(move || work(&bodies)).await;
        let done = done.map_err(|error| WorkError::Encode(error.to_string()))?;
        // Other work may have replaced the rows since `batches` were read: that is no damage.
        if done.is_err() && self.catalog.tail_metas(tenant, range_of(batches)).await? != batches {
            return Err(CatalogError::Conflict { object: format!("the tail of tenant {tenant}") }.into());
        }
        done
    }
}

/// The seqs of adjacent rows, of which there are some.
pub(super) fn range_of(batches: &[TailBatchMeta]) -> Range<u64> {
    batches[0].first_seq..batches[batches.len() - 1].end_seq()
}

/// Bodies as they were found, and what they should be.
pub(super) struct Bodies {
    tenant: TenantId,
    /// First seq and number of events.
    expected: Vec<(u64, u64)>,
    /// First seq and body.
    found: Vec<(u64, Vec<u8>)>,
}

impl Bodies {
    /// Their events, in seq order.
    pub(super) fn decode(&self) -> Result<Vec<Row>, WorkError> {
        let mut rows = Vec::new();
        self.each(|first_seq, body| {
            let mut batch = tail_batch::decode(first_seq, body)?;
            let events = batch.rows.len() as u64;
            rows.append(&mut batch.rows);
            Ok(events)
        })?;
        Ok(rows)
    }

    /// One body of all their events.
    pub(super) fn join(&self) -> Result<Vec<u8>, WorkError> {
        let mut opened = Vec::with_capacity(self.found.len());
        self.each(|_, body| {
            let body = tail_batch::open(body)?;
            let events = u64::from(body.events);
            opened.push(body);
            Ok(events)
        })?;
        tail_batch::join(&opened).map_err(|error| WorkError::Encode(error.to_string()))
    }

    /// Hands each expected body to `read`, which says how many events it holds.
    fn each<'a>(
        &'a self,
        mut read: impl FnMut(u64, &'a [u8]) -> Result<u64, CorruptBatch>,
    ) -> Result<(), WorkError> {
        for (at, (first_seq, events)) in self.expected.iter().enumerate() {
            let corrupt = |what: String| WorkError::Corrupt {
                object: format!("tail batch {first_seq} of tenant {}", self.tenant),
                what,
            };
            let Some((_, body)) = self.found.get(at).filter(|(found, _)| found == first_seq) else {
                return Err(corrupt("the row is missing".to_owned()));
            };
            let found = read(*first_seq, body).map_err(|error| corrupt(error.to_string()))?;
            if found != *events {
                return Err(corrupt(format!("it holds {found} events, its row says {events}")));
            }
        }
        Ok(())
    }
}
