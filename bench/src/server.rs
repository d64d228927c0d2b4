//! A `recount serve` process in a folder of its own, in release mode.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::client::Connection;

/// The operator's key of every server of a benchmark.
pub(crate) const OPERATOR_KEY: &str = "benchmark-operator-key-0123456789-0123456789";
const START_ATTEMPTS_MAX: u32 = 200;
const START_PAUSE: Duration = Duration::from_millis(50);
/// How long the sealer and the compactor may take to finish after a load.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(3600);

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
    /// The data folder; removed when the server is dropped.
    pub(crate) folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with an empty data folder and waits until it is ready.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let child = spawn(folder.path(), port, settings)?;
        let mut server = Self { child, port, folder };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Stops the process and starts another on the same data, so that no cache is warm.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        // Only root may drop the kernel's caches; without, the files stay warm.
        let _ = Command::new("sync").status();
        let _ = std::fs::write("/proc/sys/vm/drop_caches", "3");
        self.child = spawn(self.folder.path(), self.port, &[])?;
        self.wait_until_ready().await
    }

    /// Waits until processor use shows that sealing and compaction have nothing left to do.
    pub(crate) async fn settle_down(&self) -> anyhow::Result<()> {
        const QUIET_SECONDS: u32 = 5;
        const QUIET_PROCESSOR_SECONDS: f64 = 0.05;
        let (deadline, mut quiet) = (Instant::now() + SETTLE_TIMEOUT, 0);
        let mut before = self.processor_seconds()?;
        while Instant::now() < deadline {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = self.processor_seconds()?;
            quiet = if now - before < QUIET_PROCESSOR_SECONDS { quiet + 1 } else { 0 };
            before = now;
            if quiet >= QUIET_SECONDS {
                return Ok(());
            }
        }
        bail!("sealing and compaction did not finish within {SETTLE_TIMEOUT:?}")
    }

    /// Bytes of all segments that count, and of the tail. What merges replaced lies beside them
    /// for some minutes, so the folder's size would say too much.
    pub(crate) async fn stored_bytes(&self) -> anyhow::Result<u64> {
        const SQL: &str = "SELECT (SELECT coalesce(sum(bytes), 0) FROM segments)
            + (SELECT coalesce(sum(length(body) + length(id_hashes)), 0) FROM tail_batches)";
        let mut catalog = self.catalog().await?;
        let bytes: i64 = sqlx::query_scalar(SQL).fetch_one(&mut catalog).await?;
        catalog.close().await?;
        Ok(bytes.cast_unsigned())
    }

    /// Events that are in no segment yet, and those of them in tails large enough to be sealed now.
    pub(crate) async fn tail_events(&self) -> anyhow::Result<(u64, u64)> {
        const SQL: &str = "SELECT coalesce(sum(tail_events), 0), coalesce(sum(tail_events)
            FILTER (WHERE tail_events >= 131072 OR tail_bytes >= 67108864), 0) FROM tenants";
        let mut catalog = self.catalog().await?;
        let (all, due): (i64, i64) = sqlx::query_as(SQL).fetch_one(&mut catalog).await?;
        catalog.close().await?;
        Ok((all.cast_unsigned(), due.cast_unsigned()))
    }

    async fn catalog(&self) -> anyhow::Result<SqliteConnection> {
        let options = SqliteConnectOptions::new().filename(self.data().join("catalog.db")).read_only(true);
        Ok(SqliteConnection::connect_with(&options).await?)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..START_ATTEMPTS_MAX {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(self.folder.path().join("server.log"))?;
                bail!("recount ended while starting ({status}):\n{log}");
            }
            if let Ok(mut connection) = Connection::open(self.port, None).await
                && connection.get("/readyz").await.is_ok_and(|(status, _)| status == 200)
            {
                return Ok(());
            }
            tokio::time::sleep(START_PAUSE).await;
        }
        bail!("recount was not ready in time")
    }

    /// A connection with the operator's key.
    pub(crate) async fn operator(&self) -> anyhow::Result<Connection> {
        Connection::open(self.port, Some(OPERATOR_KEY)).await
    }

    /// Makes a key with `scopes`, for `tenant` if one is given.
    pub(crate) async fn key(&self, tenant: Option<&str>, scopes: &str) -> anyhow::Result<String> {
        let mut body = json!({"name": "benchmark", "scopes": scopes.split(' ').collect::<Vec<_>>()});
        if let Some(tenant) = tenant {
            body["tenant"] = tenant.into();
        }
        let (status, answer) = self.operator().await?.post("/v1/keys", body.to_string().into()).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        answer["key"].as_str().map(str::to_owned).with_context(|| format!("{status}: {answer}"))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("/proc does not tell VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Processor time used so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// The folder with the tenants' objects and the catalog.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, port: u16, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
    let log = std::fs::File::create(folder.join("server.log"))?;
    Command::new(program()?)
        .arg("serve")
        .arg("--data-dir")
        .arg(folder.join("data"))
        .arg("--listen")
        .arg(format!("127.0.0.1:{port}"))
        .env("RECOUNT_OPERATOR_KEY", OPERATOR_KEY)
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("could not start recount")
}

/// The `recount` beside this program.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.parent().context("no folder of this program")?.join("recount");
    if !program.exists() {
        bail!("{} does not exist; start through `cargo xtask bench`", program.display());
    }
    Ok(program)
}
