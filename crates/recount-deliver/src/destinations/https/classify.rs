//! What an unknown intake's status means.

use crate::{
    destinations::{Verdict, exchange},
    egress::Answer,
};

/// By status; with `success`, only those are success.
pub(super) fn classify(answer: &Answer, success: &[u16]) -> Verdict {
    if success.contains(&answer.status.as_u16()) {
        return Verdict::Accepted;
    }
    match exchange::by_status(answer) {
        Verdict::Accepted if !success.is_empty() => Verdict::Misconfigured {
            reason: format!("not one of success_statuses: {}", exchange::reason(answer)),
        },
        other => other,
    }
}
