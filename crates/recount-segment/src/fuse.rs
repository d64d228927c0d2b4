//! Binary fuse filters as bytes: written from `xorf`'s construction, read in place.
//!
//! A filter holds a set of 64-bit hashes in 9 bits each (8-bit fingerprints, 0.4 % false positives) or 18 bits
//! (16-bit fingerprints, 0.0015 %). Bytes, little-endian: `kind` (1), `seed` (8), `segment_length` (4),
//! `segment_count_length` (4), number of fingerprints (4); then the fingerprints. The lookup is documented in
//! `docs/formats/segment.md` and repeated here so that the format doesn't move with the library.

use bytes::Bytes;
use xorf::{BinaryFuse8, BinaryFuse16};

/// Bytes of a filter before its fingerprints.
pub(crate) const HEADER_BYTES: usize = 21;

/// No hash is in the set.
const KIND_EMPTY: u8 = 0;
/// 8-bit fingerprints.
const KIND_FUSE8: u8 = 1;
/// 16-bit fingerprints.
const KIND_FUSE16: u8 = 2;
/// The set couldn't be turned into a filter: any hash may be in it.
const KIND_ANY: u8 = 3;

/// How wide fingerprints are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Bits8,
    Bits16,
}

/// One filter, read in place.
#[derive(Debug, Clone)]
pub(crate) struct Fuse {
    kind: u8,
    seed: u64,
    segment_length: u32,
    segment_count_length: u32,
    fingerprints: Bytes,
}

/// Appends a filter over `hashes`, which are distinct, to `out`.
pub(crate) fn encode(hashes: &[u64], width: Width, out: &mut Vec<u8>) {
    // Construction succeeds for distinct keys but for astronomically bad luck; checking every key makes "no
    // false negatives" a fact about the file instead of a hope about the library.
    let built = match width {
        _ if hashes.is_empty() => None,
        Width::Bits8 => BinaryFuse8::try_from(hashes).ok().map(|f| {
            let d = &f.descriptor;
            (KIND_FUSE8, d.seed, d.segment_length, d.segment_count_length, f.fingerprints.to_vec())
        }),
        Width::Bits16 => BinaryFuse16::try_from(hashes).ok().map(|f| {
            let d = &f.descriptor;
            let bytes = f.fingerprints.iter().flat_map(|print| print.to_le_bytes()).collect();
            (KIND_FUSE16, d.seed, d.segment_length, d.segment_count_length, bytes)
        }),
    };
    let filter = match built {
        Some((kind, seed, segment_length, segment_count_length, prints)) => {
            Fuse { kind, seed, segment_length, segment_count_length, fingerprints: prints.into() }
        }
        None => Fuse::constant(if hashes.is_empty() { KIND_EMPTY } else { KIND_ANY }),
    };
    let sound = filter.is_sound() && hashes.iter().all(|hash| filter.may_contain(*hash));
    if sound { filter.write(out) } else { Fuse::constant(KIND_ANY).write(out) }
}

impl Fuse {
    fn constant(kind: u8) -> Self {
        Self { kind, seed: 0, segment_length: 0, segment_count_length: 0, fingerprints: Bytes::new() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let prints = self.fingerprints.len() / self.print_bytes();
        out.push(self.kind);
        out.extend(self.seed.to_le_bytes());
        out.extend(self.segment_length.to_le_bytes());
        out.extend(self.segment_count_length.to_le_bytes());
        out.extend(u32::try_from(prints).expect("a segment has fewer rows").to_le_bytes());
        out.extend_from_slice(&self.fingerprints);
    }

    /// Takes one filter off the front of `bytes`.
    pub(crate) fn decode(bytes: &mut Bytes) -> Result<Self, &'static str> {
        if bytes.len() < HEADER_BYTES {
            return Err("filter is cut off");
        }
        let header = bytes.split_to(HEADER_BYTES);
        let word =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let mut filter = Self {
            kind: header[0],
            seed: u64::from(word(1)) | u64::from(word(5)) << 32,
            segment_length: word(9),
            segment_count_length: word(13),
            fingerprints: Bytes::new(),
        };
        let print_bytes = word(17) as usize * filter.print_bytes();
        if bytes.len() < print_bytes {
            return Err("filter is cut off");
        }
        filter.fingerprints = bytes.split_to(print_bytes);
        if filter.is_sound() { Ok(filter) } else { Err("filter's sizes contradict each other") }
    }

    fn print_bytes(&self) -> usize {
        if self.kind == KIND_FUSE16 { 2 } else { 1 }
    }

    /// Whether every lookup stays within the fingerprints.
    fn is_sound(&self) -> bool {
        let prints = self.fingerprints.len() / self.print_bytes();
        match self.kind {
            KIND_EMPTY | KIND_ANY => prints == 0,
            KIND_FUSE8 | KIND_FUSE16 => {
                let reach = u64::from(self.segment_count_length) + 2 * u64::from(self.segment_length);
                self.segment_length.is_power_of_two()
                    && self.segment_count_length > 0
                    && self.segment_count_length.is_multiple_of(self.segment_length)
                    && reach <= prints as u64
            }
            _ => false,
        }
    }

    /// Whether `hash` may be in the set.
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        match self.kind {
            KIND_EMPTY => return false,
            KIND_ANY => return true,
            _ => {}
        }
        let hash = mix(hash.wrapping_add(self.seed));
        let mask = self.segment_length - 1;
        let high = (u128::from(hash) * u128::from(self.segment_count_length)) >> 64;
        #[expect(clippy::cast_possible_truncation, reason = "the algorithm takes the low bits")]
        let (first, second, third) = {
            let first = high as u32;
            let second = first + self.segment_length;
            (
                first,
                second ^ ((hash >> 18) as u32 & mask),
                (second + self.segment_length) ^ (hash as u32 & mask),
            )
        };
        let print = hash ^ (hash >> 32);
        if self.kind == KIND_FUSE8 {
            let at = |index: u32| self.fingerprints[index as usize];
            at(first) ^ at(second) ^ at(third) == print.to_le_bytes()[0]
        } else {
            let at = |index: u32| {
                let index = index as usize * 2;
                u16::from_le_bytes([self.fingerprints[index], self.fingerprints[index + 1]])
            };
            let [low, next, ..] = print.to_le_bytes();
            at(first) ^ at(second) ^ at(third) == u16::from_le_bytes([low, next])
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.fingerprints.len()
    }
}

/// MurmurHash3's 64-bit finaliser.
fn mix(mut key: u64) -> u64 {
    key ^= key >> 33;
    key = key.wrapping_mul(0xff51_afd7_ed55_8ccd);
    key ^= key >> 33;
    key = key.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ key >> 33
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(hashes: &[u64], width: Width) -> Fuse {
        let mut bytes = Vec::new();
        encode(hashes, width, &mut bytes);
        let mut bytes = Bytes::from(bytes);
        let filter = Fuse::decode(&mut bytes).expect("just written");
        assert!(bytes.is_empty());
        filter
    }

    #[test]
    fn an_empty_set_contains_nothing() {
        assert!(!round_trip(&[], Width::Bits8).may_contain(7));
    }

    #[test]
    fn false_positives_stay_near_the_stated_rate() {
        let hashes: Vec<u64> = (0..40_000_u64).map(|n| mix(n + 1)).collect();
        for (width, most) in [(Width::Bits8, 5.0e-3), (Width::Bits16, 5.0e-5)] {
            let filter = round_trip(&hashes, width);
            let wrong = (0..200_000_u64).filter(|n| filter.may_contain(mix(n + 1_000_000))).count();
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let rate = wrong as f64 / 200_000.0;
            assert!(rate < most, "{width:?}: {rate}");
        }
    }

    proptest! {
        #[test]
        fn whatever_was_added_is_found(hashes in prop::collection::hash_set(any::<u64>(), 0..300)) {
            let hashes: Vec<u64> = hashes.into_iter().collect();
            for width in [Width::Bits8, Width::Bits16] {
                let filter = round_trip(&hashes, width);
                prop_assert!(hashes.iter().all(|hash| filter.may_contain(*hash)));
            }
        }

        #[test]
        fn damaged_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), hash in any::<u64>()) {
            if let Some(kind) = bytes.first_mut() { *kind %= 4; }
            if let Ok(filter) = Fuse::decode(&mut Bytes::from(bytes)) {
                filter.may_contain(hash);
            }
        }
    }
}
