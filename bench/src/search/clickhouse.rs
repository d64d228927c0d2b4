//! ClickHouse through `chdb`, in a Python process of its own.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::answers::Engine;
use super::queries::{Query, Shape};

/// What ClickHouse made of it.
pub(crate) struct ClickHouse {
    pub(crate) large: Engine,
    pub(crate) small: Engine,
    /// Bytes on disk, and rows.
    pub(crate) size: (u64, u64),
}

/// Loads the events of `files` (one a line) and asks the questions about two tenants.
pub(crate) fn ask(
    files: &Path,
    [large, small]: [&str; 2],
    queries: &[Query],
    repeats: usize,
) -> anyhow::Result<ClickHouse> {
    let python = std::env::var("RECOUNT_BENCH_PYTHON")
        .context("RECOUNT_BENCH_PYTHON is not set; start through `cargo xtask bench`")?;
    let questions = |tenant: &str| {
        let ask = |query: &Query| {
            let shape = if matches!(query.shape, Shape::List) { "ids" } else { "counts" };
            json!({"name": query.name, "shape": shape, "sql": query.clickhouse(tenant)})
        };
        queries.iter().map(ask).collect::<Vec<_>>()
    };
    let folder = tempfile::tempdir()?;
    let task = json!({
        "files": files, "folder": folder.path(), "repeats": repeats,
        "questions": {"large": questions(large), "small": questions(small)},
    });
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("search/clickhouse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start Python")?;
    child.stdin.take().context("stdin is piped")?.write_all(task.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "clickhouse.py failed ({})", output.status);
    let mut answer: Value = serde_json::from_slice(&output.stdout)?;
    Ok(ClickHouse {
        size: (answer["bytes"].as_u64().unwrap_or(0), answer["rows"].as_u64().unwrap_or(0)),
        large: serde_json::from_value(answer["large"].take())?,
        small: serde_json::from_value(answer["small"].take())?,
    })
}
