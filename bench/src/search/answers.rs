//! What the engines answer, in one form, so that a fast wrong answer is no answer.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::queries::Shape;

/// An answer: ids in order for a list, counts by value for the rest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Ids(Vec<String>),
    Counts(BTreeMap<String, u64>),
}

/// A question's answer and its latencies in milliseconds.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Asked {
    pub(crate) answer: Answer,
    pub(crate) cold: Option<f64>,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// What one engine made of the questions, by their names.
pub(crate) type Engine = BTreeMap<String, Asked>;

/// Recount's answer to a question of `shape`.
pub(crate) fn own(shape: Shape, body: &[u8]) -> anyhow::Result<Answer> {
    let body: Value = serde_json::from_slice(body)?;
    let number = |value: &Value| value.as_u64().context("a count");
    let list = |name: &str| body[name].as_array().cloned().with_context(|| format!("no {name}"));
    ensure!(body["exact"] != false, "the answer is not exact");
    Ok(match shape {
        Shape::List => Answer::Ids(
            list("data")?.iter().map(|event| event["id"].as_str().unwrap_or_default().to_owned()).collect(),
        ),
        Shape::Count => Answer::Counts([(String::new(), number(&body["total"])?)].into()),
        Shape::Actions | Shape::Actors => {
            let values = body["facets"][0]["values"].as_array().context("no values")?;
            let counts = values.iter().map(|value| {
                Ok((value["value"].as_str().unwrap_or_default().to_owned(), number(&value["count"])?))
            });
            Answer::Counts(counts.collect::<anyhow::Result<_>>()?)
        }
        Shape::Days => {
            let mut counts = BTreeMap::new();
            for bucket in list("buckets")? {
                let day = bucket["start"].as_str().and_then(|start| start.get(..10)).context("no start")?;
                for outcome in ["success", "failure", "denied"] {
                    counts.insert(format!("{day} {outcome}"), number(&bucket[outcome])?);
                }
            }
            counts.retain(|_, count| *count > 0);
            Answer::Counts(counts)
        }
    })
}

impl Answer {
    /// Whether it is the same answer. Of the most frequent values the last ones may be others with
    /// the same count.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let (Answer::Counts(own), Answer::Counts(others)) = (self, other) else { return self == other };
        let least = own.values().min();
        let certain = |counts: &BTreeMap<String, u64>| -> Vec<(String, u64)> {
            counts
                .iter()
                .filter(|(_, count)| Some(*count) > least)
                .map(|(value, count)| (value.clone(), *count))
                .collect()
        };
        own.len() == others.len() && least == others.values().min() && certain(own) == certain(others)
    }
}
