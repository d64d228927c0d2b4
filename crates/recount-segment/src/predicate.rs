//! A filter compiled for columns.

use arrow_buffer::BooleanBuffer;
use recount_event::{Field, Filter, LineMatcher, Matcher, Pattern, Term};

use crate::column::{ColumnId, ColumnSet};
use crate::columns::RowGroupColumns;
use crate::id_filter::{IdFilter, id_hash, id_hash_column};
use crate::token_filter::{BlockSet, TokenFilters, TokenKey};

mod values;

use values::ValueTerm;
pub(crate) use values::column_of;

/// Columns of which a few values of many are searched, and whose values' words are in the token filters.
const TOKEN_COLUMNS: ColumnSet =
    ColumnSet::EMPTY.with(ColumnId::Actor).with(ColumnId::Target).with(ColumnId::Tags);

/// A [`Filter`] compiled once, evaluated over tail batches and row groups alike.
///
/// Equal to [`Filter::matches`] on each line: a row matches if [`evaluate`](Self::evaluate) selects it and
/// [`matches_line`](Self::matches_line) accepts its line.
#[derive(Debug, Clone)]
pub struct Predicate {
    /// Terms that dictionary columns decide.
    values: Vec<ValueTerm>,
    /// Terms that rows can only pass with certain ids: hashes, sorted. The line confirms them.
    ids: Vec<Vec<u64>>,
    /// Terms that the line decides.
    residual: Option<LineMatcher>,
    /// What the tokens of a matching event must be: all of these, each by one of its alternatives.
    tokens: Vec<Vec<Vec<TokenKey>>>,
    /// Columns that decide a term of `tokens` themselves; without those, the terms that lines decide have some.
    token_columns: ColumnSet,
    lines_have_tokens: bool,
}

impl Predicate {
    /// Compiles `filter`.
    pub fn compile(filter: &Filter) -> Self {
        let mut predicate = Self {
            values: Vec::new(),
            ids: Vec::new(),
            residual: None,
            tokens: Vec::new(),
            token_columns: ColumnSet::EMPTY,
            lines_have_tokens: false,
        };
        let mut residual = Filter::default();
        for term in &filter.terms {
            if let Some(value_term) = ValueTerm::compile(term) {
                let column = value_term.column();
                if TOKEN_COLUMNS.contains(column) && predicate.add_tokens(term) {
                    predicate.token_columns = predicate.token_columns.with(column);
                }
                predicate.values.push(value_term);
                continue;
            }
            match ids_of(term) {
                // The column of hashes tells more than the words of an id, for fewer bytes.
                Some(ids) => predicate.ids.push(ids),
                None => predicate.lines_have_tokens |= predicate.add_tokens(term),
            }
            residual.terms.push(term.clone());
        }
        if !residual.is_empty() {
            predicate.residual = Some(residual.compile());
        }
        predicate
    }

    /// Takes up what the tokens of an event must be for `term` to hold; says whether there is such a thing.
    fn add_tokens(&mut self, term: &Term) -> bool {
        let Some(alternatives) = term.required_tokens() else { return false };
        let keys = |tokens: Vec<String>| tokens.iter().map(|token| TokenKey::new(token)).collect();
        self.tokens.push(alternatives.into_iter().map(keys).collect());
        true
    }

    /// The columns that [`evaluate`](Self::evaluate) reads.
    pub fn columns_needed(&self) -> ColumnSet {
        let columns = self.values.iter().map(ValueTerm::column).collect::<ColumnSet>();
        if self.ids.is_empty() { columns } else { columns.with(ColumnId::IdHash) }
    }

    /// Whether [`surviving_blocks`](Self::surviving_blocks) can exclude lines that must otherwise be read: if not,
    /// don't load the token filters but for [`columns_pruned_by_tokens`](Self::columns_pruned_by_tokens).
    pub fn prunes_by_tokens(&self) -> bool {
        self.lines_have_tokens
    }

    /// Columns that needn't be loaded where [`surviving_blocks`](Self::surviving_blocks) leaves no block: worth asking
    /// if they are larger than the token filters. Where they are decoded already they tell more than tokens do.
    pub fn columns_pruned_by_tokens(&self) -> ColumnSet {
        self.token_columns
    }

    /// Blocks of a row group that can hold a match, by its token filters.
    pub fn surviving_blocks(&self, filters: &TokenFilters) -> BlockSet {
        let survives = |block: usize| {
            self.tokens.iter().all(|alternatives| {
                alternatives.iter().any(|all| all.iter().all(|token| filters.may_contain(block, *token)))
            })
        };
        let all = BlockSet::first(filters.blocks());
        all.iter().filter(|block| !survives(*block)).fold(all, BlockSet::without)
    }

    /// Whether [`may_match_ids`](Self::may_match_ids) can exclude a segment: if not, don't load its id filter.
    pub fn prunes_by_id(&self) -> bool {
        !self.ids.is_empty()
    }

    /// Whether a segment can hold a match, by its id filter.
    pub fn may_match_ids(&self, filter: &IdFilter) -> bool {
        self.ids.iter().all(|any| any.iter().any(|hash| filter.may_contain(*hash)))
    }

    /// Rows that match as far as columns tell. A row not selected doesn't match; a row selected matches
    /// unless [`has_residual`](Self::has_residual), when its line decides. About 1 ns a row and term.
    ///
    /// # Panics
    /// If a column of [`columns_needed`](Self::columns_needed) isn't in `columns`.
    pub fn evaluate(&self, columns: &RowGroupColumns) -> BooleanBuffer {
        let mut selected = BooleanBuffer::new_set(columns.len());
        let none = || BooleanBuffer::new_unset(columns.len());
        // Dictionaries tell most often that nothing matches, without a look at the rows.
        let mut undecided = Vec::new();
        for term in &self.values {
            let dictionary = columns.dict(term.column());
            let values = term.matching(dictionary.values());
            if values.is_none() {
                return none();
            }
            if !values.is_all() {
                undecided.push((dictionary, values));
            }
        }
        for (dictionary, values) in undecided {
            selected = &selected & &values.rows(dictionary.ids());
            if selected.count_set_bits() == 0 {
                return selected;
            }
        }
        for any in &self.ids {
            let hashes = columns.ints(ColumnId::IdHash);
            let wanted: Vec<i64> = any.iter().map(|hash| id_hash_column(*hash)).collect();
            let rows = BooleanBuffer::collect_bool(hashes.len(), |row| wanted.contains(&hashes[row]));
            selected = &selected & &rows;
        }
        selected
    }

    /// Whether some terms can only be decided by the line (words, `metadata.*`, `description`, …).
    pub fn has_residual(&self) -> bool {
        self.residual.is_some()
    }

    /// Whether the line satisfies the residual terms. Only meaningful for rows that [`evaluate`](Self::evaluate) selected.
    /// A line that can't be read doesn't match.
    pub fn matches_line(&self, line: &str) -> bool {
        self.residual.as_ref().is_none_or(|residual| residual.matches(line))
    }
    /// Whether [`matches_line`](Self::matches_line) can accept a line among these bytes, such as a page of lines. `false`
    /// is certain, and spares taking the page apart.
    pub fn may_match_line_in(&self, lines: &[u8]) -> bool {
        self.residual.as_ref().is_none_or(|residual| residual.may_match(lines))
    }
}

/// The hashes of the ids that `term` allows, if it allows only certain ids.
fn ids_of(term: &Term) -> Option<Vec<u64>> {
    let Matcher::Field { field: Field::Id, any } = &term.matcher else {
        return None;
    };
    if term.negated {
        return None;
    }
    any.iter()
        .map(|pattern| match pattern {
            Pattern::Exact(id) => Some(id_hash(id)),
            _ => None,
        })
        .collect()
}
