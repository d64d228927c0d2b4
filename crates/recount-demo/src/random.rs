//! A small random number generator whose sequence never changes.
//!
//! SplitMix64 (Steele, Lea, Flood 2014). A library's generator may change between versions,
//! and with it every demo, screenshot and benchmark; this one cannot.

/// SplitMix64 with a few ways to draw from it.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator for one part of a whole, independent of the other parts.
    pub(crate) fn for_part(seed: u64, part: u64, index: u64) -> Self {
        let mut random = Self(seed ^ part.wrapping_mul(0xD1B5_4A32_D192_ED03));
        random.0 = random.next() ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        random.next();
        random
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound` (which is not 0), by multiplication: the bias is below 2⁻³².
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `from` to `to`, both included.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// A number from 0 to 1, 1 excluded.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in `per_mille` of a thousand cases.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of the items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// An index below `n`, small ones much more often: Zipf with exponent near 1, by the
    /// inverse of its continuous form.
    pub(crate) fn zipf(&mut self, n: usize) -> usize {
        let index = (n as f64 + 1.0).powf(self.unit()) - 1.0;
        (index as usize).min(n - 1)
    }

    /// `digits` hexadecimal digits (at most 16).
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = format!("{:016x}", self.next());
        text.truncate(digits);
        text
    }
}
