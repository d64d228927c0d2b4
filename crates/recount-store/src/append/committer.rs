//! The committer: one task that turns what has arrived into one transaction after the other.
//!
//! A round goes: compress → load what is not known of its tenants → find duplicates → plan → one
//! transaction that moves every tenant on and inserts its rows → answer. A large round is compressed
//! while the one before it is committed. Three things can go wrong, and all take the same way again:
//!
//! - another node appended to one of the tenants ([`Setback::Moved`]): rows are locked first, and
//!   what the other node appended is read within the transaction;
//! - the layout changed so much that knowledge must be loaded anew ([`Setback::Stale`]);
//! - the commit got no answer ([`Setback::Unknown`]): the same events are planned again with every
//!   id checked, the assigned ones too, after waiting for the row locks. If the lost commit
//!   happened, all of them are found where they were planned to be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use recount_event::TenantId;

use super::known::{Known, KnownTenants, Unhinted};
use super::load::Loader;
use super::pack::Packer;
use super::plan::{Answer, GroupPlan, Round, Rules, Verdicts};
use super::queue::Queue;
use super::verify::{Verifier, VerifyError};
use super::work::{INLINE_BYTES_MAX, Setback, Work, planned_seqs};
use crate::catalog::tenants;
use crate::catalog::{Catalog, CatalogTx, CommitPoint, tail};
use crate::config::StoreConfig;
use crate::env::Env;
use crate::error::{AppendError, EventRefused};
use crate::heads::Heads;
use crate::maintain::{Busy, Hints};
use crate::measure;
use crate::segment_cache::SegmentCache;
use crate::tail_batch::Encoder;

/// What one round takes at most: keeps a commit's latency and memory in bounds. There are two rounds at once.
const ROUND_EVENTS_MAX: usize = 32_768;
const ROUND_BYTES_MAX: usize = 32 * 1024 * 1024;
/// While a round of this much is committed, the next is taken ahead once as much waits, or the most that is worth
/// waiting for: less would make small rounds, whose rows compress badly and cost a sync each.
const AHEAD_BYTES_MIN: usize = 256 * 1024;
const AHEAD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A round that can't be committed within this time is answered with an error.
const ROUND_TIMEOUT: Duration = Duration::from_secs(10);
/// After another node was faster, this many rounds lock first instead of trying without.
const LOCK_FIRST_ROUNDS: u32 = 32;
/// Pause before the same is tried again after a failure, doubled each time.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(20);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Commits rounds until the queue is closed and empty.
pub(crate) struct Committer {
    env: Env,
    catalog: Catalog,
    loader: Loader,
    queue: Arc<Queue>,
    heads: Heads,
    hints: Hints,
    busy: Busy,
    known: KnownTenants,
    create_tenants: bool,
    tail_events_max: u64,
    object_wait: Duration,
    hint_at: Unhinted,
    /// For groups with duplicates. Kept from round to round for its work space.
    encoder: Option<Encoder>,
    /// For this many rounds yet, rows are locked at once, because other nodes append as well.
    lock_first_rounds: u32,
}

impl Committer {
    #[expect(clippy::too_many_arguments, reason = "the parts of one store, called once")]
    pub(crate) fn new(
        config: &StoreConfig,
        env: Env,
        catalog: Catalog,
        segments: SegmentCache,
        queue: Arc<Queue>,
        heads: Heads,
        hints: Hints,
        busy: Busy,
    ) -> Self {
        let loader = Loader {
            env: env.clone(),
            catalog: catalog.clone(),
            verifier: Verifier::new(catalog.clone(), segments),
            dedup_window: Duration::from_secs(u64::from(config.dedup_window_days) * 24 * 3600),
        };
        Self {
            env,
            loader,
            catalog,
            queue,
            heads,
            hints,
            busy,
            known: KnownTenants::new(config.dedup_cache_bytes),
            create_tenants: config.create_tenants,
            tail_events_max: config.seal.tail_events_max,
            object_wait: config.object_wait,
            hint_at: Unhinted {
                batches: config.seal.fold_batches,
                events: config.seal.events,
                raw_bytes: config.seal.raw_bytes,
            },
            encoder: None,
            lock_first_rounds: 0,
        }
    }

    /// Runs until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        let queue = Arc::clone(&self.queue);
        let mut packer = Packer::default();
        let mut ahead = None;
        loop {
            let waiting = Instant::now();
            let mut waited = Duration::ZERO;
            let (round, answers) = match ahead.take() {
                Some(packed) => packed,
                None => match queue.take(ROUND_EVENTS_MAX, ROUND_BYTES_MAX).await {
                    Some(requests) => {
                        waited = waiting.elapsed();
                        packer.pack(requests).await
                    }
                    None => return,
                },
            };
            let bytes = round.bytes;
            let mut serve = std::pin::pin!(self.serve(round, answers, waited));
            if bytes < AHEAD_BYTES_MIN {
                serve.await;
                continue;
            }
            tokio::select! {
                biased;
                () = &mut serve => {}
                () = queue.holds(bytes.min(AHEAD_BYTES_MAX)) => {
                    let requests = queue.take_now(ROUND_EVENTS_MAX, ROUND_BYTES_MAX);
                    let (packed, ()) = tokio::join!(packer.pack(requests), serve);
                    ahead = Some(packed);
                }
            }
        }
    }

    /// Commits one round, for which the committer had `waited`, and answers its senders.
    async fn serve(&mut self, round: Arc<Round>, answers: Vec<Answer>, waited: Duration) {
        let began = Instant::now();
        let count = answers.len();
        match self.commit(&round).await {
            Ok(results) => {
                for (answer, results) in answers.into_iter().zip(results) {
                    // A sender that went away does not matter: its events are stored.
                    let _ = answer.send(Ok(results));
                }
            }
            Err(detail) => {
                tracing::error!(events = round.events, detail, "events were not stored");
                for answer in answers {
                    let _ = answer.send(Err(AppendError::Unavailable { detail: detail.clone() }));
                }
            }
        }
        let took = began.elapsed();
        self.busy.observe(took, waited, Instant::now());
        self.queue.committed(count, round.events, took);
        observe(&round, took, self.known.end_round());
        drop_elsewhere(round);
    }

    async fn commit(&mut self, round: &Arc<Round>) -> Result<Vec<super::queue::Results>, String> {
        let deadline = tokio::time::Instant::now() + self.object_wait;
        let mut work = Work::new(Arc::clone(round), &mut self.known, deadline);
        work.locked = self.lock_first_rounds > 0;
        self.lock_first_rounds = self.lock_first_rounds.saturating_sub(1);
        let began = Instant::now();
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            let setback = match self.attempt(&mut work).await {
                Ok(plans) => return Ok(self.succeed(work, plans)),
                Err(setback) => setback,
            };
            counter!(measure::COMMIT_RETRIES, "reason" => setback.name()).increment(1);
            if began.elapsed() > ROUND_TIMEOUT {
                return Err(setback.detail());
            }
            match setback {
                Setback::Moved => {
                    work.locked = true;
                    self.lock_first_rounds = LOCK_FIRST_ROUNDS;
                }
                Setback::Stale(groups) => groups.into_iter().for_each(|group| work.forget(group)),
                Setback::Unknown(error, planned) => {
                    tracing::warn!(error = %error, events = round.events, "finding out what became of a commit");
                    work.expect_surprise(planned);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_PAUSE_MAX);
                }
                Setback::Failed(detail) => {
                    tracing::warn!(detail, events = round.events, "a commit failed and is tried again");
                    work.forget_all();
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_PAUSE_MAX);
                }
            }
        }
    }

    async fn attempt(&mut self, work: &mut Work) -> Result<Vec<GroupPlan>, Setback> {
        self.loader.load(work).await?;
        self.loader.find_duplicates(work).await?;
        if work.locked {
            self.attempt_locked(work).await
        } else {
            let mut plans = self.plan(work).await?;
            let planned = planned_seqs(&plans);
            let writes = take_writes(&mut plans);
            if writes.0.is_empty() {
                return Ok(plans);
            }
            let tx = self.catalog.begin().await?;
            self.write(tx, writes, planned).await?;
            Ok(plans)
        }
    }

    /// Locks the tenants first and catches up with what others appended.
    async fn attempt_locked(&mut self, work: &mut Work) -> Result<Vec<GroupPlan>, Setback> {
        let names: Vec<TenantId> = work.round.groups.iter().map(|group| group.tenant.clone()).collect();
        let mut tx = self.catalog.begin().await?;
        if self.create_tenants {
            tenants::insert_missing(&mut tx, &names, self.env.now()).await?;
        }
        let rows = tenants::lock(&mut tx, &names).await?;
        let caught_up = work.catch_up(&mut tx, &rows).await?;
        for (group, from) in caught_up {
            let known = work.known[group].as_ref().expect("loaded");
            let suspects = work.round.suspects(group, known, &[], work.check_all, from);
            let mut verdicts = std::mem::take(&mut work.verdicts[group]);
            match self.loader.verifier.verify(&work.question(group), &suspects, &mut verdicts).await {
                Ok(()) => work.verdicts[group] = verdicts,
                Err(VerifyError::Stale) => return Err(Setback::Stale(vec![group])),
                Err(VerifyError::Catalog(error)) => return Err(error.into()),
            }
        }
        let mut plans = self.plan(work).await?;
        let planned = planned_seqs(&plans);
        let writes = take_writes(&mut plans);
        self.write(tx, writes, planned).await?;
        Ok(plans)
    }

    async fn write(
        &self,
        mut tx: CatalogTx,
        (advances, batches): (Vec<tenants::TenantAdvance>, Vec<tail::NewTailBatch>),
        planned: Vec<Vec<Option<u64>>>,
    ) -> Result<(), Setback> {
        if tenants::advance(&mut tx, &advances).await? != advances.len() as u64 {
            return Err(Setback::Moved);
        }
        tail::insert(&mut tx, batches).await?;
        match self.catalog.commit(tx, CommitPoint::Append).await {
            Ok(()) => Ok(()),
            Err(error) => Err(Setback::Unknown(error, planned)),
        }
    }

    /// Plans all groups.
    async fn plan(&mut self, work: &mut Work) -> Result<Vec<GroupPlan>, Setback> {
        let rules = Rules {
            now: self.env.now(),
            create_tenants: self.create_tenants,
            tail_events_max: self.tail_events_max,
        };
        let is_long = work.is_planned_long();
        let round = Arc::clone(&work.round);
        let known = std::mem::take(&mut work.known);
        let verdicts = std::mem::take(&mut work.verdicts);
        let mut encoder = self.encoder.take();
        let plan = move || {
            let plans = plan_all(&round, &known, &verdicts, rules, &mut encoder);
            (plans, known, verdicts, encoder)
        };
        let (plans, known, verdicts, encoder) = if is_long {
            tokio::task::spawn_blocking(plan).await.expect("planning does not panic")
        } else {
            plan()
        };
        (work.known, work.verdicts) = (known, verdicts);
        self.encoder = encoder;
        plans.map_err(|error| Setback::Failed(format!("can't compress events: {error}")))
    }

    /// After the commit: remembers, announces, hints, and builds the answers.
    fn succeed(&mut self, work: Work, mut plans: Vec<GroupPlan>) -> Vec<super::queue::Results> {
        work.clear_surprises(&mut plans);
        let Work { round, known, .. } = work;
        let mut heads = Vec::with_capacity(plans.len());
        let mut stored = (0, 0);
        let mut results = Vec::with_capacity(plans.len());
        for (group, (plan, known)) in plans.into_iter().zip(known).enumerate() {
            let tenant = &round.groups[group].tenant;
            let mut known = known.expect("loaded");
            if let Some(advance) = &plan.advance {
                known.append(advance, &plan.hashes);
                heads.push((tenant, known.next_seq));
                stored = (stored.0 + advance.events, stored.1 + advance.raw_bytes);
                if known.unhinted.reaches(&self.hint_at) {
                    self.hints.send(tenant);
                    known.unhinted = Unhinted::default();
                }
            }
            results.push(plan.results);
            // A tail near its limit is looked at anew each time: sealing makes room.
            if known.exists && known.tail_events < self.tail_events_max / 2 {
                self.known.put(tenant.clone(), known);
            }
        }
        self.heads.announce(heads);
        count_results(&results, stored);
        round.results(results)
    }
}

fn plan_all(
    round: &Round,
    known: &[Option<Known>],
    verdicts: &[Verdicts],
    rules: Rules,
    encoder: &mut Option<Encoder>,
) -> std::io::Result<Vec<GroupPlan>> {
    known
        .iter()
        .zip(verdicts)
        .enumerate()
        .map(|(group, (known, verdicts))| {
            let known = known.as_ref().expect("loaded");
            round.plan_group(group, known, verdicts, rules, encoder)
        })
        .collect()
}

fn take_writes(plans: &mut [GroupPlan]) -> (Vec<tenants::TenantAdvance>, Vec<tail::NewTailBatch>) {
    let advances = plans.iter().filter_map(|plan| plan.advance.clone()).collect();
    let batches = plans.iter_mut().filter_map(|plan| plan.batch.take()).collect();
    (advances, batches)
}

/// Frees a large round off the committer's way: some thousand events, allocation by allocation.
fn drop_elsewhere(round: Arc<Round>) {
    if round.bytes > INLINE_BYTES_MAX {
        tokio::task::spawn_blocking(move || drop(round));
    }
}

impl Drop for Committer {
    /// However the committer ends, nobody waits for it for ever.
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating-point")]
fn observe(round: &Round, took: Duration, dedup_bytes: usize) {
    histogram!(measure::COMMIT_SECONDS).record(took);
    histogram!(measure::COMMIT_EVENTS).record(round.events as f64);
    histogram!(measure::COMMIT_TENANTS).record(round.groups.len() as f64);
    gauge!(measure::DEDUP_STATE_BYTES).set(dedup_bytes as f64);
}

fn count_results(results: &[Vec<Result<super::Appended, EventRefused>>], (events, bytes): (u64, u64)) {
    let (mut duplicates, mut refused) = (0, 0);
    for result in results.iter().flatten() {
        match result {
            Ok(appended) => duplicates += u64::from(appended.duplicate),
            Err(_) => refused += 1,
        }
    }
    counter!(measure::APPEND_EVENTS).increment(events);
    counter!(measure::APPEND_BYTES).increment(bytes);
    counter!(measure::APPEND_DUPLICATES).increment(duplicates);
    counter!(measure::APPEND_REFUSED).increment(refused);
}
