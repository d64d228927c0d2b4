//! Predicates with all their pruning equal the naive meaning of the filter, on segments and on batches.

use recount_event::{Field, Filter, Matcher, Pattern, Term, Timestamp, Word};
use recount_segment::{BLOCK_ROWS, BlockSet, EventBatch, Predicate, Row, Segment};

use crate::events::{ACTIONS, IDS, IPS, NAMES, Random, TYPES, WORDS, batch, encode, line, open};

fn field(random: &mut Random) -> Field {
    match random.below(23) {
        0 => Field::Id,
        1 => Field::Action,
        2 => Field::Outcome,
        3 => Field::Source,
        4 => Field::Actor,
        5 => Field::ActorId,
        6 => Field::ActorType,
        7 => Field::ActorName,
        8 => Field::ActorEmail,
        9 => Field::Target,
        10 => Field::TargetId,
        11 => Field::TargetType,
        12 => Field::TargetName,
        13 => Field::Ip,
        14 => Field::UserAgent,
        15 => Field::Location,
        16 => Field::SessionId,
        17 => Field::RequestId,
        18 => Field::Description,
        19 => Field::Reason,
        20 => Field::Change,
        21 => Field::Tag(random.pick(&["severity", "team", "none"]).to_owned()),
        _ => Field::Metadata(random.pick(&["a", "a.b", "plan", "none"]).to_owned()),
    }
}

/// A text that `field` of some event may well have.
fn value(random: &mut Random, field: Option<&Field>) -> String {
    let pool: &[&str] = match field {
        Some(Field::Action) => ACTIONS,
        Some(Field::Outcome) => &["success", "failure", "denied"],
        Some(Field::Source | Field::UserAgent) => &["api", "web", "curl", "Mozilla/5.0 (X11)"],
        Some(Field::ActorId | Field::TargetId) => IDS,
        Some(Field::ActorType | Field::TargetType) => TYPES,
        Some(Field::ActorName | Field::TargetName) => NAMES,
        Some(Field::ActorEmail) => &["ada@example.com", "ADA@example.com", "@example.org", "k@x", "grace"],
        Some(Field::Actor | Field::Target) => {
            return match random.below(4) {
                0 => random.pick(IDS).to_owned(),
                1 => random.pick(NAMES).to_owned(),
                2 => format!("{}/{}", random.pick(TYPES), random.pick(IDS)),
                _ => random.pick(&["ada@example.com", "user/", "lovelace", "ö", "o"]).to_owned(),
            };
        }
        Some(Field::Ip) => IPS,
        Some(Field::Location) => &["Berlin, DE", "berlin", "paulo", "S\u{e3}o"],
        Some(Field::SessionId) => &["s1", "s2", "s"],
        Some(Field::Change) => &["limit", "owner", "lim"],
        Some(Field::Tag(_)) => &["low", "high", "ada", "4711"],
        Some(Field::Metadata(_)) => &["true", "pro", "free", "7", "ada", "Refund", "x"],
        Some(Field::Id) => return format!("id-{}", random.below(12_000)),
        _ => match random.below(4) {
            0 => return random.below(12_000).to_string(),
            1 => NAMES,
            2 => IDS,
            _ => WORDS,
        },
    };
    random.pick(pool).to_owned()
}

/// The start of a text, at a character's edge.
fn start_of(random: &mut Random, text: &str) -> String {
    let count = random.below(text.chars().count() as u64 + 1);
    text.chars().take(usize::try_from(count).unwrap()).collect()
}

fn pattern(random: &mut Random, field: &Field) -> Pattern {
    let text = value(random, Some(field));
    if *field == Field::Ip && random.chance(70) {
        let networks = ["203.0.113.7/32", "203.0.113.0/24", "2001:db8::/32", "2001:db8::1/128", "0.0.0.0/0"];
        return Pattern::Cidr(random.pick(&networks).parse().unwrap());
    }
    if random.chance(30) { Pattern::Prefix(start_of(random, &text)) } else { Pattern::Exact(text) }
}

fn word(random: &mut Random) -> Word {
    let text = match random.below(3) {
        0 => value(random, None),
        1 => format!("{} {}", value(random, None), value(random, None)),
        _ => {
            let field = field(random);
            value(random, Some(&field))
        }
    };
    match random.below(3) {
        0 => Word::Whole(text),
        1 => Word::Prefix(start_of(random, &text)),
        _ => {
            let skip = usize::try_from(random.below(3)).unwrap();
            Word::Phrase(text.chars().skip(skip).collect())
        }
    }
}

fn filter(random: &mut Random) -> Filter {
    let terms = (0..=random.below(3)).map(|_| {
        let matcher = if random.chance(30) {
            Matcher::Word(word(random))
        } else {
            let field = field(random);
            let any = (0..=random.below(3)).map(|_| pattern(random, &field)).collect();
            Matcher::Field { field, any }
        };
        Term { negated: random.chance(25), matcher }
    });
    Filter { terms: terms.collect() }
}

/// Seqs of the matching rows, found as a scanner does it.
async fn scan(segment: &Segment, filter: &Filter) -> Vec<u64> {
    let predicate = Predicate::compile(filter);
    let mut found = Vec::new();
    if predicate.prunes_by_id() && !predicate.may_match_ids(&segment.id_filter().await.unwrap()) {
        return found;
    }
    for (group, info) in segment.row_groups().iter().enumerate() {
        let prunes = predicate.prunes_by_tokens() || !predicate.columns_pruned_by_tokens().is_empty();
        let blocks = match prunes {
            true => predicate.surviving_blocks(&segment.token_filters(group).await.unwrap()),
            false => BlockSet::of_rows(info.rows),
        };
        let needed = predicate.columns_needed().union(recount_segment::ColumnSet::ORDER);
        let columns = segment.columns(group, needed, None).await.unwrap();
        let rows: Vec<u32> = predicate
            .evaluate(&columns)
            .set_indices()
            .filter(|row| blocks.contains(row / BLOCK_ROWS))
            .map(|row| u32::try_from(row).unwrap())
            .collect();
        if predicate.has_residual() {
            let fetched = segment.fetch_lines(group, &rows).await.unwrap();
            let lines = fetched.decode_where(|page| predicate.may_match_line_in(page)).unwrap();
            for (row, line) in rows.iter().zip(lines) {
                if line.is_some_and(|line| predicate.matches_line(line.as_str())) {
                    found.push(columns.seq(*row as usize));
                }
            }
        } else {
            found.extend(rows.iter().map(|row| columns.seq(*row as usize)));
        }
    }
    found
}

fn scan_batch(batch: &EventBatch, filter: &Filter) -> Vec<u64> {
    let predicate = Predicate::compile(filter);
    let selected = predicate.evaluate(batch.columns());
    let rows = selected.set_indices().filter(|row| predicate.matches_line(batch.line(*row).as_str()));
    rows.map(|row| batch.columns().seq(row)).collect()
}

fn naive(batch: &EventBatch, filter: &Filter) -> Vec<u64> {
    let rows = (0..batch.len()).filter(|row| filter.matches(batch.line(*row).as_str()));
    rows.map(|row| batch.columns().seq(row)).collect()
}

async fn compare(seed: u64, rows: u64, filters: u64) -> u64 {
    let batch = batch(seed, 0, rows);
    let segment = open(encode(std::slice::from_ref(&batch))).await;
    let mut random = Random(seed + 1_000);
    let mut selective = 0;
    for _ in 0..filters {
        let filter = filter(&mut random);
        let expected = naive(&batch, &filter);
        assert_eq!(scan_batch(&batch, &filter), expected, "batch, seed {seed}: {filter}");
        assert_eq!(scan(&segment, &filter).await, expected, "segment, seed {seed}: {filter}");
        selective += u64::from(!expected.is_empty() && expected.len() < batch.len());
    }
    selective
}

#[tokio::test]
async fn predicates_equal_the_naive_filter_on_many_small_segments() {
    let mut selective = 0;
    for seed in 0..60 {
        selective += compare(seed, 1 + seed * 3, 60).await;
    }
    assert!(selective > 600, "only {selective} of 3,600 filters were selective");
}

#[tokio::test]
async fn predicates_equal_the_naive_filter_across_blocks() {
    let selective = compare(77, BLOCK_ROWS as u64 + 1_500, 80).await;
    assert!(selective > 20, "only {selective} filters were selective");
}

#[tokio::test]
async fn token_filters_exclude_blocks_without_the_word() {
    let segment = open(encode(&[batch(5, 0, 30_000)])).await;
    let filters = segment.token_filters(0).await.unwrap();
    let blocks = |text: &str| {
        let predicate = Predicate::compile(&Filter::parse(text).unwrap());
        assert!(predicate.prunes_by_tokens(), "{text}");
        predicate.surviving_blocks(&filters).len()
    };
    assert_eq!(filters.blocks(), 4);
    assert_eq!(blocks("refund"), 4);
    assert_eq!(blocks("nowhere nothing"), 0);
    assert_eq!(blocks("refund nowhere-nothing"), 0);
    assert!(blocks("29999") < 4, "a word of one event is in every block");
    assert!(!Predicate::compile(&Filter::parse("-nowhere").unwrap()).prunes_by_tokens());
}

#[tokio::test]
async fn token_filters_spare_columns_that_hold_nothing_searched_for() {
    let segment = open(encode(&[batch(5, 0, 30_000)])).await;
    let filters = segment.token_filters(0).await.unwrap();
    let predicate = |text: &str| Predicate::compile(&Filter::parse(text).unwrap());
    for text in [
        "actor:nowhere",
        "actor.id:no-where",
        "target.name:nowhere",
        "tags.severity:nowhere",
        "actor:nowhere,also*",
    ] {
        let pruned = predicate(text).columns_pruned_by_tokens();
        // A single prefix says nothing about words.
        assert_eq!(pruned.is_empty(), text.ends_with('*'), "{text}");
        assert!(!predicate(text).prunes_by_tokens(), "{text}: its column decides it where that is at hand");
        assert_eq!(predicate(text).surviving_blocks(&filters).is_empty(), !pruned.is_empty(), "{text}");
    }
    // Words of small dictionaries aren't asked for, nor of ids, which have a column of hashes.
    for text in ["action:nowhere", "outcome:success", "-actor:nowhere", "id:nowhere"] {
        assert!(predicate(text).columns_pruned_by_tokens().is_empty(), "{text}");
        assert_eq!(predicate(text).surviving_blocks(&filters).len(), 4, "{text}");
    }
}

#[tokio::test]
async fn pages_without_a_phrase_are_not_taken_apart() {
    let segment = open(encode(&[batch(5, 0, 3_000)])).await;
    let rows: Vec<u32> = (0..3_000).collect();
    for (text, any) in
        [("\"owher\"", false), ("nowh*", false), ("metadata.plan:nowhere", false), ("\"efun\"", true)]
    {
        let predicate = Predicate::compile(&Filter::parse(text).unwrap());
        let fetched = segment.fetch_lines(0, &rows).await.unwrap();
        let lines = fetched.decode_where(|page| predicate.may_match_line_in(page)).unwrap();
        assert_eq!((lines.len(), lines.iter().any(Option::is_some)), (3_000, any), "{text}");
    }
}

#[tokio::test]
async fn page_statistics_tell_where_a_time_is() {
    let batch = batch(8, 0, 3 * BLOCK_ROWS as u64 - 100);
    let segment = open(encode(std::slice::from_ref(&batch))).await;
    let rows = u32::try_from(batch.len()).unwrap();
    let times: Vec<i64> = (0..batch.len()).map(|row| batch.columns().occurred_at(row).as_micros()).collect();
    let bounds =
        [i64::MIN, times[0], times[0] + 1, times[batch.len() - 1], times[batch.len() - 1] + 1, i64::MAX];
    for micros in times.iter().step_by(501).copied().chain(bounds) {
        let first = u32::try_from(times.partition_point(|time| *time >= micros)).unwrap();
        let around = segment.rows_around(0, Timestamp::from_micros(micros));
        assert!(
            around.len() <= BLOCK_ROWS && around.start <= first && first <= around.end,
            "{around:?}: {first}"
        );
        assert!(!around.is_empty() || around.start == first, "{around:?}: {first}");
    }
    assert_eq!(segment.rows_around(0, Timestamp::from_micros(i64::MIN)), rows..rows);
}

#[tokio::test]
async fn the_id_filter_excludes_segments_without_the_id() {
    let segment = open(encode(&[batch(6, 0, 1_000)])).await;
    let filter = segment.id_filter().await.unwrap();
    let predicate = |text: &str| Predicate::compile(&Filter::parse(text).unwrap());
    assert!(!predicate("id:nowhere").may_match_ids(&filter));
    assert!(predicate("id:nowhere").prunes_by_id());
    assert!(!predicate("-id:nowhere").prunes_by_id());
    assert!(!predicate("id:now*").prunes_by_id());
}

/// A batch of events that differ in the actor's name.
fn named(names: &[&str]) -> EventBatch {
    let json = |seq: usize, name: &str| {
        format!(
            r#"{{"id":"{seq}","tenant":"acme","occurred_at":"2025-11-13T02:13:54Z","action":"a","actor":{{"type":"user","id":"u{seq}","name":"{name}"}}}}"#
        )
    };
    let rows: Vec<Row> = names
        .iter()
        .enumerate()
        .map(|(seq, name)| Row {
            seq: seq as u64,
            received_at: Timestamp::from_micros(0),
            line: line(&json(seq, name)).into(),
        })
        .collect();
    EventBatch::from_rows(&rows).unwrap()
}

#[test]
fn large_dictionaries_are_searched_as_exactly_as_small_ones() {
    // The Kelvin sign folds to `k`; the needle `ab` also lies across two values, and in one value twice.
    let mut names = vec!["\u{212a}elvin", "kelvin", "KELVIN", "xa", "bx", "abab", "a-b", "b ab"];
    let filler: Vec<String> = (0..200).map(|n| format!("filler {n}")).collect();
    names.extend(filler.iter().map(String::as_str));
    let batch = named(&names);
    for text in [
        "actor:kelvin",
        "actor.name:kel*",
        "actor:ab",
        "actor:ab*",
        "-actor:ab",
        "actor:user/u3",
        "actor.id:u3",
        "actor.type:user",
        "actor:kelvin,ab",
    ] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(scan_batch(&batch, &filter), naive(&batch, &filter), "{text}");
        assert!(!scan_batch(&batch, &filter).is_empty(), "{text}");
    }
}
