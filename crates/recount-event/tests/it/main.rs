//! Behaviour of the event and of the filter language, through the public surface.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod accepting;
mod docs;
mod fields;
mod filter_matching;
mod filter_parsing;
mod golden;
mod model;
mod normal_form;
mod real_data;
mod refusing;
mod robustness;
mod splitting;
mod tenants;
mod times;
mod words;

use recount_event::{EventError, NewEvent, ParseContext, parse_event};
use uuid::Uuid;

/// The id that tests assign.
const ASSIGNED: &str = "01935a5c-7e1f-7000-8000-000000000001";

/// Parses as an ingest key does that may write for any tenant.
fn parse(text: &str) -> Result<NewEvent, EventError> {
    parse_event(text, &ParseContext::default(), &mut assigned)
}

fn assigned() -> Uuid {
    ASSIGNED.parse().unwrap()
}
