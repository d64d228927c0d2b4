//! What S3's answers to a conditional PUT mean.

use crate::{
    destinations::{Verdict, exchange},
    egress::Answer,
};

/// 412 says that an object of this name is there. Names carry a hash of what the object holds, so
/// it is this one, written by an attempt whose answer was lost.
pub(super) fn classify(answer: &Answer) -> Verdict {
    let reason = exchange::reason(answer);
    let after = exchange::retry_after(&answer.headers);
    match answer.status.as_u16() {
        200 | 412 => Verdict::Accepted,
        // Two conditional writes at once: the other one may still fail.
        409 => Verdict::Retry { reason, after },
        // Nothing about an object's bytes makes S3 refuse them; a 400 is about us.
        400 if expired(answer) => Verdict::Retry { reason, after },
        400..=411 | 414..=428 => Verdict::Misconfigured { reason },
        201..300 => {
            Verdict::Misconfigured { reason: format!("the answer is not that of an object store: {reason}") }
        }
        _ => exchange::by_status(answer),
    }
}

/// Whether new credentials or a later attempt will do.
pub(super) fn expired(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body);
    ["ExpiredToken", "RequestTimeout", "RequestTimeTooSkewed", "OperationAborted"]
        .iter()
        .any(|code| text.contains(&format!("<Code>{code}</Code>")))
}
