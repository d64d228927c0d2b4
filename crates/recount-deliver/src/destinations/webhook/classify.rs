//! What a webhook receiver's status means.

use crate::{
    destinations::{Verdict, exchange},
    egress::Answer,
};

/// 2xx is done, 410 asks to be forgotten. Receivers answer 400 and 404 for all kinds of their own
/// trouble, so only those that speak of the body itself put an event in question.
pub(super) fn classify(answer: &Answer) -> Verdict {
    match answer.status.as_u16() {
        410 => Verdict::Gone { reason: exchange::reason(answer) },
        _ => exchange::by_status(answer),
    }
}
