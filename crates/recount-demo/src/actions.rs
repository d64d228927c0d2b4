//! What people and services do: some sixty actions with how often each happens.

use crate::people::{Duty, ServiceRole};

/// Who takes an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Everybody.
    Anyone,
    /// People of one duty (and sometimes others, who are denied).
    Only(Duty),
    /// A service.
    Service(ServiceRole),
}

/// One kind of action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) by: By,
    /// How often, relative to the others of the same people.
    pub(crate) weight: u32,
    /// The type of what it is done to.
    pub(crate) target: &'static str,
    /// The sentence, after the actor and before the target's name.
    pub(crate) verb: &'static str,
}

const fn action(name: &'static str, by: By, weight: u32, target: &'static str, verb: &'static str) -> Action {
    Action { name, by, weight, target, verb }
}

const ADMIN: By = By::Only(Duty::Admin);
const FINANCE: By = By::Only(Duty::Finance);
const ENGINEER: By = By::Only(Duty::Engineer);
const SECURITY: By = By::Only(Duty::Security);

/// All actions but those that sessions bring about by themselves (logins, challenges).
pub(crate) const ACTIONS: [Action; 62] = [
    action("document.viewed", By::Anyone, 300, "document", "viewed"),
    action("document.created", By::Anyone, 60, "document", "created"),
    action("document.updated", By::Anyone, 150, "document", "updated"),
    action("document.deleted", By::Anyone, 12, "document", "deleted"),
    action("document.restored", By::Anyone, 2, "document", "restored"),
    action("document.downloaded", By::Anyone, 45, "document", "downloaded"),
    action("document.shared", By::Anyone, 30, "document", "shared"),
    action("document.share_revoked", By::Anyone, 6, "document", "stopped sharing"),
    action("comment.created", By::Anyone, 70, "document", "commented on"),
    action("project.viewed", By::Anyone, 110, "project", "opened project"),
    action("project.created", By::Anyone, 5, "project", "created project"),
    action("project.updated", By::Anyone, 20, "project", "updated project"),
    action("project.archived", By::Anyone, 2, "project", "archived project"),
    action("project.member_added", By::Anyone, 9, "project", "added a member to project"),
    action("customer.viewed", By::Anyone, 140, "customer", "viewed customer"),
    action("customer.updated", By::Anyone, 35, "customer", "updated customer"),
    action("report.viewed", By::Anyone, 60, "report", "viewed report"),
    action("report.exported", By::Anyone, 8, "report", "exported report"),
    action("user.profile_updated", By::Anyone, 4, "user", "changed the profile of"),
    action("user.password_changed", By::Anyone, 3, "user", "changed the password of"),
    action("user.mfa_enrolled", By::Anyone, 2, "user", "enrolled a second factor for"),
    action("user.logout", By::Anyone, 40, "user", "signed out as"),
    action("user.invited", ADMIN, 14, "user", "invited"),
    action("user.invitation_accepted", ADMIN, 10, "user", "accepted the invitation of"),
    action("user.role_assigned", ADMIN, 16, "user", "assigned a role to"),
    action("user.role_removed", ADMIN, 7, "user", "removed a role from"),
    action("user.suspended", ADMIN, 3, "user", "suspended"),
    action("user.mfa_reset", ADMIN, 4, "user", "reset the second factor of"),
    action("user.password_reset", ADMIN, 5, "user", "sent a password reset to"),
    action("group.created", ADMIN, 3, "group", "created group"),
    action("group.member_added", ADMIN, 18, "group", "added a member to group"),
    action("group.member_removed", ADMIN, 9, "group", "removed a member from group"),
    action("role.created", ADMIN, 2, "role", "created role"),
    action("role.updated", ADMIN, 6, "role", "updated role"),
    action("settings.updated", ADMIN, 8, "settings", "changed settings of"),
    action("sso.configured", ADMIN, 1, "sso_connection", "configured single sign-on"),
    action("ip_allowlist.updated", ADMIN, 2, "settings", "changed the IP allow-list of"),
    action("invoice.viewed", FINANCE, 60, "invoice", "viewed invoice"),
    action("invoice.created", FINANCE, 24, "invoice", "created invoice"),
    action("invoice.paid", FINANCE, 18, "invoice", "marked as paid invoice"),
    action("invoice.refunded", FINANCE, 6, "invoice", "refunded invoice"),
    action("payment_method.updated", FINANCE, 3, "customer", "changed the payment method of"),
    action("plan.changed", FINANCE, 2, "customer", "changed the plan of"),
    action("customer.exported", FINANCE, 3, "customer_list", "exported"),
    action("api_key.created", ENGINEER, 6, "api_key", "created API key"),
    action("api_key.rotated", ENGINEER, 5, "api_key", "rotated API key"),
    action("api_key.revoked", ENGINEER, 3, "api_key", "revoked API key"),
    action("webhook.created", ENGINEER, 3, "webhook", "created webhook"),
    action("webhook.updated", ENGINEER, 4, "webhook", "updated webhook"),
    action("integration.connected", ENGINEER, 3, "integration", "connected"),
    action("secret.accessed", ENGINEER, 22, "secret", "read secret"),
    action("audit_log.viewed", SECURITY, 30, "audit_log", "searched"),
    action("session.revoked", SECURITY, 4, "session", "revoked"),
    action("user.created", By::Service(ServiceRole::Directory), 8, "user", "provisioned"),
    action("user.updated", By::Service(ServiceRole::Directory), 60, "user", "synchronised"),
    action("user.deactivated", By::Service(ServiceRole::Directory), 5, "user", "deactivated"),
    action("deployment.started", By::Service(ServiceRole::Deploy), 30, "service", "started a deployment of"),
    action("deployment.completed", By::Service(ServiceRole::Deploy), 30, "service", "deployed"),
    action("backup.created", By::Service(ServiceRole::Backup), 24, "database", "backed up"),
    action("integration.synced", By::Service(ServiceRole::Sync), 90, "integration", "synchronised"),
    action("data.queried", By::Service(ServiceRole::ApiKey), 160, "dataset", "queried"),
    action("report.generated", By::Service(ServiceRole::Scheduler), 40, "report", "generated report"),
];

/// Actions of one kind of actor with the running sum of their weights.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    entries: Vec<(u32, &'static Action)>,
}

impl Menu {
    /// The actions that `belongs` accepts.
    pub(crate) fn new(belongs: impl Fn(By) -> bool) -> Self {
        let mut sum = 0;
        let entries = ACTIONS
            .iter()
            .filter(|action| belongs(action.by))
            .map(|action| {
                sum += action.weight;
                (sum, action)
            })
            .collect();
        Self { entries }
    }

    /// One of them, by weight.
    pub(crate) fn pick(&self, random: &mut crate::random::Random) -> &'static Action {
        let total = self.entries.last().expect("every menu has an action").0;
        let point = random.below(u64::from(total)) as u32;
        let index = self.entries.partition_point(|(sum, _)| *sum <= point);
        self.entries[index].1
    }
}
