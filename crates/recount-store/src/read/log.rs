//! What a [`TenantLog`] answers.

use std::time::Duration;

use futures::Stream;

use super::error::ReadError;
use crate::{
    Facets, FacetsQuery, FeedPage, Histogram, HistogramQuery, ListQuery, Page, ScanQuery, StoredEvent,
    TenantLog,
};

/// Reading. Every answer is whole or an error; dropping a future or stream ends its work.
///
/// All methods can fail with [`ReadError::Corrupt`] (damage, named), [`ReadError::Unavailable`]
/// (try again) and, except [`feed`](Self::feed), [`ReadError::Busy`] (this tenant has too many
/// reads under way). The log of a tenant that doesn't exist reads as empty.
impl TenantLog {
    /// One page of the events that match, in the order of time.
    ///
    /// With the page's `next` as the next query's `after` and its `pin` as `pin`, the pages
    /// together are one answer: nothing shifts, is missed or doubled while events arrive, late
    /// and back-dated ones included; what retention removes between two pages is not in the later one. A page with fewer events than asked for is the last; a full
    /// page that says `next` can be followed by an empty one.
    ///
    /// # Errors
    /// [`ReadError::TooExpensive`] if more would have to be examined than the query allows.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        self.store.inner.read.list(&self.tenant, query).await
    }

    /// Every event that matches, in the order of time, in chunks of about a thousand that are
    /// never empty, at constant memory whatever the size of the answer.
    ///
    /// The answer is that of the moment when the stream is first polled, or of the query's pin;
    /// each event is in it exactly once, whatever is appended, sealed or compacted meanwhile.
    /// After an error the stream ends. It is [`ReadError::Removed`] if retention removed events of the
    /// answer before they were read: an answer is whole, or fails.
    pub fn scan(
        &self,
        query: ScanQuery,
    ) -> impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send + use<> {
        self.store.inner.read.scan(&self.tenant, query)
    }

    /// The event with this id, if there is one.
    pub async fn get(&self, id: &str) -> Result<Option<StoredEvent>, ReadError> {
        self.store.inner.read.get(&self.tenant, id).await
    }

    /// Up to `limit` events ([`FEED_EVENTS_MAX`](crate::FEED_EVENTS_MAX) at most) with consecutive
    /// `seq` from `from` on. If there is none yet, waits for one up to `wait`
    /// ([`FEED_WAIT_SECONDS_MAX`](crate::FEED_WAIT_SECONDS_MAX) at most), then returns an empty page.
    ///
    /// A page can have fewer events than asked for although more exist; it is empty only if
    /// there is none. Whoever goes on at the page's `next` misses nothing.
    ///
    /// # Errors
    /// [`ReadError::Removed`] if retention has removed the event at `from`.
    pub async fn feed(&self, from: u64, limit: usize, wait: Duration) -> Result<FeedPage, ReadError> {
        let read = &self.store.inner.read;
        read.feed(&self.tenant, self.watch_head(), from, limit, wait).await
    }

    /// Counts of the events that match, by time and outcome.
    ///
    /// Exact up to the query's bound on bytes examined. Beyond it the newest part of the range
    /// that is within the bound is counted, exactly, and `exact` is false, `covered_from` its start.
    ///
    /// # Errors
    /// [`ReadError::TooExpensive`] if no such part can be told, or the interval gives too many
    /// buckets; [`ReadError::Invalid`] for an interval that isn't served.
    pub async fn histogram(&self, query: &HistogramQuery) -> Result<Histogram, ReadError> {
        self.store.inner.read.histogram(&self.tenant, query).await
    }

    /// Counts of the events that match, by the values of some fields. Exactness as with
    /// [`histogram`](Self::histogram).
    ///
    /// # Errors
    /// [`ReadError::TooExpensive`] if no part of the range can be counted within the bound or a
    /// field has too many different values; [`ReadError::Invalid`] for none or too many fields.
    pub async fn facets(&self, query: &FacetsQuery) -> Result<Facets, ReadError> {
        self.store.inner.read.facets(&self.tenant, query).await
    }
}
