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
    /// Texts one of which every matching value contains, without regard to case. Finding those in a large
    /// dictionary's text is far cheaper than asking each value.
    needles: Option<Vec<Finder<'static>>>,
}

impl ValueTerm {
    /// The term, if a column decides it.
    pub(super) fn compile(term: &Term) -> Option<Self> {
        let Matcher::Field { field, any } = &term.matcher else {
            return None;
        };
        let column = column_of(field)?;
        let needles = match column {
            // Addresses have several texts; tags are JSON, with escapes of its own.
            ColumnId::Ip | ColumnId::Tags => None,
            _ => any.iter().map(needle).collect(),
        };
        Some(Self { column, field: field.clone(), any: any.clone(), negated: term.negated, needles })
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
        let folded = values.text().to_ascii_lowercase();
        if !folded.is_ascii() {
            // Some characters beyond ASCII fold to ASCII ones: such values are asked one by one.
            for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_ascii()) {
                ids[index + 1] = self.matches_value(value);
            }
        }
        for needle in needles {
            let mut from = 0;
            while let Some(at) = needle.find(&folded.as_bytes()[from..]) {
                // Should the needle reach into the next value, this one doesn't contain it, and is asked in vain.
                let index = values.index_at(from + at);
                if !ids[index + 1] {
                    ids[index + 1] = self.matches_value(values.get(index));
                }
                from = values.end_of(index);
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

/// A text that every ASCII value which `pattern` matches contains, folded. `None` if there is none to rely on.
fn needle(pattern: &Pattern) -> Option<Finder<'static>> {
    let (Pattern::Exact(text) | Pattern::Prefix(text)) = pattern else {
        return None;
    };
    // Values of actors and targets have such characters escaped.
    let escaped = text.contains(['\\', '\t', '\n']);
    (text.len() >= 2 && text.is_ascii() && !escaped)
        .then(|| Finder::new(&text.to_ascii_lowercase()).into_owned())
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
