//! What a filter means: evaluation over the members of one stored line.

use std::net::IpAddr;

use super::field::{Comparison, Field};
use super::path::{Leaf, any_at};
use super::text::{Edges, contains, equal_folded, starts_with_folded};
use super::{Filter, Matcher, Pattern, Term};
use crate::json::walk::Walk;
use crate::{Fields, read_fields};

impl Filter {
    /// Whether the filter matches a stored line. This is its meaning; for many
    /// lines, [`Filter::compile`] it. On a damaged line no condition on a field
    /// holds, not even a negated one.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        let fields = read_fields(line);
        self.terms.iter().all(|term| match (&term.matcher, &fields) {
            (Matcher::Word(word), _) => term.negated != word.matches_line(line),
            (Matcher::Field { .. }, Ok(fields)) => term.matches_fields(fields),
            (Matcher::Field { .. }, Err(_)) => false,
        })
    }

    /// Whether the filter matches an event that was read already.
    #[must_use]
    pub fn matches_fields(&self, fields: &Fields<'_>) -> bool {
        self.terms.iter().all(|term| term.matches_fields(fields))
    }
}

impl Term {
    /// Whether the term holds for an event. Words are looked for in `fields.line`.
    #[must_use]
    pub fn matches_fields(&self, fields: &Fields<'_>) -> bool {
        self.negated != self.matcher.matches_fields(fields)
    }
}

impl Matcher {
    /// Whether the condition holds for an event, negation aside.
    #[must_use]
    pub fn matches_fields(&self, fields: &Fields<'_>) -> bool {
        match self {
            Matcher::Field { field, any } => any.iter().any(|pattern| pattern.matches_fields(field, fields)),
            Matcher::Word(word) => word.matches_line(fields.line),
        }
    }
}

impl Pattern {
    /// Whether `field` of an event matches.
    #[must_use]
    pub fn matches_fields(&self, field: &Field, f: &Fields<'_>) -> bool {
        let matches = |value: &str| self.matches_str(field, value);
        let optional = |value: &Option<std::borrow::Cow<'_, str>>| {
            value.as_ref().is_some_and(|value| self.matches_str(field, value))
        };
        match field {
            Field::Id => matches(&f.id),
            Field::Action => matches(&f.action),
            Field::Outcome => matches(f.outcome.as_str()),
            Field::Source => optional(&f.source),
            Field::Actor => self.matches_actor(
                &f.actor_type,
                &f.actor_id,
                f.actor_name.as_deref(),
                f.actor_email.as_deref(),
            ),
            Field::ActorId => matches(&f.actor_id),
            Field::ActorType => matches(&f.actor_type),
            Field::ActorName => optional(&f.actor_name),
            Field::ActorEmail => optional(&f.actor_email),
            Field::Target => f
                .targets
                .iter()
                .any(|target| self.matches_target(&target.kind, &target.id, target.name.as_deref())),
            Field::TargetId => f.targets.iter().any(|target| matches(&target.id)),
            Field::TargetType => f.targets.iter().any(|target| matches(&target.kind)),
            Field::TargetName => f.targets.iter().any(|target| optional(&target.name)),
            Field::Ip => optional(&f.ip),
            Field::UserAgent => optional(&f.user_agent),
            Field::Location => optional(&f.location),
            Field::SessionId => optional(&f.session_id),
            Field::RequestId => optional(&f.request_id),
            Field::Description => optional(&f.description),
            Field::Reason => optional(&f.reason),
            Field::Change => f.changes.is_some_and(|changes| self.matches_changes(changes)),
            Field::Tag(name) => f.tags.is_some_and(|tags| self.matches_tag(name, tags)),
            Field::Metadata(path) => f.metadata.is_some_and(|metadata| self.matches_metadata(path, metadata)),
        }
    }

    /// Whether one value of `field` matches: what a scan asks of each value of a
    /// column's dictionary.
    ///
    /// For [`Field::Actor`] and [`Field::Target`] the value is a reference, the
    /// text `type/id`; their names and the e-mail address are asked for with
    /// [`Field::ActorName`], [`Field::TargetName`] and [`Field::ActorEmail`], and
    /// any of them suffices. For [`Field::Tag`] and [`Field::Metadata`] it is a
    /// scalar: a string decoded, all else as it is written.
    #[must_use]
    pub fn matches_str(&self, field: &Field, value: &str) -> bool {
        match field.comparison() {
            Comparison::Exact => self.matches_exact(value),
            Comparison::Words => match self {
                Pattern::Exact(text) => contains(value, text, Edges::BOTH),
                Pattern::Prefix(text) => contains(value, text, Edges::START),
                Pattern::Cidr(_) => false,
            },
            Comparison::Email => self.matches_email(value),
            Comparison::Ip => self.matches_ip(value),
            Comparison::Reference => match value.split_once('/') {
                Some((kind, id)) => self.matches_reference(kind, id),
                None => false,
            },
        }
    }

    /// Whether `actor:` matches an actor: by id, `type/id`, name or e-mail address.
    #[must_use]
    pub fn matches_actor(&self, kind: &str, id: &str, name: Option<&str>, email: Option<&str>) -> bool {
        self.matches_reference(kind, id)
            || name.is_some_and(|name| self.matches_str(&Field::ActorName, name))
            || email.is_some_and(|email| self.matches_str(&Field::ActorEmail, email))
    }

    /// Whether `target:` matches one target: by id, `type/id` or name.
    #[must_use]
    pub fn matches_target(&self, kind: &str, id: &str, name: Option<&str>) -> bool {
        self.matches_reference(kind, id)
            || name.is_some_and(|name| self.matches_str(&Field::TargetName, name))
    }

    /// Whether the id matches, or `type/id` does.
    #[must_use]
    pub fn matches_reference(&self, kind: &str, id: &str) -> bool {
        if self.matches_exact(id) {
            return true;
        }
        match self.split_reference() {
            Some((wanted, Pattern::Exact(rest))) => kind == wanted && id == rest,
            Some((wanted, Pattern::Prefix(rest))) => kind == wanted && id.starts_with(&rest),
            _ => false,
        }
    }

    /// The type and the pattern of the id, if the pattern may be a `type/id`: it
    /// contains a `/`, which types do not.
    #[must_use]
    pub fn split_reference(&self) -> Option<(&str, Pattern)> {
        match self {
            Pattern::Exact(text) => {
                text.split_once('/').map(|(kind, id)| (kind, Pattern::Exact(id.to_owned())))
            }
            Pattern::Prefix(text) => {
                text.split_once('/').map(|(kind, id)| (kind, Pattern::Prefix(id.to_owned())))
            }
            Pattern::Cidr(_) => None,
        }
    }

    /// Whether `changes` (raw JSON) has a change of a field that matches.
    #[must_use]
    pub fn matches_changes(&self, changes: &str) -> bool {
        let mut matched = false;
        let mut walk = Walk::new(changes);
        let _ = walk.array(|w| {
            w.object(|w, name| {
                if name.is("field") {
                    matched |= self.matches_exact(&w.string()?.decode());
                } else {
                    w.skip()?;
                }
                Some(())
            })?;
            (!matched).then_some(())
        });
        matched
    }

    /// Whether `tags` (raw JSON) has a tag `name` that matches.
    #[must_use]
    pub fn matches_tag(&self, name: &str, tags: &str) -> bool {
        let mut matched = false;
        let mut walk = Walk::new(tags);
        let _ = walk.object(|w, tag| {
            if !tag.is(name) {
                return w.skip().map(drop);
            }
            let value = match w.peek()? {
                b'"' => w.string()?.decode(),
                _ => w.skip()?.into(),
            };
            matched = self.matches_exact(&value);
            None
        });
        matched
    }

    /// Whether `metadata` (raw JSON) has at `path` a value that matches.
    #[must_use]
    pub fn matches_metadata(&self, path: &str, metadata: &str) -> bool {
        any_at(metadata, path, &mut |leaf| match leaf {
            Leaf::Scalar(value) => self.matches_exact(value),
            Leaf::Container => matches!(self, Pattern::Prefix(text) if text.is_empty()),
        })
    }

    fn matches_exact(&self, value: &str) -> bool {
        match self {
            Pattern::Exact(text) => value == text,
            Pattern::Prefix(text) => value.starts_with(text.as_str()),
            Pattern::Cidr(_) => self.matches_ip(value),
        }
    }

    fn matches_email(&self, value: &str) -> bool {
        match self {
            Pattern::Exact(text) => match text.find('@') {
                Some(0) => domain(value).is_some_and(|domain| equal_folded(domain, text)),
                Some(_) => equal_folded(value, text),
                None => contains(value, text, Edges::BOTH),
            },
            Pattern::Prefix(text) => match text.find('@') {
                Some(0) => domain(value).is_some_and(|domain| starts_with_folded(domain, text)),
                Some(_) => starts_with_folded(value, text),
                None => contains(value, text, Edges::START),
            },
            Pattern::Cidr(_) => false,
        }
    }

    fn matches_ip(&self, value: &str) -> bool {
        match self {
            Pattern::Cidr(network) => {
                value.parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical()))
            }
            Pattern::Prefix(text) => value.starts_with(text.as_str()),
            Pattern::Exact(text) => value == text,
        }
    }
}

/// The part of an e-mail address from its `@` on.
fn domain(email: &str) -> Option<&str> {
    email.rfind('@').map(|at| &email[at..])
}
