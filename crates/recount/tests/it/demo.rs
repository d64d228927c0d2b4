//! The demo does what it promises: its curl lines work as they are printed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::support::{Server, binary, folder};

#[test]
fn every_printed_curl_line_works_as_printed() {
    let folder = folder();
    let data = folder.path().join("demo");
    let mut demo = binary()
        .args(["demo", "--events", "2000", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut printed = Vec::new();
    for line in BufReader::new(demo.stdout.take().expect("piped")).lines() {
        let line = line.expect("UTF-8");
        let last = line.contains("Ctrl-C stops it");
        printed.push(line);
        if last {
            break;
        }
    }
    let text = printed.join("\n");
    let run_all = || {
        assert!(text.contains("2,000 events of the last 90 days loaded"), "{text}");
        assert!(text.contains("/portal#code="), "{text}");
        let curls: Vec<&str> =
            printed.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl")).collect();
        assert!(curls.len() >= 8, "{text}");
        for curl in curls {
            let output =
                Command::new("sh").args(["-c", curl]).current_dir(folder.path()).output().expect("sh runs");
            let answer = String::from_utf8_lossy(&output.stdout);
            let expected = match () {
                () if curl.contains("/tail") => "data: {",
                () if curl.contains("-o acme.csv") => "",
                () if curl.contains("portal-sessions") => "/portal#code=",
                () if curl.contains("demo.tried") => "\"duplicate\":false",
                () if curl.contains("/facets") => "user.login",
                () => "\"data\":[{",
            };
            assert!(output.status.success() && answer.contains(expected), "{curl}\n{answer}");
        }
        let csv = std::fs::read_to_string(folder.path().join("acme.csv")).expect("written");
        assert!(csv.lines().count() > 1_200, "{} lines", csv.lines().count());
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run_all));
    assert!(Command::new("kill").args(["-TERM", &demo.id().to_string()]).status().expect("kill").success());
    assert!(demo.wait().expect("it ended").success());
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }

    // A server on the same folder finds the story.
    let server = Server::start(&data);
    assert_eq!(server.count("acme", "actor:marta.kowalczyk@acme.example action:user.mfa_challenged"), 11);
    assert_eq!(server.count("acme", "action:customer.exported actor:quarterly-sync"), 9);
    assert!(server.count("lumen", "") >= 600 && server.count("harbor", "") >= 200);
}

#[test]
fn fresh_leaves_other_folders_alone() {
    let folder = folder();
    std::fs::write(folder.path().join("precious"), "").expect("room");
    let output =
        binary().args(["demo", "--fresh", "--data-dir"]).arg(folder.path()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(11));
    assert!(folder.path().join("precious").exists());
}
