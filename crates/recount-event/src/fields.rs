//! The members of a stored line, for columns, filters and exports.

use std::borrow::Cow;

use crate::json::walk::{RawText, Walk};
use crate::{Outcome, Timestamp};

/// The members of a stored line, borrowed from it where they can be.
///
/// Free-form members are raw JSON texts, exactly as they stand in the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields<'a> {
    /// The line that was read.
    pub line: &'a str,
    /// `id`.
    pub id: Cow<'a, str>,
    /// `tenant`.
    pub tenant: Cow<'a, str>,
    /// `occurred_at`.
    pub occurred_at: Timestamp,
    /// `action`.
    pub action: Cow<'a, str>,
    /// `outcome`.
    pub outcome: Outcome,
    /// `actor.type`.
    pub actor_type: Cow<'a, str>,
    /// `actor.id`.
    pub actor_id: Cow<'a, str>,
    /// `actor.name`.
    pub actor_name: Option<Cow<'a, str>>,
    /// `actor.email`.
    pub actor_email: Option<Cow<'a, str>>,
    /// `actor.metadata`, raw.
    pub actor_metadata: Option<&'a str>,
    /// `targets`; empty also if the member is absent.
    pub targets: Vec<TargetFields<'a>>,
    /// `context.ip`, as the sender wrote it.
    pub ip: Option<Cow<'a, str>>,
    /// `context.user_agent`.
    pub user_agent: Option<Cow<'a, str>>,
    /// `context.location`.
    pub location: Option<Cow<'a, str>>,
    /// `context.session_id`.
    pub session_id: Option<Cow<'a, str>>,
    /// `context.request_id`.
    pub request_id: Option<Cow<'a, str>>,
    /// `source`.
    pub source: Option<Cow<'a, str>>,
    /// `description`.
    pub description: Option<Cow<'a, str>>,
    /// `reason`.
    pub reason: Option<Cow<'a, str>>,
    /// `changes`, raw.
    pub changes: Option<&'a str>,
    /// `tags`, raw.
    pub tags: Option<&'a str>,
    /// `metadata`, raw.
    pub metadata: Option<&'a str>,
}

/// One element of `targets`.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetFields<'a> {
    /// `type`.
    pub kind: Cow<'a, str>,
    /// `id`.
    pub id: Cow<'a, str>,
    /// `name`.
    pub name: Option<Cow<'a, str>>,
    /// `metadata`, raw.
    pub metadata: Option<&'a str>,
}

/// A stored line that is not the normal form of an event: it was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored line is not an event: it is damaged near byte {offset}")]
pub struct CorruptLine {
    /// Where reading stopped, in bytes.
    pub offset: usize,
}

/// Reads a stored line.
///
/// Trusts that the line is in normal form and checks only what it needs; it is
/// made for lines that [`parse_event`](crate::parse_event) wrote.
///
/// # Errors
/// [`CorruptLine`] if the line is not JSON of that shape or a required member is
/// missing. Never panics, whatever the text.
pub fn read_fields(line: &str) -> Result<Fields<'_>, CorruptLine> {
    let mut walk = Walk::new(line);
    let mut fields = Fields::empty(line);
    let mut required = Required::default();
    let whole = walk.object(|w, name| fields.read_member(w, name, &mut required));
    if whole.is_none() || !walk.at_end() || !required.complete() {
        return Err(CorruptLine { offset: walk.position() });
    }
    Ok(fields)
}

/// The required members that were met.
#[derive(Default)]
struct Required {
    id: bool,
    tenant: bool,
    occurred_at: bool,
    action: bool,
    actor_type: bool,
    actor_id: bool,
}

impl Required {
    fn complete(&self) -> bool {
        self.id && self.tenant && self.occurred_at && self.action && self.actor_type && self.actor_id
    }
}

impl<'a> Fields<'a> {
    fn empty(line: &'a str) -> Self {
        const NONE: Cow<'static, str> = Cow::Borrowed("");
        Self {
            line,
            id: NONE,
            tenant: NONE,
            occurred_at: Timestamp::MIN,
            action: NONE,
            outcome: Outcome::Success,
            actor_type: NONE,
            actor_id: NONE,
            actor_name: None,
            actor_email: None,
            actor_metadata: None,
            targets: Vec::new(),
            ip: None,
            user_agent: None,
            location: None,
            session_id: None,
            request_id: None,
            source: None,
            description: None,
            reason: None,
            changes: None,
            tags: None,
            metadata: None,
        }
    }

    fn read_member(&mut self, w: &mut Walk<'a>, name: RawText<'a>, required: &mut Required) -> Option<()> {
        match name.raw {
            "id" => self.id = text(w, &mut required.id)?,
            "tenant" => self.tenant = text(w, &mut required.tenant)?,
            "occurred_at" => {
                let time = text(w, &mut required.occurred_at)?;
                self.occurred_at = Timestamp::parse_rfc3339(&time).ok()?;
            }
            "action" => self.action = text(w, &mut required.action)?,
            "outcome" => self.outcome = w.string()?.raw.parse().ok()?,
            "actor" => self.read_actor(w, required)?,
            "targets" => w.array(|w| {
                self.targets.push(read_target(w)?);
                Some(())
            })?,
            "context" => self.read_context(w)?,
            "source" => self.source = Some(w.string()?.decode()),
            "description" => self.description = Some(w.string()?.decode()),
            "reason" => self.reason = Some(w.string()?.decode()),
            "changes" => self.changes = Some(container(w, b'[')?),
            "tags" => self.tags = Some(container(w, b'{')?),
            "metadata" => self.metadata = Some(container(w, b'{')?),
            _ => drop(w.skip()?),
        }
        Some(())
    }

    fn read_actor(&mut self, w: &mut Walk<'a>, required: &mut Required) -> Option<()> {
        w.object(|w, name| {
            match name.raw {
                "type" => self.actor_type = text(w, &mut required.actor_type)?,
                "id" => self.actor_id = text(w, &mut required.actor_id)?,
                "name" => self.actor_name = Some(w.string()?.decode()),
                "email" => self.actor_email = Some(w.string()?.decode()),
                "metadata" => self.actor_metadata = Some(container(w, b'{')?),
                _ => drop(w.skip()?),
            }
            Some(())
        })
    }

    fn read_context(&mut self, w: &mut Walk<'a>) -> Option<()> {
        w.object(|w, name| {
            match name.raw {
                "ip" => self.ip = Some(w.string()?.decode()),
                "user_agent" => self.user_agent = Some(w.string()?.decode()),
                "location" => self.location = Some(w.string()?.decode()),
                "session_id" => self.session_id = Some(w.string()?.decode()),
                "request_id" => self.request_id = Some(w.string()?.decode()),
                _ => drop(w.skip()?),
            }
            Some(())
        })
    }
}

fn read_target<'a>(w: &mut Walk<'a>) -> Option<TargetFields<'a>> {
    let (mut kind, mut id, mut name, mut metadata) = (None, None, None, None);
    w.object(|w, member| {
        match member.raw {
            "type" => kind = Some(w.string()?.decode()),
            "id" => id = Some(w.string()?.decode()),
            "name" => name = Some(w.string()?.decode()),
            "metadata" => metadata = Some(container(w, b'{')?),
            _ => drop(w.skip()?),
        }
        Some(())
    })?;
    Some(TargetFields { kind: kind?, id: id?, name, metadata })
}

fn text<'a>(w: &mut Walk<'a>, met: &mut bool) -> Option<Cow<'a, str>> {
    *met = true;
    Some(w.string()?.decode())
}

fn container<'a>(w: &mut Walk<'a>, bracket: u8) -> Option<&'a str> {
    if w.peek() != Some(bracket) {
        return None;
    }
    w.skip()
}
