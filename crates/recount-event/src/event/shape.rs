//! Reading values of a known shape: a checked string, a list with a limit, an
//! object that has no members but its own.

use super::error::{EventError, EventErrorCode, shown};
use super::members::{EVENT_MEMBERS, List};
use super::rules::TextRule;
use crate::json::reader::{Kind, Reader, duplicate};
use crate::json::text::Text;

/// The level of the event's own object.
pub(crate) const EVENT_DEPTH: usize = 1;

/// The event as a whole, in errors.
pub(crate) const EVENT: &str = "the event";

pub(crate) type Read<T> = Result<T, EventError>;

/// Reads an array of at most `max` objects.
pub(crate) fn list<'a, T>(
    r: &mut Reader<'a>,
    member: &str,
    max: usize,
    read: fn(&mut Reader<'a>) -> Read<T>,
) -> Read<List<'a, T>> {
    expect(r, Kind::Array, member)?;
    let (start, untidy) = (r.position(), r.untidy());
    let mut items = Vec::new();
    r.array(EVENT_DEPTH + 1, |r, _| {
        if items.len() == max {
            return Err(too_many(&format!("{member} has more than"), max, "elements"));
        }
        items.push(read(r)?);
        Ok(())
    })?;
    Ok(List { raw: r.since(start, untidy), items })
}

/// Reads a string and checks it by its rule.
pub(crate) fn checked<'a>(r: &mut Reader<'a>, rule: &TextRule) -> Read<Text<'a>> {
    let found = r.kind()?;
    if found != Kind::String {
        return Err(wrong_type(found, Kind::String, &rule.quoted_member()));
    }
    let text = r.string()?;
    rule.check(&text)?;
    Ok(text)
}

/// Reads a string that is checked elsewhere.
pub(crate) fn string<'a>(r: &mut Reader<'a>, member: &str) -> Read<Text<'a>> {
    expect(r, Kind::String, member)?;
    r.string()
}

/// Refuses a value that is not of the `wanted` kind, before it is read.
#[inline]
pub(crate) fn expect(r: &Reader<'_>, wanted: Kind, member: &str) -> Read<()> {
    let found = r.kind()?;
    if found == wanted { Ok(()) } else { Err(wrong_type(found, wanted, member)) }
}

#[cold]
fn wrong_type(found: Kind, wanted: Kind, member: &str) -> EventError {
    if found == Kind::Null && member != EVENT {
        return null(member);
    }
    EventError::new(
        EventErrorCode::WrongType,
        format!("{member} must be {}, found {}", wanted.with_article(), found.with_article()),
    )
}

/// The error for a null that is not allowed.
pub(crate) fn null(member: &str) -> EventError {
    EventError::new(EventErrorCode::NullMember, format!("{member} is null; leave it out, or give it a value"))
}

/// The error for more than `max` elements or members.
pub(crate) fn too_many(what: &str, max: usize, of: &str) -> EventError {
    EventError::new(EventErrorCode::TooMany, format!("{what} {max} {of}"))
}

/// Which members of a known object were there, one bit each.
pub(crate) struct Seen(u32);

impl Seen {
    /// Refuses an object without the member at `place`.
    pub(crate) fn require(&self, place: u32, name: &str, path: &str) -> Read<()> {
        if self.0 & (1 << place) != 0 {
            return Ok(());
        }
        let detail = format!("`{path}{name}` is required; add it");
        Err(EventError::new(EventErrorCode::MissingMember, detail).within(name))
    }
}

/// Reads an object that has no members but those of `table`. `member` reads each
/// value.
pub(crate) fn known_object<'a, M: Copy>(
    r: &mut Reader<'a>,
    depth: usize,
    what: &str,
    table: &'static [(M, &'static str)],
    mut member: impl FnMut(&mut Reader<'a>, M) -> Read<()>,
) -> Read<Seen> {
    expect(r, Kind::Object, what)?;
    let mut seen = 0_u32;
    // Most senders keep to the order of the normal form, so each search goes on
    // behind the member found last.
    let mut next = 0;
    r.object(depth, |r, name| {
        let name = name.decode();
        let found = |(_, known): &(M, &str)| *known == name;
        let behind = table[next..].iter().position(found).map(|place| next + place);
        let Some(place) = behind.or_else(|| table[..next].iter().position(found)) else {
            return Err(unknown(&name, what, table));
        };
        if seen & (1 << place) != 0 {
            return Err(duplicate(&name));
        }
        if place < next {
            r.note_untidy();
        }
        next = place + 1;
        seen |= 1 << place;
        let (which, name) = table[place];
        member(r, which).map_err(|error| error.within(name))
    })?;
    Ok(Seen(seen))
}

fn unknown<M>(name: &str, what: &str, table: &[(M, &str)]) -> EventError {
    let advice = match name {
        "seq" | "received_at" if table.len() == EVENT_MEMBERS.len() => {
            "Recount assigns it; leave it out".to_owned()
        }
        _ => format!(
            "its members are {}; put what else you have into `metadata`",
            table.iter().map(|(_, known)| format!("`{known}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    EventError::new(EventErrorCode::UnknownMember, format!("{what} has no member {}; {advice}", shown(name)))
        .within(name)
}
