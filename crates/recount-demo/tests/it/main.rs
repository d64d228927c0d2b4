//! What the generator promises to demo, tests and benchmarks.

use std::collections::{BTreeMap, HashSet};

use recount_demo::{History, STORY_ACTOR_EMAIL, Workload, WorkloadOptions, companies, zipf_sizes};
use recount_event::{ParseContext, Timestamp, parse_event};
use serde_json::Value;

const UNTIL_MICROS: i64 = 1_795_392_000_000_000; // 2026-11-23T00:00:00Z
const DAYS: u32 = 90;

fn history(company: usize, events: u64) -> History {
    History::new(&companies()[company], 7, Timestamp::from_micros(UNTIL_MICROS), DAYS, events)
}

fn acme() -> Vec<Value> {
    history(0, 20_000).map(|event| serde_json::from_str(&event.line).expect("JSON")).collect()
}

#[test]
fn every_event_is_accepted_as_it_is() {
    for company in 0..3 {
        for event in history(company, 30_000) {
            let context = ParseContext { tenant: None, allow_own_actions: false };
            let parsed = parse_event(&event.line, &context, &mut || unreachable!("the event has an id"));
            let parsed = parsed.unwrap_or_else(|error| panic!("{error:?} in {}", event.line));
            assert_eq!(parsed.line, event.line, "already in normal form");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert!(history(1, 3_000).eq(history(1, 3_000)));
    let other = History::new(&companies()[1], 8, Timestamp::from_micros(UNTIL_MICROS), DAYS, 3_000);
    assert!(!history(1, 3_000).eq(other));
}

#[test]
fn the_number_of_events_is_exact_ids_are_unique_and_times_lie_in_the_range() {
    let events: Vec<_> = history(0, 20_000).collect();
    assert_eq!(events.len(), 20_000);
    let from = UNTIL_MICROS - i64::from(DAYS) * 86_400_000_000;
    assert!(events.iter().all(|event| (from..UNTIL_MICROS).contains(&event.occurred_at.as_micros())));
    let ids: HashSet<_> = acme().iter().map(|event| event["id"].as_str().expect("id").to_owned()).collect();
    assert_eq!(ids.len(), 20_000);
}

#[test]
fn it_looks_like_a_company() {
    let events = acme();
    let count = |test: &dyn Fn(&Value) -> bool| events.iter().filter(|event| test(event)).count();
    let actions: HashSet<_> = events.iter().map(|event| event["action"].as_str().expect("action")).collect();
    assert!((55..=75).contains(&actions.len()), "{} actions", actions.len());
    let failures = count(&|event| event["outcome"] == "failure");
    let denied = count(&|event| event["outcome"] == "denied");
    assert!((200..1_200).contains(&failures), "{failures} failures");
    assert!((40..600).contains(&denied), "{denied} denied");
    assert!(count(&|event| event["changes"].is_array()) > 200);
    assert!(count(&|event| event["actor"]["type"] == "service") > 500);
    let mut by_weekday: BTreeMap<i64, usize> = BTreeMap::new();
    for event in history(0, 20_000) {
        *by_weekday.entry((event.occurred_at.as_micros() / 86_400_000_000 + 3) % 7).or_default() += 1;
    }
    assert!(by_weekday[&1] > 2 * by_weekday[&6], "{by_weekday:?}");
    let bytes: usize = history(0, 2_000).map(|event| event.line.len()).sum();
    assert!((450..750).contains(&(bytes / 2_000)), "{} bytes an event", bytes / 2_000);
}

#[test]
fn the_story_can_be_found() {
    let events = acme();
    let victim: Vec<_> = events.iter().filter(|event| event["actor"]["email"] == STORY_ACTOR_EMAIL).collect();
    let has = |action: &str, outcome: &str| {
        victim.iter().filter(|event| event["action"] == action && event["outcome"] == outcome).count()
    };
    assert_eq!(has("user.mfa_challenged", "denied"), 11);
    assert!(has("user.login", "success") > 3, "an ordinary life before");
    assert_eq!(has("audit_settings.updated", "success"), 1);
    let stolen = events.iter().filter(|event| event["actor"]["name"] == "quarterly-sync").count();
    assert_eq!(stolen, 9);
    let guesses =
        events.iter().filter(|event| event["context"]["user_agent"] == "python-requests/2.31.0").count();
    assert_eq!(guesses, 141);
}

#[test]
fn life_goes_on_after_the_history() {
    let mut live = history(2, 10).live(3);
    let now = Timestamp::from_micros(UNTIL_MICROS + 5_000_000);
    let event = live.happen(now);
    assert_eq!((event.tenant, event.occurred_at), ("harbor", now));
    assert_ne!(live.happen(now).line, event.line);
}

#[test]
fn a_workload_is_a_function_of_tenant_and_index() {
    let workload = Workload::new(WorkloadOptions::until(Timestamp::from_micros(UNTIL_MICROS)));
    let event = |tenant, index| {
        let mut line = String::new();
        workload.write_event(tenant, index, 1_000, &mut line);
        line
    };
    assert_eq!(event(3, 17), event(3, 17));
    assert_ne!(event(3, 17), event(3, 18));
    let bytes: usize = (0..1_000).map(|index| event(0, index).len()).sum();
    assert!((520..680).contains(&(bytes / 1_000)), "{} bytes an event", bytes / 1_000);
    assert!(workload.occurred_at(0, 10) < workload.occurred_at(9, 10));
}

#[test]
fn sizes_fall_by_zipf_and_add_up() {
    for (total, largest) in [(10_000_000, 3_000_000), (1_000_000, 300_000), (200_000, 60_000)] {
        let sizes = zipf_sizes(total, largest, 1_000);
        assert_eq!(sizes.iter().sum::<u64>(), total);
        assert_eq!((sizes[0], sizes.last()), (largest, Some(&1_000)));
        assert!(sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    }
}
