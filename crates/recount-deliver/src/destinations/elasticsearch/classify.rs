//! `_bulk` answers 200 even when every item failed; the truth is in the items.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    destinations::{Item, Trace, Verdict, exchange},
    egress::Answer,
};

#[derive(Deserialize)]
struct Bulk {
    errors: bool,
    #[serde(default)]
    items: Vec<HashMap<String, BulkItem>>,
}

#[derive(Deserialize)]
struct BulkItem {
    status: u16,
    #[serde(default)]
    error: Option<Value>,
}

/// Judges an answer to a batch of `events` actions.
pub(super) fn classify(answer: &Answer, events: usize) -> Verdict {
    if !answer.status.is_success() {
        return exchange::by_status(answer);
    }
    let Ok(bulk) = serde_json::from_slice::<Bulk>(&answer.body) else {
        return Verdict::Misconfigured {
            reason: format!("the answer is not that of _bulk: {}", exchange::reason(answer)),
        };
    };
    if bulk.items.len() != events {
        // An answer that does not account for every event accounts for none.
        return Verdict::Retry {
            reason: format!("{} items answered for {events} events", bulk.items.len()),
            after: None,
        };
    }
    let items: Vec<(u16, Item)> = bulk.items.into_iter().map(judge).collect();
    // `errors` must agree with the items; the items count.
    if !bulk.errors && items.iter().all(|(_, item)| *item == Item::Accepted) {
        return Verdict::Accepted;
    }
    // The same refusal for all: the index, not the events.
    let about_index = |status: u16| matches!(status, 401 | 403 | 404);
    if let Some((_, Item::Refused { reason })) = items.first()
        && items.iter().all(|(status, _)| about_index(*status))
    {
        return Verdict::Misconfigured { reason: reason.clone() };
    }
    Verdict::Items(items.into_iter().map(|(_, item)| item).collect())
}

fn judge(item: HashMap<String, BulkItem>) -> (u16, Item) {
    let Some(item) = item.into_values().next() else {
        let reason = "an empty item was answered".to_owned();
        return (0, Item::Retry { reason });
    };
    let reason = || {
        let text = item.error.as_ref().map_or_else(String::new, Value::to_string);
        Trace::bounded(&format!("{} {text}", item.status))
    };
    let judged = match item.status {
        // 409: a document with this id is there, written by an earlier attempt.
        200..300 | 409 => Item::Accepted,
        408 | 429 | 500..600 => Item::Retry { reason: reason() },
        _ => Item::Refused { reason: reason() },
    };
    (item.status, judged)
}
