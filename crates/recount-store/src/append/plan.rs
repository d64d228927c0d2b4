//! What a round will write: which events are new, where they go, and the rows to insert.
//!
//! Pure and CPU-bound; the committer runs it off the async threads when it is long.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use recount_event::{TenantId, Timestamp};
use recount_segment::IdFilter;

use super::Appended;
use super::known::{ByHash, Known};
use super::queue::{QueuedEvent, Request};
use crate::catalog::tail::{NewTailBatch, TailBatchMeta};
use crate::catalog::tenants::TenantAdvance;
use crate::error::{AppendError, EventRefused};
use crate::tail_batch::{Encoder, Packed, Run};

/// The requests that are committed together, grouped by tenant.
pub(super) struct Round {
    requests: Vec<Vec<QueuedEvent>>,
    /// In the order of tenants, in which rows are locked.
    pub(super) groups: Vec<Group>,
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// One tenant's events of a round, in order of arrival.
pub(super) struct Group {
    pub(super) tenant: TenantId,
    places: Vec<Place>,
    /// Whether a sender gave an id, so that duplicates are possible.
    pub(super) has_sender_ids: bool,
    /// Whether two of its events may have the same id, as far as hashes tell.
    pub(super) repeats: bool,
    /// All of its events, compressed.
    pub(super) packed: Option<Packed>,
}

/// Which event of which request.
#[derive(Clone, Copy)]
struct Place {
    request: u32,
    index: u32,
}

/// What is known about an event before planning.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    /// The log has an event with this id.
    At(u64),
    /// It could not be found out; the sender is told this.
    Unverified(EventRefused),
}

/// Verdicts of a group, by position in it. No entry: not in the log.
pub(super) type Verdicts = HashMap<usize, Verdict>;

/// An event that may be in the log already.
pub(super) struct Suspect {
    pub(super) position: usize,
    pub(super) seqs: Vec<u64>,
    /// Indexes into the tenant's known segments.
    pub(super) segments: Vec<usize>,
}

/// One tenant's part of the plan.
pub(super) struct GroupPlan {
    pub(super) results: Vec<Result<Appended, EventRefused>>,
    /// Ids' hashes of the new events, in seq order.
    pub(super) hashes: Vec<u64>,
    /// How the tenant moves on, if there are new events.
    pub(super) advance: Option<TenantAdvance>,
    /// The row with the new events, until it is written.
    pub(super) batch: Option<NewTailBatch>,
}

/// What planning may assume.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) now: Timestamp,
    pub(super) create_tenants: bool,
    pub(super) tail_events_max: u64,
}

pub(super) type Answer = tokio::sync::oneshot::Sender<Result<super::queue::Results, AppendError>>;

impl Round {
    pub(super) fn new(requests: Vec<Request>) -> (Self, Vec<Answer>) {
        let mut answers = Vec::with_capacity(requests.len());
        let mut bytes = 0;
        let requests: Vec<Vec<QueuedEvent>> = requests
            .into_iter()
            .map(|request| {
                answers.push(request.answer);
                bytes += request.bytes;
                request.events
            })
            .collect();
        let mut groups: HashMap<&TenantId, Vec<Place>> = HashMap::new();
        for (request, events) in (0..).zip(&requests) {
            for (index, queued) in (0..).zip(events) {
                groups.entry(&queued.event.tenant).or_default().push(Place { request, index });
            }
        }
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(tenant, places)| Group {
                tenant: tenant.clone(),
                places,
                has_sender_ids: false,
                repeats: false,
                packed: None,
            })
            .collect();
        groups.sort_unstable_by(|a, b| a.tenant.cmp(&b.tenant));
        let events = requests.iter().map(Vec::len).sum();
        let mut round = Self { requests, groups, events, bytes };
        for at in 0..round.groups.len() {
            let mut sent: ByHash<()> = ByHash::default();
            let mut repeats = false;
            for queued in round.groups[at].places.iter().map(|place| round.event(*place)) {
                repeats |= !queued.event.id_assigned && sent.insert(queued.hash, ()).is_some();
            }
            round.groups[at].has_sender_ids = !sent.is_empty();
            round.groups[at].repeats = repeats;
        }
        (round, answers)
    }

    fn event(&self, place: Place) -> &QueuedEvent {
        &self.requests[place.request as usize][place.index as usize]
    }

    /// Events of a group.
    pub(super) fn len_of(&self, group: usize) -> usize {
        self.groups[group].places.len()
    }

    /// The id of the event at a position of a group.
    pub(super) fn id(&self, group: usize, position: usize) -> &str {
        &self.event(self.groups[group].places[position]).event.id
    }

    /// The hash of that id.
    pub(super) fn hash(&self, group: usize, position: usize) -> u64 {
        self.event(self.groups[group].places[position]).hash
    }

    /// Compresses each group's events.
    pub(super) fn pack(&mut self, encoder: &mut Encoder) {
        let Self { requests, groups, .. } = self;
        for group in groups {
            let queued = |place: &Place| &requests[place.request as usize][place.index as usize];
            group.packed =
                encoder.pack(group.places.iter().map(|place| queued(place).event.line.as_str())).ok();
        }
    }

    /// Positions of a group's events whose ids are checked.
    pub(super) fn checked_positions(
        &self,
        group: usize,
        check_all: bool,
    ) -> impl Iterator<Item = usize> + '_ {
        let places = self.groups[group].places.iter().enumerate();
        places.filter(move |(_, place)| check_all || !self.event(**place).event.id_assigned).map(|(at, _)| at)
    }

    /// Results per request, from results per group.
    pub(super) fn results(
        &self,
        groups: impl IntoIterator<Item = Vec<Result<Appended, EventRefused>>>,
    ) -> Vec<super::queue::Results> {
        let mut by_request: Vec<Vec<Option<Result<Appended, EventRefused>>>> =
            self.requests.iter().map(|events| events.iter().map(|_| None).collect()).collect();
        for (group, results) in self.groups.iter().zip(groups) {
            for (place, result) in group.places.iter().zip(results) {
                by_request[place.request as usize][place.index as usize] = Some(result);
            }
        }
        by_request
            .into_iter()
            .map(|results| results.into_iter().map(|r| r.expect("each event is in one group")).collect())
            .collect()
    }

    /// Events of a group that may be in the log, as far as hashes and filters tell.
    ///
    /// Only events of the log from `from` on are considered; the segments' only if that is 0.
    pub(super) fn suspects(
        &self,
        group: usize,
        known: &Known,
        filters: &[Arc<IdFilter>],
        check_all: bool,
        from: u64,
    ) -> Vec<Suspect> {
        let Some(ids) = &known.ids else { return Vec::new() };
        let checked: Vec<(usize, u64)> =
            self.checked_positions(group, check_all).map(|at| (at, self.hash(group, at))).collect();
        // Filter by filter: lookups in one don't wait for each other's memory as those of one id in all would.
        let mut in_segments: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (segment, filter) in filters.iter().enumerate().filter(|_| from == 0) {
            for (position, hash) in &checked {
                if filter.may_contain(*hash) {
                    in_segments.entry(*position).or_default().push(segment);
                }
            }
        }
        let mut suspects = Vec::new();
        for (position, hash) in checked {
            let seqs: Vec<u64> = ids.candidates(hash).filter(|seq| *seq >= from).collect();
            let segments = in_segments.remove(&position).unwrap_or_default();
            if !(seqs.is_empty() && segments.is_empty()) {
                suspects.push(Suspect { position, seqs, segments });
            }
        }
        suspects
    }

    /// Plans one group. `known` is not changed.
    pub(super) fn plan_group(
        &self,
        group: usize,
        known: &Known,
        verdicts: &Verdicts,
        rules: Rules,
        encoder: &mut Option<Encoder>,
    ) -> std::io::Result<GroupPlan> {
        let Group { tenant, places, packed, .. } = &self.groups[group];
        let refusal = if !known.exists && !rules.create_tenants {
            Some(EventRefused::UnknownTenant { tenant: tenant.to_string() })
        } else if known.tail_events >= rules.tail_events_max {
            Some(EventRefused::TailFull { tenant: tenant.to_string() })
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let results = places.iter().map(|_| Err(refusal.clone())).collect();
            return Ok(GroupPlan { results, hashes: Vec::new(), advance: None, batch: None });
        }

        let mut results = Vec::with_capacity(places.len());
        let mut fresh: Vec<&QueuedEvent> = Vec::with_capacity(places.len());
        let mut in_round: ByHash<usize> = ByHash::default();
        for (position, place) in places.iter().enumerate() {
            let queued = self.event(*place);
            match verdicts.get(&position) {
                Some(Verdict::At(seq)) => {
                    results.push(Ok(Appended { seq: *seq, duplicate: true }));
                    continue;
                }
                Some(Verdict::Unverified(refused)) => {
                    results.push(Err(refused.clone()));
                    continue;
                }
                None => {}
            }
            // Assigned ids are random: nobody can have sent one in the same moment.
            if !queued.event.id_assigned {
                let same = |at: usize| fresh[at].event.id == queued.event.id;
                let earlier = in_round
                    .get(&queued.hash)
                    .copied()
                    .and_then(|at| if same(at) { Some(at) } else { (0..fresh.len()).find(|at| same(*at)) });
                if let Some(at) = earlier {
                    let seq = known.next_seq + at as u64;
                    results.push(Ok(Appended { seq, duplicate: true }));
                    continue;
                }
                in_round.insert(queued.hash, fresh.len());
            }
            results.push(Ok(Appended { seq: known.next_seq + fresh.len() as u64, duplicate: false }));
            fresh.push(queued);
        }
        let hashes = fresh.iter().map(|queued| queued.hash).collect();
        let (advance, batch) = if fresh.is_empty() {
            (None, None)
        } else {
            // The clock may go back; the log's time does not.
            let received_at = rules.now.max(known.last_received_at);
            let run = Run { events: u32::try_from(fresh.len()).map_err(std::io::Error::other)?, received_at };
            let body = match packed {
                Some(packed) if fresh.len() == places.len() => packed.body(&[run])?,
                _ => {
                    let encoder = match encoder {
                        Some(encoder) => encoder,
                        None => encoder.insert(Encoder::new()?),
                    };
                    encoder.encode(fresh.iter().map(|queued| queued.event.line.as_str()), &[run])?
                }
            };
            let (advance, batch) = rows(tenant, known, &fresh, received_at, body);
            (Some(advance), Some(batch))
        };
        Ok(GroupPlan { results, hashes, advance, batch })
    }
}

/// The rows that store `fresh`, which is not empty and whose compressed events are `body`.
fn rows(
    tenant: &TenantId,
    known: &Known,
    fresh: &[&QueuedEvent],
    received_at: Timestamp,
    body: Vec<u8>,
) -> (TenantAdvance, NewTailBatch) {
    let events = fresh.len() as u64;
    let occurred = || fresh.iter().map(|queued| queued.event.occurred_at);
    let raw_bytes = fresh.iter().map(|queued| queued.event.line.len() as u64).sum();
    let mut id_hashes = Vec::with_capacity(fresh.len() * 8);
    for queued in fresh {
        id_hashes.extend_from_slice(&queued.hash.to_le_bytes());
    }
    let advance = TenantAdvance {
        tenant: tenant.clone(),
        next_seq: known.next_seq + events,
        events,
        raw_bytes,
        received_at,
    };
    let batch = NewTailBatch {
        tenant: tenant.clone(),
        meta: TailBatchMeta {
            first_seq: known.next_seq,
            events,
            raw_bytes,
            min_occurred: occurred().min().unwrap_or(received_at),
            max_occurred: occurred().max().unwrap_or(received_at),
            min_received: received_at,
            max_received: received_at,
        },
        id_hashes,
        body,
    };
    (advance, batch)
}
