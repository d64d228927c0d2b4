//! The name of a tenant, checked once and then carried by its type.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use crate::limits::TENANT_CHARS_MAX;

/// The name of one tenant: 1 to 128 of `A-Z a-z 0-9 . _ ~ : @ + = -`, and
/// neither `.` nor `..`, so that it is one safe segment of a path and of a URL.
///
/// Cloning is cheap (a counted reference).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

/// A text that cannot name a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTenantId {
    /// The text is empty.
    #[error("a tenant has 1 to 128 characters; this one is empty")]
    Empty,
    /// The text is longer than [`TENANT_CHARS_MAX`].
    #[error("a tenant has 1 to 128 characters; this one has {chars}")]
    TooLong {
        /// Characters found.
        chars: usize,
    },
    /// A character outside the allowed ones.
    #[error("a tenant is made of `A-Z a-z 0-9 . _ ~ : @ + = -`; {found:?} is not one of them")]
    Character {
        /// The first such character.
        found: char,
    },
    /// The text is `.` or `..`.
    #[error("a tenant cannot be `.` or `..`")]
    Dots,
}

impl TenantId {
    /// Checks `text` and makes a tenant's name of it.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn new(text: &str) -> Result<Self, InvalidTenantId> {
        Self::check(text)?;
        Ok(Self(Arc::from(text)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(text: &str) -> Result<(), InvalidTenantId> {
        if text.is_empty() {
            return Err(InvalidTenantId::Empty);
        }
        if let Some(found) = text.chars().find(|&c| !is_tenant_char(c)) {
            return Err(InvalidTenantId::Character { found });
        }
        if text.len() > TENANT_CHARS_MAX {
            return Err(InvalidTenantId::TooLong { chars: text.len() });
        }
        if text == "." || text == ".." {
            return Err(InvalidTenantId::Dots);
        }
        Ok(())
    }
}

/// Names of tenants that came lately. The events of an array name few tenants, over and over: they share the name.
#[derive(Debug)]
pub(crate) struct RecentTenants([Option<TenantId>; RECENT_TENANTS]);

const RECENT_TENANTS: usize = 64;

impl Default for RecentTenants {
    fn default() -> Self {
        Self([const { None }; RECENT_TENANTS])
    }
}

impl RecentTenants {
    /// As [`TenantId::new`].
    pub(crate) fn name(&mut self, text: &str) -> Result<TenantId, InvalidTenantId> {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are used")]
        let recent = &mut self.0[xxh3_64(text.as_bytes()) as usize % RECENT_TENANTS];
        if let Some(tenant) = recent
            && tenant.as_str() == text
        {
            return Ok(tenant.clone());
        }
        Ok(recent.insert(TenantId::new(text)?).clone())
    }
}

fn is_tenant_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | ':' | '@' | '+' | '=' | '-')
}

impl FromStr for TenantId {
    type Err = InvalidTenantId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl AsRef<str> for TenantId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for TenantId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({:?})", &self.0)
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}
