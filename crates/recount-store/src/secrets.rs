//! Secrets at rest: envelope encryption with XChaCha20-Poly1305.
//!
//! Every secret (a stream's token, say) is encrypted with a data key of its own, which in turn is
//! encrypted with the deployment's *key-encryption key*, so that rotating the latter rewrites 72
//! bytes a secret and no plaintext is needed. Both layers are bound to the tenant, the field and
//! the owner's id: a sealed value moved to another row does not open.

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use recount_event::TenantId;
use sha2::{Digest as _, Sha256};

use crate::env::Entropy;

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const DATA_KEY_BYTES: usize = 32;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES + DATA_KEY_BYTES + TAG_BYTES + NONCE_BYTES;
/// Bytes of the key-encryption key.
pub const SECRET_KEY_BYTES: usize = 32;

/// What a sealed value belongs to. Sealing and opening must name the same.
#[derive(Debug, Clone, Copy)]
pub struct SecretPlace<'a> {
    /// The tenant whose secret it is.
    pub tenant: &'a TenantId,
    /// What the secret is, as `streams.destination`.
    pub field: &'a str,
    /// The id of the object that holds it.
    pub id: &'a str,
}

impl SecretPlace<'_> {
    /// Length-prefixed, so that no two places have the same bytes.
    fn bound(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for part in [self.tenant.as_ref(), self.field, self.id] {
            out.extend_from_slice(&(part.len() as u64).to_le_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out
    }
}

/// Why a sealed value did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenSecretError {
    /// It was sealed with another key-encryption key; start the server with that one.
    #[error(
        "the secret was sealed with key {sealed_with}, but this server holds key {held}; set RECOUNT_SECRET_KEY to the key it was sealed with"
    )]
    OtherKey {
        /// Fingerprint of the key it needs.
        sealed_with: String,
        /// Fingerprint of the key at hand.
        held: String,
    },
    /// The bytes are not what was sealed for this place.
    #[error("the sealed secret is damaged or belongs to another place")]
    Corrupt,
}

/// Why there is no key-encryption key.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// The text is not 32 bytes of base64 or hex.
    #[error("{origin} is not a secret key: 32 bytes in base64 or hex are expected")]
    Malformed {
        /// Where the text came from.
        origin: String,
    },
    /// The key file can't be read or made.
    #[error("secret key file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The deployment's key-encryption key. Cloning shares it; `Debug` shows its fingerprint only.
#[derive(Clone)]
pub struct SecretKey {
    key: Arc<[u8; SECRET_KEY_BYTES]>,
    id: [u8; KEY_ID_BYTES],
}

impl SecretKey {
    /// Takes 32 bytes as they are.
    pub fn from_bytes(key: [u8; SECRET_KEY_BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"recount secret key id").chain_update(key).finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Self { key: Arc::new(key), id }
    }

    /// Reads 32 bytes of base64 or hex; `origin` is named in the error.
    ///
    /// # Errors
    /// [`SecretKeyError::Malformed`] for anything else.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SecretKeyError> {
        let text = text.trim();
        let bytes = hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok());
        let key = bytes.and_then(|bytes| <[u8; SECRET_KEY_BYTES]>::try_from(bytes).ok());
        key.map(Self::from_bytes).ok_or_else(|| SecretKeyError::Malformed { origin: origin.to_owned() })
    }

    /// Reads the key from `path`, or makes one there, readable by the owner only.
    ///
    /// # Errors
    /// [`SecretKeyError::File`] if the file can't be read or written, `Malformed` if it holds something else.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, SecretKeyError> {
        let fail = |source| SecretKeyError::File { path: path.to_owned(), source };
        match std::fs::read_to_string(path) {
            Ok(text) => return Self::parse(&text, &path.display().to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fail(error)),
        }
        let mut key = [0; SECRET_KEY_BYTES];
        entropy.fill(&mut key);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(fail)?;
        file.write_all(format!("{}\n", STANDARD.encode(key)).as_bytes()).map_err(fail)?;
        file.sync_all().map_err(fail)?;
        Ok(Self::from_bytes(key))
    }

    /// A short name of the key that says nothing about it; for logs.
    pub fn fingerprint(&self) -> String {
        hex::encode(self.id)
    }

    /// Encrypts `plain` for `place`.
    pub fn seal(&self, place: SecretPlace<'_>, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let bound = place.bound();
        let mut data_key = [0; DATA_KEY_BYTES];
        let mut nonces = [0; 2 * NONCE_BYTES];
        entropy.fill(&mut data_key);
        entropy.fill(&mut nonces);
        let (key_nonce, data_nonce) = nonces.split_at(NONCE_BYTES);
        let mut out = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(key_nonce);
        out.extend_from_slice(&encrypt(&self.key, key_nonce, &data_key, &bound));
        out.extend_from_slice(data_nonce);
        out.extend_from_slice(&encrypt(&data_key, data_nonce, plain, &bound));
        out
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// [`OpenSecretError`]: another key, or not what was sealed.
    pub fn open(&self, place: SecretPlace<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenSecretError> {
        if sealed.len() < HEADER_BYTES + TAG_BYTES || sealed[0] != VERSION {
            return Err(OpenSecretError::Corrupt);
        }
        let (id, rest) = sealed[1..].split_at(KEY_ID_BYTES);
        if id != self.id {
            return Err(OpenSecretError::OtherKey { sealed_with: hex::encode(id), held: self.fingerprint() });
        }
        let bound = place.bound();
        let (key_nonce, rest) = rest.split_at(NONCE_BYTES);
        let (wrapped, rest) = rest.split_at(DATA_KEY_BYTES + TAG_BYTES);
        let (data_nonce, cipher) = rest.split_at(NONCE_BYTES);
        let data_key = decrypt(&self.key, key_nonce, wrapped, &bound)?;
        let data_key = <[u8; DATA_KEY_BYTES]>::try_from(data_key).map_err(|_| OpenSecretError::Corrupt)?;
        decrypt(&data_key, data_nonce, cipher, &bound)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.fingerprint())
    }
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn nonce(bytes: &[u8]) -> XNonce {
    XNonce::try_from(bytes).expect("nonces are split off at 24 bytes")
}

fn encrypt(key: &[u8; 32], nonce_bytes: &[u8], plain: &[u8], bound: &[u8]) -> Vec<u8> {
    cipher(key)
        .encrypt(&nonce(nonce_bytes), Payload { msg: plain, aad: bound })
        .expect("XChaCha20-Poly1305 only fails above 256 GiB")
}

fn decrypt(
    key: &[u8; 32],
    nonce_bytes: &[u8],
    sealed: &[u8],
    bound: &[u8],
) -> Result<Vec<u8>, OpenSecretError> {
    cipher(key)
        .decrypt(&nonce(nonce_bytes), Payload { msg: sealed, aad: bound })
        .map_err(|_| OpenSecretError::Corrupt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::SeededEntropy;

    fn tenant(name: &str) -> TenantId {
        name.parse().expect("valid tenant")
    }

    #[test]
    fn opens_only_in_its_own_place() {
        let entropy = SeededEntropy::new(1);
        let key = SecretKey::from_bytes([3; 32]);
        let (acme, other) = (tenant("acme"), tenant("other"));
        let place = SecretPlace { tenant: &acme, field: "streams.token", id: "s1" };
        let sealed = key.seal(place, b"hush", &entropy);
        assert_eq!(key.open(place, &sealed).expect("same place"), b"hush");
        for wrong in [
            SecretPlace { tenant: &other, ..place },
            SecretPlace { field: "streams.toke", ..place },
            SecretPlace { id: "s2", ..place },
        ] {
            assert!(matches!(key.open(wrong, &sealed), Err(OpenSecretError::Corrupt)));
        }
        let stranger = SecretKey::from_bytes([4; 32]);
        assert!(matches!(stranger.open(place, &sealed), Err(OpenSecretError::OtherKey { .. })));
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("secret.key");
        let made = SecretKey::load_or_create(&path, &SeededEntropy::new(1)).expect("created");
        let read = SecretKey::load_or_create(&path, &SeededEntropy::new(2)).expect("read");
        assert_eq!(made.fingerprint(), read.fingerprint());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).expect("file").permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(
            SecretKey::parse("short", "RECOUNT_SECRET_KEY"),
            Err(SecretKeyError::Malformed { .. })
        ));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_never_opens(plain in proptest::collection::vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let acme = tenant("acme");
            let place = SecretPlace { tenant: &acme, field: "f", id: "i" };
            let key = SecretKey::from_bytes([3; 32]);
            let mut sealed = key.seal(place, &plain, &SeededEntropy::new(1));
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(key.open(place, &sealed).is_err());
        }
    }
}
