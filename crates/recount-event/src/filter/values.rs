//! The values that an event has in a field: what facets count.

use std::borrow::Cow;

use super::field::Field;
use super::path::{Leaf, any_at};
use crate::Fields;
use crate::json::walk::Walk;

/// Calls `found` with each value of `field` of an event, in order, repeated ones too.
///
/// These are the values that [`Pattern::matches_str`](super::Pattern::matches_str)
/// is asked about: for [`Field::Actor`] and [`Field::Target`] the reference
/// `type/id`; in free-form members scalars, strings decoded and all else as written.
pub fn field_values(field: &Field, f: &Fields<'_>, found: &mut dyn FnMut(&str)) {
    let mut optional = |value: &Option<Cow<'_, str>>| {
        if let Some(value) = value {
            found(value);
        }
    };
    match field {
        Field::Id => found(&f.id),
        Field::Action => found(&f.action),
        Field::Outcome => found(f.outcome.as_str()),
        Field::Source => optional(&f.source),
        Field::Actor => found(&format!("{}/{}", f.actor_type, f.actor_id)),
        Field::ActorId => found(&f.actor_id),
        Field::ActorType => found(&f.actor_type),
        Field::ActorName => optional(&f.actor_name),
        Field::ActorEmail => optional(&f.actor_email),
        Field::Target => {
            f.targets.iter().for_each(|target| found(&format!("{}/{}", target.kind, target.id)));
        }
        Field::TargetId => f.targets.iter().for_each(|target| found(&target.id)),
        Field::TargetType => f.targets.iter().for_each(|target| found(&target.kind)),
        Field::TargetName => f.targets.iter().for_each(|target| optional(&target.name)),
        Field::Ip => optional(&f.ip),
        Field::UserAgent => optional(&f.user_agent),
        Field::Location => optional(&f.location),
        Field::SessionId => optional(&f.session_id),
        Field::RequestId => optional(&f.request_id),
        Field::Description => optional(&f.description),
        Field::Reason => optional(&f.reason),
        Field::Change => {
            let _ = Walk::new(f.changes.unwrap_or("[]")).array(|w| {
                w.object(|w, name| {
                    if name.is("field") {
                        found(&w.string()?.decode());
                        return Some(());
                    }
                    w.skip().map(drop)
                })
            });
        }
        Field::Tag(name) => tag_value(f.tags.unwrap_or("{}"), name, found),
        Field::Metadata(path) => {
            any_at(f.metadata.unwrap_or("{}"), path, &mut |leaf| {
                if let Leaf::Scalar(value) = leaf {
                    found(value);
                }
                false
            });
        }
    }
}

/// Calls `found` with the value of the tag `name` in `tags` (raw JSON), if it is there.
pub fn tag_value(tags: &str, name: &str, found: &mut dyn FnMut(&str)) {
    let _ = Walk::new(tags).object(|w, tag| {
        if !tag.is(name) {
            return w.skip().map(drop);
        }
        match w.peek()? {
            b'"' => found(&w.string()?.decode()),
            _ => found(w.skip()?),
        }
        None
    });
}
