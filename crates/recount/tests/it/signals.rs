//! A program that is told to stop stops, also while it waits for something else.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Server, binary, end_of, event, folder, terminate, write};

/// Starts a server that needs a service, and stops it when it waits for an answer of it.
fn stopped_while_it_waits_for(service: &TcpListener, variables: &[(&str, String)]) {
    let folder = folder();
    let mut server = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.path())
        .env("RECOUNT_SECRET_KEY", "0".repeat(64))
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let (_silent, _) = service.accept().expect("it connects");
    terminate(&server);
    assert_eq!(end_of(&mut server), Some(0));
}

#[test]
fn a_server_that_waits_for_its_database_stops() {
    let database = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("postgres://recount@{}/recount", database.local_addr().expect("bound"));
    stopped_while_it_waits_for(&database, &[("RECOUNT_CATALOG", url)]);
}

#[test]
fn a_server_that_waits_for_its_objects_stops() {
    let objects = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", objects.local_addr().expect("bound"));
    let variables = [
        ("RECOUNT_OBJECTS", "s3://bucket/prefix".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
    ];
    stopped_while_it_waits_for(&objects, &variables);
}

#[test]
fn an_import_that_waits_for_a_server_stops() {
    let folder = folder();
    let file = write(folder.path(), "log.ndjson", event("e1", "thing.done"));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = format!("http://{}", silent.local_addr().expect("bound"));
    let mut import = binary().args(["import", &file, "--server", &server, "-q"]).spawn().expect("it runs");
    let (_asked, _) = silent.accept().expect("it asks");
    let pid = import.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    assert_eq!(end_of(&mut import), Some(130));
}

/// A demo in that folder.
fn demo(data: &Path, events: &str) -> Child {
    let mut command = binary();
    command.args(["demo", "--events", events, "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// Waits until a demo says that everything is there, and stops it.
fn stopped_when_it_is_up(mut demo: Child) {
    let printed = BufReader::new(demo.stdout.take().expect("piped"));
    assert!(printed.lines().map_while(Result::ok).any(|line| line.contains("Ctrl-C stops it")));
    terminate(&demo);
    assert_eq!(end_of(&mut demo), Some(0));
}

#[test]
fn a_demo_that_loads_stops_and_can_be_started_again() {
    let folder = folder();
    let data = folder.path().join("demo");
    let mut loading = demo(&data, "50000000");
    // Its file is there before anything is loaded.
    while !data.join("demo.json").exists() {
        std::thread::yield_now();
    }
    terminate(&loading);
    assert_eq!(end_of(&mut loading), Some(0));
    let said = loading.wait_with_output().expect("it ended");
    assert!(String::from_utf8_lossy(&said.stderr).contains("goes on with it"), "{said:?}");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "");
    stopped_when_it_is_up(demo(&data, "1000"));
}

#[test]
fn a_demo_that_loads_again_adds_nothing() {
    let folder = folder();
    let data = folder.path().join("demo");
    stopped_when_it_is_up(demo(&data, "2000"));
    let file = data.join("demo.json");
    let kept = std::fs::read_to_string(&file).expect("kept");
    std::fs::write(&file, kept.replace("\"loaded\": true", "\"loaded\": false")).expect("room");
    stopped_when_it_is_up(demo(&data, "2000"));
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let until = jiff::Timestamp::from_microsecond(kept["until_micros"].as_i64().expect("a time"));
    let until = until.expect("a time").to_string();
    let server = Server::start(&data);
    for (tenant, events) in [("acme", "1200"), ("lumen", "600"), ("harbor", "200")] {
        let ran = server.run(["search", "--count", "--tenant", tenant, "--to", &until, "-source:recount"]);
        assert_eq!(ran.stdout.trim(), events, "{tenant}");
    }
}
