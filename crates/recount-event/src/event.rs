//! One event on its way in: checked, and brought into its normal form.

pub(crate) mod error;
mod members;
mod read;
mod rules;
mod shape;
mod write;

use uuid::Uuid;

use crate::json::split::{JsonSyntaxError, Splitter};
use crate::limits::EVENT_BYTES_MAX;
use crate::tenant::RecentTenants;
use crate::{TenantId, Timestamp};
use error::{EventError, EventErrorCode};
use members::Event;

/// What parsing needs to know of the request that an event came with.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParseContext<'a> {
    /// The credential's tenant: taken if the event names none, and the only one
    /// that it may name. `None` lets the event name any, and then it must.
    pub tenant: Option<&'a TenantId>,
    /// Whether actions under `recount.` and the source `recount` are allowed;
    /// for Recount's own events only, never for a sender's.
    pub allow_own_actions: bool,
}

/// A checked event, ready to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The tenant in whose log it belongs.
    pub tenant: TenantId,
    /// The sender's id, or the one that was assigned.
    pub id: String,
    /// Whether the id was assigned; then no duplicate can exist.
    pub id_assigned: bool,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The normal form: one line without its end, members in their fixed order,
    /// `id`, `tenant` and `outcome` always present, no `seq` or `received_at`.
    pub line: String,
}

/// Checks one event and brings it into its normal form (`docs/formats/event.md`).
///
/// `assign_id` is asked for an id only if the event has none. The normal form of
/// a normal form is itself.
///
/// # Errors
/// The first mistake, with a stable code and a JSON pointer.
pub fn parse_event(
    text: &str,
    context: &ParseContext<'_>,
    assign_id: &mut dyn FnMut() -> Uuid,
) -> Result<NewEvent, EventError> {
    check_size(text.len(), "the event")?;
    checked(&Event::read(text)?, text.len(), context, None, assign_id)
}

/// Checks the events of a JSON array, as [`parse_event_bytes`] does each, and hands them to `found` in order.
///
/// One pass over the bytes, if all is well: reading an event finds its end. Where an event has a
/// mistake, its end is found by structure alone, as [`split_array_bytes`](crate::split_array_bytes) does.
///
/// # Errors
/// Where the array breaks off or goes wrong; what was found before is of no use then.
pub fn parse_array(
    bytes: &[u8],
    context: &ParseContext<'_>,
    assign_id: &mut dyn FnMut() -> Uuid,
    mut found: impl FnMut(Result<NewEvent, EventError>),
) -> Result<(), JsonSyntaxError> {
    let text = simdutf8::basic::from_utf8(bytes).ok();
    let mut tenants = RecentTenants::default();
    Splitter::new(bytes).elements(|splitter| {
        let start = splitter.at;
        if let Some(text) = text
            && let Ok((event, length)) = parse_leading(&text[start..], context, &mut tenants, assign_id)
        {
            splitter.at += length;
            found(Ok(event));
            return Ok(());
        }
        let place = splitter.pass_element()?;
        found(parse_event_bytes(&bytes[place], context, assign_id));
        Ok(())
    })
}

/// The event that `text` begins with, and its length.
fn parse_leading(
    text: &str,
    context: &ParseContext<'_>,
    tenants: &mut RecentTenants,
    assign_id: &mut dyn FnMut() -> Uuid,
) -> Result<(NewEvent, usize), EventError> {
    let (event, length) = Event::read_leading(text)?;
    check_size(length, "the event")?;
    Ok((checked(&event, length, context, Some(tenants), assign_id)?, length))
}

/// What is left to check of an event that was read from `sent_bytes` bytes.
fn checked(
    event: &Event<'_>,
    sent_bytes: usize,
    context: &ParseContext<'_>,
    tenants: Option<&mut RecentTenants>,
    assign_id: &mut dyn FnMut() -> Uuid,
) -> Result<NewEvent, EventError> {
    let tenant = tenant(event, context, tenants)?;
    check_reserved(event, context)?;
    let mut assigned = [0; uuid::fmt::Hyphenated::LENGTH];
    let (id, id_assigned) = match &event.id {
        Some(id) => (id.decode(), false),
        None => (std::borrow::Cow::Borrowed(&*assign_id().hyphenated().encode_lower(&mut assigned)), true),
    };
    let line = event.normal_form(&id, &tenant, sent_bytes);
    check_size(line.len(), "the normal form of the event")?;
    Ok(NewEvent { tenant, id: id.into_owned(), id_assigned, occurred_at: event.occurred_at, line })
}

/// Checks one event that came as bytes, as [`parse_event`] does.
///
/// # Errors
/// [`EventErrorCode::InvalidUtf8`] with the place, besides those of [`parse_event`].
pub fn parse_event_bytes(
    bytes: &[u8],
    context: &ParseContext<'_>,
    assign_id: &mut dyn FnMut() -> Uuid,
) -> Result<NewEvent, EventError> {
    check_size(bytes.len(), "the event")?;
    match std::str::from_utf8(bytes) {
        Ok(text) => parse_event(text, context, assign_id),
        Err(error) => Err(invalid_utf8(bytes, error.valid_up_to())),
    }
}

/// Finds the pointer by reading the text with a control character put where the
/// bytes go wrong: the reader refuses it there.
fn invalid_utf8(bytes: &[u8], at: usize) -> EventError {
    let mut marked = String::from_utf8_lossy(&bytes[..at]).into_owned();
    marked.push('\u{1}');
    let pointer = Event::read(&marked).err().map(|error| error.pointer).unwrap_or_default();
    EventError {
        code: EventErrorCode::InvalidUtf8,
        detail: format!("the byte {:#04x} at byte {at} is not UTF-8", bytes[at]),
        pointer,
    }
}

fn check_size(bytes: usize, what: &str) -> Result<(), EventError> {
    if bytes <= EVENT_BYTES_MAX {
        return Ok(());
    }
    Err(EventError::new(
        EventErrorCode::EventTooLarge,
        format!("{what} has {bytes} bytes, more than {EVENT_BYTES_MAX}"),
    ))
}

fn tenant(
    event: &Event<'_>,
    context: &ParseContext<'_>,
    recent: Option<&mut RecentTenants>,
) -> Result<TenantId, EventError> {
    let Some(named) = &event.tenant else {
        return context.tenant.cloned().ok_or_else(|| {
            EventError::new(EventErrorCode::MissingMember, "`tenant` is required; add it").within("tenant")
        });
    };
    let named = named.decode();
    match context.tenant {
        Some(own) if own.as_str() == named => Ok(own.clone()),
        Some(own) => Err(EventError::new(
            EventErrorCode::TenantMismatch,
            format!("this key writes for the tenant `{own}` only; leave `tenant` out"),
        )
        .within("tenant")),
        None => recent.map_or_else(|| TenantId::new(&named), |recent| recent.name(&named)).map_err(|error| {
            EventError::new(EventErrorCode::TenantMalformed, error.to_string()).within("tenant")
        }),
    }
}

fn check_reserved(event: &Event<'_>, context: &ParseContext<'_>) -> Result<(), EventError> {
    if context.allow_own_actions {
        return Ok(());
    }
    let reserved =
        |member: &str, what: &str| Err(EventError::new(EventErrorCode::ReservedName, what).within(member));
    let action = event.action.decode();
    if action.as_bytes().get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"recount.")) {
        return reserved("action", "actions under `recount.` are Recount's own; take another name");
    }
    if event.source.is_some_and(|source| source.decode().eq_ignore_ascii_case("recount")) {
        return reserved("source", "the source `recount` is Recount's own; take another name");
    }
    Ok(())
}
