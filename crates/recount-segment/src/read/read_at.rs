//! Where bytes come from.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::error::{ReadAtError, SegmentError};

/// Random access to one object.
pub trait ReadAt: Send + Sync {
    /// The bytes of each range, in order. Implementations coalesce neighbouring ranges and may cache.
    ///
    /// Returns exactly the bytes asked for or an error.
    fn read<'a>(&'a self, ranges: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>>;

    /// The object's length in bytes.
    fn len(&self) -> u64;

    /// Whether the object is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A whole object in memory: a segment just written, or a test's.
impl ReadAt for Bytes {
    fn read<'a>(&'a self, ranges: Vec<Range<u64>>) -> BoxFuture<'a, Result<Vec<Bytes>, ReadAtError>> {
        let len = Bytes::len(self) as u64;
        let slices = ranges.into_iter().map(|range| {
            if range.end > len || range.start > range.end {
                return Err(ReadAtError::OutOfRange { len, end: range.end });
            }
            let index = |offset: u64| usize::try_from(offset).expect("within memory");
            Ok(self.slice(index(range.start)..index(range.end)))
        });
        let slices = slices.collect();
        Box::pin(async move { slices })
    }

    fn len(&self) -> u64 {
        Bytes::len(self) as u64
    }
}

/// [`read_ranges`] of one.
pub(super) async fn read_range(
    source: &dyn ReadAt,
    name: &Arc<str>,
    range: Range<u64>,
) -> Result<Bytes, SegmentError> {
    let mut answers = read_ranges(source, name, std::iter::once(range).collect()).await?;
    Ok(answers.pop().expect("one range gives one answer"))
}

/// Reads ranges and checks that the source gave what was asked for.
pub(super) async fn read_ranges(
    source: &dyn ReadAt,
    name: &Arc<str>,
    ranges: Vec<Range<u64>>,
) -> Result<Vec<Bytes>, SegmentError> {
    let lengths: Vec<u64> = ranges.iter().map(|range| range.end - range.start).collect();
    let answers = match source.read(ranges).await {
        Ok(answers) => answers,
        // The footer says where parts are: bytes that don't exist mean that the file was cut.
        Err(ReadAtError::OutOfRange { len, end }) => {
            return Err(SegmentError::corrupt(
                name,
                format!("ends at byte {len}, a part should reach byte {end}"),
            ));
        }
        Err(source) => {
            return Err(SegmentError::Read { name: Arc::clone(name), source });
        }
    };
    let complete = answers.len() == lengths.len()
        && answers.iter().zip(&lengths).all(|(bytes, length)| bytes.len() as u64 == *length);
    if complete {
        Ok(answers)
    } else {
        Err(SegmentError::corrupt(name, "a part was answered with another number of bytes"))
    }
}
