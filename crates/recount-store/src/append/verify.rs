//! Confirms, by the ids themselves, what hashes and filters suspect: a hit counts only then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use recount_event::{TenantId, Timestamp, read_fields};
use recount_segment::{IdFilter, Row, SegmentError};
use tokio::time::Instant;

use super::known::Known;
use super::plan::{Round, Suspect, Verdict, Verdicts};
use super::reads::{Part, Reads, TooSlow};
use crate::ReadError;
use crate::catalog::segments::SegmentMeta;
use crate::catalog::{Catalog, CatalogError};
use crate::error::EventRefused;
use crate::segment_cache::{SegmentCache, is_gone};
use crate::tail_batch;

/// So few suspects of one segment are probably the filter's mistakes; more are probably a repeated
/// request, and worth a look at the ids themselves.
const SIEVED_MAX: usize = 16;
/// How often the log names an object whose damage keeps events out, and how many it remembers.
const DAMAGE_LOGGED_EVERY: Duration = Duration::from_secs(60);
const DAMAGE_REMEMBERED_MAX: u64 = 4_096;

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

/// One group of a round whose ids are checked.
pub(super) struct Question<'a> {
    pub(super) round: &'a Round,
    pub(super) group: usize,
    pub(super) known: &'a Known,
    /// Whether the tenant's segments were read from the catalog in this round. If so, an object
    /// that is not there is missing; otherwise it may just have been merged away.
    pub(super) fresh: bool,
    /// Objects that have not answered by then are not waited for.
    pub(super) deadline: Instant,
}

impl Question<'_> {
    fn tenant(&self) -> &TenantId {
        &self.round.groups[self.group].tenant
    }
}

/// Why an object of a group did not yield what was asked of it.
enum Trouble {
    TooSlow,
    Failed(Arc<SegmentError>),
}

impl From<TooSlow> for Trouble {
    fn from(_: TooSlow) -> Self {
        Self::TooSlow
    }
}

impl From<Arc<SegmentError>> for Trouble {
    fn from(error: Arc<SegmentError>) -> Self {
        Self::Failed(error)
    }
}

/// Reads what is needed to confirm suspects.
pub(super) struct Verifier {
    pub(super) catalog: Catalog,
    pub(super) segments: SegmentCache,
    pub(super) reads: Reads,
    damage_logged: Cache<String, ()>,
}

impl Verifier {
    pub(super) fn new(catalog: Catalog, segments: SegmentCache) -> Self {
        let damage_logged =
            Cache::builder().max_capacity(DAMAGE_REMEMBERED_MAX).time_to_live(DAMAGE_LOGGED_EVERY).build();
        Self { catalog, segments, reads: Reads::default(), damage_logged }
    }

    /// The filters of the tenant's known segments; `Ok(Err(refusal))` if one can't be read.
    pub(super) async fn filters(
        &self,
        question: &Question<'_>,
    ) -> Result<Result<Vec<Arc<IdFilter>>, EventRefused>, VerifyError> {
        let mut filters = Vec::new();
        for segment in question.known.ids.iter().flat_map(|ids| &ids.segments) {
            let filter = match self.segments.id_filter_at_hand(segment).await {
                Some(filter) => Ok(filter),
                None => self.read_filter(segment, question.deadline).await,
            };
            match filter {
                Ok(filter) => filters.push(filter),
                Err(trouble) => {
                    return self.refusal(question, segment, trouble, question.fresh).map(Err);
                }
            }
        }
        Ok(Ok(filters))
    }

    async fn read_filter(&self, segment: &SegmentMeta, deadline: Instant) -> Result<Arc<IdFilter>, Trouble> {
        let (cache, meta) = (self.segments.clone(), segment.clone());
        let read = async move { cache.id_filter(&meta).await };
        Ok(self.reads.wait(Part::IdFilter, &segment.object, deadline, read).await??)
    }

    /// Reads a filter into the cache; failures show when the filter is used.
    pub(super) async fn warm_filter(&self, segment: SegmentMeta, deadline: Instant) {
        let _ = self.read_filter(&segment, deadline).await;
    }

    /// Finds out which suspects of a group are in the log, and adds verdicts.
    pub(super) async fn verify(
        &self,
        question: &Question<'_>,
        suspects: &[Suspect],
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
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
        self.verify_in_tail(question, by_seq, verdicts).await?;
        let segments = question.known.ids.as_ref().map_or(&[][..], |ids| &ids.segments);
        for (segment, mut positions) in by_segment {
            positions.retain(|position| !matches!(verdicts.get(position), Some(Verdict::At(_))));
            self.verify_in_segment(question, &segments[segment], positions, question.fresh, verdicts).await?;
        }
        self.forget_removed(question, verdicts).await
    }

    /// An event that retention has removed is none that there is, although an old segment may be at hand.
    async fn forget_removed(
        &self,
        question: &Question<'_>,
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        if !verdicts.values().any(|verdict| matches!(verdict, Verdict::At(_))) {
            return Ok(());
        }
        let first_seq = self.catalog.tenant(question.tenant()).await?.map_or(0, |row| row.first_seq);
        verdicts.retain(|_, verdict| !matches!(verdict, Verdict::At(seq) if *seq < first_seq));
        Ok(())
    }

    /// Looks at the events with the suspected seqs, decoding each row of the tail once.
    async fn verify_in_tail(
        &self,
        question: &Question<'_>,
        by_seq: BTreeMap<u64, Vec<usize>>,
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        let tenant = question.tenant();
        let mut rows: Vec<Row> = Vec::new();
        for (seq, positions) in by_seq {
            let covered = rows.first().is_some_and(|row| row.seq <= seq)
                && rows.last().is_some_and(|row| seq <= row.seq);
            if !covered {
                match self.tail_rows(tenant, seq).await? {
                    Ok(Some(found)) => rows = found,
                    Ok(None) => {
                        self.verify_in_sealed(question, seq, positions, verdicts).await?;
                        continue;
                    }
                    Err(error) => {
                        mark(verdicts, positions, &self.refused(tenant, error));
                        continue;
                    }
                }
            }
            let at = usize::try_from(seq - rows[0].seq).expect("within the row's events");
            let fields = read_fields(rows[at].line.as_str());
            for position in positions {
                match &fields {
                    Ok(fields) if fields.id == question.round.id(question.group, position) => {
                        verdicts.insert(position, Verdict::At(seq));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let object = format!("event {seq} of tenant {tenant}");
                        let damage = ReadError::Corrupt { object, what: error.to_string() };
                        verdicts.insert(position, Verdict::Unverified(self.refused(tenant, damage)));
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
    ) -> Result<Result<Option<Vec<Row>>, ReadError>, CatalogError> {
        let Some((first_seq, body)) = self.catalog.tail_body_with(tenant, seq).await? else {
            return Ok(Ok(None));
        };
        let decoded = tokio::task::spawn_blocking(move || tail_batch::decode(first_seq, &body)).await;
        let what = match decoded {
            Ok(Ok(batch)) if batch.rows.last().is_some_and(|row| seq <= row.seq) => {
                return Ok(Ok(Some(batch.rows)));
            }
            Ok(Ok(_)) => "too few events".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        Ok(Err(ReadError::Corrupt { object: format!("tail batch {first_seq} of tenant {tenant}"), what }))
    }

    /// The event was in the tail when last seen, and is in a segment now.
    async fn verify_in_sealed(
        &self,
        question: &Question<'_>,
        seq: u64,
        positions: Vec<usize>,
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        let tenant = question.tenant();
        let segments = self.catalog.segments(tenant, Timestamp::MIN).await?;
        match segments.iter().find(|s| (s.first_seq..=s.last_seq).contains(&seq)) {
            Some(segment) => self.verify_in_segment(question, segment, positions, true, verdicts).await,
            // Retention removed it meanwhile.
            None if self.catalog.tenant(tenant).await?.is_some_and(|row| seq < row.first_seq) => Ok(()),
            None if question.fresh => {
                let object = format!("the log of tenant {tenant}");
                let damage = ReadError::Corrupt { object, what: format!("nothing holds seq {seq}") };
                mark(verdicts, positions, &self.refused(tenant, damage));
                Ok(())
            }
            None => Err(VerifyError::Stale),
        }
    }

    /// Which of the positions' ids the segment has. `fresh`: its name was just read from the catalog.
    async fn verify_in_segment(
        &self,
        question: &Question<'_>,
        segment: &SegmentMeta,
        positions: Vec<usize>,
        fresh: bool,
        verdicts: &mut Verdicts,
    ) -> Result<(), VerifyError> {
        let (round, group) = (question.round, question.group);
        let ids = positions.iter().map(|at| (round.hash(group, *at), round.id(group, *at).to_owned()));
        let find = find_in_segment(self.segments.clone(), segment.clone(), ids.collect());
        let found = self.reads.wait(Part::Ids, &segment.object, question.deadline, find).await;
        match found.map_err(Trouble::from).and_then(|found| found.map_err(Trouble::from)) {
            Ok(found) => {
                let found = positions.into_iter().zip(found);
                verdicts.extend(found.filter_map(|(at, seq)| Some((at, Verdict::At(seq?)))));
                Ok(())
            }
            Err(trouble) => {
                let refused = self.refusal(question, segment, trouble, fresh)?;
                mark(verdicts, positions, &refused);
                Ok(())
            }
        }
    }

    /// What the events that depend on the segment are told; an error if its name is old.
    fn refusal(
        &self,
        question: &Question<'_>,
        segment: &SegmentMeta,
        trouble: Trouble,
        fresh: bool,
    ) -> Result<EventRefused, VerifyError> {
        let error = match trouble {
            Trouble::Failed(error) if is_gone(&error) && !fresh => return Err(VerifyError::Stale),
            Trouble::Failed(error) => ReadError::from(&*error),
            Trouble::TooSlow => ReadError::Unavailable {
                what: "the object store",
                cause: format!("{} was not read in time", segment.object),
            },
        };
        Ok(self.refused(question.tenant(), error))
    }

    /// What events are told that can't be checked because of `error`. Damage is named in the log.
    fn refused(&self, tenant: &TenantId, error: ReadError) -> EventRefused {
        match error {
            ReadError::Corrupt { object, what } => {
                if !self.damage_logged.contains_key(&object) {
                    self.damage_logged.insert(object.clone(), ());
                    tracing::error!(
                        tenant = tenant.as_ref(),
                        object,
                        what,
                        "damage keeps events out: their ids can't be checked; restore the object"
                    );
                }
                EventRefused::Damaged { tenant: tenant.to_string(), object }
            }
            error => EventRefused::Unverified { tenant: tenant.to_string(), detail: error.to_string() },
        }
    }
}

/// Where the segment has these ids, each given with its hash.
async fn find_in_segment(
    segments: SegmentCache,
    segment: SegmentMeta,
    ids: Vec<(u64, String)>,
) -> Result<Vec<Option<u64>>, Arc<SegmentError>> {
    let mut suspected = vec![true; ids.len()];
    if ids.len() <= SIEVED_MAX {
        suspected = segments.may_hold(&segment, ids.iter().map(|(hash, _)| *hash).collect()).await?;
    }
    let wanted = ids.iter().zip(&suspected).filter(|(_, suspected)| **suspected);
    let wanted: Vec<&str> = wanted.map(|((_, id), _)| id.as_str()).collect();
    if wanted.is_empty() {
        return Ok(vec![None; ids.len()]);
    }
    let found = segments.segment(&segment).await?.find_ids(&wanted).await.map_err(Arc::new)?;
    let mut found = found.into_iter().map(|row| row.map(|row| row.seq));
    Ok(suspected.into_iter().map(|suspected| if suspected { found.next().flatten() } else { None }).collect())
}

fn mark(verdicts: &mut Verdicts, positions: Vec<usize>, refused: &EventRefused) {
    for position in positions {
        verdicts.entry(position).or_insert_with(|| Verdict::Unverified(refused.clone()));
    }
}
