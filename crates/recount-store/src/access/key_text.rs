//! The text of a key or token: `rk_<kind>_<id>_<secret><checksum>`.
//!
//! The kind says at a glance what leaked, the id lets a log name a key without its secret, and the
//! checksum (CRC-32 of everything before it) lets scanners and this server tell a key from a typing
//! mistake without asking the catalog. Only the SHA-256 of the text is ever stored: the secret has
//! 256 bits, so a slow password hash would add nothing.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::env::Entropy;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters of the public id: 71 bits, so ids don't meet by chance.
const ID_CHARS: usize = 12;
/// Characters of the secret: 62^43 is just above 2^256.
const SECRET_CHARS: usize = 43;
/// Characters of the checksum: 62^6 is above 2^32.
const CHECKSUM_CHARS: usize = 6;

/// The fewest characters that an operator key given from outside may have.
pub const OPERATOR_KEY_CHARS_MIN: usize = 32;

/// What a key's or token's text says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// A key of the vendor's side that can do more than ingest (`op`).
    Operator,
    /// A key that can only append events (`in`).
    Ingest,
    /// A key of one tenant (`tn`).
    Tenant,
    /// A portal session's bearer token (`ps`).
    SessionToken,
    /// The one-time code of a portal link (`pl`).
    LinkCode,
}

impl TextKind {
    /// The two letters that stand for the kind in a key's text.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Operator => "op",
            Self::Ingest => "in",
            Self::Tenant => "tn",
            Self::SessionToken => "ps",
            Self::LinkCode => "pl",
        }
    }

    fn from_tag(tag: &str) -> Option<Self> {
        [Self::Operator, Self::Ingest, Self::Tenant, Self::SessionToken, Self::LinkCode]
            .into_iter()
            .find(|kind| kind.tag() == tag)
    }
}

/// The SHA-256 of a key's text: what the catalog holds of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a whole key text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Compares with stored bytes in time that does not depend on where they differ.
    pub fn matches(&self, stored: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_slice().ct_eq(stored).into()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// A key text that was just made. It is shown once; `Debug` hides the secret.
pub struct NewKeyText {
    /// The public id inside the text.
    pub id: String,
    /// The whole text: the credential itself.
    pub text: String,
}

impl NewKeyText {
    /// Makes a key text of `kind` with fresh randomness.
    pub fn generate(kind: TextKind, entropy: &dyn Entropy) -> Self {
        let id = random_base62(ID_CHARS, entropy);
        let mut text = format!("rk_{}_{id}_{}", kind.tag(), random_base62(SECRET_CHARS, entropy));
        text.push_str(&checksum(&text));
        Self { id, text }
    }

    /// The hash to store.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.text)
    }
}

impl fmt::Debug for NewKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKeyText").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key text taken apart. The parts are only as true as the checksum: the catalog decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedKeyText<'a> {
    /// What the text claims to be.
    pub kind: TextKind,
    /// The public id.
    pub id: &'a str,
}

/// Reads the shape of a key text; `None` if it is not one or its checksum is wrong.
pub fn parse_key_text(text: &str) -> Option<ParsedKeyText<'_>> {
    let rest = text.strip_prefix("rk_")?;
    let mut parts = rest.splitn(3, '_');
    let kind = TextKind::from_tag(parts.next()?)?;
    let id = parts.next()?;
    let tail = parts.next()?;
    let well_formed = id.len() == ID_CHARS
        && tail.len() == SECRET_CHARS + CHECKSUM_CHARS
        && id.bytes().chain(tail.bytes()).all(|byte| byte.is_ascii_alphanumeric());
    if !well_formed {
        return None;
    }
    let (signed, sum) = text.split_at(text.len() - CHECKSUM_CHARS);
    (checksum(signed) == sum).then_some(ParsedKeyText { kind, id })
}

/// `chars` random characters of 0-9 A-Z a-z, each equally likely.
pub(crate) fn random_base62(chars: usize, entropy: &dyn Entropy) -> String {
    // Bytes from 248 up would favour the first eight characters, so they are thrown away.
    const UNBIASED: u8 = 248;
    let mut out = String::with_capacity(chars);
    let mut bytes = [0u8; 64];
    while out.len() < chars {
        entropy.fill(&mut bytes);
        for byte in bytes.iter().filter(|byte| **byte < UNBIASED).take(chars - out.len()) {
            out.push(char::from(ALPHABET[usize::from(*byte % 62)]));
        }
    }
    out
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::SeededEntropy;

    #[test]
    fn a_generated_key_reads_back() {
        let entropy = SeededEntropy::new(7);
        for kind in [TextKind::Operator, TextKind::Ingest, TextKind::Tenant, TextKind::LinkCode] {
            let made = NewKeyText::generate(kind, &entropy);
            let parsed = parse_key_text(&made.text).expect("own key");
            assert_eq!((parsed.kind, parsed.id), (kind, made.id.as_str()));
            assert!(KeyHash::of(&made.text).matches(made.hash().as_bytes()));
            assert!(!format!("{made:?}").contains(&made.text));
        }
    }

    #[test]
    fn two_keys_are_never_alike() {
        let entropy = SeededEntropy::new(7);
        let one = NewKeyText::generate(TextKind::Tenant, &entropy);
        let two = NewKeyText::generate(TextKind::Tenant, &entropy);
        assert_ne!(one.text, two.text);
        assert!(!one.hash().matches(two.hash().as_bytes()));
        assert!(!one.hash().matches(b""));
    }

    proptest! {
        #[test]
        fn any_changed_character_breaks_the_checksum(at in 0usize..70, with in "[0-9A-Za-z]") {
            let made = NewKeyText::generate(TextKind::Tenant, &SeededEntropy::new(9));
            let at = at % made.text.len();
            let mut other = made.text.clone();
            other.replace_range(at..=at, &with);
            prop_assume!(other != made.text);
            prop_assert_eq!(parse_key_text(&other), None);
        }

        #[test]
        fn foreign_text_never_panics(text in ".{0,120}") {
            let _ = parse_key_text(&text);
        }
    }
}
