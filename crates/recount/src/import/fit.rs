//! Makes an event fit its limits: what is too long, too deep or too much is cut, never refused.
//!
//! The rules, which `docs/import.md` repeats: texts are cut to their limit and end in `…`;
//! objects nested too deep, or with too many members, become the text of their JSON, so that
//! words in them are still found; the longest texts are cut until the event has at most 64 KiB;
//! what was cut is listed in `metadata.import_cut`, and the event has the tag `import` `cut`.

use recount_event::limits::{
    ACTION_CHARS_MAX, CHANGE_FIELD_CHARS_MAX, CHANGES_MAX, CONTEXT_ID_CHARS_MAX, DEPTH_MAX,
    DESCRIPTION_CHARS_MAX, EMAIL_CHARS_MAX, EVENT_BYTES_MAX, ID_CHARS_MAX, LOCATION_CHARS_MAX,
    METADATA_MEMBERS_MAX, NAME_CHARS_MAX, NUMBER_CHARS_MAX, REASON_CHARS_MAX, REF_ID_CHARS_MAX,
    SOURCE_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_MAX, TARGETS_MAX, TYPE_CHARS_MAX, USER_AGENT_CHARS_MAX,
};
use sha2::{Digest, Sha256};

use super::json::{Json, Tree};
use super::parts::{Entity, Parts};

/// The member of `metadata` that lists what was cut.
pub const CUT_MEMBER: &str = "import_cut";
/// The tag of an event of which something was cut.
pub const CUT_TAG: (&str, &str) = ("import", "cut");
/// Levels that a value of `metadata` may have: the event and `metadata` are two.
const VALUE_DEPTH_MAX: usize = DEPTH_MAX - 2;
/// Longest name of a member of `metadata` that is kept whole.
const MEMBER_NAME_CHARS_MAX: usize = 256;
/// Members that are left for what the cutting itself adds.
const MEMBERS_RESERVED: usize = 8;
/// Entries of the list of what was cut.
const NOTES_MAX: usize = 20;
/// Bytes that are left for that list and the tag.
const BYTES_RESERVED: usize = 8 * 1024;
/// A longer entry loses its middle, so that all of them fit into those bytes, escaped.
const NOTE_CHARS_MAX: usize = 96;
/// Longest text that marks a cut, in bytes.
const MARKER_BYTES_MAX: usize = 64;
/// A text that was cut for want of room keeps at least so many bytes.
const KEPT_BYTES_MIN: usize = 256;

/// Cuts whatever is over a limit. Returns whether anything was.
pub fn fit(parts: &mut Parts) -> bool {
    let mut notes = Notes(Vec::new());
    fit_texts(parts, &mut notes);
    fit_lists(parts, &mut notes);
    let mut metadata = trees(&parts.metadata);
    fit_shape(&mut metadata, "/metadata", &mut notes);
    for (index, change) in parts.changes.iter_mut().enumerate() {
        for (name, value) in [("before", &mut change.before), ("after", &mut change.after)] {
            if let Some(raw) = value {
                let place = format!("/changes/{index}/{name}");
                let mut value = tree(raw);
                // A change's value is one level further down than one of `metadata`.
                deepen(&mut value, VALUE_DEPTH_MAX - 1, &place, &mut notes);
                tidy(&mut value);
                *raw = value.to_json();
            }
        }
    }
    parts.metadata = texts(&metadata);
    fit_bytes(parts, &mut metadata, &mut notes);
    if notes.0.is_empty() {
        return false;
    }
    let list = Tree::Array(notes.0.into_iter().take(NOTES_MAX).map(Tree::Text).collect());
    parts.metadata.push((CUT_MEMBER.to_owned(), list.to_json()));
    parts.tags.retain(|(name, _)| name != CUT_TAG.0);
    parts.tags.truncate(TAGS_MAX - 1);
    parts.tags.push((CUT_TAG.0.to_owned(), CUT_TAG.1.to_owned()));
    true
}

struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, note: &str) {
        if self.0.len() >= NOTES_MAX {
            return;
        }
        let chars: Vec<char> = note.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (head, tail) = (NOTE_CHARS_MAX / 2 - 1, NOTE_CHARS_MAX / 2);
        self.0.push(if chars.len() <= NOTE_CHARS_MAX {
            chars.into_iter().collect()
        } else {
            chars[..head].iter().chain(['…'].iter()).chain(&chars[chars.len() - tail..]).collect()
        });
    }

    /// Cuts a text to so many characters, and takes out control characters.
    fn line(&mut self, text: &mut String, chars_max: usize, place: &str) {
        if text.chars().any(char::is_control) {
            *text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        }
        self.cut(text, chars_max, place);
    }

    fn cut(&mut self, text: &mut String, chars_max: usize, place: &str) {
        let chars = text.chars().count();
        if chars > chars_max {
            *text = text.chars().take(chars_max - 1).chain(['…']).collect();
            self.add(&format!("{place}: {chars} characters cut to {chars_max}"));
        }
    }
}

fn fit_texts(parts: &mut Parts, notes: &mut Notes) {
    if parts.id.chars().count() > ID_CHARS_MAX || parts.id.chars().any(char::is_control) {
        // An id keeps telling events apart: it is replaced by its hash rather than cut.
        let digest = Sha256::digest(parts.id.as_bytes());
        let hex: String = digest[..20].iter().map(|byte| format!("{byte:02x}")).collect();
        notes.add(&format!("/id: replaced by the hash of {} characters", parts.id.chars().count()));
        parts.id = format!("sha256:{hex}");
    }
    notes.line(&mut parts.action, ACTION_CHARS_MAX, "/action");
    // The marker of a cut action would not be a character of an action.
    parts.action = parts.action.replace('…', "_");
    fit_entity(&mut parts.actor, "/actor", notes);
    for (name, value) in &mut parts.context {
        let chars_max = match *name {
            "user_agent" => USER_AGENT_CHARS_MAX,
            "location" => LOCATION_CHARS_MAX,
            _ => CONTEXT_ID_CHARS_MAX,
        };
        notes.line(value, chars_max, &format!("/context/{name}"));
    }
    if let Some(source) = &mut parts.source {
        notes.line(source, SOURCE_CHARS_MAX, "/source");
    }
    let prose = [
        (&mut parts.description, DESCRIPTION_CHARS_MAX, "/description"),
        (&mut parts.reason, REASON_CHARS_MAX, "/reason"),
    ];
    for (text, chars_max, place) in prose {
        if let Some(text) = text {
            text.retain(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
            notes.cut(text, chars_max, place);
        }
    }
    for (name, value) in &mut parts.tags {
        notes.line(value, TAG_VALUE_CHARS_MAX, &format!("/tags/{name}"));
    }
}

fn fit_entity(entity: &mut Entity, place: &str, notes: &mut Notes) {
    notes.line(&mut entity.kind, TYPE_CHARS_MAX, &format!("{place}/type"));
    entity.kind = entity.kind.replace('…', "_");
    notes.line(&mut entity.id, REF_ID_CHARS_MAX, &format!("{place}/id"));
    if let Some(name) = &mut entity.name {
        notes.line(name, NAME_CHARS_MAX, &format!("{place}/name"));
    }
    if let Some(email) = &mut entity.email {
        notes.line(email, EMAIL_CHARS_MAX, &format!("{place}/email"));
    }
    let mut metadata = trees(&entity.metadata);
    for (_, value) in &mut metadata {
        // A target's metadata is two levels further down than the event's.
        deepen(value, VALUE_DEPTH_MAX - 2, &format!("{place}/metadata"), notes);
        tidy(value);
    }
    thin(&mut metadata, METADATA_MEMBERS_MAX - MEMBERS_RESERVED, &format!("{place}/metadata"), notes);
    entity.metadata = texts(&metadata);
}

fn fit_lists(parts: &mut Parts, notes: &mut Notes) {
    for (list, found, kept) in
        [("targets", parts.targets.len(), TARGETS_MAX), ("changes", parts.changes.len(), CHANGES_MAX)]
    {
        if found > kept {
            notes.add(&format!("/{list}: {found} cut to {kept}"));
        }
    }
    parts.targets.truncate(TARGETS_MAX);
    parts.changes.truncate(CHANGES_MAX);
    for (index, target) in parts.targets.iter_mut().enumerate() {
        fit_entity(target, &format!("/targets/{index}"), notes);
    }
    for (index, change) in parts.changes.iter_mut().enumerate() {
        notes.line(&mut change.field, CHANGE_FIELD_CHARS_MAX, &format!("/changes/{index}/field"));
    }
}

fn tree(raw: &str) -> Tree {
    Json::parse(raw).map_or_else(|_| Tree::Text(raw.to_owned()), |json| Tree::of(&json))
}

fn trees(members: &[(String, String)]) -> Vec<(String, Tree)> {
    members.iter().map(|(name, raw)| (name.clone(), tree(raw))).collect()
}

fn texts(members: &[(String, Tree)]) -> Vec<(String, String)> {
    members.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
}

fn fit_shape(metadata: &mut Vec<(String, Tree)>, place: &str, notes: &mut Notes) {
    for (name, value) in metadata.iter_mut() {
        deepen(value, VALUE_DEPTH_MAX, &format!("{place}/{name}"), notes);
        tidy(value);
    }
    tidy_names(metadata);
    thin(metadata, METADATA_MEMBERS_MAX - MEMBERS_RESERVED, place, notes);
}

/// Replaces what is deeper than `levels` by the text of its JSON.
fn deepen(value: &mut Tree, levels: usize, place: &str, notes: &mut Notes) {
    let is_container = matches!(value, Tree::Object(_) | Tree::Array(_));
    if is_container && levels == 0 {
        *value = Tree::Text(value.to_json());
        notes.add(&format!("{place}: nested too deep, kept as text"));
        return;
    }
    match value {
        Tree::Object(members) => {
            for (name, inner) in members {
                deepen(inner, levels - 1, &format!("{place}/{name}"), notes);
            }
        }
        Tree::Array(elements) => {
            for (index, inner) in elements.iter_mut().enumerate() {
                deepen(inner, levels - 1, &format!("{place}/{index}"), notes);
            }
        }
        _ => {}
    }
}

/// Shortens names and numbers that are too long, and makes names of one object differ.
fn tidy(value: &mut Tree) {
    match value {
        Tree::Object(members) => {
            tidy_names(members);
            for (_, inner) in members {
                tidy(inner);
            }
        }
        Tree::Array(elements) => elements.iter_mut().for_each(tidy),
        Tree::Other(raw) if raw.len() > NUMBER_CHARS_MAX || is_infinite(raw) => {
            *value = Tree::Text(raw.clone());
        }
        _ => {}
    }
}

fn is_infinite(raw: &str) -> bool {
    raw.parse::<f64>().is_ok_and(f64::is_infinite)
}

fn tidy_names(members: &mut [(String, Tree)]) {
    for index in 0..members.len() {
        let name = &members[index].0;
        let clean: String =
            name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MEMBER_NAME_CHARS_MAX).collect();
        let clean = if clean.is_empty() { "_".to_owned() } else { clean };
        if clean == *name && !members[..index].iter().any(|(other, _)| *other == clean) {
            continue;
        }
        let mut candidate = clean.clone();
        let mut number = 2;
        while members[..index].iter().any(|(other, _)| *other == candidate) {
            candidate = format!("{clean}~{number}");
            number += 1;
        }
        members[index].0 = candidate;
    }
}

/// Replaces the objects with most members by the text of their JSON until few enough are left.
fn thin(members: &mut Vec<(String, Tree)>, members_max: usize, place: &str, notes: &mut Notes) {
    let count = |members: &[(String, Tree)]| {
        members.len() + members.iter().map(|(_, value)| value.members()).sum::<usize>()
    };
    while count(members) > members_max {
        let heaviest = members
            .iter_mut()
            .filter(|(_, value)| value.members() > 0)
            .max_by_key(|(_, value)| value.members());
        let Some((name, value)) = heaviest else { break };
        notes.add(&format!("{place}/{name}: {} members, kept as text", value.members()));
        *value = Tree::Text(value.to_json());
    }
    if members.len() > members_max {
        let rest = Tree::Object(members.split_off(members_max - 1));
        notes.add(&format!("{place}: {} members, the rest kept as text", members.len() + rest.members()));
        members.push(("import_rest".to_owned(), Tree::Text(rest.to_json())));
    }
}

/// Cuts the longest texts of `metadata`, then of `changes` and targets, until the event fits.
fn fit_bytes(parts: &mut Parts, metadata: &mut Vec<(String, Tree)>, notes: &mut Notes) {
    let room = EVENT_BYTES_MAX - BYTES_RESERVED;
    let mut size = parts.to_line().len();
    let mut longest = room;
    while size > room && longest >= KEPT_BYTES_MIN {
        for (name, value) in metadata.iter_mut() {
            cut_texts(value, longest, &format!("/metadata/{name}"), notes);
        }
        longest /= 2;
        parts.metadata = texts(metadata);
        size = parts.to_line().len();
    }
    while size > room && !metadata.is_empty() {
        let heaviest =
            (0..metadata.len()).max_by_key(|index| metadata[*index].1.to_json().len()).unwrap_or(0);
        let (name, value) = metadata.remove(heaviest);
        notes.add(&format!("/metadata/{name}: {} bytes left out", value.to_json().len()));
        parts.metadata = texts(metadata);
        size = parts.to_line().len();
    }
    for (list, keep) in [("changes", true), ("targets", false)] {
        while size > room {
            let (before, left) = if keep {
                let before = parts.changes.len();
                parts.changes.truncate(before / 2);
                (before, parts.changes.len())
            } else {
                let before = parts.targets.len();
                parts.targets.truncate(before / 2);
                (before, parts.targets.len())
            };
            if before == 0 {
                break;
            }
            notes.add(&format!("/{list}: {before} cut to {left} for want of room"));
            size = parts.to_line().len();
        }
    }
}

/// Cuts every text in a value that is longer than `bytes_max`.
fn cut_texts(value: &mut Tree, bytes_max: usize, place: &str, notes: &mut Notes) {
    match value {
        Tree::Text(text) if text.len() > bytes_max => {
            let from = text.len();
            let mut end = bytes_max - MARKER_BYTES_MAX;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str(&format!("…[{} bytes cut]", from - end));
            notes.add(&format!("{place}: a text of {from} bytes cut"));
        }
        Tree::Object(members) => {
            for (name, inner) in members {
                cut_texts(inner, bytes_max, &format!("{place}/{name}"), notes);
            }
        }
        Tree::Array(elements) => {
            for (index, inner) in elements.iter_mut().enumerate() {
                cut_texts(inner, bytes_max, &format!("{place}/{index}"), notes);
            }
        }
        Tree::Text(_) | Tree::Other(_) => {}
    }
}

#[cfg(test)]
mod tests;
