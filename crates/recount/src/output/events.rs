//! Events as people read them.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Paint, line, safe, value};
use crate::exit::Failed;

/// Widths of the columns of one line, in characters.
const ACTION_WIDTH: usize = 26;
const ACTOR_WIDTH: usize = 26;
const TARGET_WIDTH: usize = 30;

/// Prints one event: as it is, byte for byte, or as people read it.
///
/// # Errors
/// If standard output cannot be written.
pub fn event(event: &RawValue, as_json: bool, paint: Paint) -> Result<(), Failed> {
    if as_json {
        return line(event.get());
    }
    line(&event_line(&value(event), paint))
}

/// One event on one line: time, outcome, action, actor, target, address.
#[must_use]
fn event_line(event: &Value, paint: Paint) -> String {
    let outcome = text(event, "/outcome");
    let mark = match outcome.as_str() {
        "failure" => paint.red("fail"),
        "denied" => paint.yellow("deny"),
        _ => paint.green("ok  "),
    };
    format!(
        "{}  {mark}  {}  {}  {}  {}",
        paint.dim(&fit(&time(event), 23)),
        paint.bold(&fit(&text(event, "/action"), ACTION_WIDTH)),
        fit(&actor(event), ACTOR_WIDTH),
        fit(&target(event), TARGET_WIDTH),
        paint.dim(&text(event, "/context/ip")),
    )
    .trim_end()
    .to_owned()
}

/// A header for lines of [`event_line`].
#[must_use]
pub fn event_table(paint: Paint) -> String {
    let header = format!(
        "{}  {}  {}  {}  {}  IP",
        fit("TIME (UTC)", 23),
        fit("", 4),
        fit("ACTION", ACTION_WIDTH),
        fit("ACTOR", ACTOR_WIDTH),
        fit("TARGET", TARGET_WIDTH),
    );
    paint.dim(&header)
}

fn time(event: &Value) -> String {
    let full = text(event, "/occurred_at");
    full.trim_end_matches('Z').replacen('T', " ", 1).chars().take(23).collect()
}

fn actor(event: &Value) -> String {
    first(event, &["/actor/name", "/actor/email", "/actor/id"])
}

fn target(event: &Value) -> String {
    let name = first(event, &["/targets/0/name", "/targets/0/id"]);
    let more = event
        .pointer("/targets")
        .and_then(Value::as_array)
        .map_or(0, |targets| targets.len().saturating_sub(1));
    if more > 0 { format!("{name} +{more}") } else { name }
}

fn first(event: &Value, pointers: &[&str]) -> String {
    pointers.iter().map(|pointer| text(event, pointer)).find(|text| !text.is_empty()).unwrap_or_default()
}

fn text(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).and_then(Value::as_str).map(safe).unwrap_or_default()
}

/// Cut or filled to so many characters.
fn fit(text: &str, width: usize) -> String {
    let chars = text.chars().count();
    if chars > width {
        return text.chars().take(width - 1).chain(['…']).collect();
    }
    format!("{text}{}", " ".repeat(width - chars))
}
