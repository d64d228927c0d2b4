//! Real logs on their whole way: imported with their maps, stored, streamed in OCSF, and what
//! arrives is validated with the published schemas.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::flows::receiver;
use crate::support::{OPERATOR_KEY, Ran, Server, fixture, folder, real_data};

/// How long a batch is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The Python that has the schemas, or a line that says what is not run for the lack of it.
fn python() -> Option<PathBuf> {
    let found = std::env::var_os("RECOUNT_TEST_PYTHON").map(PathBuf::from);
    if found.is_none() {
        let required = std::env::var_os("RECOUNT_TEST_REQUIRED").is_some();
        assert!(!required, "RECOUNT_TEST_PYTHON is not set, so OCSF can't be validated");
        eprintln!("NOT RUN: OCSF of real data (RECOUNT_TEST_PYTHON is not set; `cargo xtask test` sets it)");
    }
    found
}

/// What the published schemas say about events, one a line.
fn validated(python: &Path, lines: &str) -> Value {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../recount-deliver/tests/peers/validate_ocsf.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = child.stdin.take().expect("piped");
    let lines = lines.to_owned();
    let feeding = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    feeding.join().expect("no panic").expect("it reads everything");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Everything that a new stream of that format delivers, until so many events are there.
fn streamed(server: &Server, tenant: &str, format: &str, events: usize) -> String {
    let (url, requests) = receiver();
    let run = |arguments: &[&str]| {
        let mut command = server.command(OPERATOR_KEY);
        command.args(["streams", "--tenant", tenant, "--json"]).args(arguments);
        let ran = Ran::from(command.output().expect("it runs"));
        assert!(ran.success(), "{ran:?}");
        ran.json_lines()[0]["id"].as_str().unwrap_or_default().to_owned()
    };
    let destination = json!({"type": "https", "url": url, "compression": "none"}).to_string();
    let id = run(&[
        "create",
        format,
        "--destination",
        &destination,
        "--format",
        format,
        "--start",
        "beginning",
        "--filter",
        "-source:recount",
        "--batch",
        "{\"age_seconds_max\":0}",
    ]);
    run(&["enable", &id, "--without-test", "--reason", "it is a test"]);
    let mut lines = String::new();
    while lines.lines().count() < events {
        lines += &requests.recv_timeout(PATIENCE).expect("the stream delivers");
    }
    lines
}

fn check(file: &str, map: &str, events: usize) {
    let (Some(python), Some(path)) = (python(), real_data(file)) else { return };
    let folder = folder();
    let server = Server::with(folder.path(), |command| command.env("RECOUNT_EGRESS_ALLOW", "127.0.0.0/8"));
    let file = path.to_str().expect("UTF-8");
    for (format, version) in [("ocsf", "1.8.0"), ("ocsf-1.1.0", "1.1.0")] {
        let ran = server.run(["import", file, "--map", map, "--tenant", format, "--quiet"]);
        assert!(ran.success(), "{ran:?}");
        let lines = streamed(&server, format, format, events);
        assert!(lines.lines().all(|line| line.contains(&format!("\"version\":\"{version}\""))), "{format}");
        let verdict = validated(&python, &lines);
        assert_eq!(verdict["errors"], json!([]), "{format}");
        assert_eq!(verdict["events"], json!(events), "{format}: each once");
    }
}

#[test]
fn imported_cloudtrail_is_valid_ocsf() {
    check("cloudtrail/invictus_aws_dataset.ndjson", "cloudtrail", 2_900);
}

#[test]
fn imported_github_payloads_are_valid_ocsf() {
    check("github/octokit_webhook_payloads.ndjson", &fixture("github-webhooks.toml"), 500);
}
