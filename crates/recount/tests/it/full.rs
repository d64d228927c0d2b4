//! A server that can't write any more, as on a full disk: it says so, keeps what it acknowledged, and
//! goes on by itself once there is room.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{OPERATOR_KEY, Server, folder};

/// No file of the server may grow beyond this, which stands for the end of the disk.
const ROOM_BYTES: u64 = 3 * 1024 * 1024;

/// Some 48 KiB that don't compress well.
fn event(number: u64) -> Value {
    let mut random = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut noise = String::new();
    while noise.len() < 48 * 1024 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        noise.push_str(&format!("{random:016x}"));
    }
    json!({
        "id": format!("e{number}"), "tenant": "acme", "occurred_at": "2026-11-01T10:00:00Z",
        "action": "noise.made", "actor": {"type": "user", "id": "u1"}, "metadata": {"noise": noise},
    })
}

async fn append(server: &Server, number: u64) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("{}/v1/events", server.url));
    let answer = request.bearer_auth(OPERATOR_KEY).json(&event(number)).send().await.expect("it answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

fn prlimit(arguments: &[&str]) {
    let ran = Command::new("prlimit").args(arguments).status().expect("prlimit runs (util-linux)");
    assert!(ran.success(), "prlimit {arguments:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_keeps_what_it_acknowledged_and_recovers() {
    let folder = folder();
    let server = Server::with(folder.path(), |command| {
        // The signal is ignored, so that writing too much is an error and not the end.
        let binary = command.get_program().to_owned();
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"trap "" XFSZ; exec "$@""#, "sh"]).arg(binary).args(arguments);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        *command = shell;
        command
    });
    let pid = server.pid().to_string();
    prlimit(&["--pid", &pid, &format!("--fsize={ROOM_BYTES}:unlimited")]);
    let mut stored = 0;
    let refused = loop {
        let (status, answer) = append(&server, stored).await;
        if status != 200 {
            break (status, answer);
        }
        assert_eq!(answer["results"][0]["seq"], stored);
        stored += 1;
        assert!(stored < 2_000, "there is room for ever");
    };
    assert_eq!((refused.0, refused.1["code"].as_str()), (503, Some("unavailable")), "{}", refused.1);
    server.wait_for_log("events were not stored");

    prlimit(&["--pid", &pid, "--fsize=unlimited:unlimited"]);
    // The sender tries the same event again.
    let (status, answer) = append(&server, stored).await;
    assert_eq!((status, &answer["results"][0]["seq"]), (200, &json!(stored)), "{answer}");
    assert_eq!(server.count("acme", "action:noise.made"), stored + 1);
    assert_eq!(tokio::task::spawn_blocking(|| server.stop()).await.expect("stopped"), Some(0));
    let server = Server::start(folder.path());
    assert_eq!(server.count("acme", "action:noise.made"), stored + 1);
}
