//! Dictionary columns in memory: distinct values once, one small index a row.

use std::hash::{BuildHasher, RandomState};
use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Many strings in one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strings {
    text: String,
    /// `ends[i]` is the exclusive end of string `i`.
    ends: Vec<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        Self::new()
    }
}

impl Strings {
    /// No strings.
    pub fn new() -> Self {
        Self { text: String::new(), ends: Vec::new() }
    }

    /// Strings that lie end to end in `text`, each up to its end. `None` if `ends` don't ascend within the text's characters.
    pub(crate) fn from_parts(text: String, ends: Vec<u32>) -> Option<Self> {
        let whole = ends.last().map_or(0, |end| *end as usize) == text.len();
        let sound = ends.is_sorted() && ends.iter().all(|end| text.is_char_boundary(*end as usize));
        (whole && sound).then_some(Self { text, ends })
    }

    /// All strings end to end.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Bytes of all strings together.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The string that holds byte `at` of [`Self::text`].
    pub(crate) fn index_at(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= at)
    }

    /// Where string number `index` ends in [`Self::text`].
    pub(crate) fn end_of(&self, index: usize) -> usize {
        self.ends[index] as usize
    }

    /// Adds a string.
    ///
    /// # Panics
    /// If all strings together exceed 4 GiB; callers bound their batches far below that.
    pub fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(u32::try_from(self.text.len()).expect("batches are bounded below 4 GiB"));
    }

    /// String number `index`.
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// Length in bytes of string number `index`.
    pub fn len_of(&self, index: usize) -> usize {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        (self.ends[index] - start) as usize
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

impl<'a> FromIterator<&'a str> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a str>>(values: I) -> Self {
        let mut strings = Self::new();
        for value in values {
            strings.push(value);
        }
        strings
    }
}

/// One dictionary index a row, as narrow as the dictionary allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DictIds {
    /// Up to 255 values.
    U8(Vec<u8>),
    /// Up to 65,535 values.
    U16(Vec<u16>),
    /// More.
    U32(Vec<u32>),
}

impl DictIds {
    /// Narrows `ids`, the largest of which is at most `id_max`.
    pub fn narrow(ids: Vec<u32>, id_max: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the arm's guard bounds every id")]
        match id_max {
            0..=0xff => Self::U8(ids.into_iter().map(|id| id as u8).collect()),
            0x100..=0xffff => Self::U16(ids.into_iter().map(|id| id as u16).collect()),
            _ => Self::U32(ids),
        }
    }

    /// The index of `row`; 0 is "absent".
    pub fn get(&self, row: usize) -> u32 {
        match self {
            Self::U8(ids) => u32::from(ids[row]),
            Self::U16(ids) => u32::from(ids[row]),
            Self::U32(ids) => ids[row],
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(ids) => ids.len(),
            Self::U16(ids) => ids.len(),
            Self::U32(ids) => ids.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one index.
    pub fn width(&self) -> usize {
        match self {
            Self::U8(_) => 1,
            Self::U16(_) => 2,
            Self::U32(_) => 4,
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::U8(ids) => ids.capacity(),
            Self::U16(ids) => ids.capacity() * 2,
            Self::U32(ids) => ids.capacity() * 4,
        }
    }
}

/// A string column with few distinct values. Index 0 means that the row has no value; index `k` is value `k - 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictColumn {
    values: Arc<Strings>,
    ids: DictIds,
}

impl DictColumn {
    /// A column of `ids` into `values`, each id at most `values.len()`.
    pub fn new(values: Arc<Strings>, ids: DictIds) -> Self {
        Self { values, ids }
    }

    /// The distinct values.
    pub fn values(&self) -> &Strings {
        &self.values
    }

    /// The distinct values, shared.
    pub fn shared_values(&self) -> &Arc<Strings> {
        &self.values
    }

    /// One index a row; 0 is "absent".
    pub fn ids(&self) -> &DictIds {
        &self.ids
    }

    /// The value of `row`.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self.ids.get(row) {
            0 => None,
            id => Some(self.values.get(id as usize - 1)),
        }
    }

    /// Memory held, in bytes (shared dictionaries count in full).
    pub fn heap_bytes(&self) -> usize {
        self.values.heap_bytes() + self.ids.heap_bytes()
    }
}

/// Collects rows into a [`DictColumn`].
#[derive(Debug, Default)]
pub(crate) struct DictBuilder {
    /// Open addressing: the value's hash in the high half, its index in the low one; 0 is a free slot.
    slots: Vec<u64>,
    values: Strings,
    ids: Vec<u32>,
}

impl DictBuilder {
    const SLOTS_MIN: usize = 64;

    pub(crate) fn push(&mut self, value: Option<&str>) {
        let id = value.map_or(0, |value| self.intern(value));
        self.ids.push(id);
    }

    pub(crate) fn push_id(&mut self, id: u32) {
        self.ids.push(id);
    }

    /// The index of `value`, which is added if new.
    pub(crate) fn intern(&mut self, value: &str) -> u32 {
        if self.values.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = hash(value);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                self.values.push(value);
                let id = u32::try_from(self.values.len()).expect("batches are bounded");
                self.slots[at] = u64::from(hash) << 32 | u64::from(id);
                return id;
            }
            let [id @ .., _, _, _, _] = slot.to_le_bytes();
            let id = u32::from_le_bytes(id);
            if slot >> 32 == u64::from(hash) && self.values.get(id as usize - 1) == value {
                return id;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(Self::SLOTS_MIN);
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let mut at = usize::try_from(slot >> 32).expect("32 bits") & (slots - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (slots - 1);
            }
            self.slots[at] = slot;
        }
    }

    pub(crate) fn finish(self) -> DictColumn {
        let id_max = self.values.len();
        DictColumn::new(Arc::new(self.values), DictIds::narrow(self.ids, id_max))
    }
}

/// Hash of a value, with a seed of this process's own: tenants choose values, and must not choose their hashes.
/// Nothing that is written depends on it.
fn hash(value: &str) -> u32 {
    static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));
    let [.., a, b, c, d] = xxh3_64_with_seed(value.as_bytes(), *SEED).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_any_number_of_values_give_them_back() {
        for values in [0, 1, 255, 256, 65_535, 65_536, 70_000_usize] {
            let mut builder = DictBuilder::default();
            let value =
                |row: usize| (!row.is_multiple_of(10)).then(|| format!("value {}", row % (values + 1)));
            let rows = values * 2 + 5;
            (0..rows).for_each(|row| builder.push(value(row).as_deref()));
            let column = builder.finish();
            assert!((0..rows).all(|row| column.get(row) == value(row).as_deref()), "{values}");
            let narrow = match column.ids() {
                DictIds::U8(_) => column.values().len() <= 255,
                DictIds::U16(_) => (256..=65_535).contains(&column.values().len()),
                DictIds::U32(_) => column.values().len() > 65_535,
            };
            assert!(narrow, "{} values", column.values().len());
        }
    }
}
