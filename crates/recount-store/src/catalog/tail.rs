//! The tail: what was appended and is not in a segment yet.
//!
//! A row holds the events `first_seq .. first_seq + events`. Folding replaces adjacent rows by one
//! with the same `first_seq` and more events, so a cache of decoded rows must be keyed by tenant,
//! `first_seq` **and** `events`.

use recount_event::{TenantId, Timestamp};

use super::segments::SegmentMeta;
use super::{Catalog, CatalogError, CatalogTx, bulk, on_read, on_tx};

/// A row of the tail without its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TailBatchMeta {
    pub(crate) first_seq: u64,
    pub(crate) events: u64,
    /// Bytes of the lines.
    pub(crate) raw_bytes: u64,
    pub(crate) min_occurred: Timestamp,
    pub(crate) max_occurred: Timestamp,
    pub(crate) min_received: Timestamp,
    pub(crate) max_received: Timestamp,
}

impl TailBatchMeta {
    /// One past the last event's seq.
    pub(crate) fn end_seq(&self) -> u64 {
        self.first_seq + self.events
    }
}

/// A row of the tail to insert.
#[derive(Debug, Clone)]
pub(crate) struct NewTailBatch {
    pub(crate) tenant: TenantId,
    pub(crate) meta: TailBatchMeta,
    pub(crate) id_hashes: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Where all of a tenant's events are, at one moment.
///
/// `segments` and `tail` together cover `first_seq..next_seq` without gap or overlap, in seq order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogLayout {
    /// What came before it was removed by retention.
    pub(crate) first_seq: u64,
    pub(crate) next_seq: u64,
    /// Equal as long as nothing but appends happened.
    pub(crate) version: u64,
    pub(crate) segments: Vec<SegmentMeta>,
    pub(crate) tail: Vec<TailBatchMeta>,
}

type MetaColumns = (i64, i64, i64, i64, i64, i64, i64);
type LayoutColumns = (i64, i64, i64, String, i64, i64, i64, i64, i64);

fn meta(columns: MetaColumns) -> TailBatchMeta {
    TailBatchMeta {
        first_seq: columns.0.cast_unsigned(),
        events: columns.1.cast_unsigned(),
        raw_bytes: columns.2.cast_unsigned(),
        min_occurred: Timestamp::from_micros(columns.3),
        max_occurred: Timestamp::from_micros(columns.4),
        min_received: Timestamp::from_micros(columns.5),
        max_received: Timestamp::from_micros(columns.6),
    }
}

impl Catalog {
    /// The tenant's layout, from one statement and so of one moment; `None` for an unknown tenant.
    ///
    /// # Errors
    /// [`CatalogError::Corrupt`] if rows don't cover the log.
    pub(crate) async fn layout(&self, tenant: &TenantId) -> Result<Option<LogLayout>, CatalogError> {
        let rows: Vec<LayoutColumns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT CAST(0 AS BIGINT), next_seq, layout, CAST('' AS TEXT), first_seq, \
                     CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT) \
                     FROM tenants WHERE tenant = $1 \
                 UNION ALL SELECT 1, first_seq, events, '', raw_bytes, \
                     min_occurred, max_occurred, min_received, max_received \
                     FROM tail_batches WHERE tenant = $1 \
                 UNION ALL SELECT 2, first_seq, last_seq, object, bytes, \
                     min_occurred, max_occurred, min_received, max_received \
                     FROM segments WHERE tenant = $1",
            )
            .bind(tenant.as_ref())
            .fetch_all(db)
            .await?
        });
        if rows.is_empty() {
            return Ok(None);
        }
        let mut layout = LogLayout::default();
        for (kind, a, b, object, bytes, min_occurred, max_occurred, min_received, max_received) in rows {
            let times = (min_occurred, max_occurred, min_received, max_received);
            match kind {
                0 => {
                    (layout.next_seq, layout.version) = (a.cast_unsigned(), b.cast_unsigned());
                    layout.first_seq = bytes.cast_unsigned();
                }
                1 => layout.tail.push(meta((a, b, bytes, times.0, times.1, times.2, times.3))),
                _ => layout.segments.push(SegmentMeta {
                    first_seq: a.cast_unsigned(),
                    last_seq: b.cast_unsigned(),
                    object,
                    bytes: bytes.cast_unsigned(),
                    min_occurred: Timestamp::from_micros(times.0),
                    max_occurred: Timestamp::from_micros(times.1),
                    min_received: Timestamp::from_micros(times.2),
                    max_received: Timestamp::from_micros(times.3),
                }),
            }
        }
        layout.segments.sort_unstable_by_key(|segment| segment.first_seq);
        layout.tail.sort_unstable_by_key(|batch| batch.first_seq);
        layout.check(tenant)?;
        Ok(Some(layout))
    }

    /// The tenant's `next_seq` and layout version: tells cheaply whether a layout is still good.
    pub(crate) async fn layout_version(&self, tenant: &TenantId) -> Result<Option<(u64, u64)>, CatalogError> {
        let row: Option<(i64, i64)> = on_read!(self, |db| {
            sqlx::query_as("SELECT next_seq, layout FROM tenants WHERE tenant = $1")
                .bind(tenant.as_ref())
                .fetch_optional(db)
                .await?
        });
        Ok(row.map(|(next_seq, version)| (next_seq.cast_unsigned(), version.cast_unsigned())))
    }

    /// The tail's rows with `first_seq` in `range`, without their events, in seq order.
    pub(crate) async fn tail_metas(
        &self,
        tenant: &TenantId,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<TailBatchMeta>, CatalogError> {
        let rows: Vec<MetaColumns> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT first_seq, events, raw_bytes, min_occurred, max_occurred, min_received, \
                 max_received FROM tail_batches \
                 WHERE tenant = $1 AND first_seq >= $2 AND first_seq < $3 ORDER BY first_seq",
            )
            .bind(tenant.as_ref())
            .bind(range.start.cast_signed())
            .bind(i64::try_from(range.end).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(meta).collect())
    }

    /// The bodies of the tail's rows with `first_seq` in `range`, in seq order: `(first_seq, body)`.
    ///
    /// Rows may have been sealed or folded since their metadata was read: check the event counts.
    pub(crate) async fn tail_bodies(
        &self,
        tenant: &TenantId,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<(u64, Vec<u8>)>, CatalogError> {
        let rows: Vec<(i64, Vec<u8>)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT first_seq, body FROM tail_batches \
                 WHERE tenant = $1 AND first_seq >= $2 AND first_seq < $3 ORDER BY first_seq",
            )
            .bind(tenant.as_ref())
            .bind(range.start.cast_signed())
            .bind(i64::try_from(range.end).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await?
        });
        Ok(rows.into_iter().map(|(first_seq, body)| (first_seq.cast_unsigned(), body)).collect())
    }

    /// As [`Self::tail_bodies`], behind the rows' id hashes, end to end in seq order.
    pub(crate) async fn tail_hashes_and_bodies(
        &self,
        tenant: &TenantId,
        range: std::ops::Range<u64>,
    ) -> Result<(Vec<u8>, Vec<(u64, Vec<u8>)>), CatalogError> {
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT first_seq, id_hashes, body FROM tail_batches \
                 WHERE tenant = $1 AND first_seq >= $2 AND first_seq < $3 ORDER BY first_seq",
            )
            .bind(tenant.as_ref())
            .bind(range.start.cast_signed())
            .bind(i64::try_from(range.end).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await?
        });
        let mut id_hashes = Vec::new();
        let mut bodies = Vec::with_capacity(rows.len());
        for (first_seq, hashes, body) in rows {
            id_hashes.extend_from_slice(&hashes);
            bodies.push((first_seq.cast_unsigned(), body));
        }
        Ok((id_hashes, bodies))
    }

    /// The body of the row that holds `seq`, with its `first_seq`; `None` if it was sealed.
    pub(crate) async fn tail_body_with(
        &self,
        tenant: &TenantId,
        seq: u64,
    ) -> Result<Option<(u64, Vec<u8>)>, CatalogError> {
        let row: Option<(i64, i64, Vec<u8>)> = on_read!(self, |db| {
            sqlx::query_as(
                "SELECT first_seq, events, body FROM tail_batches \
                 WHERE tenant = $1 AND first_seq <= $2 ORDER BY first_seq DESC LIMIT 1",
            )
            .bind(tenant.as_ref())
            .bind(seq.cast_signed())
            .fetch_optional(db)
            .await?
        });
        Ok(row
            .filter(|(first_seq, events, _)| seq.cast_signed() < first_seq + events)
            .map(|(first_seq, _, body)| (first_seq.cast_unsigned(), body)))
    }

    /// Id hashes of the tails of `tenants`: `(tenant, first_seq, hashes)`, in seq order per tenant.
    pub(crate) async fn tail_id_hashes(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<(String, u64, Vec<u8>)>, CatalogError> {
        let mut out = Vec::new();
        for part in bulk::chunks(tenants) {
            let sql = bulk::select_in(
                self.pool().placeholders(),
                "SELECT tenant, first_seq, id_hashes FROM tail_batches WHERE tenant IN ",
                part.len(),
                " ORDER BY tenant, first_seq",
            );
            let rows: Vec<(String, i64, Vec<u8>)> = on_read!(self, |db| {
                let mut query = sqlx::query_as(sql);
                for tenant in part {
                    query = query.bind(tenant.as_ref());
                }
                query.fetch_all(db).await?
            });
            out.extend(rows.into_iter().map(|(t, first, hashes)| (t, first.cast_unsigned(), hashes)));
        }
        Ok(out)
    }
}

impl LogLayout {
    fn check(&self, tenant: &TenantId) -> Result<(), CatalogError> {
        let mut next = self.first_seq;
        let stretches = self.segments.iter().map(|segment| (segment.first_seq, segment.last_seq + 1));
        for (first, end) in stretches.chain(self.tail.iter().map(|b| (b.first_seq, b.end_seq()))) {
            if first != next || end <= first {
                return Err(CatalogError::Corrupt {
                    object: format!("the log of tenant {tenant}"),
                    what: format!("expected events from seq {next}, the catalog has {first} to {end}"),
                });
            }
            next = end;
        }
        if next != self.next_seq {
            return Err(CatalogError::Corrupt {
                object: format!("the log of tenant {tenant}"),
                what: format!("it ends before seq {}, the catalog's rows before {next}", self.next_seq),
            });
        }
        Ok(())
    }
}

/// Inserts rows; their tenants' rows must be locked by `tenants::advance`.
pub(crate) async fn insert(tx: &mut CatalogTx, batches: Vec<NewTailBatch>) -> Result<(), CatalogError> {
    let mut batches = batches.into_iter();
    let sizes: Vec<usize> = bulk::chunks(batches.as_slice()).iter().map(|part| part.len()).collect();
    for size in sizes {
        let sql = bulk::insert(
            tx.placeholders(),
            "INSERT INTO tail_batches (tenant, first_seq, events, raw_bytes, min_occurred, \
             max_occurred, min_received, max_received, id_hashes, body) VALUES ",
            10,
            size,
            "",
        );
        let part: Vec<NewTailBatch> = batches.by_ref().take(size).collect();
        on_tx!(*tx, |db| {
            let mut query = sqlx::query(sql);
            for batch in part {
                query = query
                    .bind(batch.tenant.to_string())
                    .bind(batch.meta.first_seq.cast_signed())
                    .bind(batch.meta.events.cast_signed())
                    .bind(batch.meta.raw_bytes.cast_signed())
                    .bind(batch.meta.min_occurred.as_micros())
                    .bind(batch.meta.max_occurred.as_micros())
                    .bind(batch.meta.min_received.as_micros())
                    .bind(batch.meta.max_received.as_micros())
                    .bind(batch.id_hashes)
                    .bind(batch.body);
            }
            query.execute(db).await?;
        });
    }
    Ok(())
}

/// Deletes these adjacent rows.
///
/// # Errors
/// [`CatalogError::Conflict`] if they are not as they were: folded, sealed or shortened meanwhile.
pub(crate) async fn delete(
    tx: &mut CatalogTx,
    tenant: &TenantId,
    batches: &[TailBatchMeta],
) -> Result<(), CatalogError> {
    let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(()) };
    let mut deleted: Vec<(i64, i64)> = on_tx!(*tx, |db| {
        sqlx::query_as(
            "DELETE FROM tail_batches WHERE tenant = $1 AND first_seq >= $2 AND first_seq < $3 \
             RETURNING first_seq, events",
        )
        .bind(tenant.as_ref())
        .bind(first.first_seq.cast_signed())
        .bind(last.end_seq().cast_signed())
        .fetch_all(db)
        .await?
    });
    deleted.sort_unstable();
    let expected = batches.iter().map(|batch| (batch.first_seq.cast_signed(), batch.events.cast_signed()));
    if !expected.eq(deleted) {
        return Err(CatalogError::Conflict { object: format!("the tail of tenant {tenant}") });
    }
    Ok(())
}

/// Id hashes of the tenant's rows with `first_seq` from `from` on, read inside the transaction.
pub(crate) async fn id_hashes_since(
    tx: &mut CatalogTx,
    tenant: &TenantId,
    from: u64,
) -> Result<Vec<(u64, Vec<u8>)>, CatalogError> {
    let rows: Vec<(i64, Vec<u8>)> = on_tx!(*tx, |db| {
        sqlx::query_as(
            "SELECT first_seq, id_hashes FROM tail_batches \
             WHERE tenant = $1 AND first_seq >= $2 ORDER BY first_seq",
        )
        .bind(tenant.as_ref())
        .bind(from.cast_signed())
        .fetch_all(db)
        .await?
    });
    Ok(rows.into_iter().map(|(first, hashes)| (first.cast_unsigned(), hashes)).collect())
}
