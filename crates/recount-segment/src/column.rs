//! The columns of a segment and sets of them.

/// A column of a segment beside the lines themselves.
///
/// The discriminants are the column's position in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ColumnId {
    /// Place in the tenant's log, dense from 0.
    Seq = 0,
    /// When it happened, microseconds since 1970 UTC. Sorted descending.
    OccurredAt,
    /// When Recount stored it, microseconds since 1970 UTC.
    ReceivedAt,
    /// The low 24 bits of the id's hash ([`crate::id_hash`]): finds an event by id together with its line.
    IdHash,
    /// `action`.
    Action,
    /// `outcome`; `success` where the line has none.
    Outcome,
    /// `source`.
    Source,
    /// The actor as `type/id`, name and email in one value ([`crate::joined`]).
    Actor,
    /// The targets, each as `type/id` and name, in one value ([`crate::joined`]).
    Target,
    /// `context.ip`.
    Ip,
    /// `context.user_agent`.
    UserAgent,
    /// `context.location`.
    Location,
    /// `tags` as its JSON text.
    Tags,
}

impl ColumnId {
    /// Every column, in file order.
    pub const ALL: [ColumnId; 13] = [
        Self::Seq,
        Self::OccurredAt,
        Self::ReceivedAt,
        Self::IdHash,
        Self::Action,
        Self::Outcome,
        Self::Source,
        Self::Actor,
        Self::Target,
        Self::Ip,
        Self::UserAgent,
        Self::Location,
        Self::Tags,
    ];
    /// How many columns there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Name of the column in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seq => "seq",
            Self::OccurredAt => "occurred_at",
            Self::ReceivedAt => "received_at",
            Self::IdHash => "id_hash",
            Self::Action => "action",
            Self::Outcome => "outcome",
            Self::Source => "source",
            Self::Actor => "actor",
            Self::Target => "target",
            Self::Ip => "ip",
            Self::UserAgent => "user_agent",
            Self::Location => "location",
            Self::Tags => "tags",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn kind(self) -> ColumnKind {
        match self {
            Self::Seq | Self::OccurredAt | Self::ReceivedAt | Self::IdHash => ColumnKind::Int,
            _ => ColumnKind::Dict,
        }
    }
}

/// How a column is held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// One `i64` a row.
    Int,
    /// A dictionary of values and one small index a row.
    Dict,
}

/// A set of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ColumnSet(u32);

impl ColumnSet {
    /// No column.
    pub const EMPTY: Self = Self(0);
    /// What is needed to order rows and to serve them: `seq`, `occurred_at`, `received_at`.
    pub const ORDER: Self = Self(0b111);
    /// Every column.
    pub const ALL: Self = Self((1 << ColumnId::COUNT) - 1);

    /// The set with `column` added.
    #[must_use]
    pub const fn with(self, column: ColumnId) -> Self {
        Self(self.0 | 1 << column as u32)
    }

    /// Columns of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Columns of this set that `other` lacks.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `column` is in the set.
    pub const fn contains(self, column: ColumnId) -> bool {
        self.0 & (1 << column as u32) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The columns, in file order.
    pub fn iter(self) -> impl Iterator<Item = ColumnId> {
        ColumnId::ALL.into_iter().filter(move |column| self.contains(*column))
    }
}

impl FromIterator<ColumnId> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = ColumnId>>(columns: I) -> Self {
        columns.into_iter().fold(Self::EMPTY, Self::with)
    }
}
