//! Which class of OCSF an event is, and which activity of it.

use std::fmt;

use recount_event::{Fields, TargetFields};

use super::{
    OcsfVersion,
    words::{Verb, verb, words},
};

/// The classes that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OcsfClass {
    /// 3001: users and accounts come, change and go.
    AccountChange,
    /// 3002: somebody proves who they are, or leaves.
    Authentication,
    /// 3004: some other object is created, read, changed or deleted.
    EntityManagement,
    /// 3005: a user gets or loses a role or permission.
    UserAccess,
    /// 3006: groups and who is in them.
    GroupManagement,
    /// 6003: everything else, and any doubt.
    ApiActivity,
}

/// The activity that no number stands for; `activity_name` then is the sender's action.
pub(super) const OTHER: i64 = 99;

impl OcsfClass {
    /// `class_uid`.
    #[must_use]
    pub fn uid(self) -> i64 {
        match self {
            Self::AccountChange => 3001,
            Self::Authentication => 3002,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
            Self::GroupManagement => 3006,
            Self::ApiActivity => 6003,
        }
    }

    /// `class_name`.
    #[must_use]
    pub fn caption(self) -> &'static str {
        match self {
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::EntityManagement => "Entity Management",
            Self::UserAccess => "User Access Management",
            Self::GroupManagement => "Group Management",
            Self::ApiActivity => "API Activity",
        }
    }

    /// `category_uid` and `category_name`.
    pub(super) fn category(self) -> (i64, &'static str) {
        match self {
            Self::ApiActivity => (6, "Application Activity"),
            _ => (3, "Identity & Access Management"),
        }
    }
}

/// The class's name in lower case, as it is used in names of objects.
impl fmt::Display for OcsfClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccountChange => "account_change",
            Self::Authentication => "authentication",
            Self::EntityManagement => "entity_management",
            Self::UserAccess => "user_access",
            Self::GroupManagement => "group_management",
            Self::ApiActivity => "api_activity",
        })
    }
}

/// The class of an event, for layouts with one class per prefix.
#[must_use]
pub fn class_of(fields: &Fields<'_>, version: OcsfVersion) -> OcsfClass {
    class_in(fields, version).0
}

/// Class and activity in a version.
pub(super) fn class_in(fields: &Fields<'_>, version: OcsfVersion) -> (OcsfClass, i64) {
    let (class, activity) = classify(fields);
    match (version, class) {
        // An audit event without its actor is worth little, and these have none in 1.1.0.
        (
            OcsfVersion::V1_1,
            OcsfClass::UserAccess | OcsfClass::GroupManagement | OcsfClass::EntityManagement,
        ) => (OcsfClass::ApiActivity, api_activity(verb(&words(&fields.action)))),
        (OcsfVersion::V1_1, OcsfClass::AccountChange) if activity == 12 => (class, OTHER),
        _ => (class, activity),
    }
}

/// Whether a target is a person's account.
pub(super) fn is_user(target: &TargetFields<'_>) -> bool {
    one_of(
        &target.kind,
        &["user", "account", "member", "person", "employee", "customer", "admin", "identity"],
    )
}

/// Whether a target is a group of them.
pub(super) fn is_group(target: &TargetFields<'_>) -> bool {
    one_of(&target.kind, &["group", "team", "usergroup", "user_group"])
}

/// Whether a target is something that is granted.
pub(super) fn is_privilege(target: &TargetFields<'_>) -> bool {
    one_of(&target.kind, &["role", "permission", "privilege", "policy", "scope", "entitlement"])
}

fn one_of(kind: &str, names: &[&str]) -> bool {
    names.iter().any(|name| kind.eq_ignore_ascii_case(name))
}

fn classify(fields: &Fields<'_>) -> (OcsfClass, i64) {
    let words = words(&fields.action);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let verb = verb(&words);
    let user = fields.targets.iter().any(is_user);
    let group = fields.targets.iter().any(is_group);
    if let Some(activity) = authentication(&words) {
        return (OcsfClass::Authentication, activity);
    }
    if user && fields.targets.iter().any(is_privilege) {
        match verb {
            Some(Verb::Grant | Verb::Add) => return (OcsfClass::UserAccess, 1),
            Some(Verb::Revoke | Verb::Remove) => return (OcsfClass::UserAccess, 2),
            _ => {}
        }
    }
    if group {
        let activity = match verb {
            Some(Verb::Grant) => Some(1),
            Some(Verb::Revoke) => Some(2),
            Some(Verb::Add) if user => Some(3),
            Some(Verb::Remove) if user => Some(4),
            Some(Verb::Delete | Verb::Remove) => Some(5),
            Some(Verb::Create | Verb::Add) => Some(6),
            _ => None,
        };
        if let Some(activity) = activity {
            return (OcsfClass::GroupManagement, activity);
        }
    }
    if (user || has(&["password", "mfa", "2fa"]))
        && let Some(activity) = account_change(&words, verb)
    {
        return (OcsfClass::AccountChange, activity);
    }
    if !fields.targets.is_empty()
        && !user
        && !group
        && let Some(activity) = entity(verb)
    {
        return (OcsfClass::EntityManagement, activity);
    }
    (OcsfClass::ApiActivity, api_activity(verb))
}

fn authentication(words: &[String]) -> Option<i64> {
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let pair = |first: &str, second: &str| words.windows(2).any(|pair| pair[0] == first && pair[1] == second);
    if has(&["logout", "logoff", "signout"])
        || pair("log", "out")
        || pair("sign", "out")
        || pair("logged", "out")
    {
        return Some(2);
    }
    if has(&["login", "logon", "signin", "authenticate", "authenticated", "authentication"])
        || pair("log", "in")
        || pair("sign", "in")
        || pair("logged", "in")
    {
        return Some(1);
    }
    (has(&["mfa", "2fa"]) && has(&["challenge", "challenged", "verify", "verified", "passed", "failed"]))
        .then_some(OTHER)
}

fn account_change(words: &[String], verb: Option<Verb>) -> Option<i64> {
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let mfa = has(&["mfa", "2fa"]);
    if has(&["password"]) {
        return Some(if has(&["reset"]) { 4 } else { 3 });
    }
    Some(match verb? {
        Verb::Enable | Verb::Activate | Verb::Add | Verb::Create if mfa => 10,
        Verb::Disable | Verb::Deactivate | Verb::Remove | Verb::Delete if mfa => 11,
        _ if mfa => OTHER,
        Verb::Create | Verb::Add => 1,
        Verb::Enable | Verb::Activate | Verb::Resume => 2,
        Verb::Disable | Verb::Deactivate | Verb::Suspend => 5,
        Verb::Delete | Verb::Remove => 6,
        Verb::Lock => 9,
        Verb::Unlock => 12,
        Verb::Update | Verb::Move => OTHER,
        Verb::Read | Verb::Grant | Verb::Revoke => return None,
    })
}

fn entity(verb: Option<Verb>) -> Option<i64> {
    Some(match verb? {
        Verb::Create | Verb::Add => 1,
        Verb::Read => 2,
        Verb::Update => 3,
        Verb::Delete | Verb::Remove => 4,
        Verb::Move => 5,
        Verb::Enable => 8,
        Verb::Disable => 9,
        Verb::Activate => 10,
        Verb::Deactivate => 11,
        Verb::Suspend => 12,
        Verb::Resume => 13,
        Verb::Grant | Verb::Revoke | Verb::Lock | Verb::Unlock => return None,
    })
}

fn api_activity(verb: Option<Verb>) -> i64 {
    match verb {
        Some(Verb::Create | Verb::Add) => 1,
        Some(Verb::Read) => 2,
        Some(Verb::Update | Verb::Move) => 3,
        Some(Verb::Delete | Verb::Remove) => 4,
        _ => OTHER,
    }
}

/// `activity_name`, if the activity has a number.
pub(super) fn activity_name(class: OcsfClass, activity: i64) -> Option<&'static str> {
    let names: &[&str] = match class {
        OcsfClass::AccountChange => &[
            "Create",
            "Enable",
            "Password Change",
            "Password Reset",
            "Disable",
            "Delete",
            "Attach Policy",
            "Detach Policy",
            "Lock",
            "MFA Factor Enable",
            "MFA Factor Disable",
            "Unlock",
        ],
        OcsfClass::Authentication => &["Logon", "Logoff"],
        OcsfClass::EntityManagement => &[
            "Create",
            "Read",
            "Update",
            "Delete",
            "Move",
            "Enroll",
            "Unenroll",
            "Enable",
            "Disable",
            "Activate",
            "Deactivate",
            "Suspend",
            "Resume",
        ],
        OcsfClass::UserAccess => &["Assign Privileges", "Revoke Privileges"],
        OcsfClass::GroupManagement => {
            &["Assign Privileges", "Revoke Privileges", "Add User", "Remove User", "Delete", "Create"]
        }
        OcsfClass::ApiActivity => &["Create", "Read", "Update", "Delete"],
    };
    names.get(usize::try_from(activity - 1).ok()?).copied()
}
