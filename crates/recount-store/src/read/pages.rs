//! Ranges of objects that were read lately, as they are stored: the pages of lines that hot lists
//! ask for again and again don't cost a request each.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use moka::sync::Cache;
use recount_segment::{ReadAt, ReadAtError};

use super::cache::{bounded, looked};

/// Longer ranges aren't kept: whole columns are kept decoded, and long runs of pages are scans.
const RANGE_BYTES_MAX: u64 = 256 * 1024;

/// The cache. Cheap to clone. Objects never change, so nothing in it becomes stale.
#[derive(Clone)]
pub(crate) struct PageCache(Cache<(Arc<str>, u64, u64), Bytes>);

impl PageCache {
    pub(crate) fn new(bytes_max: u64) -> Self {
        PageCache(bounded(bytes_max, Bytes::len))
    }

    /// `source`, the object `name`, read through the cache.
    pub(crate) fn over(&self, source: Arc<dyn ReadAt>, name: &str) -> Arc<dyn ReadAt> {
        Arc::new(CachedReader { source, name: name.into(), pages: self.clone() })
    }
}

struct CachedReader {
    source: Arc<dyn ReadAt>,
    name: Arc<str>,
    pages: PageCache,
}

impl CachedReader {
    async fn fetch(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>, ReadAtError> {
        if ranges.iter().any(|range| range.end - range.start > RANGE_BYTES_MAX) {
            return self.source.read(ranges).await;
        }
        let pages = &self.pages.0;
        let key = |range: &Range<u64>| (self.name.clone(), range.start, range.end);
        let mut parts: Vec<Option<Bytes>> = ranges.iter().map(|range| pages.get(&key(range))).collect();
        let wanted = ranges.iter().zip(&parts).filter(|(_, part)| part.is_none());
        let missing: Vec<Range<u64>> = wanted.map(|(range, _)| range.clone()).collect();
        looked("pages", missing.is_empty());
        if !missing.is_empty() {
            let mut read = self.source.read(missing).await?.into_iter();
            for (range, part) in ranges.iter().zip(&mut parts).filter(|(_, part)| part.is_none()) {
                let bytes = read.next().ok_or(ReadAtError::OutOfRange { len: self.len(), end: range.end })?;
                // What was read can be a slice of something larger: keep only what is counted.
                pages.insert(key(range), Bytes::copy_from_slice(&bytes));
                *part = Some(bytes);
            }
        }
        Ok(parts.into_iter().map(|part| part.expect("every missing range was read")).collect())
    }
}

impl ReadAt for CachedReader {
    fn read<'a>(&'a self, ranges: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>> {
        Box::pin(self.fetch(ranges))
    }

    fn len(&self) -> u64 {
        self.source.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// An object whose byte at `i` is `i`, and what was asked of it.
    struct Counted(Mutex<Vec<Range<u64>>>);

    impl ReadAt for Counted {
        fn read<'a>(&'a self, ranges: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>> {
            self.0.lock().expect("free").extend(ranges.iter().cloned());
            let bytes = |range: &Range<u64>| range.clone().map(|i| i.to_le_bytes()[0]).collect();
            let parts = ranges.iter().map(bytes).collect();
            Box::pin(async move { Ok(parts) })
        }

        fn len(&self) -> u64 {
            1 << 20
        }
    }

    #[tokio::test]
    async fn a_range_is_read_once_and_ranges_come_in_the_order_asked_for() {
        let source = Arc::new(Counted(Mutex::default()));
        let reader = PageCache::new(1 << 20).over(source.clone(), "object");
        let parts = reader.read(vec![10..12, 7..8]).await.expect("read");
        assert_eq!(parts, [vec![10, 11], vec![7]]);
        let parts = reader.read(vec![3..4, 10..12, 20..21]).await.expect("read");
        assert_eq!(parts, [vec![3], vec![10, 11], vec![20]]);
        let parts = reader.read(vec![20..21, 3..4]).await.expect("read");
        assert_eq!(parts, [vec![20], vec![3]]);
        assert_eq!(*source.0.lock().expect("free"), [10..12, 7..8, 3..4, 20..21]);
    }
}
