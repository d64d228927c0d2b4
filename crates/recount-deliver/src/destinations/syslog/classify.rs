//! What can be known about a delivery that has no answers.

use std::io;

use crate::{
    destinations::{Verdict, exchange},
    egress::EgressError,
};

/// How a connection that carried a batch ended.
pub(super) enum End {
    /// The receiver answered our close_notify with its own and closed, after this machine had its
    /// word that every byte arrived.
    Closed,
    /// The receiver closed without close_notify.
    Cut,
    /// The receiver had the time to close and did not.
    StillOpen,
    /// It broke.
    Failed(io::Error),
    /// It never came to be.
    Unreachable(EgressError),
}

/// There is no acknowledgement in syslog. RFC 5425 section 4.4 is as near as it gets: a receiver
/// that gets our close_notify must answer with its own, and has read all that came before. Whatever
/// ends otherwise may have lost events, and is sent again.
pub(super) fn classify(end: &End) -> Verdict {
    let again = |reason: &str| Verdict::Retry { reason: reason.to_owned(), after: None };
    match end {
        End::Closed => Verdict::Accepted,
        End::Cut => again(
            "the receiver closed without TLS's close_notify, which RFC 5425 asks for: it may not have read everything",
        ),
        End::StillOpen => again(
            "the receiver did not close after TLS's close_notify, as RFC 5425 asks for: it may not have read everything",
        ),
        End::Failed(error) if is_certificate(error) => {
            Verdict::Misconfigured { reason: format!("tls: {error}") }
        }
        End::Failed(error) => again(&error.to_string()),
        End::Unreachable(error) => exchange::unanswered(error),
    }
}

/// Whether TLS failed over a certificate, ours or theirs: trying again does not help.
fn is_certificate(error: &io::Error) -> bool {
    use rustls::{AlertDescription as Alert, Error};
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(_)) => true,
        Some(Error::AlertReceived(alert)) => matches!(
            alert,
            Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::CertificateRequired
                | Alert::HandshakeFailure
        ),
        _ => false,
    }
}
