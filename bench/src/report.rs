//! docs/benchmarks.md: each suite owns the part between its two markers.

use std::path::Path;

use anyhow::Context;

const FILE: &str = "docs/benchmarks.md";

/// Replaces the part of `suite` by `text`.
pub(crate) fn write(suite: &str, text: &str) -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let old = std::fs::read_to_string(&path).with_context(|| format!("could not read {FILE}"))?;
    let (begin, end) = (format!("<!-- {suite} -->"), format!("<!-- /{suite} -->"));
    let from = old.find(&begin).with_context(|| format!("{FILE} lacks {begin}"))? + begin.len();
    let to = old.find(&end).with_context(|| format!("{FILE} lacks {end}"))?;
    let new = format!("{}\n\n{}\n\n{}", &old[..from], text.trim(), &old[to..]);
    std::fs::write(&path, new).with_context(|| format!("could not write {FILE}"))?;
    Ok(())
}

/// Prints a line of progress.
#[expect(clippy::print_stdout, reason = "the benchmark talks to a person on a terminal")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
