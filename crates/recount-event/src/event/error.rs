//! Why an event was refused: a stable code, a sentence, and a JSON pointer.

use std::fmt;

/// Why one event was refused. Serves both the sender's program (`code`,
/// `pointer`) and the person who reads its log (`detail`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct EventError {
    /// The kind of mistake; stable.
    pub code: EventErrorCode,
    /// A sentence that names the member and says what to do; may change.
    pub detail: String,
    /// The RFC 6901 pointer to the place: to the value that is wrong, to where a
    /// missing member belongs, to the second of two duplicates; empty if it is
    /// the event as a whole.
    pub pointer: String,
}

impl EventError {
    /// An error about the value that is being read; the callers on the way out
    /// add its place with [`EventError::within`].
    pub(crate) fn new(code: EventErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), pointer: String::new() }
    }

    /// Says that the place so far lies within the member (or element) `token`.
    #[must_use]
    pub(crate) fn within(mut self, token: &str) -> Self {
        let escaped = token.replace('~', "~0").replace('/', "~1");
        self.pointer.insert_str(0, &escaped);
        self.pointer.insert(0, '/');
        self
    }
}

/// A member's name for a sentence: quoted, and cut off if it is long, as it is
/// the sender's text and may be most of the event.
pub(crate) fn shown(name: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 64;
    match name.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{:?}…", &name[..end]),
        None => format!("{name:?}"),
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kinds of mistakes in an event. Their texts are part of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventErrorCode { $($(#[$doc])* $name,)* }

        impl EventErrorCode {
            /// Every code, in the order of `docs/formats/event.md`.
            pub const ALL: &'static [EventErrorCode] = &[$(EventErrorCode::$name,)*];

            /// The stable text of the code, in snake case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(EventErrorCode::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The bytes are not UTF-8.
    InvalidUtf8 = "invalid_utf8",
    /// The text is not JSON: cut off, a stray character, text after the end.
    JsonSyntax = "json_syntax",
    /// A string holds a raw control character, or an escape that JSON does not know.
    StringMalformed = "string_malformed",
    /// A string holds half of a surrogate pair.
    LoneSurrogate = "lone_surrogate",
    /// `NaN`, `Infinity`, `+1`, `01`, `.5`, `1.` and the like.
    NumberMalformed = "number_malformed",
    /// A number too long, or too large for a double.
    NumberOutOfRange = "number_out_of_range",
    /// An object has two members of one name.
    DuplicateMember = "duplicate_member",
    /// Objects and arrays are nested too deep.
    TooDeep = "too_deep",
    /// The event has too many bytes.
    EventTooLarge = "event_too_large",
    /// A member that events do not have.
    UnknownMember = "unknown_member",
    /// A required member is absent.
    MissingMember = "missing_member",
    /// A member is null; leave it out.
    NullMember = "null_member",
    /// A value of the wrong JSON type.
    WrongType = "wrong_type",
    /// A string that must not be empty is.
    EmptyString = "empty_string",
    /// A string has too many characters.
    StringTooLong = "string_too_long",
    /// A string has a character that its member does not take.
    CharacterNotAllowed = "character_not_allowed",
    /// An array or object has too many elements or members.
    TooMany = "too_many",
    /// A time that is not RFC 3339.
    TimeMalformed = "time_malformed",
    /// A time before 1970 or after 2199.
    TimeOutOfRange = "time_out_of_range",
    /// An outcome other than `success`, `failure`, `denied`.
    OutcomeUnknown = "outcome_unknown",
    /// `context.ip` is not an IP address.
    IpMalformed = "ip_malformed",
    /// `tenant` is not a tenant's name.
    TenantMalformed = "tenant_malformed",
    /// `tenant` is not the tenant of the credential.
    TenantMismatch = "tenant_mismatch",
    /// An action or source that is Recount's own.
    ReservedName = "reserved_name",
}

impl fmt::Display for EventErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl serde::Serialize for EventErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
