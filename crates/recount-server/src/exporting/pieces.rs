//! The pieces of a file: chunks of events, encoded.
//!
//! Encoding keeps a processor busy for milliseconds, so it is done off the async threads, while the next
//! chunk is read.

use std::io::Write as _;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;

use async_stream::try_stream;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join;
use futures::{Stream, StreamExt as _};
use recount_store::{ReadError, StoredEvent};
use tokio::task::spawn_blocking;

use super::{CsvView, ExportFormat, csv_rows, ndjson_rows, parquet_rows::ParquetRows};

/// How many chunks are encoded at once where they don't depend on each other.
const CHUNKS_AT_ONCE: usize = 2;

/// How a file is written.
pub(crate) enum FileEncoder {
    /// Every chunk's rows stand by themselves, after a head.
    Rows(RowEncoder),
    /// What a chunk becomes depends on those before it.
    Whole(WholeEncoder),
}

pub(crate) enum RowEncoder {
    Ndjson,
    Csv(Option<CsvView>),
}

pub(crate) enum WholeEncoder {
    NdjsonGz(Box<GzEncoder<Vec<u8>>>),
    Parquet(Box<ParquetRows>),
}

impl FileEncoder {
    /// Begins a file; `view` is for CSV.
    pub(crate) fn new(format: ExportFormat, view: Option<CsvView>) -> Self {
        match format {
            ExportFormat::Ndjson => Self::Rows(RowEncoder::Ndjson),
            ExportFormat::Csv => Self::Rows(RowEncoder::Csv(view)),
            ExportFormat::NdjsonGz => {
                let encoder = GzEncoder::new(Vec::new(), Compression::default());
                Self::Whole(WholeEncoder::NdjsonGz(Box::new(encoder)))
            }
            ExportFormat::Parquet => Self::Whole(WholeEncoder::Parquet(Box::new(ParquetRows::new()))),
        }
    }
}

impl RowEncoder {
    /// What the file begins with, events or not; may be empty.
    fn head(&self) -> Bytes {
        match self {
            Self::Ndjson => Bytes::new(),
            Self::Csv(None) => csv_rows::head(),
            Self::Csv(Some(view)) => view.head(),
        }
    }

    /// # Errors
    /// If a stored line is damaged.
    fn rows(&self, events: &[StoredEvent]) -> Result<Bytes, ReadError> {
        match self {
            Self::Ndjson => Ok(ndjson_rows::rows(events).into()),
            Self::Csv(None) => csv_rows::rows(events),
            Self::Csv(Some(view)) => view.rows(events),
        }
    }
}

impl WholeEncoder {
    /// Takes events; gives the next piece, which may be empty.
    ///
    /// # Errors
    /// If a stored line is damaged.
    fn rows(&mut self, events: &[StoredEvent]) -> Result<Bytes, ReadError> {
        match self {
            Self::NdjsonGz(encoder) => {
                encoder.write_all(&ndjson_rows::rows(events)).expect("writing to memory can't fail");
                Ok(std::mem::take(encoder.get_mut()).into())
            }
            Self::Parquet(rows) => rows.rows(events),
        }
    }

    /// The last piece.
    fn end(&mut self) -> Bytes {
        match self {
            Self::NdjsonGz(encoder) => {
                encoder.try_finish().expect("writing to memory can't fail");
                std::mem::take(encoder.get_mut()).into()
            }
            Self::Parquet(rows) => rows.end(),
        }
    }
}

/// A piece of a file.
pub(crate) struct Piece {
    /// What comes next in the file; may be empty.
    pub(crate) bytes: Bytes,
    /// How many events are in it.
    pub(crate) events: u64,
}

/// The file of `chunks`, piece by piece: put together, they are the file. A failure ends it, after what
/// could be read before.
pub(crate) fn pieces(
    encoder: FileEncoder,
    chunks: impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send,
) -> impl Stream<Item = Result<Piece, ReadError>> + Send {
    match encoder {
        FileEncoder::Rows(encoder) => pieces_of_rows(encoder, chunks).left_stream(),
        FileEncoder::Whole(encoder) => pieces_of_whole(encoder, chunks).right_stream(),
    }
}

fn pieces_of_rows(
    encoder: RowEncoder,
    chunks: impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send,
) -> impl Stream<Item = Result<Piece, ReadError>> + Send {
    try_stream! {
        yield Piece { bytes: encoder.head(), events: 0 };
        let encoder = Arc::new(encoder);
        let encoded = chunks.map(|chunk| {
            let encoder = Arc::clone(&encoder);
            async move {
                let events = chunk?;
                let count = events.len() as u64;
                let bytes = on_its_thread(move || encoder.rows(&events)).await??;
                Ok::<_, ReadError>(Piece { bytes, events: count })
            }
        });
        let mut encoded = pin!(encoded.buffered(CHUNKS_AT_ONCE));
        while let Some(piece) = encoded.next().await {
            yield piece?;
        }
    }
}

fn pieces_of_whole(
    mut encoder: WholeEncoder,
    chunks: impl Stream<Item = Result<Vec<StoredEvent>, ReadError>> + Send,
) -> impl Stream<Item = Result<Piece, ReadError>> + Send {
    try_stream! {
        let mut chunks = pin!(chunks);
        let mut chunk = chunks.next().await;
        while let Some(events) = chunk {
            let events = events?;
            let count = events.len() as u64;
            let encode = on_its_thread(move || {
                let bytes = encoder.rows(&events);
                (encoder, bytes)
            });
            let (encoded, next) = join(encode, chunks.next()).await;
            let (returned, bytes) = encoded?;
            yield Piece { bytes: bytes?, events: count };
            (encoder, chunk) = (returned, next);
        }
        yield Piece { bytes: encoder.end(), events: 0 };
    }
}

async fn on_its_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ReadError> {
    spawn_blocking(work).await.map_err(|error| match error.try_into_panic() {
        // It goes on here as it would have without a thread.
        Ok(panic) => resume_unwind(panic),
        Err(_) => ReadError::Cancelled,
    })
}

#[cfg(test)]
mod tests {
    use recount_event::Timestamp;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn pieces_come_in_the_order_of_their_chunks() {
        let event = |seq| StoredEvent {
            seq,
            received_at: Timestamp::from_micros(1_000_000),
            line: "{\"id\":\"e\"}".into(),
        };
        // A long chunk before a short one each time: done out of order, they would come out of order.
        let lengths = [20_000, 1].repeat(10);
        let mut seqs = 0..;
        let chunks: Vec<Result<Vec<StoredEvent>, ReadError>> =
            lengths.iter().map(|length| Ok(seqs.by_ref().take(*length).map(event).collect())).collect();
        let encoder = FileEncoder::new(ExportFormat::Ndjson, None);
        let pieces: Vec<_> = pieces(encoder, futures::stream::iter(chunks)).collect().await;
        let pieces: Vec<Piece> = pieces.into_iter().map(|piece| piece.expect("encoded")).collect();
        let counts: Vec<u64> = pieces.iter().map(|piece| piece.events).filter(|events| *events > 0).collect();
        assert_eq!(counts, [20_000, 1].repeat(10));
        let file: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
        let read = serde_json::Deserializer::from_slice(&file).into_iter::<serde_json::Value>();
        let read: Vec<u64> = read.map(|event| event.expect("JSON")["seq"].as_u64().expect("a seq")).collect();
        assert!(read.into_iter().eq(0..200_010), "whole and in order");
    }
}
