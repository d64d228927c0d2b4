//! The workspace's rules as a test: a rule that isn't checked here isn't a rule.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::run::{command, output, root, say};

/// Which of the workspace's crates each may use (docs/ARCHITECTURE.md, "Crates").
const MAY_USE: &[(&str, &[&str])] = &[
    ("recount-event", &[]),
    ("recount-segment", &["recount-event"]),
    ("recount-store", &["recount-event", "recount-segment"]),
    ("recount-deliver", &["recount-event", "recount-store"]),
    ("recount-demo", &["recount-event"]),
    ("recount-ui", &[]),
    ("recount-server", &["recount-event", "recount-store", "recount-deliver", "recount-ui"]),
    (
        "recount",
        &[
            "recount-event",
            "recount-demo",
            "recount-store",
            "recount-deliver",
            "recount-server",
            "recount-ui",
        ],
    ),
    ("recount-bench", &["recount-event", "recount-demo"]),
    ("recount-example-host", &[]),
    ("xtask", &[]),
];

/// A feature that opens ways around credentials; only dev-dependencies may ask for it.
const TESTING_FEATURE: &str = "testing";

/// Above this a file is more than one thing.
const FILE_LINES_MAX: usize = 600;

/// Words that tie the project to one machine or registry.
const FORBIDDEN: &[&str] = &["/wor\u{6b}/", "/tmp/bash_\u{6a}obs", "registry.npmj\u{73}.org"];

/// Checks every rule and reports all breaches at once.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    let files = tracked_files()?;
    dependencies(&mut breaches)?;
    for file in &files {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else {
            continue; // not text, or deleted in the work tree
        };
        source_file(file, &text, &mut breaches);
        forbidden_words(file, &text, &mut breaches);
        lock_file(file, &text, &mut breaches);
    }
    if breaches.is_empty() {
        say(&format!("tidy: {} files keep the rules", files.len()));
        return Ok(());
    }
    bail!("{} breaches of the workspace's rules:\n{}", breaches.len(), breaches.join("\n"))
}

fn tracked_files() -> anyhow::Result<Vec<PathBuf>> {
    let list = output(command("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    Ok(list.lines().map(PathBuf::from).collect())
}

fn dependencies(breaches: &mut Vec<String>) -> anyhow::Result<()> {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut manifests = vec![root().join("xtask/Cargo.toml"), root().join("bench/Cargo.toml")];
    for entry in std::fs::read_dir(root().join("crates"))? {
        manifests.push(entry?.path().join("Cargo.toml"));
    }
    for manifest in manifests.iter().filter(|manifest| manifest.exists()) {
        let text = std::fs::read_to_string(manifest)?;
        let table: toml::Table =
            text.parse().with_context(|| format!("{} is not TOML", manifest.display()))?;
        let name = table["package"]["name"].as_str().unwrap_or_default().to_owned();
        let inherits =
            table.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            breaches.push(format!("{name}: does not inherit the workspace's lints"));
        }
        let Some(may_use) = allowed.get(name.as_str()) else {
            breaches.push(format!("{name}: not in the table of crates in xtask/src/tidy.rs"));
            continue;
        };
        let used = table.get("dependencies").and_then(toml::Value::as_table);
        for (dependency, value) in used.into_iter().flatten() {
            let features = value.get("features").and_then(toml::Value::as_array);
            if features.into_iter().flatten().any(|feature| feature.as_str() == Some(TESTING_FEATURE)) {
                breaches.push(format!(
                    "{name}: {dependency} with `{TESTING_FEATURE}`, which only tests may have"
                ));
            }
            if allowed.contains_key(dependency.as_str()) && !may_use.contains(&dependency.as_str()) {
                breaches.push(format!("{name}: may not use {dependency}"));
            }
        }
    }
    Ok(())
}

fn source_file(file: &Path, text: &str, breaches: &mut Vec<String>) {
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    let is_script = file.extension().is_some_and(|extension| extension == "ts");
    if is_rust && !text.starts_with("//!") {
        breaches.push(format!("{}: does not open with `//!`, what it is for", file.display()));
    }
    if is_rust || is_script {
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        if lines > FILE_LINES_MAX {
            breaches.push(format!(
                "{}: {lines} lines, at most {FILE_LINES_MAX}; is it still one thing?",
                file.display()
            ));
        }
    }
}

fn forbidden_words(file: &Path, text: &str, breaches: &mut Vec<String>) {
    for word in FORBIDDEN {
        if let Some(line) = text.lines().position(|line| line.contains(word)) {
            breaches.push(format!("{}:{}: contains `{word}`", file.display(), line + 1));
        }
    }
}

fn lock_file(file: &Path, text: &str, breaches: &mut Vec<String>) {
    if file.ends_with("package-lock.json") && text.contains("\"resolved\": \"http") {
        breaches.push(format!(
            "{}: holds download addresses; set omit-lockfile-registry-resolved=true in .npmrc",
            file.display()
        ));
    }
}
