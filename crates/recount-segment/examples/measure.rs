//! Measures segments on generated events: bytes per event and column, encoding rate, and the parts of queries.
//!
//! ```text
//! cargo run --release -p recount-segment --example measure -- [events] [lines.ndjson]
//! ```
//!
//! Generates `events` (200,000 by default) of about 600 bytes, or takes lines in normal form from a file. Rates
//! of anything but a release build mean nothing; sizes are the same in every build.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::TryStreamExt;
use parquet::file::reader::{FileReader, SerializedFileReader};
use recount_event::{Filter, ParseContext, Timestamp, parse_event};
use recount_segment::count::{OutcomeCounts, facet, facet_columns, histogram, histogram_columns};
use recount_segment::{
    ColumnSet, EventBatch, Predicate, Row, Segment, SegmentOptions, SegmentWriter, id_hash, merge,
};

/// Events of a fresh segment.
const FRESH_ROWS: usize = 131_072;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(200_000, |text| text.parse().unwrap());
    let lines = match arguments.next() {
        Some(path) => std::fs::read_to_string(path).unwrap().lines().take(count).map(str::to_owned).collect(),
        None => generate(count),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(run(lines));
}

async fn run(lines: Vec<String>) {
    let events = lines.len() as f64;
    println!("{events} events of {:.0} bytes", lines.iter().map(String::len).sum::<usize>() as f64 / events);
    let rows: Vec<Row> = lines
        .iter()
        .enumerate()
        .map(|(seq, line)| Row {
            seq: seq as u64,
            received_at: Timestamp::from_micros(1_763_000_000_000_000 + (seq as i64 / 100) * 250_000),
            line: line.as_str().into(),
        })
        .collect();

    let start = Instant::now();
    let batches: Vec<EventBatch> =
        rows.chunks(FRESH_ROWS).map(|rows| EventBatch::from_rows(rows).unwrap()).collect();
    rate("parse into columns", start, events);

    let mut fresh = Vec::new();
    let start = Instant::now();
    for batch in &batches {
        fresh.push(write(std::slice::from_ref(batch), SegmentOptions::FRESH));
    }
    rate("encode fresh segments", start, events);
    println!("{:30} {:8.1} B/event", "fresh", fresh.iter().map(Bytes::len).sum::<usize>() as f64 / events);

    let mut segments = Vec::new();
    for bytes in fresh {
        segments.push(Segment::open(Arc::new(bytes), "fresh").await.unwrap());
    }
    let mut merged = Bytes::new();
    for level in [1, 3, 6, 7, 9] {
        let start = Instant::now();
        let mut writer = SegmentWriter::new(SegmentOptions { zstd_level: level });
        let stream = merge(segments.clone());
        let mut stream = std::pin::pin!(stream);
        while let Some(batch) = stream.try_next().await.unwrap() {
            writer.push(&batch).unwrap();
        }
        let bytes = writer.finish().unwrap().bytes;
        rate(&format!("merge at level {level}"), start, events);
        println!("{:30} {:8.1} B/event", format!("merged at level {level}"), bytes.len() as f64 / events);
        read_lines(&bytes, level, events).await;
        if level == SegmentOptions::MERGED.zstd_level {
            merged = bytes;
        }
    }
    sizes(&merged, events);
    queries(Segment::open(Arc::new(merged), "merged").await.unwrap(), &lines).await;
}

/// Times the decompression of all lines.
async fn read_lines(bytes: &Bytes, level: i32, events: f64) {
    let segment = Segment::open(Arc::new(bytes.clone()), "merged").await.unwrap();
    let start = Instant::now();
    for (group, found) in segment.row_groups().iter().enumerate() {
        let rows: Vec<u32> = (0..found.rows).collect();
        segment.lines(group, &rows).await.unwrap();
    }
    rate(&format!("read lines of level {level}"), start, events);
}

fn write(batches: &[EventBatch], options: SegmentOptions) -> Bytes {
    let mut writer = SegmentWriter::new(options);
    for batch in batches {
        writer.push(batch).unwrap();
    }
    writer.finish().unwrap().bytes
}

fn rate(what: &str, start: Instant, events: f64) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what:30} {:8.0} events/s {:8.1} ms", events / seconds, seconds * 1e3);
}

/// Bytes per event of each column, and of what Parquet doesn't know.
fn sizes(bytes: &Bytes, events: f64) {
    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    let metadata = reader.metadata();
    let mut columns = 0;
    for column in 0..metadata.file_metadata().schema_descr().num_columns() {
        let name = metadata.file_metadata().schema_descr().column(column).name().to_owned();
        let size: i64 =
            metadata.row_groups().iter().map(|group| group.column(column).compressed_size()).sum();
        columns += size;
        println!("  {name:28} {:8.2} B/event", size as f64 / events);
    }
    let entries = metadata.file_metadata().key_value_metadata().unwrap();
    let json = entries.iter().find(|entry| entry.key == "recount.segment").unwrap().value.as_ref().unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let length = |part: &serde_json::Value| part["length"].as_i64().unwrap();
    let tokens: i64 =
        json["row_groups"].as_array().unwrap().iter().map(|group| length(&group["token_filters"])).sum();
    let ids = length(&json["id_filter"]);
    let rest = bytes.len() as i64 - columns - tokens - ids;
    println!("  {:28} {:8.2} B/event", "token filters", tokens as f64 / events);
    println!("  {:28} {:8.2} B/event", "id filter", ids as f64 / events);
    println!("  {:28} {:8.2} B/event", "footer, index, checksums", rest as f64 / events);
}

/// Times the parts of queries over one segment in memory.
async fn queries(segment: Segment, lines: &[String]) {
    let per_million = 1e6 / lines.len() as f64;
    let timed = |what: &str, start: Instant| {
        let ms = start.elapsed().as_secs_f64() * 1e3;
        println!("{what:44} {ms:8.2} ms {:8.2} ms per million", ms * per_million);
    };
    let start = Instant::now();
    let mut groups = Vec::new();
    for group in 0..segment.row_groups().len() {
        groups.push(segment.columns(group, ColumnSet::ALL, None).await.unwrap());
    }
    timed("decode all columns", start);
    let heap: usize = groups.iter().map(|columns| columns.heap_bytes()).sum();
    println!("{:44} {:8.1} B/event in memory", "decoded columns", heap as f64 / lines.len() as f64);
    let start = Instant::now();
    let mut filters = Vec::new();
    for group in 0..segment.row_groups().len() {
        filters.push(segment.token_filters(group).await.unwrap());
    }
    timed("load token filters", start);

    for text in [
        "action:user.viewed",
        "actor:u_0000000000",
        "actor.id:u_0000000000",
        "target:role/rol_00001",
        "ip:203.0.113.0/24",
        "outcome:denied",
    ] {
        let predicate = Predicate::compile(&Filter::parse(text).unwrap());
        let start = Instant::now();
        let found: usize = groups.iter().map(|columns| predicate.evaluate(columns).count_set_bits()).sum();
        timed(&format!("{text} ({found} rows)"), start);
    }
    for text in ["xyzzyplugh", "lovelace"] {
        let predicate = Predicate::compile(&Filter::parse(text).unwrap());
        let start = Instant::now();
        let blocks: usize = filters.iter().map(|filters| predicate.surviving_blocks(filters).len()).sum();
        timed(&format!("{text}: blocks left ({blocks})"), start);
    }
    let predicate = Predicate::compile(&Filter::parse("xyzzyplugh").unwrap());
    let rows: Vec<u32> = (0..8_192.min(segment.row_groups()[0].rows)).collect();
    let start = Instant::now();
    let block = segment.lines(0, &rows).await.unwrap();
    timed("decompress a block of lines", start);
    let start = Instant::now();
    let found = block.iter().filter(|line| predicate.matches_line(line.as_str())).count();
    timed(&format!("search a block of lines ({found} rows)"), start);

    let all =
        |columns: &recount_segment::RowGroupColumns| arrow_buffer::BooleanBuffer::new_set(columns.len());
    for field in ["action", "actor.id", "target"] {
        let field = field_named(field);
        assert!(facet_columns(&field).is_some());
        let start = Instant::now();
        let mut counts = std::collections::HashMap::new();
        for columns in &groups {
            facet(columns, &all(columns), &field, &mut counts);
        }
        timed(&format!("facet {field} ({} values)", counts.len()), start);
    }
    assert!(!histogram_columns().is_empty());
    let (low, high) = (segment.stats().min_occurred.as_micros(), segment.stats().max_occurred.as_micros());
    let edges: Vec<Timestamp> =
        (0..=90).map(|n| Timestamp::from_micros(low + (high + 1 - low) / 90 * n)).collect();
    let start = Instant::now();
    let mut counts = vec![OutcomeCounts::default(); 90];
    for columns in &groups {
        histogram(columns, &all(columns), &edges, &mut counts);
    }
    timed("histogram of 90 intervals", start);

    let id_filter = segment.id_filter().await.unwrap();
    let hashes: Vec<u64> = (0..100_000).map(|n| id_hash(&format!("other-{n}"))).collect();
    let start = Instant::now();
    let hits = hashes.iter().filter(|hash| id_filter.may_contain(**hash)).count();
    timed(&format!("100,000 unknown ids, id filter ({hits} hits)"), start);
    let id = recount_event::read_fields(&lines[lines.len() / 2]).unwrap().id.into_owned();
    let start = Instant::now();
    assert!(segment.find_ids(&[&id]).await.unwrap()[0].is_some());
    timed("find one id", start);
}

fn field_named(name: &str) -> recount_event::Field {
    let filter = Filter::parse(&format!("{name}:x")).unwrap();
    match filter.terms.into_iter().next().unwrap().matcher {
        recount_event::Matcher::Field { field, .. } => field,
        recount_event::Matcher::Word(_) => unreachable!("it names a field"),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Small numbers far more often than large ones, roughly as 1/n.
    fn skewed(&mut self, limit: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((limit as f64).powf(unit) as u64 - 1).min(limit - 1)
    }
}

/// Lines like those of a SaaS product: 5,000 actors, 60 actions, 20,000 targets, UUIDv7 ids, one event every 5 s.
fn generate(count: usize) -> Vec<String> {
    const FIRST: [&str; 12] = [
        "Ada", "Grace", "Alan", "Linus", "Barbara", "Ken", "Dennis", "Margaret", "Edsger", "Tim", "Radia",
        "Vint",
    ];
    const LAST: [&str; 12] = [
        "Lovelace", "Hopper", "Turing", "Torvalds", "Liskov", "Thompson", "Ritchie", "Hamilton", "Dijkstra",
        "Perlman", "Cerf", "Lamport",
    ];
    const NOUNS: [&str; 15] = [
        "user",
        "role",
        "invoice",
        "project",
        "apikey",
        "document",
        "team",
        "webhook",
        "plan",
        "report",
        "policy",
        "bucket",
        "secret",
        "pipeline",
        "deployment",
    ];
    const VERBS: [&str; 4] = ["viewed", "updated", "created", "deleted"];
    let mut random = Random(7);
    let mut millis = 1_760_000_000_000_u64;
    let mut sessions = vec![0_u64; 5_000];
    let context = ParseContext { tenant: None, allow_own_actions: false };
    (0..count)
        .map(|_| {
            millis += random.below(10_000);
            let actor = random.skewed(5_000);
            let (noun, verb) = (NOUNS[random.skewed(15) as usize], VERBS[random.skewed(4) as usize]);
            let (first, last) = (FIRST[(actor % 12) as usize], LAST[(actor / 12 % 12) as usize]);
            let target = random.below(20_000);
            if sessions[actor as usize] == 0 || random.below(10) == 0 {
                sessions[actor as usize] = random.next();
            }
            let (high, low) = (random.next(), random.next());
            let id = format!(
                "{:08x}-{:04x}-7{:03x}-{:x}{:03x}-{:012x}",
                millis >> 16, millis & 0xffff, high & 0xfff, 8 + (high >> 12 & 3), high >> 16 & 0xfff, low >> 16
            );
            let outcome = match random.below(50) { 0 => "denied", 1 | 2 => "failure", _ => "success" };
            let changes = if verb == "updated" {
                format!(r#","changes":[{{"field":"limit","before":{},"after":{}}}]"#, random.below(1_000), random.below(1_000))
            } else {
                String::new()
            };
            let json = format!(
                concat!(
                    r#"{{"id":"{}","tenant":"org_000000","occurred_at":"{}","action":"{}.{}","outcome":"{}","#,
                    r#""actor":{{"type":"user","id":"u_{:010x}","name":"{} {}","email":"{}.{}{}@example.com"}},"#,
                    r#""targets":[{{"type":"{}","id":"{}_{:05}","name":"{} {}"}}],"#,
                    r#""context":{{"ip":"{}.{}.{}.{}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Chrome/{}.0.0.0","session_id":"{:016x}"}},"#,
                    r#""source":"{}","description":"{} {} {} {}"{},"metadata":{{"plan":"{}","region":"eu-west-1","duration_ms":{}}}}}"#
                ),
                id, Timestamp::from_micros((millis * 1_000) as i64), noun, verb, outcome,
                actor.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xff_ffff_ffff, first, last,
                first.to_lowercase(), last.to_lowercase(), actor,
                noun, &noun[..3], target, noun, target,
                60 + actor % 100, actor % 251, random.below(3), actor % 13, 100 + actor % 40, sessions[actor as usize],
                ["api", "web"][(actor % 2) as usize], first, verb, noun, target, changes,
                ["free", "pro", "enterprise"][(actor % 3) as usize], random.below(2_000),
            );
            parse_event(&json, &context, &mut || unreachable!("ids are given")).unwrap().line
        })
        .collect()
}
