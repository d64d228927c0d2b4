//! Random events and random filters over the same few names, so that filters meet events.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use recount_event::{Field, Filter};
use serde_json::{Value, json};

/// The first moment of random events.
const START_MICROS: i64 = 1_790_000_000_000_000;
const HOUR_MICROS: i64 = 3_600_000_000;

const ACTIONS: [&str; 7] =
    ["user.login", "user.logout", "user.login.failed", "role.updated", "key.created", "invoice.paid", "x"];
const TYPES: [&str; 3] = ["user", "role", "api_key"];
const NAMES: [&str; 5] = ["Ada Lovelace", "Grace Hopper", "Émilie du Châtelet", "ada", "R2/D2"];
const EMAILS: [&str; 3] = ["ada@example.com", "Grace@Example.com", "emilie+audit@example.org"];
const IPS: [&str; 4] = ["203.0.113.7", "203.0.113.200", "198.51.100.1", "2001:db8::1"];
const WORDS: [&str; 8] =
    ["refund", "limit", "raised", "Über", "by", "ten-fold", "a\nline", "back\\slash \"quote\""];
const PLANS: [&str; 3] = ["pro", "free", "enterprise"];

/// Draws events and filters from a seed.
pub(crate) struct Draw(StdRng);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.choose(&mut self.0).expect("not empty")
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.0.random_bool(p)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// A time within 40 hours; many events share one.
    pub(crate) fn time_micros(&mut self) -> i64 {
        let hour = self.0.random_range(0..40) * HOUR_MICROS;
        let within = if self.chance(0.5) { 0 } else { self.0.random_range(0..HOUR_MICROS) };
        START_MICROS + hour + within
    }

    fn words(&mut self) -> String {
        let count = 1 + self.below(4);
        (0..count).map(|_| self.one(&WORDS)).collect::<Vec<_>>().join(" ")
    }

    /// An event without tenant; `number` makes its id.
    pub(crate) fn event(&mut self, number: usize) -> Value {
        let at = recount_event::Timestamp::from_micros(self.time_micros());
        let mut event = json!({
            "id": format!("event-{number}"),
            "occurred_at": at.to_string(),
            "action": self.one(&ACTIONS),
            "actor": {"type": self.one(&TYPES), "id": format!("u_{}", self.below(12))},
        });
        if self.chance(0.4) {
            event["outcome"] = json!(self.one(&["success", "failure", "denied"]));
        }
        if self.chance(0.5) {
            event["actor"]["name"] = json!(self.one(&NAMES));
        }
        if self.chance(0.3) {
            event["actor"]["email"] = json!(self.one(&EMAILS));
        }
        if self.chance(0.6) {
            let targets: Vec<Value> = (0..1 + self.below(3)).map(|_| self.target()).collect();
            event["targets"] = json!(targets);
        }
        if self.chance(0.6) {
            event["context"] = json!({"ip": self.one(&IPS), "user_agent": "curl/8.5", "session_id": format!("s_{}", self.below(9))});
            if self.chance(0.3) {
                event["context"]["location"] = json!(self.one(&["Berlin", "São Paulo"]));
                event["context"]["request_id"] = json!(format!("req_{}", self.below(400)));
            }
        }
        if self.chance(0.3) {
            event["source"] = json!(self.one(&["billing", "web"]));
        }
        if self.chance(0.4) {
            event["description"] = json!(self.words());
        }
        if self.chance(0.2) {
            event["reason"] = json!(self.words());
        }
        if self.chance(0.2) {
            event["changes"] =
                json!([{"field": self.one(&["limit", "plan"]), "before": 5, "after": {"x": "refund"}}]);
        }
        if self.chance(0.4) {
            event["tags"] = json!({"severity": self.one(&["low", "high"]), "team": self.one(&PLANS)});
        }
        if self.chance(0.5) {
            event["metadata"] = json!({"plan": self.one(&PLANS), "nested": {"deep": [1, self.one(&WORDS)]}});
        }
        event
    }

    fn target(&mut self) -> Value {
        let mut target = json!({"type": self.one(&TYPES), "id": format!("t_{}", self.below(6))});
        if self.chance(0.4) {
            target["name"] = json!(self.one(&NAMES));
        }
        target
    }

    /// A filter of up to four terms; one in ten has none.
    pub(crate) fn filter(&mut self) -> Filter {
        let terms = if self.chance(0.1) { 0 } else { 1 + self.below(3) };
        let text: Vec<String> = (0..terms)
            .map(|_| {
                let sign = if self.chance(0.25) { "-" } else { "" };
                format!("{sign}{}", self.term())
            })
            .collect();
        let text = text.join(" ");
        Filter::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn term(&mut self) -> String {
        match self.below(22) {
            0 => format!("action:{},{}", self.one(&ACTIONS), self.one(&ACTIONS)),
            1 => "action:user.*".into(),
            2 => format!("actor:u_{}", self.below(12)),
            3 => format!("actor.id:u_{},u_{}", self.below(12), self.below(14)),
            4 => format!("actor.type:{}", self.one(&TYPES)),
            5 => "actor:ada".into(),
            6 => format!("actor.email:{}", self.one(&EMAILS).to_lowercase()),
            7 => format!("outcome:{}", self.one(&["success", "failure", "denied"])),
            8 => format!("target:{}/t_{}", self.one(&TYPES), self.below(6)),
            9 => format!("target.id:t_{}", self.below(7)),
            10 => "ip:203.0.113.0/24".into(),
            11 => format!("ip:{}", self.one(&IPS)),
            12 => format!("tags.severity:{}", self.one(&["low", "high", "none"])),
            13 => format!("metadata.plan:{}", self.one(&PLANS)),
            14 => "metadata.nested.deep:1".into(),
            15 => format!("source:{}", self.one(&["billing", "web"])),
            16 => {
                self.one(&["refund", "ada", "über", "t_3", "example", "nowhere", "u_1", "curl", "8"]).into()
            }
            17 => self.one(&["ref*", "user*", "lov*", "zzz*"]).into(),
            18 => self.one(&["\"raised by\"", "\"u_1\"", "\"ten-fold\"", "\"not there\""]).into(),
            19 => format!("id:event-{}", self.below(3_000)),
            20 => format!("change:{}", self.one(&["limit", "plan", "other"])),
            _ => format!("description:{}", self.one(&["refund", "raised", "über"])),
        }
    }

    /// A field to count: any of the language.
    pub(crate) fn field(&mut self) -> Field {
        let metadata = |path: &str| Field::Metadata(path.into());
        match self.below(27) {
            0 => Field::Action,
            1 => Field::Outcome,
            2 => Field::Actor,
            3 => Field::ActorId,
            4 => Field::ActorType,
            5 => Field::ActorName,
            6 => Field::ActorEmail,
            7 => Field::Target,
            8 => Field::TargetId,
            9 => Field::TargetType,
            10 => Field::TargetName,
            11 => Field::Ip,
            12 => Field::UserAgent,
            13 => Field::Location,
            14 => Field::SessionId,
            15 => Field::RequestId,
            16 => Field::Source,
            17 => Field::Description,
            18 => Field::Reason,
            19 => Field::Change,
            20 => Field::Id,
            21 => Field::Tag("team".into()),
            22 => Field::Tag("severity".into()),
            23 => metadata("plan"),
            24 => metadata("nested.deep"),
            25 => metadata("nested"),
            _ => metadata("missing"),
        }
    }
}
