//! The members of an event as they stand in the sender's text.

use crate::json::compact::Raw;
use crate::json::text::Text;
use crate::{Outcome, Timestamp};

/// A checked event. Its parts borrow from the text. The default stands for it
/// while it is read.
#[derive(Default)]
pub(crate) struct Event<'a> {
    pub(crate) id: Option<Text<'a>>,
    pub(crate) tenant: Option<Text<'a>>,
    pub(crate) occurred_at: Timestamp,
    pub(crate) action: Text<'a>,
    pub(crate) outcome: Outcome,
    pub(crate) actor: Actor<'a>,
    pub(crate) targets: Option<List<'a, Target<'a>>>,
    pub(crate) context: Option<Context<'a>>,
    pub(crate) source: Option<Text<'a>>,
    pub(crate) description: Option<Text<'a>>,
    pub(crate) reason: Option<Text<'a>>,
    pub(crate) changes: Option<List<'a, Change<'a>>>,
    pub(crate) tags: Option<Raw<'a>>,
    pub(crate) metadata: Option<Raw<'a>>,
}

/// An array of known objects: read, and as text, which is copied if it is tidy.
pub(crate) struct List<'a, T> {
    pub(crate) raw: Raw<'a>,
    pub(crate) items: Vec<T>,
}

#[derive(Default)]
pub(crate) struct Actor<'a> {
    pub(crate) raw: Raw<'a>,
    pub(crate) kind: Text<'a>,
    pub(crate) id: Text<'a>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) email: Option<Text<'a>>,
    pub(crate) metadata: Option<Raw<'a>>,
}

#[derive(Default)]
pub(crate) struct Target<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) id: Text<'a>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) metadata: Option<Raw<'a>>,
}

/// `context`: all its members are strings, in the order of [`CONTEXT_MEMBERS`].
#[derive(Default)]
pub(crate) struct Context<'a> {
    pub(crate) raw: Raw<'a>,
    pub(crate) members: [Option<Text<'a>>; CONTEXT_MEMBERS.len()],
}

#[derive(Default)]
pub(crate) struct Change<'a> {
    pub(crate) field: Text<'a>,
    pub(crate) before: Option<Raw<'a>>,
    pub(crate) after: Option<Raw<'a>>,
}

/// Defines the members of one known object: an enum of them, their names, and
/// the table of both, in the order of the normal form.
macro_rules! members {
    ($(#[$doc:meta])* $name:ident, $table:ident: $($member:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($member,)* }

        /// All members with their names, in the order of the normal form.
        pub(crate) const $table: &[($name, &str)] = &[$(($name::$member, $text),)*];
    };
}

members! {
    /// Members of an event.
    EventMember, EVENT_MEMBERS:
    Id = "id",
    Tenant = "tenant",
    OccurredAt = "occurred_at",
    Action = "action",
    Outcome = "outcome",
    Actor = "actor",
    Targets = "targets",
    Context = "context",
    Source = "source",
    Description = "description",
    Reason = "reason",
    Changes = "changes",
    Tags = "tags",
    Metadata = "metadata",
}
members! {
    /// Members of `actor`.
    ActorMember, ACTOR_MEMBERS:
    Type = "type",
    Id = "id",
    Name = "name",
    Email = "email",
    Metadata = "metadata",
}
members! {
    /// Members of a target.
    TargetMember, TARGET_MEMBERS:
    Type = "type",
    Id = "id",
    Name = "name",
    Metadata = "metadata",
}
members! {
    /// Members of `context`.
    ContextMember, CONTEXT_MEMBERS:
    Ip = "ip",
    UserAgent = "user_agent",
    Location = "location",
    SessionId = "session_id",
    RequestId = "request_id",
}
members! {
    /// Members of a change.
    ChangeMember, CHANGE_MEMBERS:
    Field = "field",
    Before = "before",
    After = "after",
}
