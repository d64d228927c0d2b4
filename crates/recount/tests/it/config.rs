//! Mistakes in the configuration stop the start and say what was expected.

use crate::support::{Ran, binary, folder, run, write};

/// Standard error of `recount config` with a file of that text, its folder left out.
fn with_file(text: &str) -> String {
    let folder = folder();
    let file = write(folder.path(), "recount.toml", text);
    let ran: Ran = binary().args(["config", "--config", &file]).output().expect("it runs").into();
    assert_eq!(ran.code, 3, "{ran:?}");
    ran.stderr.replace(folder.path().to_str().expect("UTF-8"), "")
}

fn with_variable(name: &str, value: &str) -> String {
    let ran: Ran = binary().arg("config").env(name, value).output().expect("it runs").into();
    assert_eq!(ran.code, 3, "{ran:?}");
    ran.stderr
}

#[test]
fn a_mistake_names_its_place_the_value_and_what_was_expected() {
    insta::assert_snapshot!(with_file("listen = \"somewhere\"\n"), @r#"error: /recount.toml:1: listen = "somewhere": expected an address and a port, like 127.0.0.1:8787 or [::]:8787"#);
    insta::assert_snapshot!(with_file("\n[seal]\nage = 15\n"), @"error: /recount.toml:3: seal.age = 15: expected a time from 1s to 365d, like 30s, 15m, 6h or 7d");
    insta::assert_snapshot!(with_file("[egress]\nallow = [\"10.0.0.0/8\", \"home\"]\n"), @"error: /recount.toml:2: egress.allow = this list: expected a list of networks like 10.0.0.0/8; home is none");
    insta::assert_snapshot!(with_file("[egress]\nports = [8089, 70000]\n"), @"error: /recount.toml:2: egress.ports = this list: expected a list of TCP ports like 8089; 70000 is none");
    insta::assert_snapshot!(with_variable("RECOUNT_CREATE_TENANTS", "maybe"), @r#"error: the environment: create_tenants = "maybe": expected true or false"#);
    insta::assert_snapshot!(with_variable("RECOUNT_CATALOG", "mysql://root:secret@db/x"), @"error: the environment: catalog = (hidden): expected a URL that starts with sqlite:// or postgres:// or postgresql://");
    insta::assert_snapshot!(with_variable("RECOUNT_OPERATOR_KEY", "short"), @"error: the environment: operator_key = (hidden): expected a secret of at least 32 characters");
    insta::assert_snapshot!(with_variable("RECOUNT_DEDUP_WINDOW_DAYS", "0"), @r#"error: the environment: dedup_window_days = "0": expected a whole number from 1 to 3650"#);
}

#[test]
fn unknown_settings_are_mistakes_with_a_suggestion() {
    insta::assert_snapshot!(with_file("lisetn = \"127.0.0.1:1\"\n"), @"error: /recount.toml:1: there is no setting lisetn; did you mean listen?");
    insta::assert_snapshot!(with_file("[cache]\ncolumn = \"1GiB\"\n"), @"error: /recount.toml:2: there is no setting cache.column; did you mean cache.columns?");
    insta::assert_snapshot!(with_variable("RECOUNT_OPERATOR_KYE", "x"), @"error: the environment: there is no setting RECOUNT_OPERATOR_KYE; did you mean RECOUNT_OPERATOR_KEY?");
    let ran = run(["config", "--set", "colour=red"]);
    insta::assert_snapshot!(ran.stderr, @"error: --set: there is no setting colour; `recount config --defaults` lists them all");
}

#[test]
fn variables_of_an_orchestrator_are_ignored_and_listed() {
    let ran: Ran =
        binary().arg("config").env("RECOUNT_SERVICE_HOST", "10.0.0.1").output().expect("it runs").into();
    assert!(ran.success(), "{ran:?}");
    assert!(
        ran.stdout.contains("Ignored, because they are no settings: RECOUNT_SERVICE_HOST"),
        "{}",
        ran.stdout
    );
}

#[test]
fn broken_files_and_settings_that_do_not_go_together_are_told() {
    insta::assert_snapshot!(with_file("listen = \n"), @"error: /recount.toml:1: this is not TOML: string values must be quoted, expected literal string");
    let folder = folder();
    let key = write(folder.path(), "key", "x");
    let together =
        with_file(&format!("operator_key = \"{}\"\noperator_key_file = \"{key}\"\n", "k".repeat(40)));
    assert!(together.contains("are both set: leave one out") && !together.contains("kkkk"), "{together}");
    let kept = with_file("retention_days = 7\n");
    insta::assert_snapshot!(kept, @"error: retention_days (/recount.toml:1) = 7 is less than dedup_window_days (default) = 30: an event must be kept for as long as its id is recognised");
    let shared = with_variable("RECOUNT_CATALOG", "postgres://u:p@db/recount");
    assert!(shared.contains("secret_key must be given"), "{shared}");
}

#[test]
fn later_layers_win_and_each_value_says_where_it_came_from() {
    let folder = folder();
    let file = write(
        folder.path(),
        "r.toml",
        "listen = \"127.0.0.1:1\"\nnode_name = \"file\"\n[seal]\nage = \"5m\"\n",
    );
    let ran: Ran = binary()
        .args(["config", "--json", "--listen", "127.0.0.1:3"])
        .env("RECOUNT_CONFIG", &file)
        .env("RECOUNT_LISTEN", "127.0.0.1:2")
        .env("RECOUNT_NODE_NAME", "environment")
        .env("RECOUNT_OPERATOR_KEY", "a secret that nobody must ever see!!")
        .output()
        .expect("it runs")
        .into();
    assert!(ran.success(), "{ran:?}");
    let config: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(config["listen"], serde_json::json!({"value": "127.0.0.1:3", "origin": "--listen"}));
    assert_eq!(config["node_name"]["value"], "environment");
    assert_eq!(config["node_name"]["origin"], "RECOUNT_NODE_NAME");
    assert_eq!(config["seal.age"]["value"], "5m");
    assert!(config["seal.age"]["origin"].as_str().expect("text").ends_with("r.toml:4"));
    assert_eq!(config["create_tenants"], serde_json::json!({"value": true, "origin": "default"}));
    assert_eq!(config["operator_key"]["value"], "(hidden)");
    assert!(!ran.stdout.contains("nobody must ever see"));
}

#[test]
fn the_printed_defaults_are_a_file_that_changes_nothing() {
    let folder = folder();
    let defaults = run(["config", "--defaults"]);
    let file = write(folder.path(), "recount.toml", &defaults.stdout);
    let ran = run(["config", "--json", "--config", &file]);
    assert!(ran.success(), "{ran:?}");
    let with: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let without: serde_json::Value = serde_json::from_str(&run(["config", "--json"]).stdout).expect("JSON");
    for (key, entry) in without.as_object().expect("an object") {
        assert_eq!(with[key]["value"], entry["value"], "{key}");
    }
}

#[test]
fn a_password_in_a_url_is_hidden() {
    let ran: Ran = binary()
        .arg("config")
        .env("RECOUNT_CATALOG", "postgres://user:pa55word@db/recount")
        .env("RECOUNT_SECRET_KEY", "deadbeef".repeat(8))
        .output()
        .expect("it runs")
        .into();
    assert!(ran.success() && ran.stdout.contains("postgres://user:(hidden)@db/recount"), "{ran:?}");
    assert!(!ran.stdout.contains("pa55word") && !ran.stdout.contains("deadbeef"));
}

#[test]
fn the_reference_in_the_docs_is_the_table_in_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let text = std::fs::read_to_string(&path).expect("docs/configuration.md is there");
    let (introduction, written) = text.split_once("## All settings\n").expect("it has the heading");
    let expected = recount::config::reference_markdown();
    if written != expected && std::env::var_os("RECOUNT_TEST_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{introduction}## All settings\n{expected}"))
            .expect("it can be written");
        return;
    }
    assert_eq!(written, expected, "run this test with RECOUNT_TEST_UPDATE_DOCS=1 to write it anew");
}
