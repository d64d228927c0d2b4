//! One event while it is made, and its JSON in the order of the normal form.

use std::fmt::Write as _;

use recount_event::Timestamp;

use crate::random::Random;

/// What happened in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    Denied,
}

/// Who did it.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// What it was done to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: String,
}

/// From where it was done.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) ip: String,
    pub(crate) user_agent: String,
    pub(crate) location: Option<String>,
    pub(crate) session_id: Option<String>,
}

/// A value in `changes` or `metadata`.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
    List(Vec<&'static str>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// An event before it is a line.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) action: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) actor: Actor,
    pub(crate) targets: Vec<Target>,
    pub(crate) context: Option<Context>,
    pub(crate) source: &'static str,
    pub(crate) description: String,
    pub(crate) reason: Option<String>,
    pub(crate) changes: Vec<(&'static str, Value, Value)>,
    pub(crate) tags: Vec<(&'static str, &'static str)>,
    pub(crate) metadata: Vec<(&'static str, Value)>,
}

impl Draft {
    /// A successful event without anything optional.
    pub(crate) fn new(action: &'static str, actor: Actor, description: String) -> Self {
        Self {
            action,
            outcome: Outcome::Success,
            actor,
            targets: Vec::new(),
            context: None,
            source: "app",
            description,
            reason: None,
            changes: Vec::new(),
            tags: Vec::new(),
            metadata: Vec::new(),
        }
    }

    /// The same with another outcome.
    pub(crate) fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The same with one more target.
    pub(crate) fn on(mut self, kind: &'static str, id: impl Into<String>, name: impl Into<String>) -> Self {
        self.targets.push(Target { kind, id: id.into(), name: name.into() });
        self
    }

    /// The same from this place.
    pub(crate) fn from(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// The same with one more change.
    pub(crate) fn change(
        mut self,
        field: &'static str,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Self {
        self.changes.push((field, before.into(), after.into()));
        self
    }

    /// The same with one more member of `metadata`.
    pub(crate) fn meta(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.metadata.push((name, value.into()));
        self
    }

    /// The same with a tag, in place of one of that name.
    pub(crate) fn tag(mut self, name: &'static str, value: &'static str) -> Self {
        self.tags.retain(|(other, _)| *other != name);
        self.tags.push((name, value));
        self
    }

    /// The same with a reason.
    pub(crate) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Writes the event as one line of JSON. The id has the form of a UUIDv7 of that time.
    pub(crate) fn write(&self, tenant: &str, occurred_at: Timestamp, random: &mut Random, out: &mut String) {
        let millis = (occurred_at.as_micros() / 1_000) as u64;
        let (high, low) = (random.next(), random.next());
        out.push_str("{\"id\":\"");
        push(out, format_args!("{:08x}-{:04x}-7{:03x}-", millis >> 16, millis & 0xffff, high & 0xfff));
        push(out, format_args!("{:04x}-{:012x}", 0x8000 | (high >> 48 & 0x3fff), low & 0xffff_ffff_ffff));
        out.push_str("\",\"tenant\":");
        push_string(out, tenant);
        push(out, format_args!(",\"occurred_at\":\"{occurred_at}\",\"action\":\"{}\"", self.action));
        out.push_str(match self.outcome {
            Outcome::Success => ",\"outcome\":\"success\"",
            Outcome::Failure => ",\"outcome\":\"failure\"",
            Outcome::Denied => ",\"outcome\":\"denied\"",
        });
        self.write_actor(out);
        self.write_targets(out);
        self.write_context(random, out);
        push(out, format_args!(",\"source\":\"{}\",\"description\":", self.source));
        push_string(out, &self.description);
        if let Some(reason) = &self.reason {
            out.push_str(",\"reason\":");
            push_string(out, reason);
        }
        self.write_details(out);
        out.push('}');
    }

    fn write_actor(&self, out: &mut String) {
        push(out, format_args!(",\"actor\":{{\"type\":\"{}\",\"id\":", self.actor.kind));
        push_string(out, &self.actor.id);
        out.push_str(",\"name\":");
        push_string(out, &self.actor.name);
        if let Some(email) = &self.actor.email {
            out.push_str(",\"email\":");
            push_string(out, email);
        }
        out.push('}');
    }

    fn write_targets(&self, out: &mut String) {
        if self.targets.is_empty() {
            return;
        }
        out.push_str(",\"targets\":[");
        for (index, target) in self.targets.iter().enumerate() {
            push(out, format_args!("{}{{\"type\":\"{}\",\"id\":", comma(index), target.kind));
            push_string(out, &target.id);
            out.push_str(",\"name\":");
            push_string(out, &target.name);
            out.push('}');
        }
        out.push(']');
    }

    fn write_context(&self, random: &mut Random, out: &mut String) {
        let Some(context) = &self.context else { return };
        push(out, format_args!(",\"context\":{{\"ip\":\"{}\",\"user_agent\":", context.ip));
        push_string(out, &context.user_agent);
        if let Some(location) = &context.location {
            out.push_str(",\"location\":");
            push_string(out, location);
        }
        if let Some(session) = &context.session_id {
            push(out, format_args!(",\"session_id\":\"{session}\""));
        }
        push(out, format_args!(",\"request_id\":\"req_{}\"}}", random.hex(16)));
    }

    fn write_details(&self, out: &mut String) {
        if !self.changes.is_empty() {
            out.push_str(",\"changes\":[");
            for (index, (field, before, after)) in self.changes.iter().enumerate() {
                push(out, format_args!("{}{{\"field\":\"{field}\",\"before\":", comma(index)));
                push_value(out, before);
                out.push_str(",\"after\":");
                push_value(out, after);
                out.push('}');
            }
            out.push(']');
        }
        if !self.tags.is_empty() {
            out.push_str(",\"tags\":{");
            for (index, (name, value)) in self.tags.iter().enumerate() {
                push(out, format_args!("{}\"{name}\":\"{value}\"", comma(index)));
            }
            out.push('}');
        }
        if !self.metadata.is_empty() {
            out.push_str(",\"metadata\":{");
            for (index, (name, value)) in self.metadata.iter().enumerate() {
                push(out, format_args!("{}\"{name}\":", comma(index)));
                push_value(out, value);
            }
            out.push('}');
        }
    }
}

fn comma(index: usize) -> &'static str {
    if index == 0 { "" } else { "," }
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("writing to a string cannot fail");
}

fn push_value(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) => push_string(out, text),
        Value::Number(number) => push(out, format_args!("{number}")),
        Value::Flag(flag) => push(out, format_args!("{flag}")),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(comma(index));
                push_string(out, item);
            }
            out.push(']');
        }
    }
}

/// Pushes a JSON string. The generator's texts hold no control characters.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        match part.as_bytes().last() {
            Some(b'"' | b'\\') => {
                let (head, last) = part.split_at(part.len() - 1);
                out.push_str(head);
                out.push('\\');
                out.push_str(last);
            }
            _ => out.push_str(part),
        }
    }
    out.push('"');
}
