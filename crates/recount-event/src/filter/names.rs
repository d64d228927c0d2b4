//! The names that fields go by, and the nearest one to a name that is none.

use super::field::Field;

/// Name, and the field; the canonical name first.
pub(crate) fn named(name: &str) -> Option<Field> {
    let lower = name.to_ascii_lowercase();
    let field = match lower.as_str() {
        "id" | "event_id" | "event.id" => Field::Id,
        "action" | "event" | "action.name" => Field::Action,
        "outcome" | "result" | "status" => Field::Outcome,
        "source" => Field::Source,
        "actor" | "user" | "by" | "who" => Field::Actor,
        "actor.id" | "actor_id" | "user.id" | "user_id" => Field::ActorId,
        "actor.type" | "actor_type" => Field::ActorType,
        "actor.name" | "actor_name" | "user.name" => Field::ActorName,
        "actor.email" | "actor_email" | "user.email" | "email" => Field::ActorEmail,
        "target" | "targets" | "resource" => Field::Target,
        "target.id" | "targets.id" | "target_id" => Field::TargetId,
        "target.type" | "targets.type" | "target_type" => Field::TargetType,
        "target.name" | "targets.name" | "target_name" => Field::TargetName,
        "ip" | "context.ip" | "ip_address" | "source_ip" => Field::Ip,
        "user_agent" | "context.user_agent" | "useragent" | "ua" => Field::UserAgent,
        "location" | "context.location" => Field::Location,
        "session_id" | "context.session_id" | "session" | "session.id" => Field::SessionId,
        "request_id" | "context.request_id" | "request" | "request.id" => Field::RequestId,
        "description" => Field::Description,
        "reason" => Field::Reason,
        "change" | "changes" | "changed" | "changes.field" | "change.field" => Field::Change,
        _ => return None,
    };
    Some(field)
}

/// The canonical names, for errors.
pub(crate) const CANONICAL: &[&str] = &[
    "action",
    "actor",
    "actor.id",
    "actor.type",
    "actor.name",
    "actor.email",
    "target",
    "target.id",
    "target.type",
    "target.name",
    "outcome",
    "ip",
    "user_agent",
    "location",
    "session_id",
    "request_id",
    "source",
    "description",
    "reason",
    "change",
    "id",
    "tags.NAME",
    "metadata.PATH",
];

/// Names that people try for the time of an event.
pub(crate) fn is_time_name(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "time"
            | "date"
            | "from"
            | "to"
            | "since"
            | "until"
            | "before"
            | "after"
            | "created"
            | "occurred_at"
            | "received_at"
            | "timestamp"
            | "ts"
    )
}

/// The canonical name that is nearest to `name`, if one is near.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    const DISTANCE_MAX: usize = 2;
    let lower = name.to_ascii_lowercase();
    CANONICAL
        .iter()
        .filter(|known| !known.ends_with("NAME") && !known.ends_with("PATH"))
        .map(|known| (distance(&lower, known), *known))
        .filter(|(distance, known)| *distance <= DISTANCE_MAX.min(known.len() / 2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters must be added, removed, replaced or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}
