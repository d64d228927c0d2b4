//! Schemas of what is written by hand, or kept as the sender wrote it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An event as a sender posts it.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEvent {
    /// Unique in the tenant; sending it again is safe. A UUIDv7 if absent.
    #[schema(min_length = 1, max_length = 128, example = "01JD-role-updated-17", required = false)]
    id: String,
    /// The tenant in whose log it belongs. Implied by a tenant's credential.
    #[schema(schema_with = super::tenant_schema, required = false)]
    tenant: String,
    /// When it happened.
    #[schema(schema_with = super::time_schema)]
    occurred_at: String,
    /// What was done. Names under `recount.` are Recount's own.
    #[schema(min_length = 1, max_length = 128, example = "role.updated")]
    action: String,
    #[schema(schema_with = super::outcome_schema, required = false)]
    outcome: String,
    actor: EventActor,
    /// What it was done to.
    #[schema(max_items = 100, required = false)]
    targets: Vec<EventTarget>,
    #[schema(required = false)]
    context: EventContext,
    /// Which part of the sender's system says so.
    #[schema(min_length = 1, max_length = 128, example = "billing-api", required = false)]
    source: String,
    /// One sentence for people.
    #[schema(
        min_length = 1,
        max_length = 4096,
        example = "Ada updated role Billing admin",
        required = false
    )]
    description: String,
    /// Why, if somebody gave a reason.
    #[schema(min_length = 1, max_length = 4096, required = false)]
    reason: String,
    /// What changed.
    #[schema(max_items = 200, required = false)]
    changes: Vec<EventChange>,
    /// Labels: short strings, numbers or booleans by name.
    #[schema(value_type = Object, example = json!({"severity": "low"}), required = false)]
    tags: Value,
    /// Any JSON.
    #[schema(value_type = Object, example = json!({"plan": "pro"}), required = false)]
    metadata: Value,
}

/// Who did it.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventActor {
    /// What kind of actor.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 64, example = "user")]
    kind: String,
    /// Its id among those of its kind.
    #[schema(min_length = 1, max_length = 2048, example = "u_1")]
    id: String,
    /// A name for people.
    #[schema(min_length = 1, max_length = 1024, example = "Ada Lovelace", required = false)]
    name: String,
    /// Its e-mail address.
    #[schema(min_length = 1, max_length = 320, example = "ada@example.com", required = false)]
    email: String,
    /// Any JSON.
    #[schema(value_type = Object, required = false)]
    metadata: Value,
}

/// What it was done to.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTarget {
    /// What kind of thing.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 64, example = "role")]
    kind: String,
    /// Its id among those of its kind.
    #[schema(min_length = 1, max_length = 2048, example = "r_9")]
    id: String,
    /// A name for people.
    #[schema(min_length = 1, max_length = 1024, example = "Billing admin", required = false)]
    name: String,
    /// Any JSON.
    #[schema(value_type = Object, required = false)]
    metadata: Value,
}

/// Where it was done from.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventContext {
    /// An IPv4 or IPv6 address.
    #[schema(max_length = 45, example = "203.0.113.7", required = false)]
    ip: String,
    #[schema(min_length = 1, max_length = 2048, required = false)]
    user_agent: String,
    #[schema(min_length = 1, max_length = 512, required = false)]
    location: String,
    #[schema(min_length = 1, max_length = 256, required = false)]
    session_id: String,
    #[schema(min_length = 1, max_length = 256, required = false)]
    request_id: String,
}

/// One thing that changed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventChange {
    /// What changed.
    #[schema(min_length = 1, max_length = 256, example = "max_refund_usd")]
    field: String,
    /// Its value before.
    before: Option<Value>,
    /// Its value after.
    after: Option<Value>,
}

/// Events to append.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EventBatch {
    /// A batch: at most 10,000 events and 16 MiB.
    Many(Vec<NewEvent>),
    /// One event.
    One(Box<NewEvent>),
}

/// An event as the log serves it: as it was sent, with what the log added.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct StoredEventSchema {
    /// Unique in the tenant.
    id: String,
    /// The tenant in whose log it is.
    tenant: String,
    /// When it happened.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// What was done.
    action: String,
    #[schema(schema_with = super::outcome_schema)]
    outcome: String,
    actor: EventActor,
    #[schema(required = false)]
    targets: Vec<EventTarget>,
    #[schema(required = false)]
    context: EventContext,
    #[schema(required = false)]
    source: String,
    #[schema(required = false)]
    description: String,
    #[schema(required = false)]
    reason: String,
    #[schema(required = false)]
    changes: Vec<EventChange>,
    #[schema(value_type = Object, required = false)]
    tags: Value,
    #[schema(value_type = Object, required = false)]
    metadata: Value,
    /// Its place in the tenant's log: from 0, without gaps.
    seq: u64,
    /// When the log took it; never decreases along `seq`.
    #[schema(format = DateTime)]
    received_at: String,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// The events, in the order of the question.
    data: Vec<StoredEventSchema>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// A stretch of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedAnswer {
    /// The events, in `seq` order.
    data: Vec<StoredEventSchema>,
    /// The `seq` to ask for next.
    next: u64,
}

/// One server-sent event of the tail.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerSentEvent {
    /// The event's `seq`; goes into `Last-Event-ID`.
    #[schema(required = false, example = "4711")]
    id: String,
    /// Always `event`.
    #[schema(required = false, example = "event")]
    event: String,
    /// The event as JSON, on one line.
    #[schema(required = false)]
    data: String,
}
