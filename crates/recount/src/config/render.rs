//! The settings as text: the commented defaults, what is in force, and the reference.

use std::fmt::Write as _;

use super::load::{Origin, Resolved};
use super::settings::{SETTINGS, Setting};
use super::value::{Kind, Value};

/// Comments are wrapped at this many characters.
const COMMENT_WIDTH: usize = 96;

/// A complete file with every setting at its default, commented.
#[must_use]
pub fn defaults_toml() -> String {
    let mut out = String::from(
        "# Recount: every setting with its default. A setting that starts with # has none.\n\
         # Each can also be given as the environment variable named beside it, or as --set KEY=VALUE.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section() != section {
            section = setting.section();
            let _ = writeln!(out, "\n[{section}]");
        }
        out.push('\n');
        wrap_comment(&mut out, setting.doc);
        let _ = writeln!(out, "# {}: {}", setting.env, setting.kind.expected());
        let mark = if setting.default.is_empty() { "#" } else { "" };
        let value = setting.default_value().to_toml(setting.kind);
        let _ = writeln!(out, "{mark}{} = {value}", setting.name());
    }
    out
}

/// What is in force, as TOML; each line says where its value came from. Secrets are hidden.
#[must_use]
pub fn in_force_toml(resolved: &Resolved) -> String {
    let mut out = String::from("# The configuration in force; after each value, where it came from.\n");
    let mut section = "";
    for setting in SETTINGS {
        if setting.section() != section {
            section = setting.section();
            let _ = writeln!(out, "\n[{section}]");
        }
        let shown = shown(setting, resolved);
        let mark = if *resolved.value(setting.key) == Value::Unset { "#" } else { "" };
        let _ = writeln!(out, "{mark}{} = {shown}  # {}", setting.name(), resolved.origin(setting.key));
    }
    if !resolved.ignored().is_empty() {
        let _ = writeln!(out, "\n# Ignored, because they are no settings: {}", resolved.ignored().join(", "));
    }
    out
}

/// What is in force, as one JSON object: `{"key":{"value":…,"origin":"…"}}`.
#[must_use]
pub fn in_force_json(resolved: &Resolved) -> serde_json::Value {
    let members = SETTINGS.iter().map(|setting| {
        let value = match resolved.value(setting.key) {
            Value::Unset => serde_json::Value::Null,
            Value::Flag(flag) => (*flag).into(),
            Value::Number(number) => (*number).into(),
            Value::List(items) => items.clone().into(),
            Value::Text(_) | Value::Span(_) => shown(setting, resolved).trim_matches(['"', '\'']).into(),
        };
        let origin = resolved.origin(setting.key).to_string();
        (setting.key.to_owned(), serde_json::json!({"value": value, "origin": origin}))
    });
    serde_json::Value::Object(members.collect())
}

/// The body of `docs/configuration.md` below its introduction: one table for each section.
#[must_use]
pub fn reference_markdown() -> String {
    let mut out = String::new();
    let mut section = None;
    for setting in SETTINGS {
        if section != Some(setting.section()) {
            section = Some(setting.section());
            let title = match setting.section() {
                "" => "Top level".to_owned(),
                name => format!("`[{name}]`"),
            };
            let _ = writeln!(
                out,
                "\n### {title}\n\n| setting | environment | default | what it does |\n|---|---|---|---|"
            );
        }
        let default = match setting.default {
            "" => "–".to_owned(),
            default => format!("`{default}`"),
        };
        let doc = setting.doc.replace('|', "\\|");
        let expected = setting.kind.expected();
        let _ = writeln!(out, "| `{}` | `{}` | {default} | {doc} *({expected})* |", setting.key, setting.env);
    }
    out
}

fn shown(setting: &Setting, resolved: &Resolved) -> String {
    let value = resolved.value(setting.key);
    match value {
        Value::Text(_) if setting.kind.is_secret() => "\"(hidden)\"".to_owned(),
        Value::Text(url) if matches!(setting.kind, Kind::Url(_)) => format!("\"{}\"", without_password(url)),
        _ => value.to_toml(setting.kind),
    }
}

/// A URL with `(hidden)` in the place of its password.
#[must_use]
pub(crate) fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            let _ = parsed.set_password(Some("hidden"));
            parsed.to_string().replacen(":hidden@", ":(hidden)@", 1)
        }
        _ => url.to_owned(),
    }
}

fn wrap_comment(out: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.len() > COMMENT_WIDTH {
            out.push('\n');
            width = 0;
        }
        if width == 0 {
            out.push('#');
            width = 1;
        }
        let _ = write!(out, " {word}");
        width += 1 + word.len();
    }
    out.push('\n');
}

impl Origin {
    /// Whether somebody chose the value.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self, Origin::Default | Origin::Command(_))
    }
}
