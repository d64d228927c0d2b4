//! A node is killed at random moments, again and again: nothing acknowledged is lost or doubled.
//!
//! The node is this test binary, started again with [`CHILD`] set. It appends, seals and merges as
//! fast as it can and prints a line for every acknowledged event. SIGKILL leaves no time for
//! anything, though what was written stays in the page cache: power cuts are not simulated.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use recount_store::env::Env;
use recount_store::testing;
use recount_store::{CatalogLocation, Store, StoreConfig};

use crate::support::{Place, accepted, check_invariants, events, id_of, on_both_catalogs, tenant};

const CHILD: &str = "RECOUNT_TEST_CRASH_CHILD";
const CHILD_DIR: &str = "RECOUNT_TEST_CRASH_DIR";
const KILLS: u32 = 25;
const TENANTS: u64 = 3;

on_both_catalogs! { killed_again_and_again_it_keeps_its_word }

async fn killed_again_and_again_it_keeps_its_word(place: Place) {
    let mut random = StdRng::seed_from_u64(7);
    let mut acknowledged: BTreeMap<(String, String), u64> = BTreeMap::new();
    for kill in 0..KILLS {
        let acks_until_kill = random.random_range(1..400);
        let acks = tokio::task::block_in_place(|| run_child_until(&place, kill, acks_until_kill));
        for (at, id, seq) in acks {
            assert_eq!(acknowledged.insert((at, id), seq), None, "kill {kill}: ids are new");
        }
        // It only looks: sealing is for the nodes that are killed at it.
        let store = Store::open(place.config.clone(), Env::system()).await.expect("opens after a kill");
        for n in 0..TENANTS {
            let at = tenant(&format!("t{n}"));
            let log = testing::read_log(&store, &at).await.expect("the log is whole");
            check_invariants(&log);
            let stored: BTreeMap<String, u64> = log.iter().map(|event| (id_of(event), event.seq)).collect();
            for ((of, id), seq) in acknowledged.iter().filter(|((of, _), _)| *of == *at.as_ref()) {
                assert_eq!(stored.get(id), Some(seq), "kill {kill}: {id} of {of} was acknowledged");
            }
            // Stored but perhaps not acknowledged: sending it again finds it.
            if let Some(last) = log.last() {
                let again = recount_event::parse_event(&last.line, &Default::default(), &mut uuid::Uuid::nil);
                let again = again.expect("a stored line");
                assert_eq!(accepted(&store, vec![again]).await, [(last.seq, true)]);
            }
        }
        // On PostgreSQL, as if the time of the dead node's leases were over; on SQLite they end with it.
        testing::execute(&store, "UPDATE leases SET expires_at = 0").await.expect("they expire");
        if kill + 1 == KILLS {
            assert_sealed_and_merged(&store).await;
        }
        store.shutdown().await;
    }
}

/// The kills show something only if they meet a node that seals and merges.
async fn assert_sealed_and_merged(store: &Store) {
    let objects = testing::object_names(store).await.expect("listed");
    let (mut sealed, mut merged) = (0, 0);
    for n in 0..TENANTS {
        let at = tenant(&format!("t{n}"));
        let layout = testing::layout(store, &at).await.expect("whole");
        sealed += layout.segments.len();
        for (first, last, _) in &layout.segments {
            // What begins within it was a segment of its own, or followed on one.
            let within = first + 1..=*last;
            let ranges = objects.iter().filter_map(|name| range_of(name, at.as_ref()));
            merged += ranges.filter(|(begin, _)| within.contains(begin)).count();
        }
    }
    assert!(sealed > 0 && merged > 0, "{sealed} segments, {merged} merged ones");
}

/// First and last seq of the tenant's segment of this name.
fn range_of(object: &str, tenant: &str) -> Option<(u64, u64)> {
    let name = object.strip_prefix(&format!("tenants/{tenant}/segments/"))?;
    let mut parts = name.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn config(place: &Place) -> StoreConfig {
    let mut config = place.config.clone();
    config.maintain = true;
    config.seal.events = 30;
    config
}

/// Starts a node, kills it after so many acknowledgements, and returns what it had acknowledged.
fn run_child_until(place: &Place, kill: u32, acks: usize) -> Vec<(String, String, u64)> {
    let catalog = match &place.config.catalog {
        CatalogLocation::Sqlite(_) => String::new(),
        CatalogLocation::Postgres(url) => url.clone(),
    };
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{kill} {catalog}"))
        .env(CHILD_DIR, place.dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut found = Vec::new();
    let mut killed = false;
    for line in lines {
        let Ok(line) = line else { break };
        // The test runner prints lines of its own.
        let Some(ack) = line.split_once("ack ").map(|(_, ack)| ack) else { continue };
        let mut parts = ack.split(' ');
        let (Some(at), Some(id), Some(seq)) = (parts.next(), parts.next(), parts.next()) else { break };
        // A line that the kill has cut has no full stop.
        let Some(seq) = seq.strip_suffix('.') else { break };
        found.push((at.to_owned(), id.to_owned(), seq.parse().expect("a number")));
        if found.len() >= acks && !killed {
            killed = true;
            child.kill().expect("killed");
        }
    }
    assert!(killed, "the node ended by itself after {} acknowledgements", found.len());
    child.wait().expect("gone");
    found
}

/// Not a test of its own: the node that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let dir = std::path::PathBuf::from(std::env::var(CHILD_DIR).expect("set by the parent"));
    let (kill, catalog) = order.split_once(' ').expect("two parts");
    let mut config = config(&Place::sqlite());
    config.objects = StoreConfig::embedded(&dir).objects;
    config.secret_key = None;
    config.catalog = match catalog {
        "" => CatalogLocation::Sqlite(dir.join("catalog.db")),
        url => CatalogLocation::Postgres(url.to_owned()),
    };
    let store = Store::open(config, Env::system()).await.expect("opens");
    let senders = (0..6_u64).map(|sender| {
        let (store, kill) = (store.clone(), kill.to_owned());
        tokio::spawn(async move {
            let at = tenant(&format!("t{}", sender % TENANTS));
            for request in 0_u64.. {
                let prefix = format!("k{kill}-s{sender}-r{request}-");
                let sent = events(&at, &prefix, 0..1 + request % 40);
                let ids: Vec<String> = sent.iter().map(|event| event.id.clone()).collect();
                let mut text = String::new();
                for (id, (seq, _)) in ids.iter().zip(accepted(&store, sent).await) {
                    text.push_str(&format!("ack {at} {id} {seq}.\n"));
                }
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
            }
        })
    });
    futures::future::join_all(senders).await;
}
