//! Programs and libraries of others.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A place that the environment names, or a line that says what is not run for the lack of it.
pub(crate) fn place(variable: &str, test: &str) -> Option<String> {
    match std::env::var(variable) {
        Ok(place) if !place.is_empty() => Some(place),
        _ => {
            assert!(
                std::env::var_os("RECOUNT_TEST_REQUIRED").is_none(),
                "{variable} is not set, so {test} can't be run"
            );
            eprintln!("NOT RUN: {test} ({variable} is not set; `cargo xtask test` sets it)");
            None
        }
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// Runs a Python script of `tests/peers` with `input`; `None` if there is no Python for it.
pub(crate) fn python(script: &str, input: &[u8]) -> Option<String> {
    let python = place("RECOUNT_TEST_PYTHON", script)?;
    Some(run(Command::new(python).arg(scripts().join(script)), input))
}

/// Runs a Node script of `tests/peers`.
pub(crate) fn node(script: &str, input: &[u8]) -> Option<String> {
    let folder = place("RECOUNT_TEST_NODE_DIR", script)?;
    let mut command = Command::new("node");
    command.arg(scripts().join(script)).env("NODE_PATH", Path::new(&folder).join("node_modules"));
    Some(run(&mut command, input))
}

fn run(command: &mut Command, input: &[u8]) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the peer starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let feeding = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the peer ends");
    let _ = feeding.join();
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A daemon that is stopped, by its own process id, when the test is over.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().expect("the daemon starts"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Waits until something listens on the port.
pub(crate) async fn listening(port: u16) {
    super::eventually("the daemon to listen", || async {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
    })
    .await;
}
