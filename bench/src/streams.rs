//! `bench streams`: how fast events leave, how soon after their append, and what idle streams cost.
//!
//! The bucket is a real S3 server (SeaweedFS). The webhook's receiver is a stub in this process
//! that reads and counts. Both share the cores with the server.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::Connection;
use crate::machine::machine;
use crate::report::{say, write};
use crate::server::Server;
use crate::timing::Latencies;

/// Options of the suite.
#[derive(Args)]
pub(crate) struct StreamsArgs {
    /// Events that go to the bucket and to the webhook
    #[arg(long, default_value_t = 500_000)]
    events: u64,
    /// Seconds of the run that measures latency
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Idle streams
    #[arg(long, default_value_t = 5_000)]
    idle: u64,
    /// Prints only; leaves docs/benchmarks.md as it is
    #[arg(long)]
    dry_run: bool,
}

/// Events a second while latency is measured.
const PACED_RATE: u64 = 2_000;
/// Appends a second while latency is measured.
const PACED_APPENDS: u64 = 100;
/// Idle streams of one tenant.
const STREAMS_PER_TENANT: u64 = 2;
/// Events of one append.
const APPEND_EVENTS: u64 = 1_000;
/// How long anything may take.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How long idle streams are watched.
const IDLE_WATCH: Duration = Duration::from_secs(20);

/// Runs the four measurements, prints and writes the table.
pub(crate) async fn run(args: &StreamsArgs) -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    let bucket = json!({
        "type": "s3", "bucket": setting("BUCKET")?, "endpoint": setting("ENDPOINT")?,
        "access_key_id": setting("ACCESS_KEY")?, "secret_access_key": setting("SECRET_KEY")?,
    });
    // The last batch, which is not full, is not to wait for minutes.
    let to_bucket = throughput(args, "bucket", bucket, json!({"age_seconds_max": 1})).await?;
    let hook = json!({"type": "webhook", "url": receiver.url()});
    let batch = json!({"events_max": 1_000, "bytes_max": 4_000_000});
    let to_hook = throughput(args, "hook", hook, batch).await?;
    let mut latencies = latency(args, &receiver).await?;
    let (p50, p99) = (latencies.percentile_ms(50.0), latencies.percentile_ms(99.0));
    let idle = idle(args, &receiver).await?;

    let mut text = String::new();
    writeln!(
        text,
        "{}. Server, sender and receivers share the cores. The bucket is SeaweedFS; the webhook's receiver is a stub that reads and counts.\n",
        machine()
    )?;
    writeln!(text, "| | Recount | target |\n|---|---|---|")?;
    writeln!(
        text,
        "| to a bucket, NDJSON.gz, {} events of one tenant: events/s | {to_bucket:.0} | 50,000 |",
        args.events
    )?;
    writeln!(text, "| to a webhook, 1,000 a request, in order: events/s | {to_hook:.0} | 20,000 |")?;
    writeln!(
        text,
        "| append to arrival at {PACED_RATE} events/s, p50 / p99, ms | {p50:.0} / {p99:.0} | – / 1,000 |"
    )?;
    writeln!(
        text,
        "| {} idle streams, two a tenant: memory of the whole server, MB | {:.0} ({:.0} before them) | 150 |",
        args.idle, idle.megabytes, idle.megabytes_before
    )?;
    writeln!(
        text,
        "| … and share of one core, % | {:.2} ({:.2} before them) | 2 |",
        idle.core_percent, idle.core_percent_before
    )?;
    say(&text);
    if !args.dry_run {
        write("streams", &text)?;
    }
    Ok(())
}

/// What `cargo xtask bench` tells of the S3 server it started.
fn setting(name: &str) -> anyhow::Result<String> {
    let variable = format!("RECOUNT_BENCH_S3_{name}");
    std::env::var(&variable)
        .with_context(|| format!("{variable} is not set; start through `cargo xtask bench`"))
}

async fn server() -> anyhow::Result<Server> {
    Server::start(&[("RECOUNT_EGRESS_ALLOW", "127.0.0.0/8")]).await
}

/// An event of some 600 bytes.
fn event(id: u64) -> String {
    format!(
        "{{\"id\":\"bench-{id:012}\",\"occurred_at\":\"2026-11-23T14:32:07.418Z\",\"action\":\"role.updated\",\
         \"actor\":{{\"type\":\"user\",\"id\":\"u_{}\",\"name\":\"Ada Lovelace\",\"email\":\"ada.{}@example.com\"}},\
         \"targets\":[{{\"type\":\"role\",\"id\":\"r_{}\",\"name\":\"Billing admin\"}}],\
         \"context\":{{\"ip\":\"203.0.113.{}\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\",\
         \"session_id\":\"s_{:08x}\",\"request_id\":\"req_{:016x}\"}},\"source\":\"billing-api\",\
         \"description\":\"Ada Lovelace updated role Billing admin\",\
         \"changes\":[{{\"field\":\"max_refund_usd\",\"before\":500,\"after\":{}}}],\"metadata\":{{\"plan\":\"pro\"}}}}",
        id % 5_000,
        id % 5_000,
        id % 60,
        id % 250,
        id % 90_000,
        id.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        id % 25_000,
    )
}

async fn append(connection: &mut Connection, ids: std::ops::Range<u64>) -> anyhow::Result<()> {
    let events: Vec<String> = ids.map(event).collect();
    connection.append(format!("[{}]", events.join(",")).into()).await
}

async fn create(
    operator: &mut Connection,
    tenant: &str,
    destination: &Value,
    batch: &Value,
    start: &str,
) -> anyhow::Result<String> {
    let body = json!({
        "name": "bench", "destination": destination, "batch": batch, "start": start, "filter": "-source:recount",
    });
    let (status, answer) =
        operator.post(&format!("/v1/streams?tenant={tenant}"), body.to_string().into()).await?;
    let stream: Value = serde_json::from_slice(&answer)?;
    let id = stream["id"].as_str().with_context(|| format!("{status}: {stream}"))?.to_owned();
    let path = format!("/v1/streams/{id}/enable?tenant={tenant}");
    let body = json!({"without_test": true, "reason": "a benchmark"});
    let (status, answer) = operator.post(&path, body.to_string().into()).await?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&answer));
    Ok(id)
}

/// Events a second from a log that is there already.
async fn throughput(
    args: &StreamsArgs,
    tenant: &str,
    destination: Value,
    batch: Value,
) -> anyhow::Result<f64> {
    let server = server().await?;
    let key = server.key(Some(tenant), "events:write").await?;
    let mut sender = Connection::open(server.port, Some(&key)).await?;
    let mut sent = 0;
    while sent < args.events {
        append(&mut sender, sent..sent + APPEND_EVENTS).await?;
        sent += APPEND_EVENTS;
    }
    server.settle_down().await?;
    let mut operator = server.operator().await?;
    let id = create(&mut operator, tenant, &destination, &batch, "beginning").await?;
    let started = Instant::now();
    loop {
        let (_, answer) = operator.get(&format!("/v1/streams/{id}?tenant={tenant}")).await?;
        let stream: Value = serde_json::from_slice(&answer)?;
        if stream["delivered"].as_u64().unwrap_or(0) >= sent {
            break;
        }
        ensure!(started.elapsed() < TIMEOUT, "still behind: {stream}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rate = sent as f64 / started.elapsed().as_secs_f64();
    say(&format!("{tenant}: {rate:.0} events/s"));
    Ok(rate)
}

/// From an append's answer to its arrival at a webhook, at a steady rate.
async fn latency(args: &StreamsArgs, receiver: &Receiver) -> anyhow::Result<Latencies> {
    let server = server().await?;
    let key = server.key(Some("paced"), "events:write").await?;
    let mut operator = server.operator().await?;
    let destination = json!({"type": "webhook", "url": receiver.url()});
    // A tenant exists from its first event on.
    let mut sender = Connection::open(server.port, Some(&key)).await?;
    append(&mut sender, 0..1).await?;
    create(&mut operator, "paced", &destination, &json!({"events_max": 1_000}), "now").await?;
    let each = PACED_RATE / PACED_APPENDS;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(PACED_APPENDS)?);
    receiver.watch(true);
    let mut next = 1;
    for _ in 0..args.seconds * PACED_APPENDS {
        ticks.tick().await;
        receiver.expect(next..next + each);
        append(&mut sender, next..next + each).await?;
        next += each;
    }
    let waiting = Instant::now();
    while receiver.outstanding() > 0 {
        ensure!(waiting.elapsed() < TIMEOUT, "{} events did not arrive", receiver.outstanding());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    receiver.watch(false);
    Ok(receiver.latencies())
}

struct Idle {
    megabytes_before: f64,
    megabytes: f64,
    core_percent_before: f64,
    core_percent: f64,
}

/// Memory and processor of a server with many streams that have nothing to do.
async fn idle(args: &StreamsArgs, receiver: &Receiver) -> anyhow::Result<Idle> {
    let server = server().await?;
    let (megabytes_before, core_percent_before) = watch(&server).await?;
    let mut operator = server.operator().await?;
    let destination = json!({"type": "webhook", "url": receiver.url()});
    for number in 0..args.idle {
        let tenant = format!("idle-{}", number / STREAMS_PER_TENANT);
        if number % STREAMS_PER_TENANT == 0 {
            let key = server.key(Some(&tenant), "events:write").await?;
            append(&mut Connection::open(server.port, Some(&key)).await?, 0..1).await?;
        }
        create(&mut operator, &tenant, &destination, &json!({}), "now").await?;
    }
    server.settle_down().await?;
    let (megabytes, core_percent) = watch(&server).await?;
    Ok(Idle { megabytes_before, megabytes, core_percent_before, core_percent })
}

async fn watch(server: &Server) -> anyhow::Result<(f64, f64)> {
    let before = server.processor_seconds()?;
    tokio::time::sleep(IDLE_WATCH).await;
    let used = server.processor_seconds()? - before;
    Ok((server.resident_bytes()? as f64 / 1e6, used / IDLE_WATCH.as_secs_f64() * 100.0))
}

/// Reads, counts, and notes when expected events come.
struct Receiver {
    port: u16,
    expected: Arc<Mutex<Expected>>,
}

#[derive(Default)]
struct Expected {
    watching: bool,
    since: HashMap<u64, Instant>,
    latencies: Latencies,
}

impl Receiver {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let expected = Arc::new(Mutex::new(Expected::default()));
        let noted = Arc::clone(&expected);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                let service = service_fn(move |request| take(request, Arc::clone(&noted)));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        Ok(Self { port, expected })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Expected> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, watching: bool) {
        self.lock().watching = watching;
    }

    fn expect(&self, ids: std::ops::Range<u64>) {
        let now = Instant::now();
        self.lock().since.extend(ids.map(|id| (id, now)));
    }

    fn outstanding(&self) -> usize {
        self.lock().since.len()
    }

    fn latencies(&self) -> Latencies {
        std::mem::take(&mut self.lock().latencies)
    }
}

async fn take(
    request: Request<Incoming>,
    expected: Arc<Mutex<Expected>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    const ID: &str = "\"id\":\"bench-";
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let now = Instant::now();
    let mut expected = expected.lock().unwrap_or_else(PoisonError::into_inner);
    if expected.watching
        && let Ok(text) = std::str::from_utf8(&body)
    {
        for (at, _) in text.match_indices(ID) {
            let digits = &text[at + ID.len()..];
            if let Some(since) =
                digits.get(..12).and_then(|id| id.parse().ok()).and_then(|id: u64| expected.since.remove(&id))
            {
                expected.latencies.push(now - since);
            }
        }
    }
    Ok(Response::new(Full::new(Bytes::new())))
}
