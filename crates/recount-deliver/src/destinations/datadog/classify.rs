//! The intake's answers.

use crate::{
    destinations::{Verdict, exchange},
    egress::Answer,
};

/// 202 is done (200 from older proxies); the documents name 400, 401, 403, 408, 413, 429 and 5xx.
pub(super) fn classify(answer: &Answer) -> Verdict {
    match answer.status.as_u16() {
        200 | 202 => Verdict::Accepted,
        // Another 2xx is not the intake.
        201..300 => Verdict::Misconfigured {
            reason: format!("the answer is not the intake's: {}", exchange::reason(answer)),
        },
        _ => exchange::by_status(answer),
    }
}
