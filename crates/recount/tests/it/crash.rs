//! Power cuts: the server is killed at random moments under load, again and again. What it
//! acknowledged is there, once, with the same seq, and nothing has a gap.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::support::{OPERATOR_KEY, Server, folder};

const KILLS: u64 = 50;
const CLIENTS: u64 = 6;
const TENANTS: [&str; 2] = ["acme", "beta"];
const SEED: u64 = 20_261_123;
/// A server is killed after at most so many acknowledged events, and so much later.
const LIFE_EVENTS_MAX: u64 = 600;
const LIFE_MILLIS_MAX: u64 = 50;

/// What the clients were told, and what they do not know.
#[derive(Default)]
struct Ledger {
    /// Tenant and id of each acknowledged event, with its seq.
    acknowledged: HashMap<(String, String), u64>,
    /// Batches whose answer never came; they are sent again with the same ids.
    unanswered: Vec<Vec<String>>,
    /// The next new event of each client.
    next: BTreeMap<u64, u64>,
}

/// A repeatable source of moments and sizes.
fn draw(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % bound
}

fn batch(client: u64, from: u64, count: u64) -> Vec<String> {
    (from..from + count)
        .map(|number| {
            let tenant = TENANTS[(number % 2) as usize];
            format!(
                "{{\"id\":\"c{client}-{number}\",\"tenant\":\"{tenant}\",\"occurred_at\":\"2026-11-01T10:00:00.{:03}Z\",\
                 \"action\":\"load.sent\",\"actor\":{{\"type\":\"client\",\"id\":\"c{client}\"}}}}",
                number % 1_000
            )
        })
        .collect()
}

/// Sends batches until it is told to stop or the server goes away.
async fn client(
    url: String,
    number: u64,
    seed: u64,
    ledger: Arc<Mutex<Ledger>>,
    stop: watch::Receiver<bool>,
) {
    let http = reqwest::Client::new();
    let mut random = seed ^ (number + 1).wrapping_mul(0x9E37_79B9);
    while !*stop.borrow() {
        let events = {
            let mut ledger = ledger.lock().expect("no client panicked with it");
            match ledger.unanswered.pop() {
                Some(events) => events,
                None => {
                    let count = 1 + draw(&mut random, 40);
                    let next = ledger.next.entry(number).or_default();
                    let from = *next;
                    *next += count;
                    batch(number, from, count)
                }
            }
        };
        let request = http
            .post(format!("{url}/v1/events"))
            .bearer_auth(OPERATOR_KEY)
            .body(format!("[{}]", events.join(",")));
        let answered = match request.header("content-type", "application/json").send().await {
            Ok(response) if response.status().is_success() => response.json::<Value>().await.ok(),
            _ => None,
        };
        let mut ledger = ledger.lock().expect("no client panicked with it");
        let Some(answer) = answered else {
            ledger.unanswered.push(events);
            // The server is gone, or busy: the next life is for another try.
            return;
        };
        note(&mut ledger, &events, &answer);
    }
}

/// Writes down what was acknowledged; the same event always has the same seq.
fn note(ledger: &mut Ledger, events: &[String], answer: &Value) {
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), events.len());
    for (event, result) in events.iter().zip(results) {
        let event: Value = serde_json::from_str(event).expect("JSON");
        let seq = result["seq"].as_u64().unwrap_or_else(|| panic!("refused: {result}"));
        let key = (
            event["tenant"].as_str().expect("text").to_owned(),
            event["id"].as_str().expect("text").to_owned(),
        );
        let before = ledger.acknowledged.insert(key.clone(), seq);
        assert!(before.is_none_or(|before| before == seq), "{key:?} had seq {before:?} and now {seq}");
    }
}

/// Reads a tenant's whole feed and checks that it has no gap and nothing twice.
async fn feed(url: &str, tenant: &str) -> HashMap<String, u64> {
    let http = reqwest::Client::new();
    let mut seen = HashMap::new();
    let mut next = 0;
    loop {
        let url = format!("{url}/v1/feed?tenant={tenant}&from={next}&limit=1000");
        let page: Value = http
            .get(url)
            .bearer_auth(OPERATOR_KEY)
            .send()
            .await
            .expect("it answers")
            .json()
            .await
            .expect("JSON");
        let events = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
        for event in events {
            assert_eq!(event["seq"].as_u64(), Some(next), "a gap in {tenant}");
            next += 1;
            let id = event["id"].as_str().expect("an id").to_owned();
            assert!(seen.insert(id.clone(), next - 1).is_none(), "{id} is there twice");
        }
        assert_eq!(page["next"].as_u64(), Some(next));
        if events.is_empty() {
            return seen;
        }
    }
}

fn check(ledger: &Ledger, feeds: &BTreeMap<&str, HashMap<String, u64>>) {
    for ((tenant, id), seq) in &ledger.acknowledged {
        assert_eq!(
            feeds[tenant.as_str()].get(id),
            Some(seq),
            "{tenant} {id} was acknowledged with seq {seq}"
        );
    }
}

async fn feeds(url: &str) -> BTreeMap<&'static str, HashMap<String, u64>> {
    let mut feeds = BTreeMap::new();
    for tenant in TENANTS {
        feeds.insert(tenant, feed(url, tenant).await);
    }
    feeds
}

/// Starts a server that seals often, so that it is killed in the middle of that too.
fn start(folder: &Path, more: &[(String, String)]) -> Server {
    Server::with(folder, |command| {
        command.args(["--set", "seal.events=256", "--set", "seal.age=1s"]).envs(more.iter().cloned())
    })
}

/// Whether the kills met a server that seals, and merges: only then do they show something.
fn assert_sealed_and_merged(folder: &Path) {
    let merged = TENANTS.into_iter().filter(|tenant| was_merged(folder, tenant)).count();
    assert!(merged > 0, "nothing was merged");
}

fn was_merged(folder: &Path, tenant: &str) -> bool {
    let names = std::fs::read_dir(folder.join("objects/tenants").join(tenant).join("segments"));
    let ranges: Vec<(u64, u64)> = names
        .expect("segments were written")
        .filter_map(|file| {
            let name = file.expect("a name").file_name().into_string().ok()?;
            let mut parts = name.split('-');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
        .collect();
    assert!(!ranges.is_empty(), "{tenant}: nothing was sealed");
    // A segment that begins within another one was merged into it, or followed on one that was.
    ranges.iter().any(|(begin, _)| ranges.iter().any(|(a, z)| a < begin && begin <= z))
}

async fn kill_again_and_again(folder: &Path, more: &[(String, String)], after_kill: impl AsyncFn()) {
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut random = SEED;
    for life in 0..KILLS {
        let server = start(folder, more);
        let before = ledger.lock().expect("no client panicked with it").acknowledged.len();
        let (stop, stopped) = watch::channel(false);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                tokio::spawn(client(
                    server.url.clone(),
                    number,
                    SEED + life,
                    Arc::clone(&ledger),
                    stopped.clone(),
                ))
            })
            .collect();
        let enough = before + usize::try_from(draw(&mut random, LIFE_EVENTS_MAX)).expect("small");
        let acknowledged = || ledger.lock().expect("no client panicked with it").acknowledged.len();
        while acknowledged() < enough && !clients.iter().all(tokio::task::JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        // The moment of the kill is what the test is about: it waits for nothing.
        tokio::time::sleep(Duration::from_millis(draw(&mut random, LIFE_MILLIS_MAX))).await;
        tokio::task::spawn_blocking(|| server.kill()).await.expect("killed");
        after_kill().await;
        let _ = stop.send(true);
        for client in clients {
            client.await.expect("no client panicked");
        }
    }
    let server = start(folder, more);
    let before = feeds(&server.url).await;
    {
        let ledger = ledger.lock().expect("no client panicked with it");
        assert!(
            ledger.acknowledged.len() > 1_000,
            "only {} events were acknowledged",
            ledger.acknowledged.len()
        );
        check(&ledger, &before);
        eprintln!("{KILLS} kills, {} events acknowledged", ledger.acknowledged.len());
    }
    assert_sealed_and_merged(folder);
    // What nobody got an answer for is sent once more: each is there once in the end.
    let unanswered = std::mem::take(&mut ledger.lock().expect("not poisoned").unanswered);
    for events in unanswered {
        send_again(&server.url, &events, &ledger).await;
    }
    let after = feeds(&server.url).await;
    check(&ledger.lock().expect("not poisoned"), &after);
    // The same again after a stop in good order.
    assert_eq!(tokio::task::spawn_blocking(|| server.stop()).await.expect("stopped"), Some(0));
    let server = start(folder, more);
    let again = feeds(&server.url).await;
    for tenant in TENANTS {
        // Looking at the log is an event of its own, once a day; it came before `after`.
        assert_eq!(again[tenant], after[tenant]);
    }
}

/// Sends a batch whose answer never came.
async fn send_again(url: &str, events: &[String], ledger: &Mutex<Ledger>) {
    let request = reqwest::Client::new().post(format!("{url}/v1/events")).bearer_auth(OPERATOR_KEY);
    let response = request
        .header("content-type", "application/json")
        .body(format!("[{}]", events.join(",")))
        .send()
        .await;
    let answer: Value = response.expect("it answers").json().await.expect("JSON");
    note(&mut ledger.lock().expect("not poisoned"), events, &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_fifty_kills() {
    let folder = folder();
    // The lock on the data folder ends with the process, and its leases with the lock.
    kill_again_and_again(folder.path(), &[], async || {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_fifty_kills_with_postgresql() {
    use sqlx::Connection as _;
    let Ok(server) = std::env::var("RECOUNT_TEST_POSTGRES") else {
        assert!(std::env::var_os("RECOUNT_TEST_REQUIRED").is_none(), "RECOUNT_TEST_POSTGRES is not set");
        eprintln!("NOT RUN: fifty kills with PostgreSQL, because RECOUNT_TEST_POSTGRES is not set");
        return;
    };
    let name = format!("recount_crash_{}", std::process::id());
    let mut admin = sqlx::PgConnection::connect(&server).await.expect("the test server answers");
    for sql in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.expect("a new database");
    }
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(&name);
    let folder = folder();
    let more =
        [("RECOUNT_CATALOG".to_owned(), url.to_string()), ("RECOUNT_SECRET_KEY".to_owned(), "0".repeat(64))];
    // As if the time of the dead server's leases were over, so that the next one seals and merges.
    let expire = async || {
        let mut catalog = sqlx::PgConnection::connect(url.as_str()).await.expect("the test server answers");
        let expire = "UPDATE leases SET expires_at = 0";
        match sqlx::raw_sql(expire).execute(&mut catalog).await {
            Ok(_) => {}
            // The first server may be killed before it has made the tables.
            Err(error) => assert!(error.to_string().contains("does not exist"), "{error}"),
        }
    };
    kill_again_and_again(folder.path(), &more, expire).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_loses_nothing() {
    let folder = folder();
    let server = start(folder.path(), &[]);
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let (stop, stopped) = watch::channel(false);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            tokio::spawn(client(server.url.clone(), number, SEED, Arc::clone(&ledger), stopped.clone()))
        })
        .collect();
    // Load is under way once something was acknowledged.
    while ledger.lock().expect("not poisoned").acknowledged.len() < 500 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tokio::task::spawn_blocking(|| server.stop()).await.expect("stopped"), Some(0));
    let _ = stop.send(true);
    for client in clients {
        client.await.expect("no client panicked");
    }
    let server = start(folder.path(), &[]);
    let found = feeds(&server.url).await;
    check(&ledger.lock().expect("not poisoned"), &found);
}
