//! Terms that a dictionary column decides: asked once per distinct value, then looked up per row.

use arrow_buffer::BooleanBuffer;
use memchr::memmem::Finder;
use recount_event::{Field, Matcher, Pattern, Term};

use crate::column::ColumnId;
use crate::dictionary::{DictIds, Strings};
use crate::joined;

/// Dictionaries with fewer values are asked value by value.
const SEARCH_VALUES_MIN: usize = 64;

/// A term on one dictionary column.
#[derive(Debug, Clone)]
pub(super) struct ValueTerm {
    column: ColumnId,
    field: Field,
    any: Vec<Pattern>,
    negated: bool,
    /// Texts one of which every matching value contains. Finding those in a large dictionary's text is far cheaper
    /// than asking each value.
    needles: Option<Vec<Finder<'static>>>,
    /// Whether upper and lower case are the same; then needles are in lower case.
    folded: bool,
}

/// Text that is folded at a time: it stays in the processor's nearest cache.
const FOLD_BYTES: usize = 16 * 1024;

impl ValueTerm {
    /// The term, if a column decides it.
    pub(super) fn compile(term: &Term) -> Option<Self> {
        let Matcher::Field { field, any } = &term.matcher else {
            return None;
        };
        let column = column_of(field)?;
        let folded = !compares_exactly(field);
        let needles = match column {
            // Addresses have several texts; tags are JSON, with escapes of its own.
            ColumnId::Ip | ColumnId::Tags => None,
            _ => any.iter().map(|pattern| needle(pattern, folded)).collect(),
        };
        Some(Self { column, field: field.clone(), any: any.clone(), negated: term.negated, needles, folded })
    }

    pub(super) fn column(&self) -> ColumnId {
        self.column
    }

    /// Which of a dictionary's values match.
    pub(super) fn matching(&self, values: &Strings) -> MatchingIds {
        let mut ids = vec![false; values.len() + 1];
        match &self.needles {
            Some(needles) if values.len() >= SEARCH_VALUES_MIN => {
                self.search(values, needles, &mut ids);
            }
            _ => {
                for (value, matches) in values.iter().zip(&mut ids[1..]) {
                    *matches = self.matches_value(value);
                }
            }
        }
        if self.negated {
            ids.iter_mut().for_each(|matches| *matches = !*matches);
        }
        MatchingIds::new(ids)
    }

    /// Asks only the values that contain a needle.
    fn search(&self, values: &Strings, needles: &[Finder<'static>], ids: &mut [bool]) {
        if self.folded && !values.text().is_ascii() {
            // Some characters beyond ASCII fold to ASCII ones: such values are asked one by one.
            for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_ascii()) {
                ids[index + 1] = self.matches_value(value);
            }
        }
        let mut ask = |at: usize| {
            // Should the needle reach into the next value, this one doesn't contain it, and is asked in vain.
            let index = values.index_at(at);
            if !ids[index + 1] {
                ids[index + 1] = self.matches_value(values.get(index));
            }
            values.end_of(index)
        };
        let text = values.text().as_bytes();
        for needle in needles {
            if self.folded {
                each_folded(text, needle, &mut ask);
            } else {
                each(text, needle, &mut ask);
            }
        }
    }

    fn matches_value(&self, value: &str) -> bool {
        let any = |matches: &dyn Fn(&Pattern) -> bool| self.any.iter().any(matches);
        let text = |text: &str| any(&|pattern| pattern.matches_str(&self.field, text));
        let optional = |part: Option<&str>| part.is_some_and(text);
        match &self.field {
            Field::Actor => {
                let actor = joined::entity(value);
                let (name, email) = (actor.name.as_deref(), actor.email.as_deref());
                any(&|pattern| pattern.matches_actor(&actor.kind, &actor.id, name, email))
            }
            Field::ActorId => text(&joined::entity(value).id),
            Field::ActorType => text(&joined::entity(value).kind),
            Field::ActorName => optional(joined::entity(value).name.as_deref()),
            Field::ActorEmail => optional(joined::entity(value).email.as_deref()),
            Field::Target => joined::entities(value).any(|target| {
                let name = target.name.as_deref();
                any(&|pattern| pattern.matches_target(&target.kind, &target.id, name))
            }),
            Field::TargetId => joined::entities(value).any(|target| text(&target.id)),
            Field::TargetType => joined::entities(value).any(|target| text(&target.kind)),
            Field::TargetName => joined::entities(value).any(|target| optional(target.name.as_deref())),
            Field::Tag(name) => any(&|pattern| pattern.matches_tag(name, value)),
            _ => text(value),
        }
    }
}

/// The dictionary column that holds what `field` looks at.
pub(crate) fn column_of(field: &Field) -> Option<ColumnId> {
    match field {
        Field::Action => Some(ColumnId::Action),
        Field::Outcome => Some(ColumnId::Outcome),
        Field::Source => Some(ColumnId::Source),
        Field::Actor | Field::ActorId | Field::ActorType | Field::ActorName | Field::ActorEmail => {
            Some(ColumnId::Actor)
        }
        Field::Target | Field::TargetId | Field::TargetType | Field::TargetName => Some(ColumnId::Target),
        Field::Ip => Some(ColumnId::Ip),
        Field::UserAgent => Some(ColumnId::UserAgent),
        Field::Location => Some(ColumnId::Location),
        Field::Tag(_) => Some(ColumnId::Tags),
        Field::Id
        | Field::SessionId
        | Field::RequestId
        | Field::Description
        | Field::Reason
        | Field::Change
        | Field::Metadata(_) => None,
    }
}

/// Whether values of the field compare with case, so that the pattern's text stands in them as it is.
fn compares_exactly(field: &Field) -> bool {
    matches!(
        field,
        Field::Action
            | Field::Outcome
            | Field::Source
            | Field::ActorId
            | Field::ActorType
            | Field::TargetId
            | Field::TargetType
    )
}

/// Calls `found` with each place of the needle; it says where to go on.
fn each(text: &[u8], needle: &Finder<'_>, found: &mut dyn FnMut(usize) -> usize) {
    let mut from = 0;
    while let Some(at) = needle.find(&text[from..]) {
        from = found(from + at);
    }
}

/// [`each`] for a needle in lower case, whatever the case of the text is.
fn each_folded(text: &[u8], needle: &Finder<'_>, found: &mut dyn FnMut(usize) -> usize) {
    let mut folded = Vec::with_capacity(FOLD_BYTES);
    let mut from = 0;
    while from < text.len() {
        let end = text.len().min(from + FOLD_BYTES.max(2 * needle.needle().len()));
        folded.clear();
        folded.extend_from_slice(&text[from..end]);
        folded.make_ascii_lowercase();
        let mut next = from;
        while let Some(at) = folded.get(next - from..).and_then(|rest| needle.find(rest)) {
            next = found(next + at);
        }
        // A needle can lie across the end of what was folded.
        let overlap = if end < text.len() { needle.needle().len() - 1 } else { 0 };
        from = next.max(end - overlap);
    }
}

/// A text that every ASCII value which `pattern` matches contains, in lower case if `folded`. `None` if there is none
/// to rely on.
fn needle(pattern: &Pattern, folded: bool) -> Option<Finder<'static>> {
    let (Pattern::Exact(text) | Pattern::Prefix(text)) = pattern else {
        return None;
    };
    // Values of actors and targets have such characters escaped.
    let escaped = text.contains(['\\', '\t', '\n']);
    let text = if folded { text.to_ascii_lowercase() } else { text.clone() };
    (text.len() >= 2 && text.is_ascii() && !escaped).then(|| Finder::new(&text).into_owned())
}

/// Which dictionary indexes match; index 0 is "absent".
pub(super) struct MatchingIds {
    ids: Vec<bool>,
    count: usize,
}

impl MatchingIds {
    fn new(ids: Vec<bool>) -> Self {
        let count = ids.iter().filter(|matches| **matches).count();
        Self { ids, count }
    }

    /// Whether no row can match.
    pub(super) fn is_none(&self) -> bool {
        self.count == 0
    }

    /// Whether every row matches.
    pub(super) fn is_all(&self) -> bool {
        self.count == self.ids.len()
    }

    /// The rows whose index matches.
    pub(super) fn rows(&self, rows: &DictIds) -> BooleanBuffer {
        match rows {
            DictIds::U8(rows) => self.rows_of(rows),
            DictIds::U16(rows) => self.rows_of(rows),
            DictIds::U32(rows) => self.rows_of(rows),
        }
    }

    fn rows_of<T: Copy + Eq + TryFrom<usize>>(&self, rows: &[T]) -> BooleanBuffer
    where
        usize: TryFrom<T>,
    {
        if self.count == 1 {
            let only = self.ids.iter().position(|matches| *matches).and_then(|id| T::try_from(id).ok());
            if let Some(only) = only {
                return BooleanBuffer::collect_bool(rows.len(), |row| rows[row] == only);
            }
        }
        BooleanBuffer::collect_bool(rows.len(), |row| usize::try_from(rows[row]).is_ok_and(|id| self.ids[id]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_found_wherever_they_lie_in_a_large_text() {
        let needle = Finder::new("needle");
        for at in (0..3 * FOLD_BYTES).step_by(997).chain(FOLD_BYTES - 8..FOLD_BYTES + 8) {
            let mut text = vec![b'.'; 3 * FOLD_BYTES + 100];
            text[at..at + 6].copy_from_slice(b"NeeDle");
            let mut found = Vec::new();
            each_folded(&text, &needle, &mut |at| {
                found.push(at);
                at + 6
            });
            assert_eq!(found, [at]);
        }
    }
}
