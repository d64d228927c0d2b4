//! Which addresses a tenant's destination may have: an allow-list of public space.
//!
//! IPv4 is public except for the blocks of the IANA special-purpose registry (RFC 6890 and
//! successors); IPv6 is public only in `2000::/3`, except for the special blocks inside it. What is
//! on neither list is refused, so a block that is assigned tomorrow is refused too.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Blocks of IPv4 that are not public unicast, with what they are for.
const V4_SPECIAL: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "this network"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "a cloud's host service"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 31, 196, 0, 24), "AS112"),
    (v4(192, 52, 193, 0, 24), "AMT"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(192, 175, 48, 0, 24), "AS112"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// The only block of IPv6 that global unicast is assigned from (RFC 4291).
const V6_GLOBAL: Ipv6Net = v6([0x2000, 0], 3);

/// Blocks inside [`V6_GLOBAL`] that are not public unicast.
const V6_SPECIAL: &[(Ipv6Net, &str)] = &[
    // 2001::/23 holds Teredo (2001::/32), benchmarking (2001:2::/48), AMT, ORCHID (2001:10::/28)
    // and ORCHIDv2 (2001:20::/28): nothing that a customer's server has.
    (v6([0x2001, 0], 23), "protocol assignments, Teredo, ORCHID"),
    (v6([0x2001, 0x0db8], 32), "documentation"),
    (v6([0x2002, 0], 16), "6to4, which carries an IPv4 address"),
    (v6([0x2620, 0x004f], 32), "AS112"),
    (v6([0x3fff, 0], 20), "documentation"),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 2], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], 0, 0, 0, 0, 0, 0), prefix)
}

/// Why an address is not connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The address as it was checked (IPv4-mapped IPv6 is shown as IPv4).
    pub address: IpAddr,
    /// What kind of address it is.
    pub kind: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a public address ({})", self.address, self.kind)
    }
}

/// How far an address is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Public space: HTTPS at the usual ports only.
    Public,
    /// A range that the deployment opened: any port, plain HTTP too.
    Opened,
}

/// Decides about single addresses. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    opened: std::sync::Arc<[IpNet]>,
}

impl AddressPolicy {
    /// Public space, and the ranges in `opened` beyond it.
    #[must_use]
    pub fn new(opened: &[IpNet]) -> Self {
        Self { opened: opened.iter().map(IpNet::trunc).collect() }
    }

    /// Checks one address.
    ///
    /// # Errors
    /// [`Refusal`] if it is neither public nor in a range that the deployment opened.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        self.zone(address).map(|_| ())
    }

    pub(crate) fn zone(&self, address: IpAddr) -> Result<Zone, Refusal> {
        // ::ffff:10.0.0.1 reaches 10.0.0.1, so it is judged as that.
        let address = address.to_canonical();
        if self.opened.iter().any(|net| net.contains(&address)) {
            return Ok(Zone::Opened);
        }
        match special(address) {
            None => Ok(Zone::Public),
            Some(kind) => Err(Refusal { address, kind }),
        }
    }
}

/// What makes `address` (canonical) unfit for the public internet, if anything does.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            V4_SPECIAL.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind)
        }
        IpAddr::V6(address) if !V6_GLOBAL.contains(&address) => Some("outside global unicast"),
        IpAddr::V6(address) => {
            V6_SPECIAL.iter().find(|(net, _)| net.contains(&address)).map(|(_, kind)| *kind)
        }
    }
}
