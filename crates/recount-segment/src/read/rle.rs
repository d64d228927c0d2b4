//! Parquet's hybrid of run-length and bit-packed integers, for dictionary indexes and presence.

/// Appends `count` integers of `width` bits from `bytes` to `out`. `None` if the bytes don't hold that many.
///
/// Source: Apache Parquet format, `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid".
pub(super) fn decode(mut bytes: &[u8], width: u32, count: usize, out: &mut Vec<u32>) -> Option<()> {
    if width > 32 {
        return None;
    }
    let end = out.len() + count;
    out.reserve(count);
    while out.len() < end {
        let header = varint(&mut bytes)?;
        let wanted = end - out.len();
        if header & 1 == 1 {
            let groups = usize::try_from(header >> 1).ok()?;
            let packed_bytes = groups.checked_mul(width as usize)?;
            let values = groups.checked_mul(8)?.min(wanted);
            // The last run of a page may leave out trailing bytes that hold no value.
            let needed = (values * width as usize).div_ceil(8);
            if groups == 0 || bytes.len() < needed {
                return None;
            }
            unpack(bytes, width, values, out);
            bytes = &bytes[packed_bytes.min(bytes.len())..];
        } else {
            let run = usize::try_from(header >> 1).ok()?;
            let value_bytes = width.div_ceil(8) as usize;
            if run == 0 || bytes.len() < value_bytes {
                return None;
            }
            let mut value = [0; 4];
            value[..value_bytes].copy_from_slice(&bytes[..value_bytes]);
            bytes = &bytes[value_bytes..];
            out.resize(out.len() + run.min(wanted), u32::from_le_bytes(value));
        }
    }
    Some(())
}

/// Appends `values` integers of `width` bits, which `bytes` holds.
fn unpack(bytes: &[u8], width: u32, values: usize, out: &mut Vec<u32>) {
    let mask = u32::MAX.checked_shr(32 - width).unwrap_or(0);
    let mut bit = 0_usize;
    for _ in 0..values {
        let start = bit / 8;
        let word = match bytes.get(start..start + 8) {
            Some(word) => u64::from_le_bytes(word.try_into().expect("eight bytes")),
            None => {
                let mut word = [0; 8];
                let rest = &bytes[start.min(bytes.len())..];
                word[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(word)
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "masked to the width")]
        out.push((word >> (bit % 8)) as u32 & mask);
        bit += width as usize;
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_and_packed_groups_are_read() {
        // A run of five sevens, then 0..8 in three bits each (the example of the format's text).
        let bytes = [10, 7, 3, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        let mut out = Vec::new();
        decode(&bytes, 3, 13, &mut out).expect("whole");
        assert_eq!(out, [7, 7, 7, 7, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_width_of_zero_means_zeros() {
        let mut out = Vec::new();
        decode(&[16], 0, 8, &mut out).expect("whole");
        assert_eq!(out, [0; 8]);
    }

    /// One bit-packed run of all `values`.
    fn pack(values: &[u32], width: u32) -> Vec<u8> {
        let groups = values.len().div_ceil(8);
        let mut header = groups << 1 | 1;
        let mut bytes = Vec::new();
        while header > 0x7f {
            bytes.push(header.to_le_bytes()[0] | 0x80);
            header >>= 7;
        }
        bytes.push(header.to_le_bytes()[0]);
        let mut bits = Vec::new();
        for value in values {
            bits.extend((0..width).map(|bit| value >> bit & 1 == 1));
        }
        bits.resize(groups * 8 * width as usize, false);
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        bytes.extend(bits.chunks(8).map(byte));
        bytes
    }

    proptest! {
        #[test]
        fn packed_values_of_any_width_come_back(width in 1_u32..=32, seed in prop::collection::vec(any::<u32>(), 1..400)) {
            let values: Vec<u32> = seed.iter().map(|value| value >> (32 - width)).collect();
            let mut out = vec![7];
            prop_assert!(decode(&pack(&values, width), width, values.len(), &mut out).is_some());
            prop_assert_eq!(&out[1..], &values[..]);
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), width in 0_u32..40, count in 0_usize..600) {
            let mut out = Vec::new();
            if decode(&bytes, width, count, &mut out).is_some() {
                prop_assert_eq!(out.len(), count);
            }
        }
    }
}
