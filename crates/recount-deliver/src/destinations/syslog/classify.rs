//! What can be known about a delivery that has no answers.

use std::io;

use crate::{
    destinations::{Verdict, exchange},
    egress::EgressError,
};

/// How a connection that carried a batch ended.
pub(super) enum End {
    /// The receiver closed in order, after we had said that there is no more.
    Closed,
    /// The receiver had the time to close and did not.
    StillOpen,
    /// It broke.
    Failed(io::Error),
    /// It never came to be.
    Unreachable(EgressError),
}

/// There is no acknowledgement in syslog. An orderly close after ours is as near as it gets: the
/// receiver's TLS has read everything up to it. Some receivers wait for us to go; they are believed.
pub(super) fn classify(end: &End) -> Verdict {
    match end {
        End::Closed | End::StillOpen => Verdict::Accepted,
        End::Failed(error) if is_certificate(error) => {
            Verdict::Misconfigured { reason: format!("tls: {error}") }
        }
        End::Failed(error) => Verdict::Retry { reason: error.to_string(), after: None },
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
