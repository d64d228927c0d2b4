//! What `--help` says is worth reading and does not change by accident.

use std::process::Command;

use crate::support::{folder, run, write};

fn help<const N: usize>(arguments: [&str; N]) -> String {
    let ran = run(arguments);
    assert!(ran.success(), "{ran:?}");
    // Help is filled to the terminal's width; here there is none.
    ran.stdout.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn help_of_every_command() {
    insta::assert_snapshot!("help", help(["--help"]));
    insta::assert_snapshot!("help_serve", help(["serve", "--help"]));
    insta::assert_snapshot!("help_demo", help(["demo", "--help"]));
    insta::assert_snapshot!("help_import", help(["import", "--help"]));
    insta::assert_snapshot!("help_search", help(["search", "--help"]));
    insta::assert_snapshot!("help_tail", help(["tail", "--help"]));
    insta::assert_snapshot!("help_export", help(["export", "--help"]));
    insta::assert_snapshot!("help_keys", help(["keys", "--help"]));
    insta::assert_snapshot!("help_tenants", help(["tenants", "--help"]));
    insta::assert_snapshot!("help_streams", help(["streams", "--help"]));
    insta::assert_snapshot!("help_streams_create", help(["streams", "create", "--help"]));
    insta::assert_snapshot!("help_streams_update", help(["streams", "update", "--help"]));
    insta::assert_snapshot!("help_streams_dead_letters", help(["streams", "dead-letters", "--help"]));
    insta::assert_snapshot!("help_config", help(["config", "--help"]));
}

#[test]
fn every_exit_code_is_in_the_docs() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let text = std::fs::read_to_string(path).expect("docs/cli.md is there");
    for (exit, meaning) in recount::exit::Exit::TABLE {
        let row = format!("| {} | {meaning} |", exit.code());
        assert!(text.contains(&row), "docs/cli.md lacks: {row}");
    }
}

#[test]
fn a_wrong_command_line_is_told_apart_from_failure() {
    let ran = run(["serach", "x"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("similar subcommand") && ran.stderr.contains("search"), "{}", ran.stderr);
}

#[test]
fn completions_are_made_for_each_shell() {
    let folder = folder();
    for (shell, word, check) in [
        ("bash", "_recount", Some(["bash", "-n"])),
        ("zsh", "#compdef recount", None),
        ("fish", "complete -c recount", None),
    ] {
        let ran = run(["completions", shell]);
        assert!(ran.success() && ran.stdout.contains(word) && ran.stdout.contains("import"), "{shell}");
        if let Some([program, flag]) = check {
            let file = write(folder.path(), shell, &ran.stdout);
            assert!(Command::new(program).args([flag, &file]).status().expect("bash is there").success());
        }
    }
}
