//! Events to test with: deterministic from a seed, with everything that makes columns hard.

use std::sync::Arc;

use bytes::Bytes;
use recount_event::{ParseContext, Timestamp, parse_event};
use recount_segment::{EventBatch, Row, Segment, SegmentOptions, SegmentWriter};

/// SplitMix64: enough randomness for tests, the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

pub const NAMES: &[&str] =
    &["Ada Lovelace", "ada", "Grace Hopper", "Zoë K\u{212a}lvin", "İnci", "back\\slash", "Ada-Bob"];
pub const IDS: &[&str] = &["u_1", "u_2", "a/b", "ada", "x:y", "user/u_1", "00f3", "\u{e9}t\u{e9}", "back\\e"];
pub const TYPES: &[&str] = &["user", "role", "service", "api_key"];
pub const ACTIONS: &[&str] = &["user.login", "user.logout", "role.updated", "role.deleted", "billing.refund"];
pub const IPS: &[&str] =
    &["203.0.113.7", "203.0.113.8", "198.51.100.1", "2001:db8::1", "2001:0DB8:0::1", "::ffff:203.0.113.7"];
pub const WORDS: &[&str] =
    &["ada", "Refund", "limit", "4711", "7e21", "caf\u{e9}", "ADA", "x", "10.5", "billing-admin"];

/// Quotes a text as JSON.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A random event as JSON text.
pub fn event_json(random: &mut Random, id: &str) -> String {
    let mut json = format!(
        r#"{{"id":{},"tenant":"acme","occurred_at":"{}","action":"{}""#,
        quote(id),
        // Few distinct times, so that seq has to break ties.
        Timestamp::from_micros(1_763_000_000_000_000 + i64::try_from(random.below(50) * 1_000_037).unwrap()),
        random.pick(ACTIONS),
    );
    if random.chance(40) {
        json += &format!(r#","outcome":"{}""#, random.pick(&["success", "failure", "denied"]));
    }
    json += &format!(r#","actor":{{"type":"{}","id":{}"#, random.pick(TYPES), quote(random.pick(IDS)));
    if random.chance(60) {
        json += &format!(r#","name":{}"#, quote(random.pick(NAMES)));
    }
    if random.chance(40) {
        json +=
            &format!(r#","email":"{}""#, random.pick(&["ada@example.com", "Grace@Example.org", "k@x.io"]));
    }
    json += "}";
    let targets = random.below(4);
    if targets > 0 {
        json += r#","targets":["#;
        for at in 0..targets {
            let comma = if at > 0 { "," } else { "" };
            json += &format!(r#"{comma}{{"type":"{}","id":{}"#, random.pick(TYPES), quote(random.pick(IDS)));
            if random.chance(50) {
                json += &format!(r#","name":{}"#, quote(random.pick(NAMES)));
            }
            json += "}";
        }
        json += "]";
    }
    if random.chance(70) {
        let mut members = Vec::new();
        if random.chance(80) {
            members.push(format!(r#""ip":"{}""#, random.pick(IPS)));
        }
        if random.chance(50) {
            members
                .push(format!(r#""user_agent":{}"#, quote(random.pick(&["curl/8.1", "Mozilla/5.0 (X11)"]))));
        }
        if random.chance(50) {
            members.push(format!(r#""location":{}"#, quote(random.pick(&["Berlin, DE", "S\u{e3}o Paulo"]))));
        }
        if random.chance(50) {
            members.push(format!(r#""session_id":"s{}""#, random.below(5)));
        }
        if random.chance(30) {
            members.push(format!(r#""request_id":"{:04x}-{:x}""#, random.below(1 << 16), random.below(4)));
        }
        if !members.is_empty() {
            json += &format!(r#","context":{{{}}}"#, members.join(","));
        }
    }
    if random.chance(50) {
        json += &format!(r#","source":"{}""#, random.pick(&["api", "web"]));
    }
    if random.chance(50) {
        let text = format!("{} {} {}", random.pick(WORDS), random.pick(WORDS), random.pick(WORDS));
        json += &format!(r#","description":{}"#, quote(&text));
    }
    if random.chance(20) {
        json += &format!(r#","reason":{}"#, quote(random.pick(WORDS)));
    }
    if random.chance(30) {
        json += &format!(
            r#","changes":[{{"field":"{}","before":500,"after":{}}}]"#,
            random.pick(&["limit", "owner"]),
            random.below(9)
        );
    }
    if random.chance(30) {
        json += &format!(
            r#","tags":{{"severity":"{}","team":{}}}"#,
            random.pick(&["low", "high"]),
            quote(random.pick(WORDS))
        );
    }
    if random.chance(50) {
        let value = match random.below(5) {
            0 => "true".to_owned(),
            1 => random.below(100).to_string(),
            2 => format!("[{},{}]", quote(random.pick(WORDS)), quote(random.pick(WORDS))),
            3 => format!(r#"{{"b":{}}}"#, quote(random.pick(WORDS))),
            _ => quote(random.pick(WORDS)),
        };
        json += &format!(r#","metadata":{{"a":{value},"plan":"{}"}}"#, random.pick(&["pro", "free"]));
    }
    json + "}"
}

/// `json` in normal form.
pub fn line(json: &str) -> String {
    let context = ParseContext { tenant: None, allow_own_actions: false };
    let event = parse_event(json, &context, &mut || panic!("tests name their ids"));
    event.unwrap_or_else(|error| panic!("{error:?}: {json}")).line
}

/// `count` random rows with seqs from `first_seq` on.
pub fn rows(seed: u64, first_seq: u64, count: u64) -> Vec<Row> {
    let mut random = Random(seed);
    (first_seq..first_seq + count)
        .map(|seq| {
            let id = if random.chance(50) {
                format!("id-{seq}")
            } else {
                format!("{:016x}\"{seq}", random.next())
            };
            Row {
                seq,
                received_at: Timestamp::from_micros(1_763_100_000_000_000 + i64::try_from(seq / 7).unwrap()),
                line: line(&event_json(&mut random, &id)).into(),
            }
        })
        .collect()
}

pub fn batch(seed: u64, first_seq: u64, count: u64) -> EventBatch {
    EventBatch::from_rows(&rows(seed, first_seq, count)).unwrap()
}

pub fn encode(batches: &[EventBatch]) -> Bytes {
    let mut writer = SegmentWriter::new(SegmentOptions::FRESH);
    for batch in batches {
        writer.push(batch).unwrap();
    }
    writer.finish().unwrap().bytes
}

pub async fn open(bytes: Bytes) -> Segment {
    Segment::open(Arc::new(bytes), "test.parquet").await.unwrap()
}
