//! Every limit of an event, a batch and a filter, with its unit in its name.
//!
//! They are part of the format (`docs/formats/event.md`): raising one is
//! compatible, lowering one is not, because stored lines are read with them too.

/// Longest event, in bytes, both as it was sent and in its normal form.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Most events in one batch.
pub const BATCH_EVENTS_MAX: usize = 10_000;
/// Longest batch, in bytes, after decompression.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of objects and arrays; the event itself is level 1.
pub const DEPTH_MAX: usize = 16;

/// Most members in one `metadata` object, those of nested objects included.
pub const METADATA_MEMBERS_MAX: usize = 200;
/// Most elements of `targets`.
pub const TARGETS_MAX: usize = 100;
/// Most elements of `changes`.
pub const CHANGES_MAX: usize = 200;
/// Most members of `tags`.
pub const TAGS_MAX: usize = 50;

/// Longest `id` of an event, in characters.
pub const ID_CHARS_MAX: usize = 128;
/// Longest `tenant`, in characters (all of them ASCII).
pub const TENANT_CHARS_MAX: usize = 128;
/// Longest `action`, in characters (all of them ASCII).
pub const ACTION_CHARS_MAX: usize = 128;
/// Longest `source`, in characters.
pub const SOURCE_CHARS_MAX: usize = 128;
/// Longest `type` of an actor or a target, in characters (all of them ASCII).
pub const TYPE_CHARS_MAX: usize = 64;
/// Longest `id` of an actor or a target, in characters: room for an ARN or a URL.
pub const REF_ID_CHARS_MAX: usize = 2_048;
/// Longest `name` of an actor or a target, in characters.
pub const NAME_CHARS_MAX: usize = 1_024;
/// Longest `actor.email`, in characters (64 before the `@`, 255 after it).
pub const EMAIL_CHARS_MAX: usize = 320;
/// Longest `context.ip`, in characters: the longest text of an IPv6 address.
pub const IP_CHARS_MAX: usize = 45;
/// Longest `context.user_agent`, in characters.
pub const USER_AGENT_CHARS_MAX: usize = 2_048;
/// Longest `context.location`, in characters.
pub const LOCATION_CHARS_MAX: usize = 512;
/// Longest `context.session_id` and `context.request_id`, in characters.
pub const CONTEXT_ID_CHARS_MAX: usize = 256;
/// Longest `description`, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 4_096;
/// Longest `reason`, in characters.
pub const REASON_CHARS_MAX: usize = 4_096;
/// Longest `changes[].field`, in characters.
pub const CHANGE_FIELD_CHARS_MAX: usize = 256;
/// Longest name of a tag, in characters.
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Longest string value in `tags`, in characters.
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// Longest number, in characters.
pub const NUMBER_CHARS_MAX: usize = 128;

/// Longest filter text, in bytes.
pub const FILTER_BYTES_MAX: usize = 8 * 1024;
/// Most terms in a filter.
pub const FILTER_TERMS_MAX: usize = 64;
/// Most values in a filter, over all its terms.
pub const FILTER_VALUES_MAX: usize = 512;
/// Longest word or quoted text that is searched in all values, in characters.
pub const FILTER_WORD_CHARS_MAX: usize = 256;
