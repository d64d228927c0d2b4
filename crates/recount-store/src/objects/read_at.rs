//! Random access to objects, for the segment reader.

use std::ops::Range;

use bytes::Bytes;
use futures::future::BoxFuture;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use recount_segment::{ReadAt, ReadAtError};

use super::Objects;

/// Reads ranges of one object. Neighbouring ranges become one request to a bucket
/// (`object_store` joins those less than 1 MiB apart) and one open file in a folder.
pub(crate) struct ObjectReader {
    objects: Objects,
    name: String,
    path: Path,
    len: u64,
}

impl ObjectReader {
    pub(super) fn new(objects: Objects, name: &str, path: Path, len: u64) -> Self {
        Self { objects, name: name.to_owned(), path, len }
    }

    async fn fetch(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, ReadAtError> {
        #[cfg(feature = "testing")]
        match self.objects.faults.at(crate::testing::FaultPoint::Get) {
            None => {}
            Some(crate::testing::Fault::Late) => self.objects.faults.cleared().await,
            Some(_) => return Err(ReadAtError::Unavailable("injected fault".into())),
        }
        if let Some(range) = ranges.iter().find(|range| range.end > self.len) {
            return Err(ReadAtError::OutOfRange { len: self.len, end: range.end });
        }
        let parts = match self.objects.store().get_ranges(&self.path, ranges).await {
            Ok(parts) => parts,
            Err(error) => return Err(self.explain(error, ranges).await),
        };
        match ranges.iter().zip(&parts).find(|(range, part)| range.end - range.start != part.len() as u64) {
            Some((range, part)) => {
                Err(ReadAtError::OutOfRange { len: range.start + part.len() as u64, end: range.end })
            }
            None => Ok(parts),
        }
    }

    /// An object shorter than the catalog says is damage, not an outage: look before answering.
    async fn explain(&self, error: object_store::Error, ranges: &[Range<u64>]) -> ReadAtError {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return ReadAtError::NotFound;
        }
        let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
        match self.objects.store().head(&self.path).await {
            Ok(found) if found.size < end => ReadAtError::OutOfRange { len: found.size, end },
            Err(object_store::Error::NotFound { .. }) => ReadAtError::NotFound,
            _ => ReadAtError::Unavailable(format!("object {}: {error}", self.name).into()),
        }
    }
}

impl ReadAt for ObjectReader {
    fn read<'a>(&'a self, ranges: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>> {
        Box::pin(async move { self.fetch(&ranges).await })
    }

    fn len(&self) -> u64 {
        self.len
    }
}
