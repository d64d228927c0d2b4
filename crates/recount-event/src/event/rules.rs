//! What each string member of an event may hold, as one table.

use std::borrow::Cow;

use super::error::{EventError, EventErrorCode};
use crate::json::text::Text;
use crate::limits;

/// Which characters a member takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Characters {
    /// Letters, digits and `. _ : / -` of ASCII, a letter or digit first.
    Action,
    /// Letters, digits and `. _ : -` of ASCII, a letter or digit first. Without
    /// `/`, so that `type/id` says where the type ends.
    Type,
    /// All but control characters: one line of text.
    Line,
    /// All but control characters other than tab and the ends of lines.
    Prose,
}

/// The rule of one string member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRule {
    /// The member, as a person writes it.
    pub(crate) member: &'static str,
    pub(crate) empty_allowed: bool,
    pub(crate) chars_max: usize,
    pub(crate) characters: Characters,
}

const fn required(member: &'static str, chars_max: usize, characters: Characters) -> TextRule {
    TextRule { member, empty_allowed: false, chars_max, characters }
}

const fn optional(member: &'static str, chars_max: usize, characters: Characters) -> TextRule {
    TextRule { member, empty_allowed: true, chars_max, characters }
}

pub(crate) const ID: TextRule = required("id", limits::ID_CHARS_MAX, Characters::Line);
pub(crate) const ACTION: TextRule = required("action", limits::ACTION_CHARS_MAX, Characters::Action);
pub(crate) const SOURCE: TextRule = optional("source", limits::SOURCE_CHARS_MAX, Characters::Line);
pub(crate) const ACTOR_TYPE: TextRule = required("actor.type", limits::TYPE_CHARS_MAX, Characters::Type);
pub(crate) const ACTOR_ID: TextRule = required("actor.id", limits::REF_ID_CHARS_MAX, Characters::Line);
pub(crate) const ACTOR_NAME: TextRule = optional("actor.name", limits::NAME_CHARS_MAX, Characters::Line);
pub(crate) const ACTOR_EMAIL: TextRule = optional("actor.email", limits::EMAIL_CHARS_MAX, Characters::Line);
pub(crate) const TARGET_TYPE: TextRule =
    required("the target's `type`", limits::TYPE_CHARS_MAX, Characters::Type);
pub(crate) const TARGET_ID: TextRule =
    required("the target's `id`", limits::REF_ID_CHARS_MAX, Characters::Line);
pub(crate) const TARGET_NAME: TextRule =
    optional("the target's `name`", limits::NAME_CHARS_MAX, Characters::Line);
pub(crate) const IP: TextRule = required("context.ip", limits::IP_CHARS_MAX, Characters::Line);
pub(crate) const USER_AGENT: TextRule =
    optional("context.user_agent", limits::USER_AGENT_CHARS_MAX, Characters::Line);
pub(crate) const LOCATION: TextRule =
    optional("context.location", limits::LOCATION_CHARS_MAX, Characters::Line);
pub(crate) const SESSION_ID: TextRule =
    optional("context.session_id", limits::CONTEXT_ID_CHARS_MAX, Characters::Line);
pub(crate) const REQUEST_ID: TextRule =
    optional("context.request_id", limits::CONTEXT_ID_CHARS_MAX, Characters::Line);
pub(crate) const DESCRIPTION: TextRule =
    optional("description", limits::DESCRIPTION_CHARS_MAX, Characters::Prose);
pub(crate) const REASON: TextRule = optional("reason", limits::REASON_CHARS_MAX, Characters::Prose);
pub(crate) const CHANGE_FIELD: TextRule =
    required("the change's `field`", limits::CHANGE_FIELD_CHARS_MAX, Characters::Line);
pub(crate) const TAG_KEY: TextRule = required("the tag's name", limits::TAG_KEY_CHARS_MAX, Characters::Line);
pub(crate) const TAG_VALUE: TextRule =
    optional("the tag's value", limits::TAG_VALUE_CHARS_MAX, Characters::Line);

impl TextRule {
    /// Checks what `text` stands for.
    #[inline]
    pub(crate) fn check(&self, text: &Text<'_>) -> Result<(), EventError> {
        let any_plain = matches!(self.characters, Characters::Line | Characters::Prose);
        match text.plain_chars() {
            Some(chars) if any_plain && (1..=self.chars_max).contains(&chars) => return Ok(()),
            _ => {}
        }
        self.check_closely(&text.decode())
    }

    fn check_closely(&self, value: &str) -> Result<(), EventError> {
        if value.is_empty() && !self.empty_allowed {
            return Err(self.error(EventErrorCode::EmptyString, "must not be empty"));
        }
        // Bytes are at least as many as characters, so most texts need no count.
        if value.len() > self.chars_max {
            let chars = value.chars().count();
            if chars > self.chars_max {
                let what = format!("has {chars} characters, more than {}", self.chars_max);
                return Err(self.error(EventErrorCode::StringTooLong, &what));
            }
        }
        if let Some(refused) = self.characters.first_refused(value) {
            let what = format!("has the character {refused:?}; {}", self.characters.described());
            return Err(self.error(EventErrorCode::CharacterNotAllowed, &what));
        }
        Ok(())
    }

    #[cold]
    fn error(&self, code: EventErrorCode, what: &str) -> EventError {
        EventError::new(code, format!("{} {what}", self.quoted_member()))
    }

    /// The member as it is named in an error.
    pub(crate) fn quoted_member(&self) -> Cow<'static, str> {
        if self.member.contains(' ') {
            Cow::Borrowed(self.member)
        } else {
            Cow::Owned(format!("`{}`", self.member))
        }
    }
}

impl Characters {
    fn first_refused(self, value: &str) -> Option<char> {
        let is_name = matches!(self, Characters::Action | Characters::Type);
        let first = value.chars().next();
        first
            .filter(|c| is_name && !c.is_ascii_alphanumeric())
            .or_else(|| value.chars().find(|&c| !self.takes(c)))
    }

    fn takes(self, c: char) -> bool {
        let in_names = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        match self {
            Characters::Action => in_names || c == '/',
            Characters::Type => in_names,
            Characters::Line => !c.is_control(),
            Characters::Prose => !c.is_control() || matches!(c, '\n' | '\r' | '\t'),
        }
    }

    fn described(self) -> &'static str {
        match self {
            Characters::Action => {
                "it is made of letters, digits and `. _ : / -` of ASCII, and starts with a letter \
                 or digit"
            }
            Characters::Type => {
                "it is made of letters, digits and `. _ : -` of ASCII, and starts with a letter or \
                 digit"
            }
            Characters::Line => "control characters are not allowed here",
            Characters::Prose => {
                "control characters other than tab and the ends of lines are not allowed here"
            }
        }
    }
}
