//! A store in a temporary folder, and beside it the naive log that answers must equal.

use std::sync::Arc;

use futures::TryStreamExt as _;
use recount_event::{Filter, NewEvent, ParseContext, Timestamp, parse_event};
use recount_store::testing::{self, Tender};
use recount_store::{
    ListQuery, Order, Page, Position, ReadError, ScanQuery, Store, StoreConfig, StoredEvent, TenantLog,
};
use serde_json::Value;

use crate::support::{DAY, Place, tend};

/// A store whose maintenance runs only when a test says so.
pub(crate) struct Harness {
    pub(crate) place: Place,
    pub(crate) store: Store,
}

/// One tenant's log and everything that was appended to it.
pub(crate) struct Log {
    pub(crate) store: Store,
    pub(crate) log: TenantLog,
    pub(crate) naive: Vec<Naive>,
}

/// An event as the naive log has it.
#[derive(Debug, Clone)]
pub(crate) struct Naive {
    pub(crate) seq: u64,
    pub(crate) occurred_at: Timestamp,
    pub(crate) line: Arc<str>,
}

impl Naive {
    pub(crate) fn position(&self) -> Position {
        Position { occurred_at: self.occurred_at, seq: self.seq }
    }
}

impl Harness {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut StoreConfig)) -> Self {
        Self::at(Place::sqlite(), change).await
    }

    /// On either catalog.
    pub(crate) async fn at(mut place: Place, change: impl FnOnce(&mut StoreConfig)) -> Self {
        change(&mut place.config);
        let store = place.open().await;
        Self { place, store }
    }

    pub(crate) fn log(&self, tenant: &str) -> Log {
        let log = testing::tenant_log(&self.store, &crate::support::tenant(tenant));
        Log { store: self.store.clone(), log, naive: Vec::new() }
    }

    /// Folds, seals and merges what is due, then deletes what was replaced, as if the time that
    /// it stays for readers were over.
    pub(crate) async fn reorganise_at_once(&self, log: &Log) {
        tend(&self.store, log.log.tenant()).await;
        self.place.clock.advance_micros(DAY);
        let collector = Tender::new(&self.store, "maintain/collector", "test").await.expect("free");
        collector.collect().await.expect("deletes");
    }

    /// The same log as a node with empty caches reads it.
    pub(crate) async fn reopened(self, log: Log) -> (Self, Log) {
        let (tenant, naive) = (log.log.tenant().clone(), log.naive);
        self.store.shutdown().await;
        // The lock on the data folder goes with the last handle on the store.
        drop((self.store, log.log, log.store));
        let store = self.place.open().await;
        let log = Log { store: store.clone(), log: testing::tenant_log(&store, &tenant), naive };
        (Self { place: self.place, store }, log)
    }
}

impl Log {
    /// Appends events as one batch.
    pub(crate) async fn append(&mut self, events: &[Value]) {
        let tenant = self.log.tenant().clone();
        let context = ParseContext { tenant: Some(&tenant), allow_own_actions: false };
        let parsed: Vec<NewEvent> = events
            .iter()
            .map(|event| {
                parse_event(&event.to_string(), &context, &mut || unreachable!("events have ids"))
                    .unwrap_or_else(|error| panic!("{error:?}: {event}"))
            })
            .collect();
        let access = testing::ingest_of(&tenant);
        let results = self.store.append(&access, parsed.clone()).await.expect("appended");
        for (event, result) in parsed.into_iter().zip(results) {
            let seq = result.expect("accepted").seq;
            assert_eq!(seq, self.naive.len() as u64);
            let line = event.line.into();
            self.naive.push(Naive { seq, occurred_at: event.occurred_at, line });
        }
    }

    /// What the log would answer if it read every line.
    pub(crate) fn matching(&self, query: &ScanQuery) -> Vec<Naive> {
        let pin = query.pin.unwrap_or(u64::MAX);
        let mut found: Vec<Naive> = self
            .naive
            .iter()
            .filter(|event| event.seq < pin)
            .filter(|event| query.from.is_none_or(|from| event.occurred_at >= from))
            .filter(|event| query.to.is_none_or(|to| event.occurred_at < to))
            .filter(|event| match (query.after, query.order) {
                (None, _) => true,
                (Some(after), Order::NewestFirst) => event.position() < after,
                (Some(after), Order::OldestFirst) => event.position() > after,
            })
            .filter(|event| query.filter.matches(&event.line))
            .cloned()
            .collect();
        found.sort_by_key(Naive::position);
        if query.order == Order::NewestFirst {
            found.reverse();
        }
        found
    }

    pub(crate) async fn scan(&self, query: ScanQuery) -> Result<Vec<StoredEvent>, ReadError> {
        let chunks: Vec<Vec<StoredEvent>> = self.log.scan(query).try_collect().await?;
        assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
        Ok(chunks.concat())
    }

    /// All pages of a list.
    pub(crate) async fn pages(&self, mut query: ListQuery) -> Vec<StoredEvent> {
        let mut events = Vec::new();
        loop {
            let page: Page = self.log.list(&query).await.expect("listed");
            assert!(page.events.len() <= query.limit);
            events.extend(page.events);
            match page.next {
                None => return events,
                next => query.after = next,
            }
            query.pin = Some(page.pin);
        }
    }
}

pub(crate) fn seqs(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

/// That `events` are exactly `expected`, in order.
#[track_caller]
pub(crate) fn assert_same(events: &[StoredEvent], expected: &[Naive], filter: &Filter) {
    let wanted: Vec<u64> = expected.iter().map(|event| event.seq).collect();
    assert_eq!(seqs(events), wanted, "filter {filter}");
    for (event, expected) in events.iter().zip(expected) {
        assert_eq!(event.line, expected.line);
    }
}
