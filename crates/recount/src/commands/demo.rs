//! `recount demo`: a server with believable events of three companies.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use recount_demo::{Company, History, Live, STORY_ACTOR_EMAIL, companies};
use recount_event::{NewEvent, ParseContext, TenantId, Timestamp, parse_event};
use recount_store::access::{Credential, NewKey, ScopeSet};
use recount_store::{IngestAccess, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::serve::Settings;
use crate::client::{Client, Connection};
use crate::config::{Resolved, Value as Setting};
use crate::exit::{Exit, Failed};
use crate::output::{self, Paint};
use crate::server::{DEMO_STOP_TIMEOUT, Running};

const DATA_DIR: &str = "./recount-demo";
/// The file in the data folder that says that it is a demo's, and keeps its keys.
const DEMO_FILE: &str = "demo.json";
const SEED: u64 = 2_026;
const DAYS: u32 = 90;
/// Events of one append while the history is loaded.
const LOAD_BATCH_EVENTS: usize = 5_000;
const LIVE_INTERVAL: Duration = Duration::from_secs(1);

/// Run a server with believable events of three companies, and keep new ones coming
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Everything is in ./recount-demo; running it again goes on with what is there. An account of Acme
Robotics was taken over some days ago: find out how.

Examples:
  recount demo
  recount demo --fresh
  recount demo --listen 127.0.0.1:9000 --data-dir /tmp/demo")]
pub struct Demo {
    /// How many events the past holds
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    events: u64,
    /// Begin anew: remove what an earlier demo left
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    settings: Settings,
}

/// What a demo keeps for its next run.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    operator_key: String,
    tenant_key: String,
    /// Where the past ends: loading that was broken off goes on with the same events.
    until_micros: Option<i64>,
    loaded: bool,
}

impl Demo {
    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// As `recount serve`, and if the events cannot be stored.
    pub async fn run(self) -> Result<Exit, Failed> {
        let resolved = self.settings.load(|loader| {
            loader.default_for("recount demo", "data_dir", Setting::Text(DATA_DIR.to_owned()));
            loader.default_for("recount demo", "log.level", Setting::Text("warn".to_owned()));
        })?;
        crate::telemetry::begin(
            resolved.text("log.level").unwrap_or("warn"),
            resolved.text("log.format").unwrap_or("auto"),
        )?;
        let folder = PathBuf::from(resolved.text("data_dir").unwrap_or(DATA_DIR));
        if self.fresh {
            remove_demo(&folder)?;
        }
        let mut running = Running::start(&resolved).await?;
        let file = folder.join(DEMO_FILE);
        let now = running.store().env().now();
        let mut kept = read_kept(&file);
        kept.operator_key = operator_key(&running, &resolved, &kept)?;
        kept.until_micros.get_or_insert(now.as_micros());
        // Before anything is loaded: a folder whose key is lost is of no use.
        write_kept(&file, &kept)?;
        let credential = running.store().authenticate(&kept.operator_key).await.map_err(|error| {
            Failed::new(
                Exit::Denied,
                format!("the operator's key does not open {}: {error}", folder.display()),
            )
            .hint("`recount demo --fresh` begins anew")
        })?;
        let access = credential.ingest().map_err(|error| Failed::new(Exit::Denied, error.to_string()))?;
        let past = self.past(&kept, now);
        let present =
            past.iter().map(|history| history.clone().live(now.as_micros().unsigned_abs())).collect();
        let began = Instant::now();
        let store = running.store().clone();
        let loaded = match running.unless_signalled(load(&store, &access, past, &kept)).await {
            Some(loaded) => loaded?,
            None => {
                eprintln!("stopped while loading; `recount demo` goes on with it");
                return running.stop().await;
            }
        };
        if kept.tenant_key.is_empty() {
            kept.tenant_key = tenant_key(running.store(), &credential).await?;
        }
        kept.loaded = true;
        write_kept(&file, &kept)?;
        let took = began.elapsed();
        let link = portal_link(&running, &kept).await;
        introduce(&running, &kept, (loaded, took), link.as_deref(), &folder)?;
        let stopping = running.stopping();
        let live = tokio::spawn(live(store, access, present, stopping));
        let ended = running.until_stopped().await;
        let _ = tokio::time::timeout(DEMO_STOP_TIMEOUT, live).await;
        ended
    }

    /// The past of each company, the same again if it is loaded again.
    fn past(&self, kept: &Kept, now: Timestamp) -> Vec<History> {
        let until = kept.until_micros.map_or(now, Timestamp::from_micros);
        let history = |company: &Company| {
            History::new(company, SEED, until, DAYS, self.events * company.share_percent / 100)
        };
        companies().iter().map(history).collect()
    }
}

/// Removes a demo's folder; any other folder is left alone.
fn remove_demo(folder: &Path) -> Result<(), Failed> {
    if !folder.exists() {
        return Ok(());
    }
    if !folder.join(DEMO_FILE).is_file() {
        return Err(Failed::new(
            Exit::NotWritable,
            format!("{} is not a demo's folder, so --fresh leaves it alone", folder.display()),
        )
        .hint("remove it yourself, or choose another with --data-dir"));
    }
    std::fs::remove_dir_all(folder).map_err(|error| {
        Failed::new(Exit::NotWritable, format!("cannot remove {}: {error}", folder.display()))
    })
}

fn read_kept(file: &Path) -> Kept {
    std::fs::read_to_string(file).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Keeps the keys, readable by the owner only.
fn write_kept(file: &Path, kept: &Kept) -> Result<(), Failed> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = serde_json::to_string_pretty(kept).expect("what a demo keeps has plain members only");
    options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failed::new(Exit::NotWritable, format!("cannot write {}: {error}", file.display())))
}

fn operator_key(running: &Running, resolved: &Resolved, kept: &Kept) -> Result<String, Failed> {
    let given = resolved.text("operator_key").map(str::to_owned);
    let known = given.or_else(|| running.new_operator_key().map(str::to_owned));
    match known {
        Some(key) => Ok(key),
        None if !kept.operator_key.is_empty() => Ok(kept.operator_key.clone()),
        None => {
            Err(Failed::new(Exit::Denied, "this folder has an operator's key that the demo does not know")
                .hint("choose another folder with --data-dir, or give the key as RECOUNT_OPERATOR_KEY"))
        }
    }
}

/// Loads the past, unless an earlier run has; tells how many events that were.
async fn load(store: &Store, access: &IngestAccess, past: Vec<History>, kept: &Kept) -> Result<u64, Failed> {
    if kept.loaded {
        return Ok(0);
    }
    let mut loaded = 0;
    for mut history in past {
        loop {
            let batch: Vec<NewEvent> =
                history.by_ref().take(LOAD_BATCH_EVENTS).map(|event| new_event(&event.line)).collect();
            if batch.is_empty() {
                break;
            }
            loaded += batch.len() as u64;
            append(store, access, batch).await?;
        }
    }
    Ok(loaded)
}

fn new_event(line: &str) -> NewEvent {
    let context = ParseContext { tenant: None, allow_own_actions: false };
    parse_event(line, &context, &mut || unreachable!("events of the demo have ids"))
        .expect("events of the demo are valid")
}

async fn append(store: &Store, access: &IngestAccess, events: Vec<NewEvent>) -> Result<(), Failed> {
    let results =
        store.append(access, events).await.map_err(|error| Failed::new(Exit::Storage, error.to_string()))?;
    match results.into_iter().find_map(Result::err) {
        Some(refused) => Err(Failed::new(Exit::Storage, refused.to_string())),
        None => Ok(()),
    }
}

async fn tenant_key(store: &Store, operator: &Credential) -> Result<String, Failed> {
    let failed =
        |error: &dyn std::fmt::Display| Failed::new(Exit::Storage, format!("cannot make a key: {error}"));
    let tenant: TenantId = companies()[0].tenant.parse().expect("a tenant's name");
    let new = NewKey {
        name: "demo".to_owned(),
        tenant: Some(tenant),
        scopes: ScopeSet::parse("events:read exports:write").map_err(|error| failed(&error))?,
        expires_at: None,
    };
    let created = store.create_key(operator, new).await.map_err(|error| failed(&error))?;
    Ok(created.text.text)
}

/// A one-time link into the portal of the first company; `None` if this build has no portal.
async fn portal_link(running: &Running, kept: &Kept) -> Option<String> {
    let connection = Connection {
        server: format!("http://{}", running.address()),
        key: Some(kept.operator_key.clone()),
        tenant: None,
    };
    let client = Client::new(&connection).ok()?;
    let session: Value = client.post("/v1/portal-sessions", &portal_session()).await.ok()?;
    session.get("url").and_then(Value::as_str).map(str::to_owned)
}

fn portal_session() -> Value {
    json!({
        "tenant": companies()[0].tenant,
        "actor": {"type": "user", "id": "u_demo", "name": "You"},
        "scopes": ["events:read", "exports:write", "streams:manage", "keys:manage"],
        "ttl_seconds": 3_600,
    })
}

/// Tells what there is and what to do with it. Every curl line works as it is printed.
fn introduce(
    running: &Running,
    kept: &Kept,
    (loaded, took): (u64, Duration),
    link: Option<&str>,
    folder: &Path,
) -> Result<(), Failed> {
    let paint = Paint::stdout();
    let url = format!("http://{}", running.address());
    let acme = companies()[0].tenant;
    let bearer = |key: &str| format!("-H 'Authorization: Bearer {key}'");
    let (tenant, operator) = (bearer(&kept.tenant_key), bearer(&kept.operator_key));
    let heading = |text: &str| paint.bold(text);
    let mut lines = vec![String::new()];
    lines.push(match loaded {
        0 => format!("Going on with the events in {}.", folder.display()),
        _ => format!(
            "{} events of the last {DAYS} days loaded in {:.1} s; they are in {}.",
            indicatif::HumanCount(loaded),
            took.as_secs_f64(),
            folder.display()
        ),
    });
    for company in companies() {
        lines.push(format!("  {:<8} {}", company.tenant, company.name));
    }
    lines.push(
        "New ones come every second. An account of Acme Robotics was taken over some days ago: find out how."
            .to_owned(),
    );
    if let Some(link) = link {
        lines.push(String::new());
        lines.push(heading("The portal of Acme Robotics (this link works once, within ten minutes):"));
        lines.push(format!("  {link}"));
    }
    lines.push(String::new());
    lines.push(heading("Ask with the tenant's key:"));
    lines.push(format!("  curl -s {tenant} '{url}/v1/events?limit=3'"));
    lines.push(format!(
        "  curl -s {tenant} -G '{url}/v1/events' --data-urlencode 'filter=actor:{STORY_ACTOR_EMAIL} -outcome:success'"
    ));
    lines.push(format!(
        "  curl -s {tenant} -G '{url}/v1/events/facets' --data-urlencode 'fields=action,outcome'"
    ));
    lines.push(format!("  curl -sN --max-time 5 {tenant} '{url}/v1/events/tail?from=0' | head -n 12"));
    lines.push(format!("  curl -s {tenant} '{url}/v1/export?format=csv' -o acme.csv"));
    lines.push(String::new());
    lines.push(heading("Send and look after with the operator's key:"));
    lines.push(format!(
        "  curl -s {operator} '{url}/v1/events' -H 'Content-Type: application/json' -d '{{\"tenant\":\"{acme}\",\"action\":\"demo.tried\",\"occurred_at\":\"{}\",\"actor\":{{\"type\":\"user\",\"id\":\"you\"}}}}'",
        running.store().env().now()
    ));
    lines.push(format!("  curl -s {operator} '{url}/v1/tenants'"));
    if link.is_some() {
        lines.push(format!(
            "  curl -s {operator} '{url}/v1/portal-sessions' -H 'Content-Type: application/json' -d '{}'",
            portal_session()
        ));
    }
    lines.push(String::new());
    lines.push(heading("Or with this program:"));
    lines.push(format!(
        "  export RECOUNT_SERVER={url} RECOUNT_TENANT={acme} RECOUNT_KEY={}",
        kept.operator_key
    ));
    lines.push("  recount search outcome:denied --from 30d".to_owned());
    lines.push("  recount tail -f".to_owned());
    lines.push(String::new());
    lines.push(paint.dim("Ctrl-C stops it."));
    for line in lines {
        output::line(&line)?;
    }
    output::flush()
}

/// Adds an event now and then, until the server stops.
async fn live(
    store: Store,
    access: IngestAccess,
    mut companies: Vec<Live>,
    stopping: tokio_util::sync::CancellationToken,
) {
    let mut tick = tokio::time::interval(LIVE_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut count: u64 = 0;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stopping.cancelled() => return,
        }
        let now = store.env().now();
        // The first company every second, the others less often.
        let due =
            companies.iter_mut().enumerate().filter(|(index, _)| count.is_multiple_of([1, 2, 5][*index]));
        let events: Vec<NewEvent> = due.map(|(_, live)| new_event(&live.happen(now).line)).collect();
        count += 1;
        if let Err(error) = append(&store, &access, events).await {
            tracing::warn!(%error, "an event of the demo was not stored");
        }
    }
}
