//! What the README tells people to type works as it stands there.

use std::path::Path;
use std::process::Command;

use crate::support::{OPERATOR_KEY, Server, fixture, folder};

#[test]
fn the_commands_of_the_readme_work() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("README.md is there");
    let (_, rest) = readme.split_once("In another terminal:\n\n```sh\n").expect("the commands");
    let (commands, _) = rest.split_once("```").expect("their end");
    let folder = folder();
    let server = Server::start(&folder.path().join("data"));
    let created = server.run(["keys", "create", "--name", "backend", "--scope", "events:write"]);
    // What is made up there, or would not end, is replaced.
    let script = commands
        .replace("rk_op_…", OPERATOR_KEY)
        .replace("rk_in_…", created.stdout.trim())
        .replace("http://127.0.0.1:8787", &server.url)
        .replace("tail -f", "tail")
        .replace("curl ", "curl --silent --fail ");
    let records = std::fs::read(fixture("cloudtrail.json")).expect("a fixture");
    std::fs::write(folder.path().join("cloudtrail.json.gz"), records).expect("room");
    let programs = Path::new(env!("CARGO_BIN_EXE_recount")).parent().expect("a folder");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path"));
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &script]).current_dir(folder.path()).env("PATH", path);
    let output = shell.env("RECOUNT_SERVER", &server.url).output().expect("sh is there");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("{\"id\":\"evt-1\",\"seq\":0,\"duplicate\":false}"), "{said}");
    assert_eq!(said.matches("role.updated").count(), 2, "searched and followed: {said}");
    let table = std::fs::read_to_string(folder.path().join("acme.csv")).expect("exported");
    assert!(table.contains("evt-1"), "{table}");
    assert_eq!(server.count("acme", "action:signin.ConsoleLogin"), 1, "imported");
}
