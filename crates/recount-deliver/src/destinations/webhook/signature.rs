//! Signatures of Standard Webhooks: symmetric, version `v1`.
//!
//! `v1,base64(HMAC-SHA256(secret, "{id}.{timestamp}.{body}"))`; while a secret is being exchanged
//! the header has one signature per secret, separated by spaces, and a receiver takes any.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use recount_store::Env;
use sha2::Sha256;

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// Bytes of a generated secret.
const SECRET_BYTES: usize = 32;

/// Fewest and most bytes of a secret, by the specification.
const SECRET_BYTES_RANGE: std::ops::RangeInclusive<usize> = 24..=64;

/// A shared secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl SigningSecret {
    /// A new random secret.
    #[must_use]
    pub fn generate(env: &Env) -> Self {
        let mut bytes = vec![0; SECRET_BYTES];
        env.entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = text
            .strip_prefix(PREFIX)
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .filter(|bytes| SECRET_BYTES_RANGE.contains(&bytes.len()));
        bytes.map(Self).ok_or_else(|| "a signing secret is whsec_ and 24 to 64 bytes in base64".to_owned())
    }

    /// The text that receivers are given.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// One signature with its version.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp_seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn signs_as_the_reference_does() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("valid");
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn weak_or_foreign_secrets_are_refused() {
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            assert!(SigningSecret::parse(text).is_err(), "{text:?}");
        }
    }
}
