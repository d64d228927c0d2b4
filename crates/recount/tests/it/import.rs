//! Imports: every shape of input, what becomes of bad records, and going on after a stop.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::stand_in::{StandIn, answer};
use crate::support::{OPERATOR_KEY, Ran, Server, binary, event, fixture, folder, run, write};

/// The summary that `import --json` printed.
fn summary(ran: &Ran) -> Value {
    serde_json::from_str(ran.stdout.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{ran:?}"))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// CloudTrail records that are made up.
fn records(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| {
            json!({
                "eventID": format!("made-up-{number}"),
                "eventTime": "2026-11-01T10:00:00Z",
                "eventSource": "s3.amazonaws.com",
                "eventName": "GetObject",
                "awsRegion": "eu-west-1",
                "sourceIPAddress": "192.0.2.1",
                "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ada", "userName": "ada"},
                "requestParameters": {"bucketName": "b", "key": format!("k{number}")},
            })
        })
        .collect()
}

#[test]
fn every_shape_of_input_gives_the_same_events() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let records = records(50);
    let ndjson: String = records.iter().map(|record| format!("{record}\n")).collect();
    let array = serde_json::to_string_pretty(&records).expect("JSON");
    let wrapped = json!({"version": 1, "Records": records, "next": null}).to_string();
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        ("plain.ndjson", ndjson.clone().into_bytes()),
        ("plain.ndjson.gz", gzip(&ndjson)),
        ("array.json", array.clone().into_bytes()),
        ("array.json.zst", zstd::encode_all(array.as_bytes(), 1).expect("memory")),
        ("wrapped.json", wrapped.clone().into_bytes()),
        ("wrapped-without-its-ending", gzip(&wrapped)),
        (
            "twice.gz",
            [
                gzip(&records[..20].iter().map(|r| format!("{r}\n")).collect::<String>()),
                gzip(&records[20..].iter().map(|r| format!("{r}\n")).collect::<String>()),
            ]
            .concat(),
        ),
    ];
    for (number, (name, bytes)) in shapes.into_iter().enumerate() {
        let file = write(folder.path(), name, bytes);
        let tenant = format!("t{number}");
        let ran = server.run([
            "import",
            &file,
            "--map",
            "cloudtrail",
            "--tenant",
            &tenant,
            "--json",
            "--batch",
            "7",
        ]);
        assert!(ran.success(), "{name}: {ran:?}");
        assert_eq!(
            (summary(&ran)["new"].as_u64(), summary(&ran)["records"].as_u64()),
            (Some(50), Some(50)),
            "{name}"
        );
        assert_eq!(server.count(&tenant, "action:s3.GetObject actor:ada ip:192.0.2.1"), 50, "{name}");
    }
    let mut child = server
        .command(OPERATOR_KEY)
        .args(["import", "-", "--map", "cloudtrail", "--tenant", "stdin", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("piped").write_all(ndjson.as_bytes()).expect("it reads");
    let ran: Ran = child.wait_with_output().expect("it ends").into();
    assert_eq!(summary(&ran)["new"], 50);
}

#[test]
fn csv_is_mapped_by_the_names_of_its_header() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let map = write(
        folder.path(),
        "ours.toml",
        r#"
description = "our old log"
[event]
action = "{/area}.{/what}"
occurred_at = { from = "/when", format = "iso", offset = "+01:00" }
outcome = { from = "/ok", values = { yes = "success", no = "failure" }, otherwise = "success" }
[event.actor]
type = "user"
id = "/user id"
email = { from = "/user id", only = "email" }
[event.metadata]
include = ["*"]
"#,
    );
    let rows = "when,area,what,user id,ok,note\n\
                2026-11-01 10:00:00,door,opened,ada@example.com,yes,\"said \"\"hi\"\", left\"\n\
                2026-11-01 11:00:00,door,closed,eve,no,\n\
                short,row\n";
    let file = write(folder.path(), "log.csv", rows);
    let rejects = folder.path().join("rejects.ndjson");
    let rejects = rejects.to_str().expect("UTF-8");
    let ran = server.run(["import", &file, "--map", &map, "--tenant", "csv", "--json", "--rejects", rejects]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("log.csv:4: the row has 2 cells, the header names 6"), "{}", ran.stderr);
    let events =
        server.run(["search", "--json", "--tenant", "csv", "action:door.*", "--oldest"]).json_lines();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["occurred_at"], "2026-11-01T09:00:00Z");
    assert_eq!(events[0]["metadata"]["note"], "said \"hi\", left");
    assert_eq!(events[0]["actor"]["email"], "ada@example.com");
    assert_eq!(events[1]["outcome"], "failure");
    let kept: Value =
        serde_json::from_str(std::fs::read_to_string(rejects).expect("written").trim()).expect("JSON");
    assert_eq!((kept["line"].as_u64(), kept["record"].as_str()), (Some(4), Some("short,row")));
    // Without an id of its own, an event's id follows from the row: again adds nothing.
    let again = server.run(["import", &file, "--map", &map, "--tenant", "csv", "--json"]);
    assert_eq!((summary(&again)["new"].as_u64(), summary(&again)["known"].as_u64()), (Some(0), Some(2)));
}

#[test]
fn bad_records_are_shown_counted_and_kept_and_the_good_ones_imported() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let mut lines: Vec<String> = records(10).iter().map(Value::to_string).collect();
    lines.insert(3, "{\"eventID\": broken".to_owned());
    lines.insert(
        5,
        json!({"eventID": "x", "eventName": "NoTime", "eventSource": "a", "userIdentity": {}}).to_string(),
    );
    lines.insert(
        7,
        json!({"eventID": "y", "eventTime": "1969-01-01T00:00:00Z", "eventSource": "a", "eventName": "Old"})
            .to_string(),
    );
    let file = write(folder.path(), "trail.ndjson", lines.join("\n"));
    let rejects = folder.path().join("bad.ndjson");
    let rejects = rejects.to_str().expect("UTF-8");
    let ran = server.run([
        "import",
        &file,
        "--map",
        "cloudtrail",
        "--tenant",
        "bad",
        "--json",
        "--rejects",
        rejects,
    ]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!((summary(&ran)["new"].as_u64(), summary(&ran)["rejected"].as_u64()), (Some(10), Some(3)));
    for expected in
        ["trail.ndjson:4: not JSON", "trail.ndjson:6: no occurred_at", "trail.ndjson:8: a time lies between"]
    {
        assert!(ran.stderr.contains(expected), "{expected}: {}", ran.stderr);
    }
    let kept = std::fs::read_to_string(rejects).expect("written");
    assert_eq!(kept.lines().count(), 3);
    assert!(kept.contains("\"record\":{\"eventID\":\"x\""), "{kept}");
    assert_eq!(server.count("bad", "action:s3.GetObject"), 10);
}

#[test]
fn a_dry_run_checks_everything_and_needs_no_server() {
    let folder = folder();
    let file = write(folder.path(), "a.json", serde_json::to_string(&records(3)).expect("JSON"));
    let ran = run([
        "import",
        &file,
        "--map",
        "cloudtrail",
        "--tenant",
        "t",
        "--dry-run",
        "--show",
        "1",
        "--server",
        "http://127.0.0.1:1",
    ]);
    assert!(ran.success(), "{ran:?}");
    assert!(ran.stderr.contains("3 would be sent"), "{}", ran.stderr);
    assert_eq!(ran.json_lines()[0]["action"], "s3.GetObject");
}

#[test]
fn what_is_over_the_limits_is_cut_with_a_marker() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let mut record = records(1).remove(0);
    record["requestParameters"]["policy"] = "needle ".repeat(20_000).into();
    record["responseElements"] =
        json!({"items": (0..400).map(|n| json!({"name": format!("wide{n}")})).collect::<Vec<_>>()});
    let mut deep = json!({"word": "abyss"});
    for _ in 0..30 {
        deep = json!({ "in": deep });
    }
    record["additionalEventData"] = deep;
    let file = write(folder.path(), "big.json", json!([record]).to_string());
    let ran = server.run(["import", &file, "--map", "cloudtrail", "--tenant", "big", "--json"]);
    assert!(ran.success(), "{ran:?}");
    assert_eq!((summary(&ran)["new"].as_u64(), summary(&ran)["cut"].as_u64()), (Some(1), Some(1)));
    assert_eq!(server.count("big", "tags.import:cut abyss wide399 needle"), 1);
}

#[test]
fn a_record_within_a_record_is_unwrapped() {
    let folder = folder();
    let wrapped: Vec<Value> =
        records(4).iter().map(|record| json!({"timestamp": 1, "message": record.to_string()})).collect();
    let file =
        write(folder.path(), "cloudwatch.json", json!({"nextToken": "x", "events": wrapped}).to_string());
    let shown = |arguments: [&str; 4]| {
        let mut all =
            vec!["import", "--map", "cloudtrail", "--dry-run", "--show", "9", "--tenant", "t", "-q"];
        all.extend(arguments.iter().filter(|argument| !argument.is_empty()));
        let ran: Ran = binary().args(all).output().expect("it runs").into();
        assert!(ran.success(), "{ran:?}");
        ran.json_lines()
            .iter()
            .map(|event| event["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    let ids = ["made-up-0", "made-up-1", "made-up-2", "made-up-3"];
    assert_eq!(shown([&file, "", "", ""]), ids);
    let attributes: String =
        records(4).iter().map(|record| json!({"attributes": record}).to_string() + "\n").collect();
    let file = write(folder.path(), "archive.json", attributes);
    assert_eq!(shown([&file, "--unwrap", "/attributes", ""]), ids);
}

#[test]
fn an_export_can_be_imported_into_another_log() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let lines: Vec<String> = (0..30).map(|number| event(&format!("e{number}"), "thing.done")).collect();
    let file = write(folder.path(), "events.ndjson", lines.join("\n"));
    assert!(server.run(["import", &file]).success());
    let out = folder.path().join("out.ndjson");
    let out = out.to_str().expect("UTF-8");
    assert!(server.run(["export", "--tenant", "acme", "-o", out]).success());
    let ran = server.run(["import", out, "--tenant", "copy", "--json"]);
    assert!(ran.success(), "{ran:?}");
    assert_eq!(summary(&ran)["new"], 30);
    assert!(
        summary(&ran)["left_out"].as_u64() >= Some(1),
        "the look and the export are Recount's own events"
    );
}

#[test]
fn an_import_goes_on_where_it_stopped_and_follows_a_growing_file() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let lines: Vec<String> = (0..60).map(|number| event(&format!("e{number}"), "thing.done")).collect();
    let file = write(folder.path(), "log.ndjson", lines[..40].join("\n") + "\n");
    let state = folder.path().join("log.state");
    let state = state.to_str().expect("UTF-8");
    let import = || server.run(["import", &file, "--resume", state, "--json"]);
    assert_eq!(summary(&import())["new"], 40);
    let again = import();
    assert_eq!(
        (summary(&again)["records"].as_u64(), summary(&again)["passed_over"].as_u64()),
        (Some(0), Some(40))
    );
    std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .expect("there")
        .write_all(lines[40..].join("\n").as_bytes())
        .expect("room");
    let grown = import();
    assert_eq!((summary(&grown)["new"].as_u64(), summary(&grown)["known"].as_u64()), (Some(20), Some(0)));
    std::fs::write(&file, lines[10..].join("\n")).expect("room");
    let other = import();
    assert_eq!(other.code, 3, "{other:?}");
    assert!(other.stderr.contains("is not the file that"), "{}", other.stderr);
}

/// Appends to a file, as the writer of a log does.
fn append(file: &str, text: &str) {
    let mut log = std::fs::OpenOptions::new().append(true).open(file).expect("there");
    log.write_all(text.as_bytes()).expect("room");
}

#[test]
fn half_a_line_of_a_growing_file_is_left_for_the_next_run() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let (whole, growing) = (event("e0", "thing.done"), event("e1", "thing.done"));
    let (half, rest) = growing.split_at(60);
    let file = write(folder.path(), "log.ndjson", format!("{whole}\n{half}"));
    let state = folder.path().join("log.state");
    let state = state.to_str().expect("UTF-8");
    let import = || server.run(["import", &file, "--resume", state, "--json"]);
    let first = import();
    assert!(first.success(), "{first:?}");
    assert_eq!((summary(&first)["new"].as_u64(), summary(&first)["unfinished"].as_u64()), (Some(1), Some(1)));
    assert!(first.stderr.contains("log.ndjson:2: the last line has no end yet"), "{}", first.stderr);
    // Whole, but still without its end: there is nothing to wait for.
    append(&file, rest);
    let second = import();
    assert_eq!(
        (summary(&second)["new"].as_u64(), summary(&second)["unfinished"].as_u64()),
        (Some(1), Some(0))
    );
    append(&file, "\n");
    assert_eq!(summary(&import())["records"], 0);
    // Without a state there is no next run that would know: it is a bad record.
    let broken = write(folder.path(), "cut.ndjson", format!("{whole}\n{half}"));
    assert_eq!(server.run(["import", &broken]).code, 4);
}

#[test]
fn half_a_row_of_a_growing_table_is_left_for_the_next_run() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let rows = "tenant,occurred_at,action,actor.type,actor.id\n\
                acme,2026-11-01T10:00:00Z,door.opened,user,u1\n\
                acme,2026-11-01T10:00:00Z,door.closed,user,u1";
    let file = write(folder.path(), "log.csv", rows);
    let state = folder.path().join("log.state");
    let state = state.to_str().expect("UTF-8");
    let import = || server.run(["import", &file, "--resume", state, "--json"]);
    assert_eq!(
        (summary(&import())["new"].as_u64(), summary(&import())["unfinished"].as_u64()),
        (Some(1), Some(1))
    );
    append(&file, "23\n");
    assert_eq!(summary(&import())["new"], 1);
    assert_eq!(server.count("acme", "action:door.closed actor:u123"), 1, "not of u1, who was half of it");
    let gzipped = write(folder.path(), "old.csv.gz", gzip(rows));
    let ran = server.run(["import", &gzipped, "--tenant", "packed", "--json"]);
    assert_eq!((summary(&ran)["new"].as_u64(), ran.code), (Some(2), 0), "{ran:?}");
}

#[test]
fn what_a_server_cannot_take_for_now_is_sent_again() {
    let stored = |seq: u64| json!({"id": "x", "seq": seq, "duplicate": false});
    let refused = |code: &str| json!({"error": {"code": code, "detail": "no", "pointer": "/tenant"}});
    let results = |results: &[Value]| {
        let status = if results.iter().any(|result| result["error"].is_object()) { 207 } else { 200 };
        answer(status, "application/json", &json!({ "results": results }).to_string())
    };
    let folder = folder();
    let lines: String = (0..4).map(|number| event(&format!("e{number}"), "thing.done") + "\n").collect();
    let file = write(folder.path(), "log.ndjson", lines);
    let state = folder.path().join("log.state");
    let state = state.to_str().expect("UTF-8");
    let first = [stored(0), refused("busy"), refused("tenant_mismatch"), refused("busy")];
    let server =
        StandIn::answering([results(&first), results(&[refused("busy"), stored(1)]), results(&[stored(2)])]);
    let import = |server: &StandIn, patience: &str| -> Ran {
        let arguments = ["import", &file, "--json", "--resume", state, "--patience", patience];
        server.command().args(arguments).output().expect("it runs").into()
    };
    let ran = import(&server, "30");
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!((summary(&ran)["new"].as_u64(), summary(&ran)["rejected"].as_u64()), (Some(3), Some(1)));
    let sent = || {
        let lines = zstd::decode_all(&server.asked().body[..]).expect("zstd");
        lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
            .map(|event| event["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!([sent(), sent(), sent()], [vec!["e0", "e1", "e2", "e3"], vec!["e1", "e3"], vec!["e1"]]);

    // What stayed busy is not done: the same command sends it again.
    std::fs::remove_file(state).expect("it was kept");
    let ran = import(&StandIn::answering([results(&first)]), "0");
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.stderr.contains("could not take 2 of 4 events"), "{}", ran.stderr);
    let ran = import(&StandIn::answering([results(&[stored(0), stored(1), stored(2), stored(3)])]), "0");
    assert_eq!(
        (summary(&ran)["new"].as_u64(), summary(&ran)["passed_over"].as_u64()),
        (Some(4), Some(0)),
        "{ran:?}"
    );
}

#[test]
fn a_member_named_tenant_further_down_names_no_tenant() {
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let key = server.run(["keys", "create", "--tenant", "acme", "--scope", "events:write"]);
    let record = event("e1", "thing.done").replace("\"tenant\":\"acme\",", "");
    let record = record.replace("\"actor\"", "\"metadata\":{\"tenant\":\"theirs\"},\"actor\"");
    let file = write(folder.path(), "log.ndjson", record + "\n");
    let ran = server.run_as(key.stdout.trim(), ["import", &file, "--json"]);
    assert_eq!((summary(&ran)["new"].as_u64(), ran.code), (Some(1), 0), "{ran:?}");
    assert_eq!(server.count("acme", "metadata.tenant:theirs"), 1);
}

#[test]
fn a_server_that_is_away_is_waited_for_and_then_told() {
    let folder = folder();
    let file = write(folder.path(), "e.ndjson", event("e1", "thing.done"));
    let ran = run(["import", &file, "--server", "http://127.0.0.1:1", "--key", "k", "--patience", "1"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(
        ran.stderr.contains("cannot reach http://127.0.0.1:1")
            && ran.stderr.contains("run the same command again"),
        "{}",
        ran.stderr
    );
}

#[test]
fn maps_are_listed_printed_and_checked() {
    let listed = run(["import", "--list-maps"]);
    for name in ["cloudtrail", "gcp-audit", "github-audit", "okta"] {
        assert!(listed.stdout.contains(name), "{}", listed.stdout);
        assert!(run(["import", "--print-map", name]).stdout.contains("[event.actor]"));
    }
    let unknown = run(["import", "x", "--map", "cloudtrial"]);
    assert_eq!(unknown.code, 3);
    assert!(unknown.stderr.contains("did you mean cloudtrail?"), "{}", unknown.stderr);
    let folder = folder();
    for (text, expected) in [
        ("[event]\naction = 3\n", "map"),
        ("[event]\nactoin = \"x\"\n", "unknown field `actoin`"),
        (
            "[event]\naction = \"{nobody}\"\noccurred_at = { from = \"/t\" }\n[event.actor]\ntype = \"a\"\nid = \"b\"\n",
            "{nobody} is not in [let]",
        ),
        (
            "[event]\naction = \"{/x\"\noccurred_at = { from = \"/t\" }\n[event.actor]\ntype = \"a\"\nid = \"b\"\n",
            "a { without a }",
        ),
    ] {
        let map = write(folder.path(), "bad.toml", text);
        let ran = run(["import", "x", "--map", &map]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{expected}: {}", ran.stderr);
    }
}

/// Most memory that an import of any size may have taken, in KiB.
#[cfg(target_os = "linux")]
const PEAK_KIB_MAX: u64 = 120 * 1024;

#[cfg(target_os = "linux")]
#[test]
fn a_document_of_any_size_needs_little_memory() {
    let mut record = records(1).remove(0);
    record["requestParameters"]["text"] = "lorem ipsum ".repeat(2_000).into();
    let element = record.to_string();
    let mut child = binary()
        .args(["import", "-", "--map", "cloudtrail", "--tenant", "t", "--dry-run", "--json", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"{\"Records\":[").expect("it reads");
    let count = 160 * 1024 * 1024 / element.len();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        write!(input, "{comma}{element}").expect("it reads");
    }
    // It has taken all of it but what fits into a pipe, and waits for the rest.
    let peak = crate::support::peak_kib(child.id());
    assert!(peak < PEAK_KIB_MAX, "{peak} KiB for {} MiB", (count * element.len()) >> 20);
    input.write_all(b"]}").expect("it reads");
    drop(input);
    let ran: Ran = child.wait_with_output().expect("it ends").into();
    assert_eq!(summary(&ran)["records"].as_u64(), Some(count as u64));
}

/// What a shipped map makes of the vendors' own examples.
#[test]
fn shipped_maps_make_these_events() {
    for (map, sample) in [
        ("okta", "okta.json"),
        ("github-audit", "github-audit.json"),
        ("gcp-audit", "gcp-audit.json"),
        ("cloudtrail", "cloudtrail.json"),
    ] {
        let ran = run([
            "import",
            &fixture(sample),
            "--map",
            map,
            "--tenant",
            "t",
            "--dry-run",
            "--show",
            "99",
            "--quiet",
        ]);
        assert!(ran.success(), "{map}: {ran:?}");
        insta::assert_json_snapshot!(format!("map_{map}"), ran.json_lines());
    }
}
