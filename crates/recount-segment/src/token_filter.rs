//! Filters over the words of each block of rows: "no event of these 8,192 holds that word".
//!
//! Tokens of four hexadecimal digits with at least one decimal digit are kept once per row group, not per
//! block: every UUID has three of them, so they are in every block of a log with UUIDs, and three of five
//! tokens of an event would be spent on them.

use bytes::{Buf, Bytes};
use recount_event::token::LinesTokens;

use crate::fuse::{self, Fuse, Width};
use crate::line::Line;
use crate::schema::{BLOCK_ROWS, ROW_GROUP_ROWS_MAX};

mod hash_set;

use hash_set::HashSet;

/// Hash of a token as the token filters use it: xxh3_64 of its case-folded UTF-8 bytes.
pub fn token_hash(token: &str) -> u64 {
    recount_event::token::hash(token)
}

/// The number that a token of the shape of the middle parts of a UUID is. Such tokens are filtered per row group only.
fn uuid_part(token: &str) -> Option<u16> {
    let digits: &[u8; 4] = token.as_bytes().try_into().ok()?;
    let mut number = 0;
    let mut has_decimal = false;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        has_decimal |= value < 10;
        number = number << 4 | u16::from(value);
    }
    has_decimal.then_some(number)
}

/// A token to look up: its hash and where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenKey {
    hash: u64,
    per_row_group: bool,
}

impl TokenKey {
    /// The key of a case-folded token.
    pub fn new(token: &str) -> Self {
        Self { hash: token_hash(token), per_row_group: uuid_part(token).is_some() }
    }
}

/// Blocks of a row group, as a bitmap: block `b` is rows `b * BLOCK_ROWS ..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSet(u32);

const _: () = assert!(ROW_GROUP_ROWS_MAX / BLOCK_ROWS <= 32, "a BlockSet has 32 bits");

impl BlockSet {
    /// The first `blocks` blocks.
    pub fn first(blocks: usize) -> Self {
        (0..blocks).fold(Self(0), Self::with)
    }

    /// All blocks of a row group of `rows` rows.
    pub fn of_rows(rows: u32) -> Self {
        Self::first((rows as usize).div_ceil(BLOCK_ROWS))
    }

    fn with(self, block: usize) -> Self {
        Self(self.0 | 1 << block)
    }

    /// Whether no block is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether block `block` is in the set.
    pub fn contains(self, block: usize) -> bool {
        block < 32 && self.0 & (1 << block) != 0
    }

    /// The set without block `block`.
    #[must_use]
    pub fn without(self, block: usize) -> Self {
        if block < 32 { Self(self.0 & !(1 << block)) } else { self }
    }

    /// The blocks, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |block| self.contains(*block))
    }

    /// How many blocks are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

/// The token filters of one row group, one per block: no false negatives.
#[derive(Debug, Clone)]
pub struct TokenFilters {
    row_group: Fuse,
    blocks: Vec<Fuse>,
}

impl TokenFilters {
    /// Filters: one for the row group, then one per block.
    pub(crate) fn decode(mut bytes: Bytes) -> Result<Self, &'static str> {
        if bytes.remaining() < 4 {
            return Err("token filters are cut off");
        }
        let blocks = bytes.get_u32_le();
        if blocks as usize > ROW_GROUP_ROWS_MAX / BLOCK_ROWS {
            return Err("more token filters than blocks");
        }
        let row_group = Fuse::decode(&mut bytes)?;
        let blocks = (0..blocks).map(|_| Fuse::decode(&mut bytes)).collect::<Result<_, _>>()?;
        if bytes.is_empty() { Ok(Self { row_group, blocks }) } else { Err("bytes follow the token filters") }
    }

    /// Blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Whether a block may hold an event with this token.
    pub fn may_contain(&self, block: usize, token: TokenKey) -> bool {
        let filter = if token.per_row_group { &self.row_group } else { &self.blocks[block] };
        filter.may_contain(token.hash)
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.row_group.heap_bytes() + self.blocks.iter().map(Fuse::heap_bytes).sum::<usize>()
    }
}

/// Collects the tokens of a row group while it is written.
pub(crate) struct TokenFiltersBuilder {
    /// A bit for each token of four hexadecimal digits.
    uuid_parts: Box<[u64; 1 << 10]>,
    block: HashSet,
    blocks: u32,
    encoded_blocks: Vec<u8>,
}

impl Default for TokenFiltersBuilder {
    fn default() -> Self {
        Self {
            uuid_parts: Box::new([0; 1 << 10]),
            block: HashSet::default(),
            blocks: 0,
            encoded_blocks: Vec::new(),
        }
    }
}

impl TokenFiltersBuilder {
    /// Adds the tokens of lines to the current block.
    pub(crate) fn add(&mut self, lines: &[Line]) {
        let mut tokens = LinesTokens::default();
        for line in lines {
            tokens.add(line.as_str(), |token| {
                if let Some(number) = uuid_part(token) {
                    self.uuid_parts[usize::from(number / 64)] |= 1 << (number % 64);
                } else {
                    self.block.insert(token_hash(token));
                }
            });
        }
    }

    /// Ends the current block.
    pub(crate) fn end_block(&mut self) {
        fuse::encode(&self.block.take(), Width::Bits8, &mut self.encoded_blocks);
        self.blocks += 1;
    }

    /// The bytes of the row group's filters, all blocks of which have ended.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut bytes = self.blocks.to_le_bytes().to_vec();
        let present = |number: &u16| self.uuid_parts[usize::from(number / 64)] >> (number % 64) & 1 == 1;
        let row_group: Vec<u64> =
            (0..=u16::MAX).filter(present).map(|number| token_hash(&format!("{number:04x}"))).collect();
        fuse::encode(&row_group, Width::Bits8, &mut bytes);
        bytes.extend(self.encoded_blocks);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_parts_of_uuids_are_kept_per_row_group() {
        assert_eq!([uuid_part("7e21"), uuid_part("0004")], [Some(0x7e21), Some(4)]);
        assert_eq!([uuid_part("face"), uuid_part("7e2"), uuid_part("7e2g"), uuid_part("7E21")], [None; 4]);
    }

    #[test]
    fn tokens_are_found_in_their_block_only() {
        let mut builder = TokenFiltersBuilder::default();
        builder.add(&[r#"{"id":"Alpha","n":7}"#.into()]);
        builder.end_block();
        builder.add(&[r#"{"id":"beta 7e21"}"#.into()]);
        builder.end_block();
        let filters = TokenFilters::decode(builder.finish().into()).expect("just written");
        assert_eq!(filters.blocks(), 2);
        assert!(filters.may_contain(0, TokenKey::new("alpha")));
        assert!(filters.may_contain(0, TokenKey::new("7")));
        assert!(!filters.may_contain(1, TokenKey::new("alpha")));
        assert!(filters.may_contain(1, TokenKey::new("beta")));
        assert!(filters.may_contain(0, TokenKey::new("7e21")), "kept for the whole row group");
        assert!(!filters.may_contain(0, TokenKey::new("7e22")));
    }
}
