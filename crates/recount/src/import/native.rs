//! Recount's own events, as `recount export` writes them, without a map.

use super::json::{Json, push_string};
use super::map::RecordError;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Native {
    /// An event to send.
    Event(String),
    /// An event that another Recount wrote about itself; it does not belong to this log.
    Own,
}

/// Members that a server adds when it serves an event.
const SERVED_MEMBERS: [&str; 2] = ["seq", "received_at"];

/// Takes an event as it is, without what a server added, for that tenant if one is given.
///
/// # Errors
/// If the record is not an object.
pub fn native_event(record: &Json<'_>, tenant: Option<&str>) -> Result<Native, RecordError> {
    if !record.is_object() {
        return Err(RecordError::NotAnObject(
            "the record is not an event: it is not a JSON object".to_owned(),
        ));
    }
    let is_own = record.members().iter().any(|(name, value)| {
        (name == "action" && value.raw().starts_with("\"recount."))
            || (name == "source" && value.raw() == "\"recount\"")
    });
    if is_own {
        return Ok(Native::Own);
    }
    let mut line = String::with_capacity(record.raw().len() + 32);
    line.push('{');
    let mut write = |name: &str, raw: &str| {
        if line.len() > 1 {
            line.push(',');
        }
        push_string(&mut line, name);
        line.push(':');
        line.push_str(raw);
    };
    for (name, value) in record.members() {
        let replaced = tenant.is_some() && name == "tenant";
        if !replaced && !SERVED_MEMBERS.contains(&name.as_ref()) {
            write(name, value.raw());
        }
    }
    if let Some(tenant) = tenant {
        write("tenant", &serde_json::to_string(tenant).expect("a string is always JSON"));
    }
    line.push('}');
    Ok(Native::Event(line))
}

/// Turns a row whose columns are named as `actor.id` into the nested record that it means.
#[must_use]
pub fn nested(record: &Json<'_>) -> String {
    let mut groups: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (name, value) in record.members() {
        let (group, inner) = name.split_once('.').unwrap_or((name, ""));
        let raw = value.text().filter(|text| text.starts_with(['{', '[']) && Json::parse(text).is_ok());
        let raw = raw.map_or_else(|| value.raw().to_owned(), std::borrow::Cow::into_owned);
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, members)) => members.push((inner.to_owned(), raw)),
            None => groups.push((group.to_owned(), vec![(inner.to_owned(), raw)])),
        }
    }
    let mut out = String::from("{");
    for (index, (group, members)) in groups.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(&mut out, group);
        out.push(':');
        if let [(inner, raw)] = members.as_slice()
            && inner.is_empty()
        {
            out.push_str(raw);
            continue;
        }
        out.push('{');
        for (index, (inner, raw)) in members.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_string(&mut out, inner);
            out.push(':');
            out.push_str(raw);
        }
        out.push('}');
    }
    out.push('}');
    out
}
