//! The members of a map file, as serde reads them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::expression::Expression;
use super::time::TimeRule;

/// A whole map.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MapFile {
    /// What it is for.
    #[serde(default)]
    pub(super) description: String,
    /// Members whose array holds the records.
    #[serde(default = "records")]
    pub(super) records: Vec<String>,
    /// Where a record holds the real one, as an object or as the text of one.
    pub(super) unwrap: Option<Expression>,
    /// Named values for templates.
    #[serde(default, rename = "let")]
    pub(super) lets: BTreeMap<String, Expression>,
    /// The event.
    pub(super) event: EventMap,
}

fn records() -> Vec<String> {
    vec!["Records".to_owned()]
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventMap {
    /// Derived from the record's text if absent or without a value.
    pub(super) id: Option<Expression>,
    pub(super) tenant: Option<Expression>,
    pub(super) occurred_at: TimeRule,
    pub(super) action: Expression,
    pub(super) outcome: Option<Expression>,
    pub(super) actor: EntityMap,
    #[serde(default)]
    pub(super) targets: Vec<TargetMap>,
    #[serde(default)]
    pub(super) context: ContextMap,
    pub(super) source: Option<Expression>,
    pub(super) description: Option<Expression>,
    pub(super) reason: Option<Expression>,
    #[serde(default)]
    pub(super) changes: Vec<ChangeMap>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, Expression>,
    #[serde(default)]
    pub(super) metadata: MetadataMap,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntityMap {
    #[serde(rename = "type")]
    pub(super) kind: Expression,
    pub(super) id: Expression,
    pub(super) name: Option<Expression>,
    pub(super) email: Option<Expression>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, Expression>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetMap {
    /// A pointer to an array (one target each) or an object; without it, the record itself.
    pub(super) each: Option<Expression>,
    #[serde(rename = "type")]
    pub(super) kind: Expression,
    pub(super) id: Expression,
    pub(super) name: Option<Expression>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextMap {
    pub(super) ip: Option<Expression>,
    pub(super) user_agent: Option<Expression>,
    pub(super) location: Option<Expression>,
    pub(super) session_id: Option<Expression>,
    pub(super) request_id: Option<Expression>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeMap {
    /// A pointer to an array (one change each) or an object, whose members are then the fields if
    /// `field` is absent.
    pub(super) each: Option<Expression>,
    pub(super) field: Option<Expression>,
    pub(super) before: Option<Expression>,
    pub(super) after: Option<Expression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MetadataMap {
    /// Members that are copied as they are: names at the top, pointers further down, `*` for all.
    #[serde(default)]
    pub(super) include: Vec<String>,
    /// Members at the top that `*` leaves out.
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    /// Members with a value of their own.
    #[serde(default)]
    pub(super) set: BTreeMap<String, Expression>,
}

impl MapFile {
    /// Checks what the types cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        self.event.occurred_at.check()?;
        if self.unwrap.as_ref().is_some_and(|unwrap| !unwrap.is_pointer()) {
            return Err("`unwrap` must be a pointer, as /message".to_owned());
        }
        for (name, expression) in &self.lets {
            if expression.names().next().is_some() {
                return Err(format!("let.{name} uses another let; write its value out"));
            }
        }
        for name in self.expressions().flat_map(Expression::names) {
            if !self.lets.contains_key(name) {
                return Err(format!("{{{name}}} is not in [let]"));
            }
        }
        let each = self
            .event
            .targets
            .iter()
            .map(|target| &target.each)
            .chain(self.event.changes.iter().map(|change| &change.each));
        for expression in each.flatten() {
            if !expression.is_pointer() {
                return Err("`each` must be a pointer, as /resources".to_owned());
            }
        }
        if let Some(change) =
            self.event.changes.iter().find(|change| change.field.is_none() && change.each.is_none())
        {
            return Err(format!("a change needs `field` or `each`: {change:?}"));
        }
        Ok(())
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let event = &self.event;
        let context = &event.context;
        let optional = [
            &event.id,
            &event.tenant,
            &event.outcome,
            &event.source,
            &event.description,
            &event.reason,
            &event.actor.name,
            &event.actor.email,
            &context.ip,
            &context.user_agent,
            &context.location,
            &context.session_id,
            &context.request_id,
        ];
        let required = [&event.occurred_at.from, &event.action, &event.actor.kind, &event.actor.id];
        let targets = event.targets.iter().flat_map(|target| {
            [Some(&target.kind), Some(&target.id), target.name.as_ref()]
                .into_iter()
                .flatten()
                .chain(target.metadata.values())
        });
        let changes = event.changes.iter().flat_map(|change| {
            [change.field.as_ref(), change.before.as_ref(), change.after.as_ref()].into_iter().flatten()
        });
        optional
            .into_iter()
            .flatten()
            .chain(required)
            .chain(targets)
            .chain(changes)
            .chain(event.actor.metadata.values())
            .chain(event.tags.values())
            .chain(event.metadata.set.values())
    }
}
