//! The header of a data page as bytes: `PageHeader` of Parquet's `parquet.thrift` in Thrift's compact protocol.
//!
//! The `parquet` crate writes it for columns that it encodes itself only.

use std::num::TryFromIntError;

/// A field's type: a number of 32 bits.
const I32: u8 = 5;
/// A field's type: a struct.
const STRUCT: u8 = 12;
/// Ends a struct.
const STOP: u8 = 0;
/// `PageType::DATA_PAGE`.
const DATA_PAGE: i32 = 0;
/// `Encoding::PLAIN`.
const PLAIN: i32 = 0;
/// `Encoding::RLE`.
const RLE: i32 = 3;

/// What is said of a page.
pub(super) struct PageHeader {
    uncompressed_bytes: i32,
    compressed_bytes: i32,
    crc32: u32,
    rows: i32,
}

impl PageHeader {
    /// Of a version 1 page in plain encoding, of a column in which every row has one value.
    ///
    /// # Errors
    /// If it has 2 GiB or more.
    pub(super) fn of_required_plain(
        uncompressed_bytes: usize,
        compressed: &[u8],
        rows: u32,
    ) -> Result<Self, TryFromIntError> {
        Ok(Self {
            uncompressed_bytes: i32::try_from(uncompressed_bytes)?,
            compressed_bytes: i32::try_from(compressed.len())?,
            crc32: crc32fast::hash(compressed),
            rows: i32::try_from(rows)?,
        })
    }

    /// Appends it to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        next_i32(out, DATA_PAGE);
        next_i32(out, self.uncompressed_bytes);
        next_i32(out, self.compressed_bytes);
        next_i32(out, self.crc32.cast_signed());
        next_field(out, STRUCT);
        next_i32(out, self.rows);
        next_i32(out, PLAIN);
        // Levels, of which there are none.
        next_i32(out, RLE);
        next_i32(out, RLE);
        out.push(STOP);
        out.push(STOP);
    }
}

/// The field with the number after the last one's.
fn next_field(out: &mut Vec<u8>, kind: u8) {
    out.push(1 << 4 | kind);
}

fn next_i32(out: &mut Vec<u8>, value: i32) {
    next_field(out, I32);
    // Zigzag: small numbers of either sign are short.
    let mut rest = (value << 1 ^ value >> 31).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
