//! Confirms, by the ids themselves, what hashes and filters suspect: a hit counts only then.

use std::collections::BTreeMap;
use std::sync::Arc;

use recount_event::{TenantId, Timestamp, read_fields};
use recount_segment::{IdFilter, Row, SegmentError};

use super::known::Known;
use super::plan::{Round, Suspect, Verdict, Verdicts};
use crate::catalog::segments::SegmentMeta;
use crate::catalog::{Catalog, CatalogError};
use crate::segment_cache::{SegmentCache, is_gone};
use crate::tail_batch;

/// So few suspects of one segment are probably the filter's mistakes; more are probably a repeated
/// request, and worth a look at the ids themselves.
const SIEVED_MAX: usize = 16;

/// Why verifying stopped.
#[derive(Debug)]
pub(super) enum VerifyError {
    /// The catalog does not answer.
    Catalog(CatalogError),
    /// What is known of the tenant is old: load it again.
    Stale,
}

impl From<CatalogError> for VerifyError {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

/// Reads what is needed to confirm suspects.
#[derive(Clone)]
pub(super) struct Verifier {
    pub(super) catalog: Catalog,
    pub(super) segments: SegmentCache,
}

impl Verifier {
    /// The filters of the tenant's known segments; `Err(Ok(detail))` if one can't be read.
    pub(super) async fn filters(
        &self,
        known: &Known,
    ) -> Result<Result<Vec<Arc<IdFilter>>, String>, VerifyError> {
        let mut filters = Vec::new();
        for segment in known.ids.iter().flat_map(|ids| &ids.segments) {
            match self.segments.id_filter(segment).await {
                Ok(filter) => filters.push(filter),
                Err(error) if is_gone(&error) => return Err(VerifyError::Stale),
                Err(error) => return Ok(Err(detail(&error))),
            }
        }
        Ok(Ok(filters))
    }

    /// Finds out which suspects of a group are in the log, and adds verdicts.
    pub(super) async fn verify(
        &self,
        round: &Round,
        group: usize,
        known: &Known,
        suspects: &[Suspect],
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        let tenant = &round.groups[group].tenant;
        let mut by_seq: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut by_segment: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for suspect in suspects {
            for seq in &suspect.seqs {
                by_seq.entry(*seq).or_default().push(suspect.position);
            }
            for segment in &suspect.segments {
                by_segment.entry(*segment).or_default().push(suspect.position);
            }
        }
        self.verify_in_tail(round, group, tenant, by_seq, verdicts).await?;
        let segments = known.ids.as_ref().map_or(&[][..], |ids| &ids.segments);
        for (segment, mut positions) in by_segment {
            positions.retain(|position| !matches!(verdicts.get(position), Some(Verdict::At(_))));
            match self.find_in_segment(round, group, &segments[segment], &positions).await {
                Ok(found) => {
                    verdicts.extend(found.into_iter().map(|(position, seq)| (position, Verdict::At(seq))));
                }
                Err(error) if is_gone(&error) => return Err(VerifyError::Stale),
                Err(error) => mark(verdicts, positions, &detail(&error)),
            }
        }
        Ok(())
    }

    /// Looks at the events with the suspected seqs, decoding each row of the tail once.
    async fn verify_in_tail(
        &self,
        round: &Round,
        group: usize,
        tenant: &TenantId,
        by_seq: BTreeMap<u64, Vec<usize>>,
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        let mut rows: Vec<Row> = Vec::new();
        for (seq, positions) in by_seq {
            let covered = rows.first().is_some_and(|row| row.seq <= seq)
                && rows.last().is_some_and(|row| seq <= row.seq);
            if !covered {
                match self.tail_rows(tenant, seq).await? {
                    Ok(Some(found)) => rows = found,
                    Ok(None) => {
                        self.verify_in_sealed(round, group, tenant, seq, &positions, verdicts).await?;
                        continue;
                    }
                    Err(detail) => {
                        mark(verdicts, positions, &detail);
                        continue;
                    }
                }
            }
            let at = usize::try_from(seq - rows[0].seq).expect("within the row's events");
            let fields = read_fields(rows[at].line.as_str());
            for position in positions {
                match &fields {
                    Ok(fields) if fields.id == round.id(group, position) => {
                        verdicts.insert(position, Verdict::At(seq));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let what = format!("event {seq} of tenant {tenant} is damaged: {error}");
                        verdicts.insert(position, Verdict::Unverified(what));
                    }
                }
            }
        }
        Ok(())
    }

    /// The decoded row of the tail that holds `seq`; `Ok(None)` if it was sealed.
    async fn tail_rows(
        &self,
        tenant: &TenantId,
        seq: u64,
    ) -> Result<Result<Option<Vec<Row>>, String>, CatalogError> {
        let Some((first_seq, body)) = self.catalog.tail_body_with(tenant, seq).await? else {
            return Ok(Ok(None));
        };
        let decoded = tokio::task::spawn_blocking(move || tail_batch::decode(first_seq, &body)).await;
        Ok(match decoded {
            Ok(Ok(batch)) if batch.rows.last().is_some_and(|row| seq <= row.seq) => Ok(Some(batch.rows)),
            Ok(Ok(_)) => Err(format!("tail batch {first_seq} of tenant {tenant} is damaged: too few events")),
            Ok(Err(error)) => Err(format!("tail batch {first_seq} of tenant {tenant} is damaged: {error}")),
            Err(error) => Err(format!("tail batch {first_seq} of tenant {tenant}: {error}")),
        })
    }

    /// The event was in the tail when last seen, and is in a segment now.
    async fn verify_in_sealed(
        &self,
        round: &Round,
        group: usize,
        tenant: &TenantId,
        seq: u64,
        positions: &[usize],
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        let segments = self.catalog.segments(tenant, Timestamp::MIN).await?;
        let Some(segment) = segments.iter().find(|s| (s.first_seq..=s.last_seq).contains(&seq)) else {
            return Err(VerifyError::Stale);
        };
        match self.find_in_segment(round, group, segment, positions).await {
            Ok(found) => {
                verdicts.extend(found.into_iter().map(|(position, seq)| (position, Verdict::At(seq))));
                Ok(())
            }
            Err(error) if is_gone(&error) => Err(VerifyError::Stale),
            Err(error) => {
                mark(verdicts, positions.to_vec(), &detail(&error));
                Ok(())
            }
        }
    }

    /// Which of the positions' ids the segment has, with their seqs.
    async fn find_in_segment(
        &self,
        round: &Round,
        group: usize,
        segment: &SegmentMeta,
        positions: &[usize],
    ) -> Result<Vec<(usize, u64)>, Arc<SegmentError>> {
        let mut positions = positions.to_vec();
        if positions.len() <= SIEVED_MAX {
            let hashes = positions.iter().map(|position| round.hash(group, *position)).collect();
            let mut may_hold = self.segments.may_hold(segment, hashes).await?.into_iter();
            positions.retain(|_| may_hold.next().unwrap_or(true));
        }
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = positions.iter().map(|position| round.id(group, *position)).collect();
        let found = self.segments.segment(segment).await?.find_ids(&ids).await.map_err(Arc::new)?;
        let found = positions.into_iter().zip(found);
        Ok(found.filter_map(|(position, row)| row.map(|row| (position, row.seq))).collect())
    }
}

fn mark(verdicts: &mut Verdicts, positions: Vec<usize>, detail: &str) {
    for position in positions {
        verdicts.entry(position).or_insert_with(|| Verdict::Unverified(detail.to_owned()));
    }
}

fn detail(error: &SegmentError) -> String {
    crate::ReadError::from(error).to_string()
}
