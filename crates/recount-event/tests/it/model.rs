//! Generated events: a tree that tests can reason about, and JSON texts of it as
//! differently as senders write them.

use proptest::prelude::*;
use proptest::strategy::Union;

/// JSON with what `serde_json` forgets: the order of members, numbers as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn elements(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }

    /// All strings and numbers that are values, in order.
    pub(crate) fn values(&self) -> Vec<&str> {
        match self {
            Json::Null | Json::Bool(_) => Vec::new(),
            Json::Number(text) | Json::Text(text) => vec![text],
            Json::Array(elements) => elements.iter().flat_map(Json::values).collect(),
            Json::Object(members) => members.iter().flat_map(|(_, value)| value.values()).collect(),
        }
    }

    /// The text without white space and with the fewest escapes.
    pub(crate) fn compact(&self) -> String {
        let mut style = Style { seed: None, spaced: false, escaped: false };
        let mut out = String::new();
        self.write(&mut style, &mut out);
        out
    }

    /// One of the many texts of this value: members of the event and of its known
    /// parts in another order, white space, unneeded escapes.
    pub(crate) fn untidy(&self, seed: u64) -> String {
        let mut style = Style::of(seed);
        let mut out = String::new();
        style.space(&mut out);
        shuffled(self, &mut style).write(&mut style, &mut out);
        style.space(&mut out);
        out
    }

    fn write(&self, style: &mut Style, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(text) => out.push_str(text),
            Json::Text(text) => style.string(text, out),
            Json::Array(elements) => {
                out.push('[');
                style.space(out);
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                        style.space(out);
                    }
                    element.write(style, out);
                    style.space(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                style.space(out);
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                        style.space(out);
                    }
                    style.string(name, out);
                    style.space(out);
                    out.push(':');
                    style.space(out);
                    value.write(style, out);
                    style.space(out);
                }
                out.push('}');
            }
        }
    }
}

/// Shuffles members whose order the normal form fixes.
fn shuffled(event: &Json, style: &mut Style) -> Json {
    let shuffle = |members: &[(String, Json)], style: &mut Style| {
        let mut members = members.to_vec();
        for index in (1..members.len()).rev() {
            members.swap(index, style.choose(index + 1));
        }
        members
    };
    let Json::Object(members) = event else {
        return event.clone();
    };
    let members = members
        .iter()
        .map(|(name, value)| {
            let value = match (name.as_str(), value) {
                ("actor" | "context", Json::Object(inner)) => Json::Object(shuffle(inner, style)),
                ("targets" | "changes", Json::Array(elements)) => Json::Array(
                    elements
                        .iter()
                        .map(|element| match element {
                            Json::Object(inner) => Json::Object(shuffle(inner, style)),
                            other => other.clone(),
                        })
                        .collect(),
                ),
                _ => value.clone(),
            };
            (name.clone(), value)
        })
        .collect::<Vec<_>>();
    Json::Object(shuffle(&members, style))
}

/// How a text is written; without a seed, in the shortest way.
struct Style {
    seed: Option<u64>,
    spaced: bool,
    escaped: bool,
}

impl Style {
    /// Not all at once: white space would hide that an order went unnoticed.
    fn of(seed: u64) -> Self {
        Self { seed: Some(seed), spaced: seed.is_multiple_of(2), escaped: (seed / 2).is_multiple_of(2) }
    }

    /// A number below `bound`; 0 in the shortest style.
    fn choose(&mut self, bound: usize) -> usize {
        let Some(seed) = &mut self.seed else { return 0 };
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize % bound
    }

    fn space(&mut self, out: &mut String) {
        if self.spaced && self.choose(4) == 3 {
            let spaces = [" ", "\n", "\t", "\r\n  "];
            out.push_str(spaces[self.choose(spaces.len())]);
        }
    }

    fn string(&mut self, text: &str, out: &mut String) {
        use std::fmt::Write as _;
        out.push('"');
        for c in text.chars() {
            let odd = self.escaped && self.choose(8) == 7;
            match c {
                '/' if odd => out.push_str("\\/"),
                _ if odd => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        if self.choose(2) == 0 {
                            write!(out, "\\u{unit:04x}").unwrap();
                        } else {
                            write!(out, "\\u{unit:04X}").unwrap();
                        }
                    }
                }
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if c < ' ' => write!(out, "\\u{:04x}", c as u32).unwrap(),
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

/// Texts that make searching hard: pieces, cases, characters whose case changes
/// their length, what JSON escapes.
pub(crate) const TEXTS: &[&str] = &[
    "Ada Lovelace",
    "ada@example.com",
    "ADA",
    "Canada",
    "x.ada@example.com",
    "u_1",
    "user/u_1",
    "10.2.3.4",
    "203.0.113.7",
    "role.updated",
    "ROLE",
    "billing-api",
    "Billing admin",
    "bill",
    "ΟΔΟΣ",
    "οδος",
    "İstanbul",
    "istanbul",
    "\u{212A}elvin",
    "kelvin",
    "straße",
    "STRASSE",
    "Å",
    "å",
    "é",
    "日本語",
    "日本 語",
    "a\"b",
    "back\\slash",
    "line\nbreak",
    "tab\tada",
    "\u{1}ada",
    "😀",
    "nada",
    "pro",
    "true",
    "null",
    "25000",
    "2.50",
    "",
    " ",
    "-",
    "a,b",
    "key:value",
    "\u{7f}",
];

/// A text for a free-form member.
pub(crate) fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        6 => proptest::sample::select(TEXTS).prop_map(str::to_owned),
        2 => (proptest::sample::select(TEXTS), proptest::sample::select(TEXTS), "[ ./@_-]?")
            .prop_map(|(a, b, joint)| format!("{a}{joint}{b}")),
        1 => "\\PC{0,12}",
        1 => proptest::collection::vec(any::<char>(), 0..6).prop_map(|chars| chars.into_iter().collect()),
    ]
    .boxed()
}

/// A text without control characters.
pub(crate) fn line_text() -> BoxedStrategy<String> {
    any_text().prop_map(|text| text.chars().filter(|c| !c.is_control()).collect()).boxed()
}

fn required_text() -> BoxedStrategy<String> {
    line_text().prop_filter("required", |text| !text.is_empty()).boxed()
}

fn any_number() -> BoxedStrategy<String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        proptest::sample::select(&["0", "-0", "1.0", "2.50", "25000", "1e5", "1E+2", "-12.5e-3"][..])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

/// Any JSON of modest size.
pub(crate) fn any_json() -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::Bool),
        2 => any_number().prop_map(Json::Number),
        5 => any_text().prop_map(Json::Text),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array), object_of(inner),]
    })
    .boxed()
}

/// An object with few names, so that filters find some.
fn object_of(value: impl Strategy<Value = Json> + 'static) -> BoxedStrategy<Json> {
    let name = prop_oneof![
        5 => proptest::sample::select(&["plan", "a", "b", "a.b", "c", "ada", "user"][..])
            .prop_map(str::to_owned),
        1 => any_text(),
    ];
    proptest::collection::vec((name, value), 0..5)
        .prop_map(|mut members| {
            let mut seen = std::collections::HashSet::new();
            members.retain(|(name, _)| seen.insert(name.clone()));
            Json::Object(members)
        })
        .boxed()
}

/// A metadata object.
pub(crate) fn metadata() -> BoxedStrategy<Json> {
    object_of(any_json())
}

fn tags() -> BoxedStrategy<Json> {
    let value = prop_oneof![
        line_text().prop_map(Json::Text),
        any_number().prop_map(Json::Number),
        any::<bool>().prop_map(Json::Bool),
    ];
    let name = prop_oneof![
        5 => proptest::sample::select(&["plan", "a", "severity", "a.b"][..]).prop_map(str::to_owned),
        1 => required_text(),
    ];
    proptest::collection::vec((name, value), 0..4)
        .prop_map(|mut members| {
            let mut seen = std::collections::HashSet::new();
            members.retain(|(name, _)| seen.insert(name.clone()));
            Json::Object(members)
        })
        .boxed()
}

type Member = BoxedStrategy<Option<(String, Json)>>;

fn always(name: &'static str, value: impl Strategy<Value = Json> + 'static) -> Member {
    value.prop_map(move |value| Some((name.to_owned(), value))).boxed()
}

fn maybe(name: &'static str, value: impl Strategy<Value = Json> + 'static) -> Member {
    proptest::option::weighted(0.5, value)
        .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        .boxed()
}

fn object(members: Vec<Member>) -> BoxedStrategy<Json> {
    members.prop_map(|members| Json::Object(members.into_iter().flatten().collect())).boxed()
}

fn text(strategy: BoxedStrategy<String>) -> BoxedStrategy<Json> {
    strategy.prop_map(Json::Text).boxed()
}

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<Json> {
    Union::new(texts.iter().map(|text| Just(Json::Text((*text).to_owned())))).boxed()
}

/// A valid event in the order of the normal form, with all that it writes always.
pub(crate) fn event() -> BoxedStrategy<Json> {
    let kind = || one_of(&["user", "role", "system", "a.b:c-d"]);
    let target = object(vec![
        always("type", kind()),
        always("id", text(required_text())),
        maybe("name", text(line_text())),
        maybe("metadata", metadata()),
    ]);
    let change = object(vec![
        always("field", text(required_text())),
        maybe("before", any_json()),
        maybe("after", any_json()),
    ]);
    object(vec![
        always("id", text(required_text())),
        always("tenant", one_of(&["acme", "org_1"])),
        always(
            "occurred_at",
            one_of(&["2026-11-23T14:32:07.418Z", "1999-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z"]),
        ),
        always("action", one_of(&["role.updated", "user.login", "ada", "s3/Put:x-1"])),
        always("outcome", one_of(&["success", "failure", "denied"])),
        always(
            "actor",
            object(vec![
                always("type", kind()),
                always("id", text(required_text())),
                maybe("name", text(line_text())),
                maybe("email", text(line_text())),
                maybe("metadata", metadata()),
            ]),
        ),
        maybe("targets", proptest::collection::vec(target, 0..3).prop_map(Json::Array)),
        maybe(
            "context",
            object(vec![
                maybe("ip", one_of(&["203.0.113.7", "10.2.3.4", "2001:DB8::1", "::ffff:10.2.3.4", "::1"])),
                maybe("user_agent", text(line_text())),
                maybe("location", text(line_text())),
                maybe("session_id", text(line_text())),
                maybe("request_id", text(line_text())),
            ]),
        ),
        maybe("source", text(line_text())),
        maybe("description", text(line_text())),
        maybe("reason", text(line_text())),
        maybe("changes", proptest::collection::vec(change, 0..3).prop_map(Json::Array)),
        maybe("tags", tags()),
        maybe("metadata", metadata()),
    ])
}
