//! The fields of the filter language, and how each compares.

use std::fmt;

/// A field of an event that a filter can look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// The event's id.
    Id,
    /// `action`.
    Action,
    /// `outcome`.
    Outcome,
    /// `source`.
    Source,
    /// The actor by id, `type/id`, name or e-mail address.
    Actor,
    /// `actor.id`.
    ActorId,
    /// `actor.type`.
    ActorType,
    /// `actor.name`.
    ActorName,
    /// `actor.email`.
    ActorEmail,
    /// Any target by id, `type/id` or name.
    Target,
    /// `targets[].id`.
    TargetId,
    /// `targets[].type`.
    TargetType,
    /// `targets[].name`.
    TargetName,
    /// `context.ip`.
    Ip,
    /// `context.user_agent`.
    UserAgent,
    /// `context.location`.
    Location,
    /// `context.session_id`.
    SessionId,
    /// `context.request_id`.
    RequestId,
    /// `description`.
    Description,
    /// `reason`.
    Reason,
    /// `changes[].field`.
    Change,
    /// The member of `tags` with this name.
    Tag(String),
    /// The values in `metadata` at this path: names joined by points. Elements
    /// of arrays on the way all count.
    Metadata(String),
}

/// How the values of a field compare with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Whole, with case.
    Exact,
    /// By words, without case: names and running text.
    Words,
    /// Whole, without case; by words if the pattern has no `@`.
    Email,
    /// As addresses.
    Ip,
    /// The id, or `type/id`.
    Reference,
}

impl Field {
    /// The canonical name; see also `Display`, which adds the path.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Field::Id => "id",
            Field::Action => "action",
            Field::Outcome => "outcome",
            Field::Source => "source",
            Field::Actor => "actor",
            Field::ActorId => "actor.id",
            Field::ActorType => "actor.type",
            Field::ActorName => "actor.name",
            Field::ActorEmail => "actor.email",
            Field::Target => "target",
            Field::TargetId => "target.id",
            Field::TargetType => "target.type",
            Field::TargetName => "target.name",
            Field::Ip => "ip",
            Field::UserAgent => "user_agent",
            Field::Location => "location",
            Field::SessionId => "session_id",
            Field::RequestId => "request_id",
            Field::Description => "description",
            Field::Reason => "reason",
            Field::Change => "change",
            Field::Tag(_) => "tags",
            Field::Metadata(_) => "metadata",
        }
    }

    pub(crate) fn comparison(&self) -> Comparison {
        match self {
            Field::ActorName
            | Field::TargetName
            | Field::UserAgent
            | Field::Location
            | Field::Description
            | Field::Reason => Comparison::Words,
            Field::ActorEmail => Comparison::Email,
            Field::Ip => Comparison::Ip,
            Field::Actor | Field::Target => Comparison::Reference,
            Field::Id
            | Field::Action
            | Field::Outcome
            | Field::Source
            | Field::ActorId
            | Field::ActorType
            | Field::TargetId
            | Field::TargetType
            | Field::SessionId
            | Field::RequestId
            | Field::Change
            | Field::Tag(_)
            | Field::Metadata(_) => Comparison::Exact,
        }
    }
}

impl fmt::Display for Field {
    /// The field as a filter names it, a path in quotes where it needs them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Field::Tag(path) | Field::Metadata(path) => {
                f.write_str(".")?;
                super::display::write_path(f, path)
            }
            _ => Ok(()),
        }
    }
}
