//! What an action says, in words: `user.password_reset`, `CreateUser` and `team.add-member` alike.

/// The words of an action, in lower case: split at everything that is no letter or digit, and
/// before capitals.
pub(super) fn words(action: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut previous_lower = false;
    for c in action.chars() {
        if (!c.is_alphanumeric() || (c.is_uppercase() && previous_lower)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        previous_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What is done, as far as a word tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Read,
    Update,
    Delete,
    Move,
    Enable,
    Disable,
    Activate,
    Deactivate,
    Suspend,
    Resume,
    Add,
    Remove,
    Grant,
    Revoke,
    Lock,
    Unlock,
}

/// The first word that is a verb.
pub(super) fn verb(words: &[String]) -> Option<Verb> {
    words.iter().find_map(|word| verb_of(word))
}

fn verb_of(word: &str) -> Option<Verb> {
    Some(match word {
        "create" | "created" | "new" | "register" | "registered" | "insert" | "inserted" | "provision"
        | "provisioned" | "upload" | "uploaded" | "invite" | "invited" | "publish" | "published" | "run"
        | "generate" | "generated" | "issue" | "issued" | "import" | "imported" => Verb::Create,
        "read" | "get" | "list" | "listed" | "view" | "viewed" | "describe" | "download" | "downloaded"
        | "export" | "exported" | "access" | "accessed" | "search" | "searched" | "head" | "lookup" => {
            Verb::Read
        }
        "update" | "updated" | "change" | "changed" | "edit" | "edited" | "modify" | "modified" | "set"
        | "patch" | "put" | "rotate" | "rotated" | "configure" | "configured" | "replace" | "replaced" => {
            Verb::Update
        }
        "delete" | "deleted" | "destroy" | "destroyed" | "purge" | "purged" | "terminate" | "terminated"
        | "erase" | "erased" | "deprovision" | "deprovisioned" => Verb::Delete,
        "move" | "moved" | "rename" | "renamed" | "transfer" | "transferred" => Verb::Move,
        "enable" | "enabled" => Verb::Enable,
        "disable" | "disabled" => Verb::Disable,
        "activate" | "activated" | "reactivate" | "reactivated" => Verb::Activate,
        "deactivate" | "deactivated" => Verb::Deactivate,
        "suspend" | "suspended" => Verb::Suspend,
        "resume" | "resumed" | "unsuspend" | "unsuspended" => Verb::Resume,
        "add" | "added" | "join" | "joined" | "attach" | "attached" => Verb::Add,
        "remove" | "removed" | "leave" | "left" | "detach" | "detached" => Verb::Remove,
        "grant" | "granted" | "assign" | "assigned" => Verb::Grant,
        "revoke" | "revoked" | "unassign" | "unassigned" => Verb::Revoke,
        "lock" | "locked" => Verb::Lock,
        "unlock" | "unlocked" => Verb::Unlock,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_all_habits_fall_into_words() {
        assert_eq!(words("user.password_reset"), ["user", "password", "reset"]);
        assert_eq!(words("CreateUser"), ["create", "user"]);
        assert_eq!(words("team.add-member"), ["team", "add", "member"]);
        assert_eq!(words("s3:GetObjectACL"), ["s3", "get", "object", "acl"]);
    }
}
