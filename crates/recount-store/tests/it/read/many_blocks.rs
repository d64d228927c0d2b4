//! Thousands of random filters over a log of several segments, row groups and blocks. Events are
//! drawn from a pool, so that the naive answer is found by asking each kind of event once.

use recount_event::{Filter, Timestamp};
use recount_store::{ListQuery, Order, ScanQuery, testing};
use serde_json::Value;

use super::events::Draw;
use super::harness::{Harness, Log, assert_same};
use crate::support::{DAY, tend};

const FILTERS: usize = 2_000;
/// Different events, id and time aside.
const KINDS: usize = 300;
/// Rows of each part: two row groups of 16 blocks or fewer, three blocks, a tail.
const PARTS: [usize; 3] = [140_000, 20_000, 500];

/// The kind of each event of the log is that of its seq.
struct Kinds(Vec<Value>);

impl Kinds {
    fn event(&self, seq: usize) -> Value {
        let mut event = self.0[seq.wrapping_mul(7_919) % KINDS].clone();
        event["id"] = format!("nr{seq}").into();
        // Mostly in the order of the log, with many late ones; some share their time.
        let late = if seq.is_multiple_of(5) { seq * 31 % 90_000 } else { seq % 7 };
        let second = 1_790_000_000 + (seq + 100_000 - late) as i64;
        event["occurred_at"] = Timestamp::from_micros(second * 1_000_000).to_string().into();
        event
    }

    /// Of each kind, whether `filter` matches it. The first events of the log are one of each kind.
    fn matching(log: &Log, filter: &Filter) -> Vec<bool> {
        log.naive[..KINDS].iter().map(|event| filter.matches(&event.line)).collect()
    }
}

async fn log_of_many_blocks(harness: &Harness, kinds: &Kinds) -> Log {
    let mut log = harness.log("acme");
    for rows in PARTS {
        let end = log.naive.len() + rows;
        while log.naive.len() < end {
            let next = log.naive.len();
            let events: Vec<Value> = (next..end.min(next + 10_000)).map(|seq| kinds.event(seq)).collect();
            log.append(&events).await;
        }
        if rows >= 1_000 {
            // What is not large enough to be sealed at once is old enough.
            harness.place.clock.advance_micros(DAY);
            tend(&harness.store, log.log.tenant()).await;
        }
    }
    let layout = testing::layout(&harness.store, log.log.tenant()).await.expect("a layout");
    assert_eq!((layout.segments.len(), layout.tail.len()), (2, 1), "{:?}", layout.segments);
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_filters_over_many_blocks_find_what_the_naive_evaluation_finds() {
    let harness = Harness::with(|config| {
        config.seal.events = 70_000;
        config.compaction.fan_in = 2;
        // The large segment is left alone once it is one.
        config.compaction.tier_rows = vec![100_000];
        config.compaction.rows_max = 1_000_000;
    })
    .await;
    let mut draw = Draw::new(71);
    let kinds = Kinds((0..KINDS).map(|n| draw.event(n)).collect());
    let log = log_of_many_blocks(&harness, &kinds).await;
    let mut newest_first: Vec<usize> = (0..log.naive.len()).collect();
    newest_first.sort_by_key(|seq| std::cmp::Reverse(log.naive[*seq].position()));
    let mut found = 0;
    for round in 0..FILTERS {
        let filter = draw.filter();
        let words = filter.terms.iter().any(|term| matches!(term.matcher, recount_event::Matcher::Word(_)));
        // Lines are slow to read for a test: mostly some thousands of them.
        let span = if words || round % 2 == 0 { 1 + draw.below(6_000) } else { log.naive.len() };
        let first = draw.below(log.naive.len() - span + 1);
        let (newest, oldest) = (&log.naive[newest_first[first]], &log.naive[newest_first[first + span - 1]]);
        let query = ScanQuery {
            filter,
            from: draw.chance(0.8).then_some(oldest.occurred_at).filter(|_| span < log.naive.len()),
            to: Some(newest.occurred_at),
            order: if draw.chance(0.5) { Order::NewestFirst } else { Order::OldestFirst },
            after: draw.chance(0.3).then(|| log.naive[newest_first[first + draw.below(span)]].position()),
            pin: draw.chance(0.2).then(|| draw.below(log.naive.len()) as u64),
            max_scan_bytes: None,
        };
        let limit = 1 + draw.below(60);
        let kinds = Kinds::matching(&log, &query.filter);
        let expected: Vec<_> = {
            let within = |seq: &&usize| {
                let event = &log.naive[**seq];
                query.pin.is_none_or(|pin| event.seq < pin)
                    && query.from.is_none_or(|from| event.occurred_at >= from)
                    && query.to.is_none_or(|to| event.occurred_at < to)
                    && query.after.is_none_or(|after| match query.order {
                        Order::NewestFirst => event.position() < after,
                        Order::OldestFirst => event.position() > after,
                    })
                    && kinds[**seq % KINDS]
            };
            let naive = |seq: &usize| log.naive[*seq].clone();
            // Only these can be within the times; debug builds are slow.
            let end = query.from.map_or(newest_first.len(), |from| {
                newest_first.partition_point(|seq| log.naive[*seq].occurred_at >= from)
            });
            let timely = newest_first[first..end].iter();
            match query.order {
                Order::NewestFirst => timely.filter(within).take(limit).map(naive).collect(),
                Order::OldestFirst => timely.rev().filter(within).take(limit).map(naive).collect(),
            }
        };
        let list = ListQuery {
            filter: query.filter.clone(),
            from: query.from,
            to: query.to,
            order: query.order,
            limit,
            after: query.after,
            pin: query.pin,
            max_scan_bytes: None,
        };
        let page = log.log.list(&list).await.expect("listed");
        assert_same(&page.events, &expected, &query.filter);
        found += page.events.len();
    }
    assert!(found > FILTERS * 3, "filters meet events: {found}");
}
