//! Writes the normal form of a checked event.

use super::members::{CONTEXT_MEMBERS, Event};
use crate::TenantId;
use crate::json::compact::Raw;
use crate::json::escape::write_string;
use crate::json::text::Text;

/// What the normal form can have that the sender's text had not: an assigned id,
/// the tenant, the outcome.
const ADDED_BYTES: usize = 224;

impl Event<'_> {
    /// The normal form, with the id and tenant that the event has in the end.
    /// `sent_bytes` sizes the buffer.
    pub(crate) fn normal_form(&self, id: &str, tenant: &TenantId, sent_bytes: usize) -> String {
        let mut out = String::with_capacity(sent_bytes + ADDED_BYTES);
        out.push_str("{\"id\":");
        write_string(id, &mut out);
        out.push_str(",\"tenant\":\"");
        out.push_str(tenant.as_str());
        out.push_str("\",\"occurred_at\":\"");
        self.occurred_at.write_to(&mut out);
        out.push_str("\",\"action\":");
        self.action.write_normal(&mut out);
        out.push_str(",\"outcome\":\"");
        out.push_str(self.outcome.as_str());
        out.push('"');
        self.write_actor(&mut out);
        self.write_targets(&mut out);
        self.write_context(&mut out);
        text(&mut out, ",\"source\":", self.source.as_ref());
        text(&mut out, ",\"description\":", self.description.as_ref());
        text(&mut out, ",\"reason\":", self.reason.as_ref());
        self.write_changes(&mut out);
        raw(&mut out, ",\"tags\":", self.tags.as_ref());
        raw(&mut out, ",\"metadata\":", self.metadata.as_ref());
        out.push('}');
        out
    }

    fn write_actor(&self, out: &mut String) {
        out.push_str(",\"actor\":");
        if self.actor.raw.tidy {
            out.push_str(self.actor.raw.text);
            return;
        }
        out.push_str("{\"type\":");
        self.actor.kind.write_normal(out);
        text(out, ",\"id\":", Some(&self.actor.id));
        text(out, ",\"name\":", self.actor.name.as_ref());
        text(out, ",\"email\":", self.actor.email.as_ref());
        raw(out, ",\"metadata\":", self.actor.metadata.as_ref());
        out.push('}');
    }

    fn write_targets(&self, out: &mut String) {
        let Some(targets) = &self.targets else { return };
        out.push_str(",\"targets\":");
        if targets.raw.tidy {
            out.push_str(targets.raw.text);
            return;
        }
        out.push('[');
        for (index, target) in targets.items.iter().enumerate() {
            out.push_str(if index == 0 { "{\"type\":" } else { ",{\"type\":" });
            target.kind.write_normal(out);
            text(out, ",\"id\":", Some(&target.id));
            text(out, ",\"name\":", target.name.as_ref());
            raw(out, ",\"metadata\":", target.metadata.as_ref());
            out.push('}');
        }
        out.push(']');
    }

    fn write_context(&self, out: &mut String) {
        let Some(context) = &self.context else { return };
        out.push_str(",\"context\":");
        if context.raw.tidy {
            out.push_str(context.raw.text);
            return;
        }
        out.push('{');
        let mut first = true;
        for ((_, name), member) in CONTEXT_MEMBERS.iter().zip(&context.members) {
            let Some(member) = member else { continue };
            out.push_str(if first { "\"" } else { ",\"" });
            out.push_str(name);
            out.push_str("\":");
            member.write_normal(out);
            first = false;
        }
        out.push('}');
    }

    fn write_changes(&self, out: &mut String) {
        let Some(changes) = &self.changes else { return };
        out.push_str(",\"changes\":");
        if changes.raw.tidy {
            out.push_str(changes.raw.text);
            return;
        }
        out.push('[');
        for (index, change) in changes.items.iter().enumerate() {
            out.push_str(if index == 0 { "{\"field\":" } else { ",{\"field\":" });
            change.field.write_normal(out);
            raw(out, ",\"before\":", change.before.as_ref());
            raw(out, ",\"after\":", change.after.as_ref());
            out.push('}');
        }
        out.push(']');
    }
}

fn text(out: &mut String, name: &str, member: Option<&Text<'_>>) {
    if let Some(member) = member {
        out.push_str(name);
        member.write_normal(out);
    }
}

fn raw(out: &mut String, name: &str, member: Option<&Raw<'_>>) {
    if let Some(member) = member {
        out.push_str(name);
        member.write_normal(out);
    }
}
