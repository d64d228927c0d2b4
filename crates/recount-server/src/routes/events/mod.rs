//! Events: in, and every way to read them.

pub(crate) mod facets;
pub(crate) mod feed;
pub(crate) mod get;
pub(crate) mod histogram;
pub(crate) mod ingest;
pub(crate) mod list;
pub(crate) mod tail;

use recount_event::{Filter, Timestamp};
use recount_store::{Order, StoredEvent};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Along which direction of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OrderParam {
    /// Latest `occurred_at` first.
    #[default]
    Desc,
    /// Earliest `occurred_at` first.
    Asc,
}

impl From<OrderParam> for Order {
    fn from(order: OrderParam) -> Self {
        match order {
            OrderParam::Desc => Self::NewestFirst,
            OrderParam::Asc => Self::OldestFirst,
        }
    }
}

impl From<Order> for OrderParam {
    fn from(order: Order) -> Self {
        match order {
            Order::NewestFirst => Self::Desc,
            Order::OldestFirst => Self::Asc,
        }
    }
}

impl OrderParam {
    fn as_str(self) -> &'static str {
        match self {
            Self::Desc => "desc",
            Self::Asc => "asc",
        }
    }
}

/// What a question selects: the same for lists, counts and exports.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) filter: Filter,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

impl Selection {
    /// Reads filter and range, each with its own error.
    pub(crate) fn parse(filter: Option<&str>, from: Option<&str>, to: Option<&str>) -> Result<Self, Problem> {
        let time = |name: &str, text: Option<&str>| {
            text.map(|text| {
                Timestamp::parse_rfc3339(text).map_err(|error| Problem::invalid_parameter(name, error))
            })
            .transpose()
        };
        let selection = Self {
            filter: Filter::parse(filter.unwrap_or_default())?,
            from: time("from", from)?,
            to: time("to", to)?,
        };
        if let (Some(from), Some(to)) = (selection.from, selection.to)
            && from > to
        {
            return Err(Problem::invalid_parameter("from", format!("{from} is after to, {to}")));
        }
        Ok(selection)
    }

    /// Its parts as text, for a cursor to be bound to.
    fn question_parts(&self) -> [String; 3] {
        let time = |time: Option<Timestamp>| time.map_or_else(String::new, |time| time.to_string());
        [self.filter.to_string(), time(self.from), time(self.to)]
    }
}

/// Writes `{"data":[…` for events, without the end.
pub(crate) fn begin_page(events: &[StoredEvent]) -> Vec<u8> {
    let bytes: usize = events.iter().map(|event| event.line.len() + 80).sum();
    let mut out = Vec::with_capacity(bytes + 128);
    out.extend_from_slice(br#"{"data":["#);
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        event.write_json(&mut out);
    }
    out.push(b']');
    out
}

/// An answer of JSON that was written by hand.
pub(crate) fn raw_json(body: Vec<u8>) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    ([(http::header::CONTENT_TYPE, "application/json")], body).into_response()
}
