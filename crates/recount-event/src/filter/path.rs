//! Values in free-form members, by name or by path.

use std::borrow::Cow;

use crate::json::walk::Walk;

/// A value of free-form JSON as filters see it.
#[derive(Debug)]
pub(crate) enum Leaf<'a> {
    /// A string, decoded, or a number, boolean or null as it is written.
    Scalar(Cow<'a, str>),
    /// An object or an array; it matches only the question whether it is there.
    Container,
}

/// Whether `json` (an object) has at `path` a value of which `wanted` holds.
///
/// A name on the way may contain points itself; elements of arrays all count.
pub(crate) fn any_at(json: &str, path: &str, wanted: &mut dyn FnMut(&Leaf<'_>) -> bool) -> bool {
    let mut found = false;
    // The walk stops with `None` at the first hit, and on damage without one.
    let _ = descend(&mut Walk::new(json), path, &mut |leaf| {
        found = wanted(leaf);
        found
    });
    found
}

/// Walks over the value at `w`, of which `path` is still to go. `None`: stop.
fn descend(w: &mut Walk<'_>, path: &str, hit: &mut dyn FnMut(&Leaf<'_>) -> bool) -> Option<()> {
    match w.peek()? {
        b'[' => {
            if path.is_empty() && hit(&Leaf::Container) {
                return None;
            }
            w.array(|w| descend(w, path, hit))
        }
        _ if path.is_empty() => leaf(w, hit),
        b'{' => w.object(|w, name| {
            let name = name.decode();
            match path.strip_prefix(&*name) {
                Some("") => descend(w, "", hit),
                Some(rest) if rest.starts_with('.') => descend(w, &rest[1..], hit),
                _ => w.skip().map(drop),
            }
        }),
        _ => w.skip().map(drop),
    }
}

fn leaf(w: &mut Walk<'_>, hit: &mut dyn FnMut(&Leaf<'_>) -> bool) -> Option<()> {
    let leaf = match w.peek()? {
        b'"' => Leaf::Scalar(w.string()?.decode()),
        b'{' => {
            w.skip()?;
            Leaf::Container
        }
        _ => Leaf::Scalar(Cow::Borrowed(w.skip()?)),
    };
    if hit(&leaf) { None } else { Some(()) }
}
