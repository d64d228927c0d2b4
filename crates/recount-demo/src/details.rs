//! What is known of an action besides who, what and where: changes, reasons, metadata.

use crate::draft::{Draft, Outcome, Value};
use crate::people::Person;
use crate::random::Random;

/// Roles of every company.
pub(crate) const ROLES: [&str; 7] =
    ["Viewer", "Editor", "Billing admin", "Support agent", "Auditor", "Developer", "Owner"];
/// Groups of every company.
pub(crate) const GROUPS: [&str; 8] =
    ["Everyone", "Finance", "Engineering", "Support", "Contractors", "Leadership", "Security", "Sales EMEA"];

impl Draft {
    /// Sets the outcome, and for what did not work the reason.
    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        match outcome {
            Outcome::Success => self,
            Outcome::Denied => {
                self.changes.clear();
                self.tag("severity", "medium").meta("error", "missing_permission")
            }
            Outcome::Failure => {
                self.changes.clear();
                self.meta("error", "upstream_timeout").meta("status", 504)
            }
        }
    }
}

/// A person signs in.
pub(crate) fn login(random: &mut Random, person: &Person, context: crate::draft::Context) -> Draft {
    let method = if random.chance(700) { "sso" } else { "password" };
    let description = format!("{} signed in", person.actor.name);
    Draft::new("user.login", person.actor.clone(), description)
        .on("user", person.actor.id.clone(), person.actor.name.clone())
        .from(context)
        .meta("method", method)
        .meta("mfa", if random.chance(640) { "push" } else { "webauthn" })
}

/// A person mistypes their password.
pub(crate) fn login_failed(person: &Person, context: crate::draft::Context) -> Draft {
    let description = format!("{} failed to sign in", person.actor.name);
    Draft::new("user.login", person.actor.clone(), description)
        .outcome(Outcome::Failure)
        .on("user", person.actor.id.clone(), person.actor.name.clone())
        .from(crate::draft::Context { session_id: None, ..context })
        .meta("method", "password")
        .meta("error", "invalid_password")
}

/// What an action changed, and what else is known of it.
pub(crate) fn details(random: &mut Random, action: &str, draft: Draft) -> Draft {
    let plans = ["free", "team", "business", "enterprise"];
    match action {
        "role.updated" => {
            let before = random.between(1, 20) * 50;
            draft.change("max_refund_usd", before, before + random.between(1, 10) * 50).change(
                "permissions",
                Value::List(vec!["invoices.read"]),
                Value::List(vec!["invoices.read", "invoices.refund"]),
            )
        }
        "user.role_assigned" => draft.change("role", *random.pick(&ROLES[..3]), *random.pick(&ROLES[2..6])),
        "user.role_removed" => draft.change("role", *random.pick(&ROLES[2..6]), *random.pick(&ROLES[..2])),
        "settings.updated" => match random.below(3) {
            0 => draft.change("session_timeout_minutes", 480, *random.pick(&[240u64, 720, 60])),
            1 => draft.change("default_locale", "en-GB", "en-US"),
            _ => draft.change("public_links", true, false),
        },
        "ip_allowlist.updated" => draft.change(
            "ranges",
            Value::List(vec!["192.0.2.0/24"]),
            Value::List(vec!["192.0.2.0/24", "198.18.0.0/15"]),
        ),
        "customer.updated" => draft.change("tier", *random.pick(&plans), *random.pick(&plans)),
        "plan.changed" => draft.change("plan", *random.pick(&plans), *random.pick(&plans)),
        "user.updated" => draft.change("department", *random.pick(&GROUPS), *random.pick(&GROUPS)),
        "project.updated" => draft.change("status", "active", "on_hold"),
        "document.shared" => draft.meta("with", *random.pick(&GROUPS)).meta("permission", "view"),
        "document.viewed" | "document.downloaded" => {
            draft.meta("size_bytes", random.between(4_000, 9_000_000))
        }
        "report.exported" => draft.meta("format", "csv").meta("rows", random.between(40, 4_000)),
        "customer.exported" => {
            draft.meta("format", "csv").meta("rows", random.between(100, 900)).tag("severity", "medium")
        }
        "invoice.refunded" => draft.meta("amount_usd", random.between(20, 480)).because("customer request"),
        "invoice.created" | "invoice.paid" => {
            draft.meta("amount_usd", random.between(90, 19_000)).meta("currency", "USD")
        }
        "user.mfa_reset" => {
            draft.because(format!("ticket HD-{}", random.between(4_000, 9_999))).tag("severity", "medium")
        }
        "api_key.created" => {
            draft.meta("scopes", Value::List(vec!["customers:read"])).meta("expires_in_days", 90)
        }
        "data.queried" => {
            draft.meta("rows", random.between(1, 50_000)).meta("duration_ms", random.between(3, 2_400))
        }
        "deployment.started" | "deployment.completed" => draft
            .meta("version", format!("2026.{}.{}", random.between(1, 48), random.between(0, 9)))
            .meta("commit", random.hex(12)),
        "backup.created" => draft.meta("size_bytes", random.between(40_000_000_000, 41_000_000_000)),
        "integration.synced" => {
            draft.meta("records", random.between(0, 900)).meta("duration_ms", random.between(200, 9_000))
        }
        "audit_log.viewed" => draft.meta("filter", "outcome:denied"),
        _ => draft.meta("via", if random.chance(850) { "web" } else { "api" }),
    }
}
