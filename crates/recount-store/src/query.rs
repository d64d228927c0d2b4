//! What readers ask a [`crate::TenantLog`] and what they get.

use std::sync::Arc;

use recount_event::{Field, Filter, Timestamp};

/// Most events on a page of [`crate::TenantLog::list`].
pub const LIST_EVENTS_MAX: usize = 1_000;
/// Events on a page of [`crate::TenantLog::list`] whose query leaves `limit` 0.
pub const LIST_EVENTS_DEFAULT: usize = 50;
/// Most events on a page of [`crate::TenantLog::feed`].
pub const FEED_EVENTS_MAX: usize = 10_000;
/// Longest time in seconds that [`crate::TenantLog::feed`] waits for an event.
pub const FEED_WAIT_SECONDS_MAX: u64 = 60;
/// Most buckets of a histogram.
pub const HISTOGRAM_BUCKETS_MAX: usize = 2_000;
/// Most fields of one [`crate::TenantLog::facets`].
pub const FACET_FIELDS_MAX: usize = 5;
/// Most values of one field that are listed.
pub const FACET_VALUES_MAX: usize = 1_000;
/// Values of one field that are listed if the query leaves `limit` 0.
pub const FACET_VALUES_DEFAULT: usize = 10;

/// An event as stored: its line, with what the log added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event's place in the tenant's log, from 0, without gaps.
    pub seq: u64,
    /// When the log took the event; never decreases along `seq`.
    pub received_at: Timestamp,
    /// The event's normal form, exactly as it was stored: one line of JSON.
    pub line: Arc<str>,
}

impl StoredEvent {
    /// Appends the served form: the line with `seq` and `received_at` as last members.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        use std::io::Write as _;
        let open = self.line.strip_suffix('}').unwrap_or(&self.line);
        out.extend_from_slice(open.as_bytes());
        write!(out, r#","seq":{},"received_at":"{}"}}"#, self.seq, self.received_at)
            .expect("writing to memory can't fail");
    }
}

/// Along which direction of `(occurred_at, seq)` events are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// Latest `occurred_at` first.
    #[default]
    NewestFirst,
    /// Earliest `occurred_at` first.
    OldestFirst,
}

/// A place in the listing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The event's `occurred_at`.
    pub occurred_at: Timestamp,
    /// The event's `seq`, which decides among equal times.
    pub seq: u64,
}

/// Which page of which events to list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Which events.
    pub filter: Filter,
    /// The earliest `occurred_at`, inclusive.
    pub from: Option<Timestamp>,
    /// The latest `occurred_at`, exclusive.
    pub to: Option<Timestamp>,
    /// In which order.
    pub order: Order,
    /// How many events at most, up to [`LIST_EVENTS_MAX`]; 0 stands for [`LIST_EVENTS_DEFAULT`].
    pub limit: usize,
    /// Only what comes after this place in the order.
    pub after: Option<Position>,
    /// Only events with `seq` below this: the log's size when the first page was read.
    pub pin: Option<u64>,
    /// Gives up once this much stored data was looked at.
    pub max_scan_bytes: Option<u64>,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Page {
    /// The events, in the query's order.
    pub events: Vec<StoredEvent>,
    /// Where the next page continues, if there is one.
    pub next: Option<Position>,
    /// What to pin the next pages at.
    pub pin: u64,
}

/// A whole answer, streamed.
#[derive(Debug, Clone, Default)]
pub struct ScanQuery {
    /// Which events.
    pub filter: Filter,
    /// The earliest `occurred_at`, inclusive.
    pub from: Option<Timestamp>,
    /// The latest `occurred_at`, exclusive.
    pub to: Option<Timestamp>,
    /// In which order.
    pub order: Order,
    /// Only what comes after this place in the order: goes on with an interrupted scan.
    pub after: Option<Position>,
    /// Only events with `seq` below this; the log's size now if absent.
    pub pin: Option<u64>,
    /// Gives up once this much stored data was looked at; unlimited if absent.
    pub max_scan_bytes: Option<u64>,
}

/// A stretch of the log in `seq` order.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// The events, without a gap, from the asked `seq` on.
    pub events: Vec<StoredEvent>,
    /// The `seq` to ask for next.
    pub next: u64,
}

/// Counts of events over time.
#[derive(Debug, Clone, Default)]
pub struct HistogramQuery {
    /// Which events.
    pub filter: Filter,
    /// The earliest `occurred_at`, inclusive; the log's first if absent.
    pub from: Option<Timestamp>,
    /// The latest `occurred_at`, exclusive; after the log's last if absent.
    pub to: Option<Timestamp>,
    /// Width of a bucket, whole seconds; chosen from the range if absent.
    pub interval_micros: Option<i64>,
    /// Whose clocks the buckets start by; UTC if absent. Where clocks change, a bucket of more than an hour is
    /// longer or shorter.
    pub zone: Option<jiff::tz::TimeZone>,
    /// Only events with `seq` below this; all there are now if absent.
    pub pin: Option<u64>,
    /// Stops counting, inexactly, once this much stored data was looked at.
    pub max_scan_bytes: Option<u64>,
}

/// How many events of each outcome one bucket of time holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramBucket {
    /// The bucket's first moment.
    pub start: Timestamp,
    /// Events with outcome `success`.
    pub success: u64,
    /// Events with outcome `failure`.
    pub failure: u64,
    /// Events with outcome `denied`.
    pub denied: u64,
}

impl HistogramBucket {
    /// Events of any outcome.
    pub fn total(&self) -> u64 {
        self.success + self.failure + self.denied
    }
}

/// The answer to a [`HistogramQuery`].
#[derive(Debug, Clone)]
pub struct Histogram {
    /// Width of a bucket. Buckets start at whole multiples of it since 1970 UTC, whole weeks on Mondays.
    pub interval_micros: i64,
    /// The buckets from first to last, empty ones included. The first and the last count only
    /// what lies within the query's range.
    pub buckets: Vec<HistogramBucket>,
    /// Events that were counted: the sum of all buckets.
    pub events: u64,
    /// The log's size that was seen: only events with `seq` below it were counted.
    pub pin: u64,
    /// Whether every matching event was counted.
    pub exact: bool,
    /// If not exact: events from this time on were counted.
    pub covered_from: Option<Timestamp>,
}

/// Counts of events by the values of fields.
#[derive(Debug, Clone, Default)]
pub struct FacetsQuery {
    /// Which events.
    pub filter: Filter,
    /// The earliest `occurred_at`, inclusive.
    pub from: Option<Timestamp>,
    /// The latest `occurred_at`, exclusive.
    pub to: Option<Timestamp>,
    /// Which fields, 1 to [`FACET_FIELDS_MAX`].
    pub fields: Vec<Field>,
    /// How many values of each field at most, the most frequent first, up to
    /// [`FACET_VALUES_MAX`]; 0 stands for [`FACET_VALUES_DEFAULT`].
    pub limit: usize,
    /// Only events with `seq` below this; all there are now if absent.
    pub pin: Option<u64>,
    /// Stops counting, inexactly, once this much stored data was looked at.
    pub max_scan_bytes: Option<u64>,
}

/// One value of a field and how many events have it. An event that has the value more than once
/// (two targets of one type) counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    /// The value, as the filter language writes it.
    pub value: String,
    /// Events that have it.
    pub count: u64,
}

/// The most frequent values of one field.
#[derive(Debug, Clone)]
pub struct FacetCounts {
    /// The field.
    pub field: Field,
    /// Its most frequent values; equally frequent ones in alphabetical order.
    pub values: Vec<FacetValue>,
    /// How many further values there are.
    pub other_values: u64,
}

/// The answer to a [`FacetsQuery`].
#[derive(Debug, Clone)]
pub struct Facets {
    /// One entry per asked field, in the query's order.
    pub fields: Vec<FacetCounts>,
    /// Events that were counted.
    pub events: u64,
    /// The log's size that was seen: only events with `seq` below it were counted.
    pub pin: u64,
    /// Whether every matching event was counted.
    pub exact: bool,
    /// If not exact: events from this time on were counted.
    pub covered_from: Option<Timestamp>,
}
