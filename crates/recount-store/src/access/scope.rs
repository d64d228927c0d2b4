//! What a credential may do: scopes and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// `events:write`: append events.
    EventsWrite,
    /// `events:read`: list, search, follow and look up events.
    EventsRead,
    /// `exports:write`: take events out as files.
    ExportsWrite,
    /// `streams:manage`: set up and repair continuous exports.
    StreamsManage,
    /// `keys:manage`: make, list and revoke keys within one's own rights.
    KeysManage,
    /// `proof:read`: read checkpoints, tiles and proofs.
    ProofRead,
    /// `tenants:manage`: create and list tenants (vendor's side).
    TenantsManage,
    /// `sessions:create`: open the portal for a tenant's people (vendor's side).
    SessionsCreate,
    /// `operator`: everything, for every tenant (vendor's side).
    Operator,
}

impl Scope {
    /// All scopes, in the order in which they are listed to people.
    pub const ALL: [Self; 9] = [
        Self::EventsWrite,
        Self::EventsRead,
        Self::ExportsWrite,
        Self::StreamsManage,
        Self::KeysManage,
        Self::ProofRead,
        Self::TenantsManage,
        Self::SessionsCreate,
        Self::Operator,
    ];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::EventsRead => "events:read",
            Self::ExportsWrite => "exports:write",
            Self::StreamsManage => "streams:manage",
            Self::KeysManage => "keys:manage",
            Self::ProofRead => "proof:read",
            Self::TenantsManage => "tenants:manage",
            Self::SessionsCreate => "sessions:create",
            Self::Operator => "operator",
        }
    }

    /// Whether the right is the vendor's own and can never belong to a tenant's credential.
    pub fn is_vendor_only(self) -> bool {
        matches!(self, Self::TenantsManage | Self::SessionsCreate | Self::Operator)
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown scope `{0}`; known are events:write, events:read, exports:write, streams:manage, keys:manage, proof:read, tenants:manage, sessions:create, operator"
)]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.chars().take(64).collect()))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ScopeSet(u16);

impl ScopeSet {
    /// No right at all.
    pub const EMPTY: Self = Self(0);

    /// The operator's set: everything.
    pub fn operator() -> Self {
        Self::from_iter([Scope::Operator])
    }

    /// Whether this set gives the right; `operator` gives every one.
    pub fn allows(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Operator.bit()) != 0
    }

    /// Whether all rights of `wanted` are given by this set.
    pub fn allows_all(self, wanted: Self) -> bool {
        wanted.iter().all(|scope| self.allows(scope))
    }

    /// Whether the set names exactly this one scope.
    pub fn is_only(self, scope: Scope) -> bool {
        self.0 == scope.bit()
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes named in the set (`operator` is not spelled out).
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// The scopes that the set gives, with `operator` spelled out.
    pub fn effective(self) -> Self {
        if self.allows(Scope::Operator) { Self::from_iter(Scope::ALL) } else { self }
    }

    /// Reads the catalog's form: names separated by spaces.
    ///
    /// # Errors
    /// Names the first word that is not a scope.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        text.split_whitespace().map(str::parse).collect()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Scope::as_str)).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Scope::as_str))
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names
            .iter()
            .map(|name| name.parse::<Scope>())
            .collect::<Result<_, _>>()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert!("events:delete".parse::<Scope>().is_err());
        let set = ScopeSet::parse("events:read keys:manage").expect("known");
        assert_eq!(ScopeSet::parse(&set.to_string()), Ok(set));
    }

    #[test]
    fn operator_allows_everything_and_nothing_else_allows_operator() {
        for scope in Scope::ALL {
            assert!(ScopeSet::operator().allows(scope));
        }
        let all_but_operator: ScopeSet =
            Scope::ALL.into_iter().filter(|scope| *scope != Scope::Operator).collect();
        assert!(!all_but_operator.allows_all(ScopeSet::operator()));
        assert!(ScopeSet::operator().allows_all(all_but_operator));
        assert!(ScopeSet::EMPTY.iter().next().is_none());
    }
}
