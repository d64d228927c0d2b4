//! Reads an event: known members by their rules, free-form ones by the grammar.

use std::borrow::Cow;
use std::net::IpAddr;

use super::error::{EventError, EventErrorCode};
use super::members::{
    ACTOR_MEMBERS, Actor, ActorMember, CHANGE_MEMBERS, CONTEXT_MEMBERS, Change, ChangeMember, Context,
    ContextMember, EVENT_MEMBERS, Event, EventMember, TARGET_MEMBERS, Target, TargetMember,
};
use super::rules;
use super::shape::{
    EVENT, EVENT_DEPTH, Read, Seen, checked, expect, known_object, list, null, string, too_many,
};
use crate::json::compact::Raw;
use crate::json::reader::{Kind, Reader, duplicate};
use crate::limits::{CHANGES_MAX, METADATA_MEMBERS_MAX, TAGS_MAX, TARGETS_MAX};
use crate::timestamp::TimestampError;
use crate::{Outcome, Timestamp};

impl<'a> Event<'a> {
    /// Reads and checks `text`. Leaves what depends on the credential unchecked:
    /// `tenant` and reserved names.
    pub(crate) fn read(text: &'a str) -> Read<Self> {
        let mut reader = Reader::new(text);
        reader.skip_space();
        let (event, seen) = Self::read_object(&mut reader)?;
        reader.end()?;
        require_members(&seen)?;
        Ok(event)
    }

    /// Reads and checks the event that `text` begins with, as [`Event::read`] does; returns its length too.
    pub(crate) fn read_leading(text: &'a str) -> Read<(Self, usize)> {
        let mut reader = Reader::new(text);
        let (event, seen) = Self::read_object(&mut reader)?;
        require_members(&seen)?;
        Ok((event, reader.position()))
    }

    fn read_object(reader: &mut Reader<'a>) -> Read<(Self, Seen)> {
        let mut event = Event::default();
        let seen = known_object(reader, EVENT_DEPTH, EVENT, EVENT_MEMBERS, |r, member| {
            event.read_member(r, member)
        })?;
        Ok((event, seen))
    }

    fn read_member(&mut self, r: &mut Reader<'a>, member: EventMember) -> Read<()> {
        match member {
            EventMember::Id => self.id = Some(checked(r, &rules::ID)?),
            EventMember::Tenant => self.tenant = Some(string(r, "`tenant`")?),
            EventMember::OccurredAt => self.occurred_at = time(r)?,
            EventMember::Action => self.action = checked(r, &rules::ACTION)?,
            EventMember::Outcome => self.outcome = outcome(r)?,
            EventMember::Actor => self.actor = actor(r)?,
            EventMember::Targets => {
                self.targets = Some(list(r, "`targets`", TARGETS_MAX, target)?);
            }
            EventMember::Context => self.context = Some(context(r)?),
            EventMember::Source => self.source = Some(checked(r, &rules::SOURCE)?),
            EventMember::Description => self.description = Some(checked(r, &rules::DESCRIPTION)?),
            EventMember::Reason => self.reason = Some(checked(r, &rules::REASON)?),
            EventMember::Changes => {
                self.changes = Some(list(r, "`changes`", CHANGES_MAX, change)?);
            }
            EventMember::Tags => self.tags = Some(tags(r)?),
            EventMember::Metadata => self.metadata = Some(metadata(r, EVENT_DEPTH + 1)?),
        }
        Ok(())
    }
}

fn require_members(seen: &Seen) -> Read<()> {
    seen.require(EventMember::OccurredAt as u32, "occurred_at", "")?;
    seen.require(EventMember::Action as u32, "action", "")?;
    seen.require(EventMember::Actor as u32, "actor", "")
}

fn actor<'a>(r: &mut Reader<'a>) -> Read<Actor<'a>> {
    let depth = EVENT_DEPTH + 1;
    let (start, untidy) = (r.position(), r.untidy());
    let mut actor = Actor::default();
    let seen = known_object(r, depth, "`actor`", ACTOR_MEMBERS, |r, member| {
        match member {
            ActorMember::Type => actor.kind = checked(r, &rules::ACTOR_TYPE)?,
            ActorMember::Id => actor.id = checked(r, &rules::ACTOR_ID)?,
            ActorMember::Name => actor.name = Some(checked(r, &rules::ACTOR_NAME)?),
            ActorMember::Email => actor.email = Some(checked(r, &rules::ACTOR_EMAIL)?),
            ActorMember::Metadata => actor.metadata = Some(metadata(r, depth + 1)?),
        }
        Ok(())
    })?;
    seen.require(ActorMember::Type as u32, "type", "actor.")?;
    seen.require(ActorMember::Id as u32, "id", "actor.")?;
    actor.raw = r.since(start, untidy);
    Ok(actor)
}

fn target<'a>(r: &mut Reader<'a>) -> Read<Target<'a>> {
    let depth = EVENT_DEPTH + 2;
    let mut target = Target::default();
    let seen = known_object(r, depth, "a target", TARGET_MEMBERS, |r, member| {
        match member {
            TargetMember::Type => target.kind = checked(r, &rules::TARGET_TYPE)?,
            TargetMember::Id => target.id = checked(r, &rules::TARGET_ID)?,
            TargetMember::Name => target.name = Some(checked(r, &rules::TARGET_NAME)?),
            TargetMember::Metadata => target.metadata = Some(metadata(r, depth + 1)?),
        }
        Ok(())
    })?;
    seen.require(TargetMember::Type as u32, "type", "targets[].")?;
    seen.require(TargetMember::Id as u32, "id", "targets[].")?;
    Ok(target)
}

fn change<'a>(r: &mut Reader<'a>) -> Read<Change<'a>> {
    let depth = EVENT_DEPTH + 2;
    let mut change = Change::default();
    let seen = known_object(r, depth, "a change", CHANGE_MEMBERS, |r, member| {
        match member {
            ChangeMember::Field => change.field = checked(r, &rules::CHANGE_FIELD)?,
            ChangeMember::Before => change.before = Some(any(r, depth + 1)?),
            ChangeMember::After => change.after = Some(any(r, depth + 1)?),
        }
        Ok(())
    })?;
    seen.require(ChangeMember::Field as u32, "field", "changes[].")?;
    Ok(change)
}

fn context<'a>(r: &mut Reader<'a>) -> Read<Context<'a>> {
    let (start, untidy) = (r.position(), r.untidy());
    let mut context = Context::default();
    known_object(r, EVENT_DEPTH + 1, "`context`", CONTEXT_MEMBERS, |r, member| {
        let rule = match member {
            ContextMember::Ip => &rules::IP,
            ContextMember::UserAgent => &rules::USER_AGENT,
            ContextMember::Location => &rules::LOCATION,
            ContextMember::SessionId => &rules::SESSION_ID,
            ContextMember::RequestId => &rules::REQUEST_ID,
        };
        let text = checked(r, rule)?;
        if member == ContextMember::Ip && text.decode().parse::<IpAddr>().is_err() {
            return Err(EventError::new(
                EventErrorCode::IpMalformed,
                "`context.ip` is an IPv4 or IPv6 address, without port or zone; this is none",
            ));
        }
        context.members[member as usize] = Some(text);
        Ok(())
    })?;
    context.raw = r.since(start, untidy);
    Ok(context)
}

fn tags<'a>(r: &mut Reader<'a>) -> Read<Raw<'a>> {
    expect(r, Kind::Object, "`tags`")?;
    let (start, untidy) = (r.position(), r.untidy());
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    r.object(EVENT_DEPTH + 1, |r, name| {
        let checked = rules::TAG_KEY.check(&name);
        let name = name.decode();
        checked.map_err(|error| error.within(&name))?;
        if names.contains(&name) {
            return Err(duplicate(&name));
        }
        tag_value(r).map_err(|error| error.within(&name))?;
        names.push(name);
        if names.len() > TAGS_MAX {
            return Err(too_many("`tags` has more than", TAGS_MAX, "members"));
        }
        Ok(())
    })?;
    Ok(r.since(start, untidy))
}

fn tag_value(r: &mut Reader<'_>) -> Read<()> {
    match r.kind()? {
        Kind::String => {
            let value = r.string()?;
            rules::TAG_VALUE.check(&value)?;
        }
        Kind::Number | Kind::Boolean => {
            r.value(EVENT_DEPTH + 2, &mut 0)?;
        }
        Kind::Null => return Err(null("the tag")),
        kind @ (Kind::Object | Kind::Array) => {
            return Err(EventError::new(
                EventErrorCode::WrongType,
                format!(
                    "a tag is a string, a number or a boolean, found {}; put it into `metadata`",
                    kind.with_article()
                ),
            ));
        }
    }
    Ok(())
}

fn metadata<'a>(r: &mut Reader<'a>, depth: usize) -> Read<Raw<'a>> {
    expect(r, Kind::Object, "`metadata`")?;
    let (start, untidy) = (r.position(), r.untidy());
    let mut members = 0;
    r.value(depth, &mut members)?;
    if members > METADATA_MEMBERS_MAX {
        return Err(EventError::new(
            EventErrorCode::TooMany,
            format!(
                "`metadata` has {members} members, those of nested objects included; \
                 at most {METADATA_MEMBERS_MAX} are allowed"
            ),
        ));
    }
    Ok(r.since(start, untidy))
}

fn any<'a>(r: &mut Reader<'a>, depth: usize) -> Read<Raw<'a>> {
    let (start, untidy) = (r.position(), r.untidy());
    r.value(depth, &mut 0)?;
    Ok(r.since(start, untidy))
}

fn time(r: &mut Reader<'_>) -> Read<Timestamp> {
    let text = string(r, "`occurred_at`")?;
    Timestamp::parse_rfc3339(&text.decode()).map_err(|error| {
        let code = match error {
            TimestampError::Malformed { .. } => EventErrorCode::TimeMalformed,
            TimestampError::OutOfRange => EventErrorCode::TimeOutOfRange,
        };
        EventError::new(code, error.to_string())
    })
}

fn outcome(r: &mut Reader<'_>) -> Read<Outcome> {
    let text = string(r, "`outcome`")?;
    text.decode().parse().map_err(|error: crate::UnknownOutcome| {
        EventError::new(EventErrorCode::OutcomeUnknown, error.to_string())
    })
}
