//! Starts servers, runs commands, and finds what tests need.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The operator's key of every test server.
pub(crate) const OPERATOR_KEY: &str = "operator-key-of-the-tests-0123456789abcdef";
/// How long a server may take to start before a test gives up.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// How long a line of the log may take to arrive before a test gives up.
const LOG_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a program that was told to stop may take before a test gives up.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// The binary, without any of this machine's configuration.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recount"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RECOUNT_")) {
        command.env_remove(name);
    }
    command.env_remove("NO_COLOR").env_remove("COLUMNS").env("TERM", "dumb").stdin(Stdio::null());
    command
}

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    log: Arc<Log>,
}

/// What a server logged until now; whoever waits is told of each line.
#[derive(Default)]
struct Log(Mutex<Vec<String>>, Condvar);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().expect("no test panicked with it").push(line);
        self.1.notify_all();
    }

    fn text(&self) -> String {
        self.0.lock().expect("no test panicked with it").join("\n")
    }
}

impl Server {
    /// Starts one in a folder and waits until it listens.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, |command| command)
    }

    /// The same with more arguments or variables.
    pub(crate) fn with(folder: &Path, more: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut command = binary();
        command.args(["serve", "--data-dir"]).arg(folder).env("RECOUNT_LISTEN", "127.0.0.1:0");
        command.env("RECOUNT_OPERATOR_KEY", OPERATOR_KEY).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = more(&mut command).spawn().expect("the server can be started");
        let (url, log) = watch(&mut child);
        Self { child, url, log }
    }

    /// Runs a command against it with the operator's key.
    pub(crate) fn run<const N: usize>(&self, arguments: [&str; N]) -> Ran {
        self.run_as(OPERATOR_KEY, arguments)
    }

    /// Runs a command against it with another key.
    pub(crate) fn run_as<const N: usize>(&self, key: &str, arguments: [&str; N]) -> Ran {
        self.command(key).args(arguments).output().expect("the command can be run").into()
    }

    /// A command against it.
    pub(crate) fn command(&self, key: &str) -> Command {
        let mut command = binary();
        command.env("RECOUNT_SERVER", &self.url).env("RECOUNT_KEY", key);
        command
    }

    /// How many events match, as `recount search --count` says.
    pub(crate) fn count(&self, tenant: &str, filter: &str) -> u64 {
        let ran = self.run(["search", "--count", "--tenant", tenant, "--", filter]);
        assert!(ran.success(), "{filter}: {ran:?}");
        ran.stdout.trim().parse().expect("a number")
    }

    /// Kills it at once, as a power cut would end the process.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ended");
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> Option<i32> {
        terminate(&self.child);
        self.child.wait().expect("it ended").code()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_kib(&self) -> u64 {
        peak_kib(self.child.id())
    }

    /// Waits until it has logged a line that contains `text`: an answer can overtake what is logged before it.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let lines = self.log.0.lock().expect("no test panicked with it");
        let missing = |lines: &mut Vec<String>| !lines.iter().any(|line| line.contains(text));
        let (lines, waited) =
            self.log.1.wait_timeout_while(lines, LOG_TIMEOUT, missing).expect("no test panicked with it");
        drop(lines);
        assert!(!waited.timed_out(), "the log does not say {text:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server ---\n{}", self.log.text());
        }
    }
}

/// The most memory that a process has had, in KiB.
#[cfg(target_os = "linux")]
pub(crate) fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Reads the log until the server says where it listens, and goes on reading in the background.
fn watch(child: &mut Child) -> (String, Arc<Log>) {
    let stderr = child.stderr.take().expect("it is piped");
    let log = Arc::<Log>::default();
    let (send, listening) = std::sync::mpsc::channel();
    let kept = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Ok(entry) = serde_json::from_str::<Value>(&line)
                && entry["message"] == "listening"
            {
                let _ = send.send(entry["url"].as_str().unwrap_or_default().to_owned());
            }
            kept.push(line);
        }
    });
    match listening.recv_timeout(START_TIMEOUT) {
        Ok(url) => (url, log),
        Err(_) => panic!("the server did not start:\n{}", log.text()),
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn success(&self) -> bool {
        self.code == 0
    }

    /// Standard output as NDJSON.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// Runs a command without a server.
pub(crate) fn run<const N: usize>(arguments: [&str; N]) -> Ran {
    binary().args(arguments).output().expect("the command can be run").into()
}

/// An empty folder.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// A file of the tests' own.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

/// A file of real events: in the folder that `RECOUNT_REALDATA` names, which must have it then, or
/// in `../shared/realdata` beside the checkout. `None`, said where nothing hides it, if there is none.
pub(crate) fn real_data(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/realdata").join(name);
    let named = std::env::var_os("RECOUNT_REALDATA").map(|folder| PathBuf::from(folder).join(name));
    if let Some(path) = &named {
        assert!(path.exists(), "{} is not there; RECOUNT_REALDATA names its folder", path.display());
    }
    let found = named.or_else(|| beside.exists().then_some(beside.clone()));
    if found.is_none() {
        // Past the test harness, which shows what a passing test prints to nobody.
        let line = format!(
            "NOT RUN: no {}; RECOUNT_REALDATA can name the folder of real events\n",
            beside.display()
        );
        std::io::stderr().write_all(line.as_bytes()).expect("standard error");
    }
    found
}

/// How the program ended; it must within a time that only a program that hangs takes.
pub(crate) fn end_of(child: &mut Child) -> Option<i32> {
    let began = std::time::Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return status.code();
        }
        if began.elapsed() > END_TIMEOUT {
            child.kill().expect("it can be killed");
            child.wait().expect("it ended");
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends SIGTERM.
pub(crate) fn terminate(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
}

/// Writes a file into a folder and gives its path as text.
pub(crate) fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("it can be written");
    path.to_str().expect("UTF-8").to_owned()
}

/// An event with that id and action.
pub(crate) fn event(id: &str, action: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"tenant\":\"acme\",\"occurred_at\":\"2026-11-01T10:00:00Z\",\"action\":\"{action}\",\
         \"actor\":{{\"type\":\"user\",\"id\":\"u1\",\"name\":\"Ada\"}}}}"
    )
}
