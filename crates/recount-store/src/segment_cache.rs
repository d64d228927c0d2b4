//! Opened segments and their id filters, shared by the duplicate check and the readers.
//!
//! Objects never change and names are never used again, so entries can't be stale; what is not
//! used any more leaves by the byte budget.

use std::sync::Arc;

use moka::future::Cache;
use recount_segment::{ColumnId, ColumnSet, IdFilter, ReadAtError, Segment, SegmentError, id_hash_column};

use crate::ReadError;
use crate::catalog::segments::SegmentMeta;
use crate::objects::Objects;
use crate::read::PageCache;

/// The cache. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SegmentCache {
    objects: Objects,
    pages: PageCache,
    opened: Cache<String, Segment>,
    filters: Cache<String, Arc<IdFilter>>,
    id_columns: Cache<String, Arc<Vec<u32>>>,
}

fn weight(name: &str, heap_bytes: usize) -> u32 {
    u32::try_from(name.len() + heap_bytes).unwrap_or(u32::MAX)
}

impl SegmentCache {
    /// A cache with budgets for footers, for id filters and for pages of lines.
    pub(crate) fn new(objects: Objects, segments_bytes: u64, filters_bytes: u64, pages_bytes: u64) -> Self {
        let opened = Cache::builder()
            .max_capacity(segments_bytes)
            .weigher(|name: &String, segment: &Segment| weight(name, segment.heap_bytes()))
            .build();
        let filters = Cache::builder()
            .max_capacity(filters_bytes)
            .weigher(|name: &String, filter: &Arc<IdFilter>| weight(name, filter.heap_bytes()))
            .build();
        let id_columns = Cache::builder()
            .max_capacity(filters_bytes / 2)
            .weigher(|name: &String, hashes: &Arc<Vec<u32>>| weight(name, hashes.len() * size_of::<u32>()))
            .build();
        Self { objects, pages: PageCache::new(pages_bytes), opened, filters, id_columns }
    }

    /// Opens a segment, or returns it opened.
    ///
    /// # Errors
    /// [`SegmentError::Read`] with `NotFound`: the layout is old, read it again.
    pub(crate) async fn segment(&self, meta: &SegmentMeta) -> Result<Segment, Arc<SegmentError>> {
        self.opened.try_get_with_by_ref(&meta.object, self.open(meta, true)).await
    }

    /// Opens a segment that is read whole, once, and so leaves nothing in the caches: for merging.
    ///
    /// # Errors
    /// As [`segment`](Self::segment).
    pub(crate) async fn segment_to_merge(&self, meta: &SegmentMeta) -> Result<Segment, Arc<SegmentError>> {
        self.open(meta, false).await.map_err(Arc::new)
    }

    async fn open(&self, meta: &SegmentMeta, keep_pages: bool) -> Result<Segment, SegmentError> {
        let reader = self.objects.reader(&meta.object, meta.bytes).map_err(|error| SegmentError::Read {
            name: meta.object.as_str().into(),
            source: ReadAtError::Unavailable(Box::new(error)),
        })?;
        let reader = if keep_pages { self.pages.over(reader, &meta.object) } else { reader };
        let segment = Segment::open(reader, meta.object.as_str()).await?;
        if !meta.object.starts_with(&format!("tenants/{}/", segment.tenant())) {
            return Err(SegmentError::Corrupt {
                name: meta.object.as_str().into(),
                what: format!("it holds events of tenant {}", segment.tenant()),
            });
        }
        let stats = segment.stats();
        if (stats.first_seq, stats.last_seq) != (meta.first_seq, meta.last_seq) {
            return Err(SegmentError::Corrupt {
                name: meta.object.as_str().into(),
                what: format!(
                    "it holds seq {} to {}, the catalog says {} to {}",
                    stats.first_seq, stats.last_seq, meta.first_seq, meta.last_seq
                ),
            });
        }
        Ok(segment)
    }

    /// The segment's id filter, if nothing must be read for it.
    pub(crate) async fn id_filter_at_hand(&self, meta: &SegmentMeta) -> Option<Arc<IdFilter>> {
        self.filters.get(&meta.object).await
    }

    /// Whether the segment's id filter is at hand.
    pub(crate) fn has_id_filter(&self, meta: &SegmentMeta) -> bool {
        self.filters.contains_key(&meta.object)
    }

    /// The segment's id filter.
    pub(crate) async fn id_filter(&self, meta: &SegmentMeta) -> Result<Arc<IdFilter>, Arc<SegmentError>> {
        let load = async {
            let segment = self.segment(meta).await?;
            Ok::<_, Arc<SegmentError>>(Arc::new(segment.id_filter().await.map_err(Arc::new)?))
        };
        self.filters.try_get_with_by_ref(&meta.object, load).await.map_err(|error| (*error).clone())
    }
}

impl SegmentCache {
    /// Which of these ids' hashes ([`recount_segment::id_hash`]) some row of the segment has, as far
    /// as its column tells: wrong for one in 16 of a million rows.
    ///
    /// The filter lets one in 65,536 pass wrongly; without this, each of those would cost reading a
    /// column again.
    pub(crate) async fn may_hold(
        &self,
        meta: &SegmentMeta,
        hashes: Vec<u64>,
    ) -> Result<Vec<bool>, Arc<SegmentError>> {
        let load = async {
            let segment = self.segment(meta).await?;
            Ok::<_, Arc<SegmentError>>(Arc::new(id_column(&segment).await.map_err(Arc::new)?))
        };
        let loaded = self.id_columns.try_get_with_by_ref(&meta.object, load).await;
        let column = loaded.map_err(|error: Arc<Arc<SegmentError>>| (*error).clone())?;
        let look = move || {
            let wanted = hashes.into_iter().map(id_hash_column).map(|hash| u32::try_from(hash).unwrap_or(0));
            wanted.map(|hash| column.contains(&hash)).collect()
        };
        Ok(tokio::task::spawn_blocking(look).await.expect("looking does not panic"))
    }
}

async fn id_column(segment: &Segment) -> Result<Vec<u32>, SegmentError> {
    let only = ColumnSet::EMPTY.with(ColumnId::IdHash);
    let mut all = Vec::with_capacity(usize::try_from(segment.stats().rows).unwrap_or(0));
    for row_group in 0..segment.row_groups().len() {
        let columns = segment.columns(row_group, only, None).await?;
        all.extend(columns.ints(ColumnId::IdHash).iter().map(|hash| u32::try_from(*hash).unwrap_or(0)));
    }
    Ok(all)
}

/// Whether the object was gone: compaction replaced it, and the layout must be read again.
pub(crate) fn is_gone(error: &SegmentError) -> bool {
    matches!(error, SegmentError::Read { source: ReadAtError::NotFound, .. })
}

impl From<&SegmentError> for ReadError {
    fn from(error: &SegmentError) -> Self {
        match error {
            SegmentError::Corrupt { name, what } => {
                Self::Corrupt { object: name.to_string(), what: what.clone() }
            }
            SegmentError::UnknownVersion { name, .. } => {
                Self::Corrupt { object: name.to_string(), what: error.to_string() }
            }
            SegmentError::Read { name, source } => match source {
                ReadAtError::NotFound => {
                    Self::Corrupt { object: name.to_string(), what: "the object does not exist".to_owned() }
                }
                ReadAtError::OutOfRange { .. } => {
                    Self::Corrupt { object: name.to_string(), what: source.to_string() }
                }
                ReadAtError::Unavailable(cause) => {
                    Self::Unavailable { what: "the object store", cause: format!("{name}: {cause}") }
                }
            },
        }
    }
}
