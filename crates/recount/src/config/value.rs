//! The kinds of values that a setting can have, and how each is read from text.

use std::time::Duration;

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// The path of a file or folder.
    Path,
    /// `address:port`.
    Listen,
    /// A URL with one of these schemes.
    Url(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number from a minimum to a maximum.
    Count(u64, u64),
    /// Bytes, as `64MiB`, from a minimum to a maximum.
    Size(u64, u64),
    /// A time, as `30s`, from a minimum to a maximum in seconds.
    Span(u64, u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A colour, as `#2f62d9`.
    Colour,
    /// A list of networks, as `10.0.0.0/8`.
    Networks,
    /// A list of TCP ports, as `8089`.
    Ports,
    /// A list of origins, as `https://app.example.com`.
    Origins,
    /// A secret of at least so many characters.
    Secret(usize),
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Not set.
    Unset,
    /// Text, path, address, URL, choice or secret.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number, or bytes.
    Number(u64),
    /// A time.
    Span(Duration),
    /// Several texts.
    List(Vec<String>),
}

const SIZE_UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

const SPAN_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Kind {
    /// Reads a value as it stands in the environment or in a flag.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        if text.is_empty() {
            return Ok(Value::Unset);
        }
        match self {
            Kind::Text | Kind::Path => Ok(Value::Text(text.to_owned())),
            Kind::Listen => parse_listen(text),
            Kind::Url(schemes) => match url::Url::parse(text) {
                Ok(url) if schemes.contains(&url.scheme()) => Ok(Value::Text(text.to_owned())),
                _ => Err(self.expected()),
            },
            Kind::Flag => match text {
                "true" | "1" | "yes" | "on" => Ok(Value::Flag(true)),
                "false" | "0" | "no" | "off" => Ok(Value::Flag(false)),
                _ => Err(self.expected()),
            },
            Kind::Count(min, max) => match text.replace('_', "").parse() {
                Ok(number) if (min..=max).contains(&number) => Ok(Value::Number(number)),
                _ => Err(self.expected()),
            },
            Kind::Size(min, max) => match parse_size(text) {
                Some(bytes) if (min..=max).contains(&bytes) => Ok(Value::Number(bytes)),
                _ => Err(self.expected()),
            },
            Kind::Span(min, max) => match parse_span(text) {
                Some(span) if (min..=max).contains(&span.as_secs()) => Ok(Value::Span(span)),
                _ => Err(self.expected()),
            },
            Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Kind::Choice(_) => Err(self.expected()),
            Kind::Colour => match text.strip_prefix('#') {
                Some(digits) if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    Ok(Value::Text(text.to_ascii_lowercase()))
                }
                _ => Err(self.expected()),
            },
            Kind::Networks | Kind::Ports | Kind::Origins => self.check_list(
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect(),
            ),
            Kind::Secret(chars_min) if text.chars().count() >= chars_min => Ok(Value::Text(text.to_owned())),
            Kind::Secret(_) => Err(self.expected()),
        }
    }

    /// Checks the members of a list.
    pub(super) fn check_list(self, items: Vec<String>) -> Result<Value, String> {
        let good = |item: &String| match self {
            Kind::Networks => {
                item.parse::<ipnet::IpNet>().is_ok() || item.parse::<std::net::IpAddr>().is_ok()
            }
            Kind::Ports => item.parse::<u16>().is_ok_and(|port| port > 0),
            Kind::Origins => url::Url::parse(item).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == *item
            }),
            _ => false,
        };
        match items.iter().find(|item| !good(item)) {
            Some(bad) => Err(format!("{}; {bad} is none", self.expected())),
            None => Ok(Value::List(items)),
        }
    }

    /// Whether the value must not be shown.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Secret(_))
    }

    /// What can be written, in words.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Kind::Text => "text".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::Listen => "an address and a port, like 127.0.0.1:8787 or [::]:8787".to_owned(),
            Kind::Url(schemes) => format!("a URL that starts with {}", alternatives(schemes, "://")),
            Kind::Flag => "true or false".to_owned(),
            Kind::Count(min, u64::MAX) => format!("a whole number of at least {min}"),
            Kind::Count(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Size(min, max) => {
                format!("a size from {} to {}, like 64MiB", show_size(min), show_size(max))
            }
            Kind::Span(min, max) => {
                format!(
                    "a time from {} to {}, like 30s, 15m, 6h or 7d",
                    show_span_secs(min),
                    show_span_secs(max)
                )
            }
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::Colour => "a colour like #2f62d9".to_owned(),
            Kind::Networks => "a list of networks like 10.0.0.0/8".to_owned(),
            Kind::Ports => "a list of TCP ports like 8089".to_owned(),
            Kind::Origins => {
                "a list of origins like https://app.example.com (no path, no slash at the end)".to_owned()
            }
            Kind::Secret(chars_min) => format!("a secret of at least {chars_min} characters"),
        }
    }
}

impl Value {
    /// The value as TOML. Times and sizes are written as they would be read.
    #[must_use]
    pub fn to_toml(&self, kind: Kind) -> String {
        match (self, kind) {
            (Value::Unset, _) => "\"\"".to_owned(),
            (Value::Text(text), _) => toml::Value::String(text.clone()).to_string(),
            (Value::Flag(flag), _) => flag.to_string(),
            (Value::Number(bytes), Kind::Size(..)) => format!("\"{}\"", show_size(*bytes)),
            (Value::Number(number), _) => number.to_string(),
            (Value::Span(span), _) => format!("\"{}\"", show_span(*span)),
            (Value::List(items), _) => {
                toml::Value::Array(items.iter().cloned().map(toml::Value::String).collect()).to_string()
            }
        }
    }
}

fn alternatives(words: &[&str], suffix: &str) -> String {
    words.iter().map(|word| format!("{word}{suffix}")).collect::<Vec<_>>().join(" or ")
}

fn parse_listen(text: &str) -> Result<Value, String> {
    let named_port =
        text.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    match named_port {
        Some((host, _)) if text.parse::<std::net::SocketAddr>().is_ok() || is_host_name(host) => {
            Ok(Value::Text(text.to_owned()))
        }
        _ => Err(Kind::Listen.expected()),
    }
}

fn is_host_name(host: &str) -> bool {
    host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}

fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let factor = if unit.is_empty() { 1 } else { SIZE_UNITS.iter().find(|(name, _)| *name == unit)?.1 };
    number.checked_mul(factor)
}

/// Reads `90s`, `15m`, `6h`, `7d`, `250ms`.
pub(crate) fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let factor = SPAN_UNITS.iter().find(|(name, _)| *name == unit)?.1;
    number.checked_mul(factor).map(Duration::from_millis)
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let number = text[..digits].replace('_', "").parse().ok()?;
    Some((number, text[digits..].trim()))
}

/// Bytes in the largest unit that divides them.
pub(crate) fn show_size(bytes: u64) -> String {
    let binary = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match binary.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => format!("{bytes}B"),
    }
}

fn show_span_secs(seconds: u64) -> String {
    show_span(Duration::from_secs(seconds))
}

fn show_span(span: Duration) -> String {
    let millis = span.as_millis() as u64;
    let unit =
        SPAN_UNITS.iter().rev().find(|(_, factor)| millis >= *factor && millis.is_multiple_of(*factor));
    match unit {
        Some((unit, factor)) => format!("{}{unit}", millis / factor),
        None => format!("{millis}ms"),
    }
}
