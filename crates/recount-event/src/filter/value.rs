//! Values that must be more than text: outcomes and addresses.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Pattern;
use super::error::FilterError;
use super::field::Field;
use super::lex::{Lexeme, error};
use crate::Outcome;

/// Makes the pattern of a value that was typed for `field`.
pub(super) fn pattern(field: &Field, value: &Lexeme) -> Result<Pattern, FilterError> {
    let text = value.text.clone();
    match field {
        _ if value.prefix && text.is_empty() => Ok(Pattern::Prefix(text)),
        Field::Ip => ip(value).map(Pattern::Cidr),
        Field::Outcome => outcome(value),
        _ if value.prefix => Ok(Pattern::Prefix(text)),
        _ => Ok(Pattern::Exact(text)),
    }
}

fn outcome(value: &Lexeme) -> Result<Pattern, FilterError> {
    let lower = value.text.to_ascii_lowercase();
    let known = |outcome: &Outcome| {
        if value.prefix { outcome.as_str().starts_with(&lower) } else { outcome.as_str() == lower }
    };
    if !Outcome::ALL.iter().any(known) {
        return Err(error(
            value.position,
            value.length,
            &format!("unknown outcome `{}`", value.text),
            "an outcome is one of `success`, `failure`, `denied`",
        ));
    }
    Ok(if value.prefix { Pattern::Prefix(lower) } else { Pattern::Exact(lower) })
}

fn ip(value: &Lexeme) -> Result<IpNet, FilterError> {
    let parsed = if value.prefix { octets(&value.text) } else { network(&value.text) };
    parsed.ok_or_else(|| {
        error(
            value.position,
            value.length,
            &format!("`{}{}` is not an address", value.text, if value.prefix { "*" } else { "" }),
            "type an address like `203.0.113.7` or `2001:db8::1`, a network like \
             `203.0.113.0/24`, or the start of an IPv4 address like `203.0.113.*`",
        )
    })
}

/// An address, or a network in CIDR notation, whose host bits are dropped.
fn network(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let network = text.parse::<IpNet>().ok()?.trunc();
    Some(match network {
        IpNet::V6(v6) => mapped(v6).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    })
}

/// The IPv4 network that is mapped into an IPv6 one.
fn mapped(network: Ipv6Net) -> Option<Ipv4Net> {
    let length = network.prefix_len().checked_sub(96)?;
    Ipv4Net::new(network.addr().to_ipv4_mapped()?, length).ok()
}

/// The network of `203.0.113.` and the like: whole octets, each with its point.
fn octets(text: &str) -> Option<IpNet> {
    let mut octets = [0_u8; 4];
    let parts: Vec<&str> = text.strip_suffix('.')?.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    for (octet, part) in octets.iter_mut().zip(&parts) {
        if part.len() > 1 && part.starts_with('0') || part.starts_with('+') {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    let length = 8 * u8::try_from(parts.len()).ok()?;
    Ipv4Net::new(Ipv4Addr::from(octets), length).ok().map(IpNet::V4)
}
