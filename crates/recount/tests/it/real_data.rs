//! Real logs, imported whole; what `recount search` then finds is compared with an evaluation of
//! its own over the file, which knows nothing of maps, filters or tokens.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::Value;

use crate::support::{Server, fixture, folder, real_data};

fn load(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("readable");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text<'a>(record: &'a Value, pointer: &str) -> &'a str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Lower-case alphanumeric pieces of every string and number in a record.
fn words(value: &Value, out: &mut HashSet<String>) {
    let mut split = |text: &str| {
        out.extend(
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase),
        );
    };
    match value {
        Value::String(text) => split(text),
        Value::Number(number) => split(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| words(item, out)),
        Value::Object(members) => members.values().for_each(|item| words(item, out)),
        Value::Bool(_) | Value::Null => {}
    }
}

/// What CloudTrail's documentation says about errors, in our three words.
fn outcome(record: &Value) -> &'static str {
    let code = text(record, "/errorCode");
    if code.starts_with("AccessDenied") || code.ends_with("UnauthorizedOperation") {
        "denied"
    } else if !code.is_empty() || text(record, "/responseElements/ConsoleLogin") == "Failure" {
        "failure"
    } else {
        "success"
    }
}

#[test]
fn cloudtrail_is_imported_whole_and_found_as_it_is() {
    let Some(path) = real_data("cloudtrail/invictus_aws_dataset.ndjson") else { return };
    let records = load(&path);
    assert_eq!(records.len(), 2_900);
    let folder = folder();
    let server = Server::start(folder.path());
    let file = path.to_str().expect("UTF-8");
    let import = || {
        let ran = server.run(["import", file, "--map", "cloudtrail", "--tenant", "aws", "--json"]);
        assert!(ran.success(), "{ran:?}");
        serde_json::from_str::<Value>(&ran.stdout).expect("a summary")
    };
    let first = import();
    assert_eq!(
        (first["records"].as_u64(), first["new"].as_u64(), first["rejected"].as_u64()),
        (Some(2_900), Some(2_900), Some(0))
    );
    let again = import();
    assert_eq!((again["new"].as_u64(), again["known"].as_u64()), (Some(0), Some(2_900)));
    assert_eq!(server.count("aws", "-source:recount"), 2_900);

    let expect = |filter: &str, test: &dyn Fn(&Value) -> bool| {
        let expected = records.iter().filter(|record| test(record)).count() as u64;
        assert_eq!(server.count("aws", filter), expected, "{filter}");
        expected
    };
    by_action(&records, &expect);
    by_actor(&expect);
    by_address(&expect);
    for wanted in ["success", "failure", "denied"] {
        assert!(
            expect(&format!("outcome:{wanted} -source:recount"), &|record| outcome(record) == wanted) > 0
        );
    }
    by_word(&records, &expect);
    let mixed = |record: &Value| {
        text(record, "/eventSource") == "iam.amazonaws.com"
            && outcome(record) != "success"
            && text(record, "/sourceIPAddress") == "192.168.10.20"
    };
    assert!(expect("action:iam.* outcome:failure,denied ip:192.168.10.20", &mixed) > 0);
}

type Expect<'a> = &'a dyn Fn(&str, &dyn Fn(&Value) -> bool) -> u64;

fn by_action(records: &[Value], expect: Expect<'_>) {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for record in records {
        *counts.entry((text(record, "/eventSource"), text(record, "/eventName"))).or_default() += 1;
    }
    let mut actions: Vec<_> = counts.into_iter().collect();
    actions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for ((source, name), _) in actions.iter().take(12).chain(actions.iter().rev().take(5)) {
        let service = source.strip_suffix(".amazonaws.com").expect("a service");
        expect(&format!("action:{service}.{name}"), &|record| {
            text(record, "/eventSource") == *source && text(record, "/eventName") == *name
        });
    }
    for service in ["s3", "iam", "ssm", "sts"] {
        let source = format!("{service}.amazonaws.com");
        assert!(expect(&format!("action:{service}.*"), &|record| text(record, "/eventSource") == source) > 0);
    }
}

fn by_actor(expect: Expect<'_>) {
    assert!(expect("actor:benjamin", &|record| text(record, "/userIdentity/userName") == "benjamin") > 0);
    let arn = "arn:aws:iam::123837392027:user/benjamin";
    assert!(expect(&format!("actor.id:\"{arn}\""), &|record| text(record, "/userIdentity/arn") == arn) > 0);
    assert!(expect("actor.type:role", &|record| text(record, "/userIdentity/type") == "AssumedRole") > 0);
}

fn by_address(expect: Expect<'_>) {
    let is = |record: &Value, test: &dyn Fn(Ipv4Addr) -> bool| {
        text(record, "/sourceIPAddress").parse().is_ok_and(test)
    };
    for address in ["192.168.10.20", "10.8.8.10", "3.225.16.109"] {
        assert!(expect(&format!("ip:{address}"), &|record| text(record, "/sourceIPAddress") == address) > 0);
    }
    assert!(expect("ip:10.0.0.0/8", &|record| is(record, &|ip| ip.octets()[0] == 10)) > 0);
    assert!(
        expect("ip:3.224.0.0/11", &|record| is(record, &|ip| ip.octets()[0] == 3
            && ip.octets()[1] >> 5 == 7))
            > 0
    );
}

fn by_word(records: &[Value], expect: Expect<'_>) {
    let of_each: Vec<HashSet<String>> = records
        .iter()
        .map(|record| {
            let mut found = HashSet::new();
            words(record, &mut found);
            found
        })
        .collect();
    let position = |record: &Value| {
        records.iter().position(|other| std::ptr::eq(other, record)).expect("it is one of them")
    };
    for word in [
        "stratus",
        "throttlingexception",
        "secretsmanager",
        "botocore",
        "AKIATFQR7NSCUXC3DDDP",
        "nosuchbucketpolicy",
        "nowhere2be4found",
    ] {
        let lower = word.to_lowercase();
        expect(word, &|record| of_each[position(record)].contains(&lower));
    }
}

#[test]
fn github_payloads_are_imported_with_a_map_of_their_own() {
    let Some(path) = real_data("github/octokit_webhook_payloads.ndjson") else { return };
    let records = load(&path);
    let distinct: HashSet<String> = records.iter().map(Value::to_string).collect();
    assert_eq!((records.len(), distinct.len()), (500, 500));
    let folder = folder();
    let server = Server::start(folder.path());
    let (file, map) = (path.to_str().expect("UTF-8"), fixture("github-webhooks.toml"));
    let import = || server.run(["import", file, "--map", &map, "--tenant", "github", "--json"]);
    let first = import();
    assert!(first.success(), "{first:?}");
    let summary: Value = serde_json::from_str(&first.stdout).expect("a summary");
    assert_eq!((summary["new"].as_u64(), summary["rejected"].as_u64()), (Some(500), Some(0)), "{summary}");
    let again: Value = serde_json::from_str(&import().stdout).expect("a summary");
    assert_eq!(
        (again["new"].as_u64(), again["known"].as_u64()),
        (Some(0), Some(500)),
        "derived ids are the same again"
    );
    for (kind, action) in [("issues", "opened"), ("team", "created"), ("member", "added")] {
        let expected = records
            .iter()
            .filter(|record| text(record, "/_src/event") == kind && text(record, "/event/action") == action);
        assert_eq!(
            server.count("github", &format!("action:{kind}.{action}")),
            expected.count() as u64,
            "{kind}.{action}"
        );
    }
    let by_codertocat =
        records.iter().filter(|record| text(record, "/event/sender/login") == "Codertocat").count() as u64;
    assert_eq!(server.count("github", "actor:Codertocat"), by_codertocat);
}
