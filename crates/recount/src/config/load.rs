//! Brings the layers together: defaults, file, environment, flags.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::settings::{SETTINGS, Setting, setting};
use super::suggest::closest;
use super::value::{Kind, Value};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(&'static str),
    /// A flag of the command line.
    Flag(String),
    /// Derived by a command, as `recount demo` does.
    Command(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => f.write_str(name),
            Origin::Flag(name) => f.write_str(name),
            Origin::Command(name) => f.write_str(name),
        }
    }
}

/// Every setting with the value in force and where it came from.
#[derive(Clone, Debug)]
pub struct Resolved {
    values: BTreeMap<&'static str, (Value, Origin)>,
    ignored: Vec<String>,
}

impl Resolved {
    /// Variables that begin as ours do and are no settings. An orchestrator makes such ones for a
    /// service of our name (`RECOUNT_PORT`, `RECOUNT_SERVICE_HOST`), so they are no mistake.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The value in force.
    ///
    /// # Panics
    /// If there is no such setting, which is a mistake in the caller.
    #[must_use]
    pub fn value(&self, key: &str) -> &Value {
        &self.entry(key).0
    }

    /// Where the value in force came from.
    #[must_use]
    pub fn origin(&self, key: &str) -> &Origin {
        &self.entry(key).1
    }

    fn entry(&self, key: &str) -> &(Value, Origin) {
        self.values.get(key).unwrap_or_else(|| panic!("no setting {key} in the table"))
    }

    /// A text, path, URL or choice; `None` if it is not set.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number or size.
    #[must_use]
    pub fn number(&self, key: &str) -> u64 {
        match self.value(key) {
            Value::Number(number) => *number,
            other => unreachable!("{key} is a number and has a default, not {other:?}"),
        }
    }

    /// A number that need not be set.
    #[must_use]
    pub fn optional_number(&self, key: &str) -> Option<u64> {
        match self.value(key) {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A flag.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.value(key), Value::Flag(true))
    }

    /// A time.
    #[must_use]
    pub fn span(&self, key: &str) -> Duration {
        match self.value(key) {
            Value::Span(span) => *span,
            other => unreachable!("{key} is a time and has a default, not {other:?}"),
        }
    }

    /// A list; empty if it is not set.
    #[must_use]
    pub fn list(&self, key: &str) -> &[String] {
        match self.value(key) {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

/// Collects the layers, lowest first.
#[derive(Debug)]
pub struct Loader {
    values: BTreeMap<&'static str, (Value, Origin)>,
    ignored: Vec<String>,
}

impl Default for Loader {
    fn default() -> Self {
        let default = |setting: &'static Setting| (setting.key, (setting.default_value(), Origin::Default));
        Self { values: SETTINGS.iter().map(default).collect(), ignored: Vec::new() }
    }
}

impl Loader {
    /// Reads a TOML file over what is there.
    ///
    /// # Errors
    /// The first mistake in the file.
    pub fn file(&mut self, path: &Path) -> Result<&mut Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.display().to_string(),
            detail: error.to_string(),
        })?;
        self.toml(path, &text)
    }

    /// Reads TOML text over what is there.
    ///
    /// # Errors
    /// The first mistake in the text.
    pub fn toml(&mut self, path: &Path, text: &str) -> Result<&mut Self, ConfigError> {
        let place = |offset: usize| format!("{}:{}", path.display(), line_of(text, offset));
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: place(error.span().map_or(0, |span| span.start)),
            detail: error.message().to_owned(),
        })?;
        for (name, value) in table.get_ref() {
            match value.get_ref() {
                DeValue::Table(inner) => {
                    for (inner_name, inner_value) in inner {
                        let key = format!("{}.{}", name.get_ref(), inner_name.get_ref());
                        let offset = inner_name.span().start;
                        self.set_toml(
                            &key,
                            inner_value.get_ref(),
                            &place(offset),
                            path,
                            line_of(text, offset),
                        )?;
                    }
                }
                other => {
                    let offset = name.span().start;
                    self.set_toml(name.get_ref(), other, &place(offset), path, line_of(text, offset))?;
                }
            }
        }
        Ok(self)
    }

    /// Reads the environment over what is there. A name that is nearly a setting's is a mistake;
    /// others that begin as ours do are ignored, and listed by [`Resolved::ignored`].
    ///
    /// # Errors
    /// The first mistake.
    pub fn environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<&mut Self, ConfigError> {
        let mut variables: Vec<_> = variables.filter(|(name, _)| name.starts_with("RECOUNT_")).collect();
        variables.sort();
        for (name, value) in variables {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.env == name) else {
                if NOT_SETTINGS.contains(&name.as_str()) {
                    continue;
                }
                let known = || SETTINGS.iter().map(|setting| setting.env);
                if closest(&name, known()).is_some() {
                    return Err(unknown("the environment".to_owned(), name, known()));
                }
                self.ignored.push(name);
                continue;
            };
            self.set_text(setting, &value, "the environment".to_owned(), Origin::Environment(setting.env))?;
        }
        Ok(self)
    }

    /// Sets one value from a flag: by the flag's own name, or `--set KEY=VALUE`.
    ///
    /// # Errors
    /// If there is no such setting or it cannot have that value.
    pub fn flag(&mut self, flag: &str, key: &str, value: &str) -> Result<&mut Self, ConfigError> {
        let Some(setting) = setting(key) else {
            return Err(unknown(flag.to_owned(), key.to_owned(), SETTINGS.iter().map(|setting| setting.key)));
        };
        self.set_text(setting, value, flag.to_owned(), Origin::Flag(flag.to_owned()))?;
        Ok(self)
    }

    /// Changes the default of a setting, for a command that is about something else than serving.
    pub fn default_for(&mut self, command: &'static str, key: &'static str, value: Value) -> &mut Self {
        debug_assert!(setting(key).is_some());
        self.values.insert(key, (value, Origin::Command(command)));
        self
    }

    /// Checks what belongs together, and ends.
    ///
    /// # Errors
    /// If settings contradict one another.
    pub fn finish(self) -> Result<Resolved, ConfigError> {
        let resolved = Resolved { values: self.values, ignored: self.ignored };
        for (key, file_key) in [("operator_key", "operator_key_file"), ("secret_key", "secret_key_file")] {
            if resolved.text(key).is_some() && resolved.text(file_key).is_some() {
                return Err(ConfigError::Together(format!(
                    "{key} ({}) and {file_key} ({}) are both set: leave one out",
                    resolved.origin(key),
                    resolved.origin(file_key)
                )));
            }
        }
        check_host_tokens(&resolved)?;
        let window = resolved.number("dedup_window_days");
        if let Some(days) = resolved.optional_number("retention_days").filter(|days| *days < window) {
            return Err(ConfigError::Together(format!(
                "retention_days ({}) = {days} is less than dedup_window_days ({}) = {window}: an event must be \
                 kept for as long as its id is recognised",
                resolved.origin("retention_days"),
                resolved.origin("dedup_window_days")
            )));
        }
        let shared = resolved.text("catalog").is_some_and(|url| url.starts_with("postgres"));
        if shared && resolved.text("secret_key").is_none() && resolved.text("secret_key_file").is_none() {
            return Err(ConfigError::Together(format!(
                "catalog ({}) is shared between nodes, so secret_key must be given, the same on each: \
                 set RECOUNT_SECRET_KEY or secret_key_file (`openssl rand -hex 32` makes one)",
                resolved.origin("catalog")
            )));
        }
        Ok(resolved)
    }

    fn set_text(
        &mut self,
        setting: &'static Setting,
        text: &str,
        place: String,
        origin: Origin,
    ) -> Result<(), ConfigError> {
        let value = setting
            .kind
            .parse(text)
            .map_err(|expected| wrong(setting, format!("{text:?}"), place, expected))?;
        self.values.insert(setting.key, (value, origin));
        Ok(())
    }

    fn set_toml(
        &mut self,
        key: &str,
        value: &DeValue<'_>,
        place: &str,
        path: &Path,
        line: usize,
    ) -> Result<(), ConfigError> {
        let Some(setting) = setting(key) else {
            return Err(unknown(
                place.to_owned(),
                key.to_owned(),
                SETTINGS.iter().map(|setting| setting.key),
            ));
        };
        let origin = Origin::File(path.to_owned(), line);
        let mistake =
            |shown: String, expected: String| Err(wrong(setting, shown, place.to_owned(), expected));
        match (value, setting.kind) {
            (DeValue::Array(items), Kind::Networks | Kind::Ports | Kind::Origins) => {
                let text = |item: &DeValue<'_>| match (item, setting.kind) {
                    (DeValue::Integer(number), Kind::Ports) => Some(number.as_str().to_owned()),
                    (item, _) => item.as_str().map(str::to_owned),
                };
                let texts: Option<Vec<String>> = items.iter().map(|item| text(item.get_ref())).collect();
                let Some(texts) = texts else {
                    return mistake("a list of other things".to_owned(), setting.kind.expected());
                };
                match setting.kind.check_list(texts) {
                    Ok(value) => {
                        self.values.insert(setting.key, (value, origin));
                        Ok(())
                    }
                    Err(expected) => mistake("this list".to_owned(), expected),
                }
            }
            (DeValue::String(text), _) => self.set_text(setting, text, place.to_owned(), origin),
            (DeValue::Boolean(flag), Kind::Flag) => {
                self.set_text(setting, &flag.to_string(), place.to_owned(), origin)
            }
            (DeValue::Integer(number), Kind::Count(..) | Kind::Size(..)) => {
                self.set_text(setting, number.as_str(), place.to_owned(), origin)
            }
            (other, _) => mistake(show(other), setting.kind.expected()),
        }
    }
}

/// Names with our prefix that are no settings of the server: they are the client's, or choose the
/// file itself.
const NOT_SETTINGS: [&str; 5] =
    ["RECOUNT_CONFIG", "RECOUNT_SERVER", "RECOUNT_KEY", "RECOUNT_TENANT", "RECOUNT_REALDATA"];

fn check_host_tokens(resolved: &Resolved) -> Result<(), ConfigError> {
    let given = |key: &str| resolved.text(key).is_some();
    let keys = usize::from(given("host_tokens.jwks_url")) + usize::from(given("host_tokens.public_key_file"));
    if !given("host_tokens.issuer") {
        return Ok(());
    }
    if !given("host_tokens.audience") || keys != 1 {
        return Err(ConfigError::Together(
            "host_tokens.issuer needs host_tokens.audience and one of host_tokens.jwks_url and \
             host_tokens.public_key_file"
                .to_owned(),
        ));
    }
    Ok(())
}

fn wrong(setting: &Setting, shown: String, place: String, expected: String) -> ConfigError {
    let hidden = setting.kind.is_secret() || setting.key == "catalog";
    let value = if hidden { "(hidden)".to_owned() } else { shown };
    ConfigError::Value { place, key: setting.key.to_owned(), value, expected }
}

fn unknown(place: String, name: String, known: impl Iterator<Item = &'static str>) -> ConfigError {
    let suggestion = match closest(&name, known) {
        Some(near) => format!("; did you mean {near}?"),
        None => "; `recount config --defaults` lists them all".to_owned(),
    };
    ConfigError::Unknown { place, name, suggestion }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        other => format!("a {}", other.type_str()),
    }
}
