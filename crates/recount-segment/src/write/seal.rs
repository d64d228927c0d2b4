//! The seal: a CRC-32 over the end of the file, kept inside that end.
//!
//! Parquet doesn't checksum its footer and page index. The seal covers everything from the page checksums to the
//! last byte, as a fixed number of hexadecimal digits in the footer's own metadata, so that the file stays plain
//! Parquet.

use memchr::memmem;

use crate::schema::{KEY_SEAL, SEAL_DIGITS};

/// In Thrift's compact encoding a metadata entry is a field header, a length, the key, again a field header, the
/// value's length and the value.
const BETWEEN_KEY_AND_VALUE: [u8; 2] = [0x18, 0x18];
const _: () = assert!(SEAL_DIGITS == BETWEEN_KEY_AND_VALUE[1] as usize, "the length is one byte");

/// Where the seal's digits are in `end`, the end of a file.
pub(crate) fn find_seal(end: &[u8]) -> Option<usize> {
    let mut marker = KEY_SEAL.as_bytes().to_vec();
    marker.extend(BETWEEN_KEY_AND_VALUE);
    // The footer is at the very end, and no tenant can write into it behind this key.
    let digits = memmem::rfind(end, &marker)? + marker.len();
    (digits + SEAL_DIGITS <= end.len()).then_some(digits)
}

/// Computes the seal of `file` from `start` to its end and writes its digits.
pub(crate) fn apply(file: &mut [u8], start: u64) {
    let end = &mut file[usize::try_from(start).expect("the file is in memory")..];
    let digits = find_seal(end).expect("the writer put the seal's key into the footer");
    let crc = crc32fast::hash(end);
    end[digits..digits + SEAL_DIGITS].copy_from_slice(format!("{start:016x}{crc:08x}").as_bytes());
}

/// A seal as read from a file: where the sealed end starts, and its CRC-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) start: u64,
    pub(crate) crc32: u32,
}

impl Seal {
    /// Reads the digits.
    pub(crate) fn parse(digits: &[u8]) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits = std::str::from_utf8(digits).ok()?;
        if digits.len() != SEAL_DIGITS || !digits.bytes().all(is_digit) {
            return None;
        }
        Some(Self {
            start: u64::from_str_radix(&digits[..16], 16).ok()?,
            crc32: u32::from_str_radix(&digits[16..], 16).ok()?,
        })
    }

    /// Whether `end`, with its digits at `digits`, is what was sealed.
    pub(crate) fn holds(self, end: &[u8], digits: usize) -> bool {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&end[..digits]);
        crc.update(&[b'0'; SEAL_DIGITS]);
        crc.update(&end[digits + SEAL_DIGITS..]);
        crc.finalize() == self.crc32
    }
}
