//! Distinct hashes of a block.

/// A set of hashes, which are spread evenly already: open addressing, no hashing of its own.
#[derive(Default)]
pub(super) struct HashSet {
    /// 0 is a free slot; a power of two long, at most half full.
    slots: Vec<u64>,
    len: usize,
    has_zero: bool,
}

impl HashSet {
    const SLOTS_MIN: usize = 1 << 10;

    pub(super) fn insert(&mut self, hash: u64) {
        if hash == 0 {
            self.has_zero = true;
            return;
        }
        if self.len * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = Self::slot(hash, mask);
        loop {
            match self.slots[at] {
                0 => {
                    self.slots[at] = hash;
                    self.len += 1;
                    return;
                }
                found if found == hash => return,
                _ => at = (at + 1) & mask,
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are used")]
    fn slot(hash: u64, mask: usize) -> usize {
        hash as usize & mask
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(Self::SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        let mask = slots - 1;
        for hash in old.into_iter().filter(|hash| *hash != 0) {
            let mut at = Self::slot(hash, mask);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = hash;
        }
    }

    /// The hashes; the set is empty afterwards and keeps its memory.
    pub(super) fn take(&mut self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.slots.iter().copied().filter(|hash| *hash != 0).collect();
        if self.has_zero {
            hashes.push(0);
        }
        self.slots.fill(0);
        self.len = 0;
        self.has_zero = false;
        hashes
    }
}
