//! Compression that gives the same bytes for the same text.

use std::io::Write;

use flate2::{Compression, GzBuilder};

/// Gzip without name and time, at the level that costs little.
#[must_use]
pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::with_capacity(text.len() / 4), Compression::new(3));
    encoder.write_all(text).expect("writing to memory can't fail");
    encoder.finish().expect("writing to memory can't fail")
}
