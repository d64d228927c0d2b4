//! What people do with a server from the command line.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::support::{OPERATOR_KEY, Server, event, folder, write};

/// A server with events e0 … of acme: every third denied.
fn with_events(folder: &std::path::Path, count: usize) -> Server {
    let server = Server::start(&folder.join("data"));
    add(&server, folder, 0..count);
    server
}

fn add(server: &Server, folder: &std::path::Path, numbers: std::ops::Range<usize>) {
    let lines: Vec<String> = numbers
        .map(|number| {
            let action = if number % 2 == 0 { "user.login" } else { "role.updated" };
            let outcome = if number % 3 == 0 { "denied" } else { "success" };
            event(&format!("e{number}"), action)
                .replace("\"actor\"", &format!("\"outcome\":\"{outcome}\",\"actor\""))
                .replace("10:00:00Z", &format!("10:{:02}:{:02}Z", number / 60, number % 60))
        })
        .collect();
    let file = write(folder, "events.ndjson", lines.join("\n"));
    let ran = server.run(["import", &file]);
    assert!(ran.success(), "{ran:?}");
}

#[test]
fn search_finds_pages_and_counts() {
    let folder = folder();
    let server = with_events(folder.path(), 120);
    assert_eq!(server.count("acme", "user.login"), 60);
    assert_eq!(server.count("acme", "action:user.login outcome:denied"), 20);
    let newest = server.run(["search", "--tenant", "acme", "--json", "--limit", "3", "-source:recount"]);
    let ids: Vec<_> =
        newest.json_lines().iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(ids, ["e119", "e118", "e117"]);
    let oldest = server.run([
        "search",
        "--tenant",
        "acme",
        "--json",
        "--oldest",
        "-n1",
        "action:role.*",
        "-outcome:denied",
    ]);
    assert_eq!(oldest.json_lines()[0]["id"], "e1");
    let between = server.run([
        "search",
        "--tenant",
        "acme",
        "--json",
        "--all",
        "--from",
        "2026-11-01T10:00:10Z",
        "--to",
        "2026-11-01T10:00:20Z",
    ]);
    assert_eq!(between.json_lines().len(), 10);
    let table = server.run(["search", "--tenant", "acme", "-n", "1", "-source:recount"]);
    insta::assert_snapshot!(table.stdout, @"2026-11-01 10:01:59      ok    role.updated                Ada");
}

#[test]
fn json_is_what_the_server_wrote() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let metadata = "\"metadata\":{\"z\":1.10,\"a\":123456789012345678901234567890}";
    let sent = event("e1", "thing.done").replace("}}", &format!("}},{metadata}}}"));
    let file = write(folder.path(), "event.ndjson", sent);
    assert!(server.run(["import", &file]).success());
    for arguments in
        [["search", "--json", "--tenant", "acme", "id:e1"], ["tail", "--json", "--tenant", "acme", "id:e1"]]
    {
        let ran = server.run(arguments);
        let (head, tail) = ("{\"id\":\"e1\",\"tenant\":\"acme\",", format!("{metadata},\"seq\":0,"));
        assert!(ran.stdout.starts_with(head) && ran.stdout.contains(&tail), "{ran:?}");
    }
}

#[test]
fn a_negated_term_needs_no_quoting() {
    let folder = folder();
    let server = with_events(folder.path(), 12);
    let ran = server.run(["search", "--tenant", "acme", "--count", "-action:user.login", "-source:recount"]);
    assert_eq!(ran.stdout.trim(), "6", "{ran:?}");
}

#[test]
fn tail_shows_the_newest_and_follows_over_a_restart() {
    let folder = folder();
    let server = with_events(folder.path(), 5);
    let newest = server.run(["tail", "--tenant", "acme", "--json", "-n", "2", "-source:recount"]);
    let ids: Vec<_> = newest.json_lines().iter().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, ["e3", "e4"]);

    let mut follower = server
        .command(OPERATOR_KEY)
        .args(["tail", "-f", "--tenant", "acme", "--json", "-n", "1", "-source:recount"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
    let mut next = || {
        let line = lines.next().expect("it goes on").expect("UTF-8");
        serde_json::from_str::<serde_json::Value>(&line).expect("JSON")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    assert_eq!(next(), "e4");
    add(&server, folder.path(), 5..8);
    assert_eq!([next(), next(), next()], ["e5", "e6", "e7"]);
    // The same address again, after a stop: the follower goes on without a gap or a repetition.
    let listen = server.url.trim_start_matches("http://").to_owned();
    assert_eq!(server.stop(), Some(0));
    let server = Server::with(&folder.path().join("data"), |command| command.env("RECOUNT_LISTEN", &listen));
    add(&server, folder.path(), 8..10);
    assert_eq!([next(), next()], ["e8", "e9"]);
    follower.kill().expect("it runs");
    follower.wait().expect("it ended");
}

#[test]
fn exports_are_whole_and_in_the_log() {
    let folder = folder();
    let server = with_events(folder.path(), 50);
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let ran = server.run(["export", "--tenant", "acme", "action:user.login", "-o", &path("logins.ndjson")]);
    assert!(ran.success(), "{ran:?}");
    let text = std::fs::read_to_string(path("logins.ndjson")).expect("written");
    assert_eq!(text.lines().count(), 25);
    assert!(text.lines().all(|line| line.contains("\"seq\":") && line.contains("user.login")));
    assert!(!std::path::Path::new(&path("logins.ndjson.partial")).exists());
    let csv = server.run(["export", "--tenant", "acme", "outcome:denied", "--format", "csv", "--oldest"]);
    assert_eq!(csv.stdout.lines().count(), 18, "{}", csv.stdout);
    assert!(csv.stdout.starts_with("seq,id,occurred_at"));
    assert_eq!(server.count("acme", "action:recount.export.taken"), 2);
}

#[test]
fn keys_are_made_used_listed_and_revoked() {
    let folder = folder();
    let server = with_events(folder.path(), 5);
    let created = server.run([
        "keys",
        "create",
        "--name",
        "reader",
        "--tenant",
        "acme",
        "--scope",
        "events:read",
        "--json",
    ]);
    assert!(created.success(), "{created:?}");
    let created = &created.json_lines()[0];
    let (id, key) = (created["id"].as_str().expect("an id"), created["key"].as_str().expect("a key"));
    let found = server.run_as(key, ["search", "--count", "id:e3"]);
    assert_eq!(found.stdout.trim(), "1", "a tenant's key needs no --tenant: {found:?}");
    assert_eq!(server.run_as(key, ["keys", "create", "--scope", "events:read"]).code, 5);
    assert_eq!(server.run_as(key, ["search", "--tenant", "other"]).code, 6, "another tenant is not there");
    let listed = server.run(["keys", "list"]);
    assert!(
        listed.stdout.contains("reader") && listed.stdout.contains(id) && !listed.stdout.contains(key),
        "{}",
        listed.stdout
    );
    assert!(server.run(["keys", "revoke", id]).success());
    assert_eq!(server.run_as(key, ["search"]).code, 5);
    assert!(server.run(["keys", "list"]).stdout.contains("revoked"));
}

#[test]
fn tenants_are_created_listed_and_shown() {
    let folder = folder();
    let server = with_events(folder.path(), 3);
    assert!(server.run(["tenants", "create", "beta@example"]).success());
    let listed = server.run(["tenants", "list", "--json"]).json_lines();
    let ids: Vec<_> = listed.iter().map(|tenant| tenant["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["acme", "beta@example"]);
    assert_eq!(server.run(["tenants", "show", "acme", "--json"]).json_lines()[0]["events"], 3);
    assert!(server.run(["tenants", "list"]).stdout.starts_with("TENANT"));
    insta::assert_snapshot!(server.run(["tenants", "retain", "acme", "--days", "400"]).stderr, @"events of acme are kept for 400 days");
    assert_eq!(server.run(["tenants", "show", "acme", "--json"]).json_lines()[0]["retention_days"], 400);
    assert!(server.run(["tenants", "show", "acme"]).stdout.contains("400 days"));
    insta::assert_snapshot!(server.run(["tenants", "retain", "acme", "--days", "3"]).stderr, @"error: A member of the body has an invalid value: 3 days can't be kept: at least 30, for which ids are recognised (dedup_window_days), and at most 36500 (at /retention_days)");
    assert!(server.run(["tenants", "retain", "acme"]).stderr.contains("<--days <DAYS>|--default>"));
    insta::assert_snapshot!(server.run(["tenants", "retain", "acme", "--default"]).stderr, @"events of acme are kept for ever");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = folder();
    let server = with_events(folder.path(), 500);
    let mut child = server
        .command(OPERATOR_KEY)
        .args(["search", "--tenant", "acme", "--all", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    assert!(child.wait().expect("it ended").success());
    assert_eq!(stderr, "");
}

/// Answers every request with 200 and counts them.
pub(crate) fn receiver() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/in", listener.local_addr().expect("bound"));
    let (send, requests) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let send = send.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
                loop {
                    let (mut head, mut length) = (String::new(), 0);
                    while !head.ends_with("\r\n\r\n") {
                        let from = head.len();
                        if reader.read_line(&mut head).unwrap_or(0) == 0 {
                            return;
                        }
                        if let Some(value) = head[from..].to_lowercase().strip_prefix("content-length:") {
                            length = value.trim().parse().expect("a length");
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).expect("a body");
                    let _ = send.send(String::from_utf8_lossy(&body).into_owned());
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    std::io::Write::write_all(&mut stream, answer).expect("an answer");
                }
            });
        }
    });
    (url, requests)
}

#[test]
fn a_stream_is_created_tested_enabled_watched_and_deleted() {
    let folder = folder();
    let data = folder.path().join("data");
    let server = Server::with(&data, |command| command.env("RECOUNT_EGRESS_ALLOW", "127.0.0.0/8"));
    add(&server, folder.path(), 0..5);
    let (url, requests) = receiver();
    let destination = format!("{{\"type\":\"webhook\",\"url\":\"{url}\"}}");
    let run = |arguments: &[&str]| {
        let mut command = server.command(OPERATOR_KEY);
        command.args(["streams", "--tenant", "acme", "--json"]).args(arguments);
        crate::support::Ran::from(command.output().expect("it runs"))
    };
    let created = run(&[
        "create",
        "siem",
        "--destination",
        &destination,
        "--filter",
        "action:user.login",
        "--start",
        "beginning",
    ]);
    assert!(created.success(), "{created:?}");
    let id = created.json_lines()[0]["id"].as_str().expect("an id").to_owned();
    let tested = run(&["test", &id]);
    assert!(tested.success(), "{tested:?}");
    requests.recv_timeout(std::time::Duration::from_secs(30)).expect("the test was sent");
    assert_eq!(run(&["enable", &id]).json_lines()[0]["status"], "active");
    let mut delivered = String::new();
    while delivered.matches("\"user.login\"").count() < 3 {
        delivered +=
            &requests.recv_timeout(std::time::Duration::from_secs(60)).expect("events are delivered");
    }
    assert_eq!(run(&["list"]).json_lines()[0]["name"], "siem");
    assert!(!run(&["attempts", &id]).json_lines().is_empty());
    assert_eq!(run(&["pause", &id]).json_lines()[0]["status"], "paused");
    assert!(run(&["replay", &id, "--from", "beginning"]).success());
    assert_eq!(run(&["resume", &id]).json_lines()[0]["status"], "active");
    requests.recv_timeout(std::time::Duration::from_secs(60)).expect("events are delivered again");
    assert_eq!(run(&["show", &id]).json_lines()[0]["destination"]["type"], "webhook");
    assert!(run(&["dead-letters", "list", &id]).json_lines().is_empty());
    let changed = run(&["update", &id, "--name", "siem 2", "--filter", "-source:recount"]);
    assert_eq!(
        (&changed.json_lines()[0]["name"], &changed.json_lines()[0]["status"]),
        (&"siem 2".into(), &"active".into())
    );
    let rotated = run(&["rotate-secret", &id, "--overlap", "1h"]);
    assert!(rotated.stdout.contains("whsec_"), "{rotated:?}");
    assert_eq!(run(&["rotate-secret", &id, "--overlap", "90d"]).code, 2);
    assert_eq!(
        run(&["pause", &id, "--reason", "moving house"]).json_lines()[0]["status_reason"],
        "moving house"
    );
    let kinds = run(&["destinations"]);
    assert!(kinds.json_lines().iter().any(|kind| kind["type"] == "syslog"), "{kinds:?}");
    let shown = server.run(["streams", "list", "--tenant", "acme"]);
    assert!(shown.stdout.starts_with("ID") && shown.stdout.contains("moving house"), "{}", shown.stdout);
    assert!(run(&["delete", &id]).success());
    assert!(run(&["list"]).json_lines().is_empty());
    assert_eq!(run(&["show", &id]).code, 6);
}

#[test]
fn a_refused_event_is_listed_sent_again_and_given_up() {
    let folder = folder();
    let data = folder.path().join("data");
    let server = Server::with(&data, |command| command.env("RECOUNT_EGRESS_ALLOW", "127.0.0.0/8"));
    add(&server, folder.path(), 0..3);
    let run = |arguments: &[&str]| {
        let mut command = server.command(OPERATOR_KEY);
        command.args(["streams", "--tenant", "acme"]).args(arguments);
        crate::support::Ran::from(command.output().expect("it runs"))
    };
    // No receiver of syslog is needed: an event that is longer than a message may be is refused before.
    let long = "x".repeat(4_000);
    let event = event("long", "report.made").replacen('{', &format!("{{\"description\":\"{long}\","), 1);
    let file = write(folder.path(), "long.ndjson", event);
    assert!(server.run(["import", &file, "--tenant", "acme", "--quiet"]).success());
    let destination = "{\"type\":\"syslog\",\"host\":\"127.0.0.1\",\"port\":9,\"message_bytes_max\":2048}";
    let file = write(
        folder.path(),
        "stream.json",
        format!("{{\"destination\":{destination},\"start\":\"beginning\"}}"),
    );
    let created = run(&["create", "syslog", "--file", &file, "--filter", "action:report.made", "--json"]);
    let id = created.json_lines()[0]["id"].as_str().expect("an id").to_owned();
    assert!(run(&["enable", &id, "--without-test", "--reason", "to see a dead letter"]).success());
    let listed = loop {
        let listed = run(&["dead-letters", "list", &id]);
        assert!(listed.success(), "{listed:?}");
        if listed.stdout.contains("long") {
            break listed;
        }
        std::thread::yield_now();
    };
    assert!(listed.stdout.contains("the destination takes 2048"), "{}", listed.stdout);
    let seq = run(&["dead-letters", "list", &id, "--json"]).json_lines()[0]["seq"].to_string();
    let replayed = run(&["dead-letters", "replay", &id, &seq]);
    assert_eq!(replayed.code, 1, "it is refused again: {replayed:?}");
    assert!(replayed.stdout.contains("false") && replayed.stderr.contains("1 left"), "{replayed:?}");
    assert_eq!(run(&["dead-letters", "discard", &id, &seq, "--json"]).json_lines()[0]["left"], 0);
}

#[test]
fn a_deployment_opens_ports_and_trusts_authorities_of_its_own() {
    let folder = folder();
    let create = |server: &Server, port: u16| {
        let destination = format!("{{\"type\":\"webhook\",\"url\":\"https://203.0.114.1:{port}/\"}}");
        server.run(["streams", "--tenant", "acme", "create", "s", "--destination", &destination])
    };
    let server = Server::with(&folder.path().join("data"), |command| {
        command.env("RECOUNT_EGRESS_PORTS", "8089, 10443")
    });
    add(&server, folder.path(), 0..1);
    assert!(create(&server, 8089).success() && create(&server, 10443).success());
    let refused = create(&server, 22);
    assert!(
        !refused.success() && refused.stderr.contains("port 22 is not among those allowed"),
        "{refused:?}"
    );
    let broken = write(folder.path(), "ca.pem", "no certificate");
    let mut serve = crate::support::binary();
    serve
        .args(["serve", "--data-dir"])
        .arg(folder.path().join("other"))
        .env("RECOUNT_EGRESS_CA_FILE", &broken);
    let ran =
        crate::support::Ran::from(serve.env("RECOUNT_LISTEN", "127.0.0.1:0").output().expect("it runs"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("egress.ca_file") && ran.stderr.contains("expected certificates in PEM"),
        "{ran:?}"
    );
}
