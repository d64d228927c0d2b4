//! One event's line, shared without copying.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

/// The exact line of an event: UTF-8 text that shares its memory with the page or batch that it came from.
///
/// Cloning costs a reference count. Keeping one line alive keeps its whole page (about 128 KiB) alive:
/// copy the text (`line.as_str().into()`) before holding on to it for long.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Line(ByteString);

/// The bytes given as a line aren't UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line is not UTF-8 from byte {valid_up_to} on")]
pub struct NotUtf8 {
    /// Bytes before the first invalid one.
    pub valid_up_to: usize,
}

impl Line {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the line is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes, still shared.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }
}

impl TryFrom<Bytes> for Line {
    type Error = NotUtf8;

    fn try_from(bytes: Bytes) -> Result<Self, NotUtf8> {
        match ByteString::try_from(bytes) {
            Ok(text) => Ok(Self(text)),
            Err(error) => Err(NotUtf8 { valid_up_to: error.valid_up_to() }),
        }
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self(ByteString::from(text))
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(ByteString::from(text))
    }
}

impl AsRef<str> for Line {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
