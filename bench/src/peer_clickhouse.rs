//! ClickHouse through `chdb`, in a Python process of its own, fed from Recount's segments.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use recount_demo::Workload;
use serde_json::{Value, json};

use crate::report::say;
use crate::search::Timings;
use crate::search_queries::Query;

/// Loads the segments of `tenants` and asks the queries about the first of them.
pub(crate) fn ask(
    data: &Path,
    tenants: &[u64],
    queries: &[Query],
    repeats: usize,
) -> anyhow::Result<Timings> {
    let python = std::env::var("RECOUNT_BENCH_PYTHON")
        .context("RECOUNT_BENCH_PYTHON is not set; start through `cargo xtask bench`")?;
    let large = Workload::tenant(tenants[0]);
    let segments: BTreeMap<String, String> = tenants
        .iter()
        .map(|&tenant| {
            let id = Workload::tenant(tenant);
            let pattern = data.join("objects/tenants").join(&id).join("segments/*.parquet");
            (id, pattern.to_string_lossy().into_owned())
        })
        .collect();
    let sql: BTreeMap<&str, String> =
        queries.iter().map(|query| (query.name, query.clickhouse.replace("{tenant}", &large))).collect();
    let folder = tempfile::tempdir()?;
    let task = json!({"segments": segments, "queries": sql, "repeats": repeats, "folder": folder.path()});
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("search/clickhouse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start Python")?;
    child.stdin.take().context("stdin is piped")?.write_all(task.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "clickhouse.py failed ({})", output.status);
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    say(&format!("ClickHouse: loaded in {} s, {} bytes", answer["load_seconds"], answer["bytes"]));
    Ok(serde_json::from_value(answer["queries"].clone())?)
}
