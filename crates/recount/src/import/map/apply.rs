//! Turns one record into the parts of an event.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::RecordError;
use super::expression::{Expression, Pointer, Scope};
use super::file::{ChangeMap, EntityMap, MapFile, MetadataMap, TargetMap};
use crate::import::json::{Json, without_space};
use crate::import::parts::{Change, Entity, Parts};

/// Hexadecimal digits of the hash in a derived id: 160 bits.
const DERIVED_ID_DIGITS: usize = 40;

pub(super) fn apply(map: &MapFile, record: &Json<'_>, tenant: Option<&str>) -> Result<Parts, RecordError> {
    if !record.is_object() {
        return Err(RecordError::NotAnObject("the record is not a JSON object".to_owned()));
    }
    let no_lets = BTreeMap::new();
    let plain = Scope { record, element: record, lets: &no_lets };
    let lets: BTreeMap<&str, Option<String>> = map
        .lets
        .iter()
        .map(|(name, expression)| (name.as_str(), expression.text(&plain).map(std::borrow::Cow::into_owned)))
        .collect();
    let scope = Scope { record, element: record, lets: &lets };
    let text = |expression: &Option<Expression>| optional(expression.as_ref(), &scope);
    let event = &map.event;
    let required = |expression: &Expression, member| {
        optional(Some(expression), &scope).ok_or(RecordError::Missing { member })
    };
    let context = [
        ("ip", &event.context.ip),
        ("user_agent", &event.context.user_agent),
        ("location", &event.context.location),
        ("session_id", &event.context.session_id),
        ("request_id", &event.context.request_id),
    ];
    Ok(Parts {
        id: text(&event.id).unwrap_or_else(|| derived_id(record.raw())),
        tenant: tenant.map(str::to_owned).or_else(|| text(&event.tenant)),
        occurred_at: event.occurred_at.time(&scope)?,
        action: name_like(&required(&event.action, "action")?, true),
        outcome: outcome(text(&event.outcome))?,
        actor: actor(&event.actor, &scope)?,
        targets: event.targets.iter().flat_map(|target| targets(target, &scope)).fold(Vec::new(), distinct),
        context: context
            .into_iter()
            .filter_map(|(name, expression)| Some((name, text(expression)?)))
            .filter(|(name, value)| *name != "ip" || value.parse::<std::net::IpAddr>().is_ok())
            .collect(),
        source: text(&event.source),
        description: text(&event.description),
        reason: text(&event.reason),
        changes: event.changes.iter().flat_map(|change| changes(change, &scope)).collect(),
        tags: event
            .tags
            .iter()
            .filter_map(|(name, expression)| Some((name.clone(), optional(Some(expression), &scope)?)))
            .collect(),
        metadata: metadata(&event.metadata, &scope),
    })
}

/// The object at a pointer, or the object whose text is there.
pub(super) fn unwrapped(pointer: &Expression, record: &Json<'_>) -> Option<String> {
    let no_lets = BTreeMap::new();
    let raw = pointer.raw(&Scope { record, element: record, lets: &no_lets })?;
    let inner = if raw.starts_with('"') { serde_json::from_str(&raw).ok()? } else { raw };
    inner.trim_start().starts_with('{').then_some(inner)
}

fn optional(expression: Option<&Expression>, scope: &Scope<'_, '_>) -> Option<String> {
    Some(expression?.text(scope)?.into_owned())
}

fn outcome(found: Option<String>) -> Result<String, RecordError> {
    match found.as_deref() {
        None => Ok("success".to_owned()),
        Some("success" | "failure" | "denied") => Ok(found.unwrap_or_default()),
        Some(other) => Err(RecordError::Value {
            member: "outcome",
            detail: format!("{other:?} is none of success, failure, denied; translate it with `values`"),
        }),
    }
}

/// An action or a type as events take it: other characters become `_`.
pub(crate) fn name_like(text: &str, slash_allowed: bool) -> String {
    let good = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-') || (slash_allowed && c == '/')
    };
    let name: String = text.chars().map(|c| if good(c) { c } else { '_' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

/// An id that follows from the record: the same record has the same id again, whatever its white
/// space between members.
fn derived_id(raw: &str) -> String {
    let digest = Sha256::digest(without_space(raw).as_bytes());
    let mut id = String::from("sha256:");
    for byte in &digest[..DERIVED_ID_DIGITS / 2] {
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

fn actor(map: &EntityMap, scope: &Scope<'_, '_>) -> Result<Entity, RecordError> {
    let id = optional(Some(&map.id), scope).ok_or(RecordError::Missing { member: "actor.id" })?;
    let kind = optional(Some(&map.kind), scope).ok_or(RecordError::Missing { member: "actor.type" })?;
    let name = optional(map.name.as_ref(), scope);
    let email = optional(map.email.as_ref(), scope);
    Ok(Entity { kind: name_like(&kind, false), id, name, email, metadata: raw_members(&map.metadata, scope) })
}

fn targets(map: &TargetMap, scope: &Scope<'_, '_>) -> Vec<Entity> {
    let elements = match &map.each {
        Some(each) => each.elements(scope),
        None => vec![scope.element],
    };
    elements
        .into_iter()
        .filter_map(|element| {
            let scope = scope.at(element);
            Some(Entity {
                kind: name_like(&optional(Some(&map.kind), &scope)?, false),
                id: optional(Some(&map.id), &scope)?,
                name: optional(map.name.as_ref(), &scope),
                email: None,
                metadata: raw_members(&map.metadata, &scope),
            })
        })
        .collect()
}

/// Keeps the first target of each type and id.
fn distinct(mut kept: Vec<Entity>, target: Entity) -> Vec<Entity> {
    if !kept.iter().any(|other| other.kind == target.kind && other.id == target.id) {
        kept.push(target);
    }
    kept
}

fn changes(map: &ChangeMap, scope: &Scope<'_, '_>) -> Vec<Change> {
    let elements = match &map.each {
        Some(each) => each.elements(scope),
        None => vec![scope.element],
    };
    let mut found = Vec::new();
    for element in elements {
        let scope = scope.at(element);
        let Some(field) = &map.field else {
            // Without `field`, the members of the object are the fields.
            for (name, value) in element.members() {
                let inner = scope.at(value);
                found.push(change(name.clone().into_owned(), map, &inner));
            }
            continue;
        };
        if let Some(field) = optional(Some(field), &scope) {
            found.push(change(field, map, &scope));
        }
    }
    found.retain(|change| change.before.is_some() || change.after.is_some());
    found
}

fn change(field: String, map: &ChangeMap, scope: &Scope<'_, '_>) -> Change {
    let raw =
        |expression: &Option<Expression>| expression.as_ref().and_then(|expression| expression.raw(scope));
    Change { field, before: raw(&map.before), after: raw(&map.after) }
}

fn raw_members(map: &BTreeMap<String, Expression>, scope: &Scope<'_, '_>) -> Vec<(String, String)> {
    map.iter().filter_map(|(name, expression)| Some((name.clone(), expression.raw(scope)?))).collect()
}

fn metadata(map: &MetadataMap, scope: &Scope<'_, '_>) -> Vec<(String, String)> {
    let mut members: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, raw: String| {
        if !members.iter().any(|(other, _)| other == name) {
            members.push((name.to_owned(), raw));
        }
    };
    for (name, raw) in raw_members(&map.set, scope) {
        add(&name, raw);
    }
    for included in &map.include {
        if included == "*" {
            for (name, value) in scope.record.members() {
                if !value.is_empty() && !map.exclude.iter().any(|excluded| excluded == name) {
                    add(name, value.raw().to_owned());
                }
            }
        } else if let Ok(pointer) = Pointer::parse(included) {
            if let Some(json) = pointer.find(scope) {
                add(pointer.name(), json.raw().to_owned());
            }
        } else if let Some(json) =
            scope.record.at(std::slice::from_ref(included)).filter(|json| !json.is_empty())
        {
            add(included, json.raw().to_owned());
        }
    }
    members
}
