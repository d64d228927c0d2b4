//! Content-Encoding of ingest bodies: gzip and zstd, never past a cap.

use std::io::{self, Read};

use http::{HeaderMap, header};

use super::BodyPermit;
use crate::problem::{Problem, ProblemCode};

/// The largest zstd window accepted, as a power of two of bytes: what a body of full length needs.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;
/// Decompressed bytes are reserved and read in steps of this size.
const STEP_BYTES: usize = 256 * 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// Reads `Content-Encoding`.
    ///
    /// # Errors
    /// 415 for anything but one of `identity`, `gzip`, `zstd`.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Ok(Self::Identity) };
        let text = value.to_str().unwrap_or("?").trim();
        let coding = match text.to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        };
        coding.filter(|_| values.next().is_none()).ok_or_else(|| {
            Problem::new(
                ProblemCode::UnsupportedMediaType,
                format!("Content-Encoding {text:?} is not supported; use gzip, zstd or none, and one only"),
            )
        })
    }
}

/// Decompresses a whole body, reserving memory as it grows. Blocking: for a thread of its own.
///
/// # Errors
/// 413 past `bytes_max`, 400 for a truncated or damaged body, 429 when the budget is spent.
pub(crate) fn decompress(
    coding: Coding,
    body: &[u8],
    bytes_max: usize,
    permit: &mut BodyPermit,
) -> Result<Vec<u8>, Problem> {
    match coding {
        Coding::Identity => Ok(body.to_vec()),
        Coding::Gzip => {
            read_all(flate2::read::MultiGzDecoder::new(body), "gzip", body.len(), bytes_max, permit)
        }
        Coding::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(body).map_err(|error| damaged("zstd", &error))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| damaged("zstd", &error))?;
            read_all(decoder, "zstd", body.len(), bytes_max, permit)
        }
    }
}

fn read_all(
    mut decoder: impl Read,
    name: &str,
    compressed: usize,
    bytes_max: usize,
    permit: &mut BodyPermit,
) -> Result<Vec<u8>, Problem> {
    // Not more than four times the compressed size up front: a small bomb must not get a large buffer.
    let mut out = Vec::with_capacity((4 * compressed).max(STEP_BYTES).min(bytes_max));
    let mut filled = 0;
    loop {
        if filled == out.len() {
            let len = (filled + STEP_BYTES).min(bytes_max + 1);
            if len == filled {
                return Err(Problem::new(
                    ProblemCode::BodyTooLarge,
                    format!(
                        "the body is longer than {bytes_max} bytes after decompression; send smaller batches"
                    ),
                ));
            }
            permit.grow_to(compressed + len)?;
            if len > out.capacity() {
                // At once to the end, untouched: growing by halves holds the old and the new at the same time.
                out.reserve_exact(bytes_max + 1 - filled);
            }
            out.resize(len, 0);
        }
        match decoder.read(&mut out[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(damaged(name, &error)),
        }
    }
    out.truncate(filled);
    if out.len() > bytes_max {
        return Err(Problem::new(
            ProblemCode::BodyTooLarge,
            format!("the body is longer than {bytes_max} bytes after decompression; send smaller batches"),
        ));
    }
    Ok(out)
}

fn damaged(name: &str, error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Problem::new(
            ProblemCode::TruncatedBody,
            format!("the {name} body ends before its stream does; send it whole"),
        );
    }
    Problem::new(ProblemCode::InvalidCompression, format!("the body is not valid {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::body::BodyBudget;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn run(coding: Coding, body: &[u8], cap: usize) -> Result<Vec<u8>, Problem> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
        let mut permit = runtime
            .block_on(BodyBudget::new(64 << 20, cap, Duration::ZERO).reserve(body.len()))
            .expect("free");
        decompress(coding, body, cap, &mut permit)
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let zeros = vec![0; 8 << 20];
        for (coding, bomb) in
            [(Coding::Gzip, gzip(&zeros)), (Coding::Zstd, zstd::encode_all(&zeros[..], 1).expect("memory"))]
        {
            assert_eq!(run(coding, &bomb, 1 << 20).expect_err("too large").code(), "body_too_large");
            assert_eq!(run(coding, &bomb, 8 << 20).expect("fits exactly").len(), 8 << 20);
        }
    }

    #[test]
    fn a_cut_stream_is_told_from_a_damaged_one() {
        let body = gzip(b"{\"some\":\"event\"}");
        assert_eq!(
            run(Coding::Gzip, &body[..body.len() - 9], 100).expect_err("cut").code(),
            "truncated_body"
        );
        assert_eq!(
            run(Coding::Gzip, b"not gzip at all", 100).expect_err("foreign").code(),
            "invalid_compression"
        );
        let body = zstd::encode_all(&b"{\"some\":\"event\"}"[..], 1).expect("memory");
        assert_eq!(
            run(Coding::Zstd, &body[..body.len() - 3], 100).expect_err("cut").code(),
            "truncated_body"
        );
        assert_eq!(
            run(Coding::Zstd, b"not zstd at all", 100).expect_err("foreign").code(),
            "invalid_compression"
        );
    }

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert_eq!(&run(Coding::Gzip, &gzip(&bytes), 4096).expect("valid"), &bytes);
            let packed = zstd::encode_all(&bytes[..], 3).expect("memory");
            prop_assert_eq!(&run(Coding::Zstd, &packed, 4096).expect("valid"), &bytes);
        }
    }
}
