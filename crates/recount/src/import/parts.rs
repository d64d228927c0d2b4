//! An event in its parts, between a map and the line that is sent.

use super::json::push_string;

/// An actor or a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entity {
    /// What kind of thing it is.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its e-mail address (actors only).
    pub email: Option<String>,
    /// Anything else, as members of raw JSON.
    pub metadata: Vec<(String, String)>,
}

/// One changed field; before and after as raw JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed.
    pub field: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is now.
    pub after: Option<String>,
}

/// An event before it is a line. Metadata values and changes are raw JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The event's id.
    pub id: String,
    /// Its tenant, if the credential does not say.
    pub tenant: Option<String>,
    /// RFC 3339.
    pub occurred_at: String,
    /// What was done.
    pub action: String,
    /// `success`, `failure` or `denied`.
    pub outcome: String,
    /// Who did it.
    pub actor: Entity,
    /// What it was done to.
    pub targets: Vec<Entity>,
    /// Members of `context`.
    pub context: Vec<(&'static str, String)>,
    /// The system that said so.
    pub source: Option<String>,
    /// A sentence.
    pub description: Option<String>,
    /// Why it was done.
    pub reason: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
    /// Short labels.
    pub tags: Vec<(String, String)>,
    /// Anything else.
    pub metadata: Vec<(String, String)>,
}

impl Parts {
    /// The event as one line of JSON, in the order of the normal form.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut line = Line { out: String::with_capacity(1_024), first: true };
        line.out.push('{');
        line.text("id", &self.id);
        line.optional("tenant", self.tenant.as_deref());
        line.text("occurred_at", &self.occurred_at);
        line.text("action", &self.action);
        line.text("outcome", &self.outcome);
        line.name("actor");
        line.entity(&self.actor);
        if !self.targets.is_empty() {
            line.name("targets");
            line.list('[', ']', &self.targets, Line::entity);
        }
        if !self.context.is_empty() {
            line.name("context");
            line.list('{', '}', &self.context, |line, (name, value)| line.pair(name, value));
        }
        line.optional("source", self.source.as_deref());
        line.optional("description", self.description.as_deref());
        line.optional("reason", self.reason.as_deref());
        if !self.changes.is_empty() {
            line.name("changes");
            line.list('[', ']', &self.changes, Line::change);
        }
        if !self.tags.is_empty() {
            line.name("tags");
            line.list('{', '}', &self.tags, |line, (name, value)| line.pair(name, value));
        }
        line.raw_members("metadata", &self.metadata);
        line.out.push('}');
        line.out
    }
}

struct Line {
    out: String,
    first: bool,
}

impl Line {
    fn name(&mut self, name: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        push_string(&mut self.out, name);
        self.out.push(':');
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_string(&mut self.out, value);
    }

    fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A member of a list in braces, without regard to `first`.
    fn pair(&mut self, name: &str, value: &str) {
        push_string(&mut self.out, name);
        self.out.push(':');
        push_string(&mut self.out, value);
    }

    fn list<T>(&mut self, open: char, close: char, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.out.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(close);
    }

    fn entity(&mut self, entity: &Entity) {
        let first = std::mem::replace(&mut self.first, true);
        self.out.push('{');
        self.text("type", &entity.kind);
        self.text("id", &entity.id);
        self.optional("name", entity.name.as_deref());
        self.optional("email", entity.email.as_deref());
        self.raw_members("metadata", &entity.metadata);
        self.out.push('}');
        self.first = first;
    }

    fn change(&mut self, change: &Change) {
        let first = std::mem::replace(&mut self.first, true);
        self.out.push('{');
        self.text("field", &change.field);
        for (name, value) in [("before", &change.before), ("after", &change.after)] {
            if let Some(raw) = value {
                self.name(name);
                self.out.push_str(raw);
            }
        }
        self.out.push('}');
        self.first = first;
    }

    fn raw_members(&mut self, name: &str, members: &[(String, String)]) {
        if members.is_empty() {
            return;
        }
        self.name(name);
        self.list('{', '}', members, |line, (name, raw)| {
            push_string(&mut line.out, name);
            line.out.push(':');
            line.out.push_str(raw);
        });
    }
}
